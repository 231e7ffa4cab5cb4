import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EXIT, SendmailFault } from './exit.ts'
import { readFlags, type Wish } from './flags.ts'

/** What a call without any flag asks for. */
const PLAIN: Wish = {
  mode: 'send',
  headerRecipients: false,
  dotEnds: true,
  requireTls: false,
  operands: [],
}

const calls: readonly (readonly [who: string, line: string, wish: Partial<Wish>])[] = [
  ['a person', 'ann@example.com', { operands: ['ann@example.com'] }],
  [
    'cron of Debian',
    '-FCronDaemon -i -B8BITMIME -oem root',
    { fullName: 'CronDaemon', dotEnds: false, operands: ['root'] },
  ],
  ['PHP', '-t -i', { headerRecipients: true, dotEnds: false }],
  [
    'PHP with a sender',
    '-t -i -fapp@example.com',
    { headerRecipients: true, dotEnds: false, from: 'app@example.com' },
  ],
  ['Rails', '-i -t', { headerRecipients: true, dotEnds: false }],
  [
    'the mail gem',
    '-i -f ann@example.com -- bob@example.net',
    { dotEnds: false, from: 'ann@example.com', operands: ['bob@example.net'] },
  ],
  [
    'git send-email',
    '-i bob@example.net eve@example.org',
    { dotEnds: false, operands: ['bob@example.net', 'eve@example.org'] },
  ],
  ['Symfony', '-bs', { mode: 'smtp' }],
  ['Laravel', '-bs -i', { mode: 'smtp', dotEnds: false }],
  ['Swift', '-oi -t', { headerRecipients: true, dotEnds: false }],
  ['Perl', '-oi -oem -odb -t', { headerRecipients: true, dotEnds: false }],
  ['smartd', '-it', { headerRecipients: true, dotEnds: false }],
  [
    'mutt',
    '-oem -oi -f ann@example.com -- b@x.example',
    { dotEnds: false, from: 'ann@example.com', operands: ['b@x.example'] },
  ],
  ['a bounce', '-f <> bob@example.net', { from: '<>', operands: ['bob@example.net'] }],
  ['-r', '-r ann@example.com b@x.example', { from: 'ann@example.com', operands: ['b@x.example'] }],
  ['-bm', '-bm b@x.example', { operands: ['b@x.example'] }],
  ['-bv', '-bv b@x.example', { mode: 'verify', operands: ['b@x.example'] }],
  ['-bp', '-bp', { mode: 'queue' }],
  ['-bi', '-bi', { mode: 'aliases' }],
  ['-I', '-I', { mode: 'aliases' }],
  ['-q', '-q', { mode: 'flush' }],
  ['-q with a time', '-q30m', { mode: 'flush' }],
  ['-q never takes the next word', '-q root', { mode: 'flush', operands: ['root'] }],
  ['-N', '-N never a', { notify: 'NEVER', operands: ['a'] }],
  ['-N with a list', '-N success,delay a', { notify: 'SUCCESS,DELAY', operands: ['a'] }],
  ['-R', '-R hdrs a', { ret: 'HDRS', operands: ['a'] }],
  ['-V', '-V id+1 a', { envelopeId: 'id+1', operands: ['a'] }],
  ['-O', '-O requiretls=yes a', { requireTls: true, operands: ['a'] }],
  ['-O in one word', '-OIgnoreDots=true a', { dotEnds: false, operands: ['a'] }],
  ['-C', '-C /etc/mail.cf a', { config: '/etc/mail.cf', operands: ['a'] }],
  ['-X, -L, -h, -p, -A, -e', '-X log -L tag -h 1 -p smtp -Am -em a', { operands: ['a'] }],
  ['-G -U -v -m -n', '-GUvmn a', { operands: ['a'] }],
  ['what ends the flags', '-i -- -t', { dotEnds: false, operands: ['-t'] }],
  ['nothing', '', {}],
]

describe('the flags of', () => {
  for (const [who, line, wish] of calls)
    it(who, () => {
      const words = line.split(' ').filter((word) => word !== '')
      assert.deepEqual(readFlags('sendmail', words), { ...PLAIN, ...wish })
    })
})

describe('by another name', () => {
  it('mailq lists', () => assert.equal(readFlags('mailq', []).mode, 'queue'))
  it('newaliases checks', () => assert.equal(readFlags('newaliases', []).mode, 'aliases'))
})

const wrong: readonly (readonly [line: string, says: RegExp])[] = [
  ['-bd', /unsupported option -bd: .*posthorn serve/],
  ['-bz', /unsupported option -bz$/],
  ['-z', /unknown option -z/],
  ['--help', /unknown option --/],
  ['-f', /-f needs a value/],
  ['-N sometimes', /-N takes never, or/],
  ['-R half', /-R takes full or hdrs/],
]

describe('wrong usage', () => {
  for (const [line, says] of wrong)
    it(line, () =>
      assert.throws(
        () => readFlags('sendmail', line.split(' ')),
        (error) =>
          error instanceof SendmailFault &&
          error.exit === EXIT.usage &&
          says.test(error.message) === true,
      ),
    )
})
