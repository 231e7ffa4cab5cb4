// What clients of the session tests say, and what it means. The model knows these addresses only.

import { LOOK_ALIKES } from '../support/look-alikes.ts'

/** An argument of MAIL or RCPT. */
export type Meaning = {
  /** The address and its parameters as a service sees them. */
  readonly means: string
  /** It cannot be obeyed in any state: this code. */
  readonly fault?: string
  readonly size?: number
  readonly utf8?: boolean
  readonly needsUtf8?: boolean
  readonly requireTls?: boolean
  /** Understood, and more than this server grants: this code. */
  readonly refused?: string
  /** 550, says the service. */
  readonly unknown?: boolean
}

const fault = (code: string): Meaning => ({ means: '', fault: code })

export const senders: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['FROM:<a@example.com>', { means: 'a@example.com 7bit' }],
  ['FROM:<>', { means: '<> 7bit' }],
  ['from: <b@EXAMPLE.org>', { means: 'b@example.org 7bit' }],
  ['FROM:<@x.example:route@example.com>', { means: 'route@example.com 7bit' }],
  ['FROM:<a@example.com> SIZE=100', { means: 'a@example.com 7bit', size: 100 }],
  ['FROM:<a@example.com> SIZE=99999999', { means: '', size: 99_999_999 }],
  [
    'FROM:<c@example.com> BODY=8BITMIME RET=HDRS ENVID=x1',
    { means: 'c@example.com 8bitmime ret=headers envid=x1' },
  ],
  ['FROM:<c@example.com> smtputf8', { means: 'c@example.com 7bit utf8', utf8: true }],
  ['FROM:<анна@example.com>', { means: '', needsUtf8: true }],
  [
    'FROM:<анна@example.com> SMTPUTF8',
    { means: 'анна@example.com 7bit utf8', utf8: true, needsUtf8: true },
  ],
  ['FROM:<d@example.com> REQUIRETLS', { means: 'd@example.com 7bit tls', requireTls: true }],
  ['FROM:<h@example.com> HOLDFOR=60', { means: 'h@example.com 7bit held' }],
  ['FROM:<h@example.com> HOLDFOR=99999999', { means: '', refused: '501' }],
  ['FROM:<h@example.com> HOLDFOR=3000 BY=100;R', { means: '', refused: '501' }],
  ['FROM:<h@example.com> BY=120;RT', { means: 'h@example.com 7bit by=return' }],
  ['FROM:<h@example.com> BY=-5;N', { means: 'h@example.com 7bit by=notify' }],
  ['FROM:<h@example.com> BY=5;R', { means: '', refused: '552' }],
  ['FROM:<p@example.com> MT-PRIORITY=-3', { means: 'p@example.com 7bit priority=-3' }],
  ['FROM:<h@example.com> BY=0;R', fault('501')],
  ['FROM:<h@example.com> HOLDFOR=5 HOLDUNTIL=2026-11-22T00:00:00Z', fault('501')],
  ['FROM:<p@example.com> MT-PRIORITY=10', fault('501')],
  ['FROM:<p@example.com> BODY=BINARYMIME', fault('555')],
  ['FROM:<evil@example.com>', { means: 'evil@example.com 7bit' }],
  ['FROM:<early@example.com>', { means: 'early@example.com 7bit' }],
  ['FROM:<a@example.com', fault('501')],
  ['FROM:<a@example.com>x', fault('501')],
  ['FROM:', fault('501')],
  ['', fault('501')],
  ['TO:<a@example.com>', fault('501')],
  ['FROM:<a@example.com> FROB=1', fault('555')],
  ['FROM:<a@example.com> SIZE=1 SIZE=1', fault('501')],
  ['FROM:<a@example.com> ſIZE=1', fault('501')],
  ['FROM:<a\u0000@example.com>', fault('501')],
  ['FROM:<a\r@example.com>', fault('501')],
])

