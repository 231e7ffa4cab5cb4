// Three independent verifiers, each run once over the whole batch, must accept what we sign.

import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { makeKey, publicText } from '../../src/dkim/keys.ts'
import { createIntake, defaultIntakeLimits } from '../../src/intake/accept.ts'
import type { Domain } from '../../src/mail/domain.ts'
import { parseMailbox } from '../../src/mail/mailbox.ts'
import type { MessageId } from '../../src/mail/message.ts'
import { systemClock } from '../../src/std/clock.ts'
import { silentLog } from '../../src/std/log.ts'

const MESSAGES = 1_000
const SEED = 6376
/** The first message with another name in From: nobody may accept it. */
const CHANGED = 'm/changed'
const DOMAIN = 'sender.example' as Domain
const run = promisify(execFile)
const options = { maxBuffer: 64 * 2 ** 20, timeout: 120_000 }

/** A header field's value as the strangest of mailers would fold it; it never ends in a blank line. */
const blank = fc.constantFrom(' ', ' ', '  ', '\t', '\r\n ', '\r\n\t', ' \r\n \t ')
const word = fc.string({
  unit: fc.constantFrom('a', 'B', '7', '.', '-', '_', '=', '?', ';', ':', '!', '#', '(', ')'),
  minLength: 1,
  maxLength: 20,
})
const value = fc
  .array(fc.tuple(blank, word), { minLength: 0, maxLength: 12 })
  .chain((parts) => fc.constantFrom('', ' ', '\t').map((end) => parts.flat().join('') + end))
const name = fc.constantFrom(
  'X-Odd',
  'x-odd',
  'X-ODD',
  'Comments',
  'List-Help',
  'List-Id',
  'Feedback-ID',
)
const extra = fc.array(
  fc.tuple(name, value).map(([n, v]) => `${n}:${v}\r\n`),
  { maxLength: 8 },
)
const subject = value.map((v) => `${v.length % 2 ? 'Subject' : 'SUBJECT'}:${v}\r\n`)
const recipients = fc
  .integer({ min: 0, max: 300 })
  .map((n) => (n < 250 ? 'To: one@other.example\r\n' : `To: ${manyAddresses(n)}\r\n`))

function manyAddresses(count: number): string {
  return Array.from({ length: count }, (_, i) => `"N. ${i}" <r${i}@other.example>`).join(',\r\n\t')
}

const line = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.string({
      unit: fc.constantFrom('a', 'b ', 'c  ', '\t', '.', '='),
      maxLength: 40,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.string({
      unit: fc.constantFrom('\xc3\xa9', '\xff', '\xa0', 'x', ' '),
      maxLength: 60,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 900, max: 998 }).map((n) => 'long '.repeat(200).slice(0, n)),
  },
  { weight: 2, arbitrary: fc.constantFrom('', '', ' ', '\t ', '.', '..', 'From here') },
)
const body = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom('', '\r\n', '\r\n\r\n\r\n', ' \r\n', 'x') },
  {
    weight: 6,
    arbitrary: fc.array(line, { maxLength: 30 }).map((lines) => `${lines.join('\r\n')}\r\n`),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 300 })
      .map((n) => 'Zm9vYmFy'.repeat(9).concat('\r\n').repeat(n)),
  },
)
const message = fc.tuple(subject, recipients, extra, body).map(([s, to, more, text]) => {
  const mime = text.length % 3 === 0 ? 'Content-Type: text/plain;\r\n charset="utf-8"\r\n' : ''
  return `From: "The Sender" <me@${DOMAIN}>\r\n${to}${s}${more.join('')}${mime}\r\n${text}`
})

let folder: string
let files: string[]
let keys: { p2611: string; e2611: string }

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posthorn-dkim-'))
  await mkdir(join(folder, 'm'))
  const rsa = await makeKey('rsa-sha256')
  const ed25519 = await makeKey('ed25519-sha256')
  keys = { p2611: publicText(rsa), e2611: publicText(ed25519) }
  let id = 1_000
  const signer = {
    domain: DOMAIN,
    keys: [
      { selector: 'p2611', algorithm: 'rsa-sha256' as const, privateKey: rsa },
      { selector: 'e2611', algorithm: 'ed25519-sha256' as const, privateKey: ed25519 },
    ],
  }
  const intake = createIntake({
    store: {
      nextMessageId: () => ++id as MessageId,
      putContent: () => Promise.resolve(),
      discardContent: () => Promise.resolve(),
      commit: () => Promise.resolve(),
    },
    clock: systemClock,
    log: silentLog,
    hostname: 'mail.sender.example' as Domain,
    limits: defaultIntakeLimits,
    rights: {
      mode: 'live',
      worldOf: () => 'live',
      keysFor: () => signer,
      sandboxKeys: () => signer,
      grantOf: () => ({ domains: [], addresses: [] }),
    },
    nonce: 'n0nce',
    siteOf: ({ domain }) => domain,
    onAccepted: () => {},
  })
  const envelope = {
    reversePath: parseMailbox(`me@${DOMAIN}`)!,
    recipients: [{ mailbox: parseMailbox('one@other.example')! }],
    body: '8bitmime' as const,
    smtputf8: false,
    requireTls: false,
  }
  const sender = { kind: 'network', address: '127.0.0.1' } as const
  const origin = {
    door: 'smtp',
    sender,
    helloName: 'client.example',
    address: '127.0.0.1',
    protocol: 'ESMTP',
  }
  files = []
  for (const text of fc.sample(message, { numRuns: MESSAGES, seed: SEED })) {
    const octets = Buffer.from(text, 'latin1')
    const { message: made, rows } = await intake.prepare(
      envelope,
      async (sink) => sink(octets),
      origin,
    )
    const end = text.endsWith('\r\n') ? [] : [Buffer.from('\r\n')] // as the wire would
    const file = `m/${files.length}`
    await writeFile(join(folder, file), Buffer.concat([Buffer.from(made.prefix), ...rows, ...end]))
    files.push(file)
  }
  const changed = (await readFile(join(folder, 'm/0'), 'latin1')).replace(
    '"The Sender"',
    '"A Sender"',
  )
  await writeFile(join(folder, CHANGED), changed, 'latin1')
  files.push(CHANGED)
})
after(() => rm(folder, { recursive: true }))