export const recipients: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['TO:<b@example.org>', { means: 'b@example.org' }],
  ['TO:<e@example.org>', { means: 'e@example.org' }],
  ['to: <"x y"@EXAMPLE.net>', { means: '"x y"@example.net' }],
  ['TO:<Postmaster>', { means: 'postmaster@mx.example.com' }],
  ['TO:<f@example.org> NOTIFY=NEVER', { means: 'f@example.org notify="never"' }],
  [
    'TO:<g@example.org> NOTIFY=FAILURE ORCPT=rfc822;c+40x',
    {
      means: 'g@example.org notify={"success":false,"failure":true,"delay":false} orcpt=rfc822;c@x',
    },
  ],
  ['TO:<nobody@example.org>', { means: '', unknown: true }],
  ['TO:<борис@example.org>', { means: 'борис@example.org', needsUtf8: true }],
  ['TO:<>', fault('501')],
  ['TO:<b@example.org', fault('501')],
  ['FROM:<b@example.org>', fault('501')],
  ['', fault('501')],
  ['TO:<b@example.org> SIZE=1', fault('555')],
  ['TO:<b@example.org> NOTIFY=NEVER,DELAY', fault('501')],
])

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** Lines that log in, or try to. */
export const logins: readonly string[] = [
  `AUTH PLAIN ${base64('\0app\0correct horse')}`,
  `auth plain ${base64('app\0app\0correct horse')}`,
  `AUTH PLAIN ${base64('\0app\0wrong')}`,
  `AUTH PLAIN ${base64('root\0app\0correct horse')}`,
  `AUTH PLAIN ${base64('\0app\0\ufeffcorrect horse')}`,
  'AUTH PLAIN',
  'AUTH PLAIN =',
  'AUTH PLAIN x=y',
  'AUTH PLAIN AAA',
  'AUTH LOGIN',
  `AUTH LOGIN ${base64('app')}`,
  `AUTH LOGIN ${base64('\ufeffapp')}`,
  'AUTH NTLM',
  'AUTH',
  'AUTH PLAIN a b c',
]

/** Lines inside an AUTH dialogue. */
export const responses: readonly string[] = [
  base64('app'),
  base64('correct horse'),
  base64('\0app\0correct horse'),
  base64('\0app\0no'),
  base64('\ufeffapp'),
  '*',
  '',
  '=',
  'QUIT',
  'not base64!',
  '/w==',
  `${'A'.repeat(700)}`,
]

/** Commands that need no state of their own, right and wrong. */
export const plainCommands: readonly string[] = [
  'NOOP',
  'noop anything at all',
  'RSET',
  'RSET \t ',
  'RSET now',
  'VRFY b',
  'VRFY',
  'HELP',
  'HELP mail',
  'EXPN list',
  'ETRN x',
  'DATA',
  'data ',
  'DATA now',
  'STARTTLS',
  'starttls',
  'STARTTLS now',
  'QUIT now',
  'BDAT',
  'BDAT x',
  'BDAT -1',
  'BDAT 5 FIRST',
  'BDAT 1e3',
  'EHLO',
  'EHLO a b',
  'HELO',
  'FROBNICATE',
  'MAIL\tFROM:<a@example.com>',
  'XCLIENT ADDR=1.2.3.4',
  'XCLIENT ADDR=nobody',
  'XCLIENT',
  '',
  'NOOP привет',
  'RſET',
  'QUıT',
  `NOOP ${'x'.repeat(600)}`,
]

/** Lines after which the server hangs up. */
export const lastCommands: readonly string[] = [
  'QUIT',
  'quit',
  'GET / HTTP/1.1',
  'PROXY TCP4 127.0.0.1 127.0.0.1 1 25',
  'POST /x HTTP/1.1',
  '\u0016\u0003\u0001',
  ' NOOP',
  '\ufeffNOOP',
  '"x"',
]

export const hellos: readonly string[] = [
  'EHLO client.example.org',
  'ehlo [192.0.2.1]',
  'HELO old.example.org',
  'EHLO x',
]

/** Messages without their end of data; some could be taken for the end of one and more. */
export const contents: readonly string[] = [
  'Subject: plain\r\nFrom: a@example.com\r\n\r\nHello\r\n',
  'From: a@example.com\r\nTo: b@example.org\r\nBcc: secret@example.org\r\nSubject: x\r\n\r\n..dots\r\n...\r\n.x\r\n',
  '',
  '\r\n',
  'x\r\n',
  'From: a@example.com\r\n\r\n.\u0001\r\n..\r\nMAIL FROM:<evil@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n',
  `From: a@example.com\r\n\r\n${'long '.repeat(199)}xyz\r\n`,
  `From: a@example.com\r\n\r\n${'long '.repeat(199)}wxyz\r\n`,
  `From: a@example.com\r\n\r\n${'0123456789\r\n'.repeat(160)}`,
  `From: a@example.com\r\n\r\n${'0123456789\r\n'.repeat(300)}`,
  'From: a@example.com\r\n\r\nrefuse-late\r\n',
  'From: a@example.com\r\n\r\nbreak-late\r\n',
  'From: a@example.com\r\n\r\nhigh \u00ff\u00fe octets\r\n',
]

/** What some server somewhere takes for the end of data, and dots that are none. */
export const lookAlikes: readonly string[] = [
  ...LOOK_ALIKES,
  '\r\n. \r\n',
  '\r\n.\t\r\n',
  '\r\n..\r\n',
]