/** The reason to skip, or false. */
function missing(command: string, ...args: string[]): string | false {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return false
  } catch {
    return `needs: ${command} ${args.join(' ')}`
  }
}

/** Lines of `file verdict`: all signatures passed but those of the message that was changed. */
function assertAllPass(output: string, signatures: number): void {
  const lines = output.trim().split('\n')
  const bad = lines.filter((one) => !one.endsWith(' pass'))
  const changed = bad.filter((one) => one.startsWith(`${CHANGED} `))
  assert.deepEqual(bad.slice(0, 5), changed, `${bad.length} did not pass`)
  assert.equal(changed.length, signatures)
  assert.equal(lines.length, files.length * signatures)
}

describe(`${MESSAGES} random messages are accepted by`, () => {
  const python = '/usr/bin/python3'
  it('dkimpy', { skip: missing(python, '-c', 'import dkim, nacl') }, async () => {
    const script = join(folder, 'verify.py')
    await writeFile(
      script,
      `import dkim, json, sys
keys = json.loads(sys.argv[1])
def dns(name, timeout=5):
    return keys[name.decode().split('.')[0]].encode()
for file in sys.stdin.read().split():
    with open(file, 'rb') as f:
        message = dkim.DKIM(f.read())
    for i in range(2):
        try:
            ok = message.verify(idx=i, dnsfunc=dns)
        except Exception as e:
            ok = e
        print(file, 'pass' if ok is True else 'failed: %r' % ok)
`,
    )
    assertAllPass(await withInput(python, [script, JSON.stringify(keys)]), 2)
  })

  it('OpenDKIM', { skip: missing('opendkim', '-V') }, async () => {
    const published = Object.entries(keys).map(([s, text]) => `${s}._domainkey.${DOMAIN} ${text}\n`)
    await writeFile(join(folder, 'keys'), published.join(''))
    await writeFile(
      join(folder, 'conf'),
      `Mode v\nTestPublicKeys ${join(folder, 'keys')}\nSyslog no\nMaximumHeaders 0\n`,
    )
    const args = ['-t', files.join(','), '-x', join(folder, 'conf')]
    const output = await withInput('opendkim', args)
    const verdicts = output.replace(
      /^opendkim: (\S+): verification \(s=p2611,? .*\) (succeeded|failed).*$/gm,
      (_, file, verdict) => `${file} ${verdict === 'succeeded' ? 'pass' : verdict}`,
    )
    assertAllPass(verdicts, 1)
  })

  it('Mail::DKIM', { skip: missing('perl', '-MMail::DKIM::Verifier', '-e', '1') }, async () => {
    const script = join(folder, 'verify.pl')
    await writeFile(
      script,
      `use strict; use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS::RR;
my %keys = @ARGV; @ARGV = ();
{ no warnings 'redefine';
  *Mail::DKIM::DNS::query = sub {
    my ($name) = @_;
    my ($selector) = split /\\./, $name;
    my $text = $keys{$selector} or return ();
    return Net::DNS::RR->new(name => $name, type => 'TXT', txtdata => [unpack '(A200)*', $text]);
  };
}
while (my $file = <STDIN>) {
  chomp $file;
  open my $in, '<:raw', $file or die;
  my $dkim = Mail::DKIM::Verifier->new;
  while (<$in>) { s/\\r?\\n$//; $dkim->PRINT("$_\\r\\n"); }
  $dkim->CLOSE;
  for my $signature ($dkim->signatures) {
    next if $signature->algorithm ne 'rsa-sha256';
    print $file, ' ', $signature->result_detail, "\\n";
  }
}
`,
    )
    assertAllPass(await withInput('perl', [script, ...Object.entries(keys).flat()]), 1)
  })
})

/** Runs a program in the folder with the files' names on its input; gives all that it printed. */
async function withInput(program: string, args: string[]): Promise<string> {
  const running = run(program, args, { ...options, cwd: folder })
  running.child.stdin!.end(`${files.join('\n')}\n`)
  // OpenDKIM's status tells of the bad message, which we read from its words.
  const { stdout, stderr } = await running.catch((error) => error)
  return stdout + stderr
}
