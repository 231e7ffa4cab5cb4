// Every sentence of the command line, in English. texts-ru.ts has the same names.

import { formatDuration } from '../config/units.ts'
import { plurals } from './plural.ts'

const count = plurals('en', {
  entry: { one: 'entry', other: 'entries' },
  message: { one: 'message', other: 'messages' },
  attempt: { one: 'attempt', other: 'attempts' },
  fault: { one: 'fault', other: 'faults' },
})

export const en = {
  about: 'A send-only mail server: it takes mail, signs it, queues it and delivers it.',
  exitCodes:
    'Exit codes: 0 done · 1 failed · 2 wrong usage · 3 no server reachable · 4 faulty configuration',
  more: (program: string) => `Help for a command: ${program} COMMAND --help`,
  allOptions: (program: string) =>
    `Every option of the configuration is a flag too (--http-port 80): ${program} config reference`,
  examples: 'Examples:',
  help: {
    serve: 'Run the server.',
    sendTest: 'Send a test message through the running server and follow it.',
    mailChecker: 'Send one message over SMTP with a password; silent when it works.',
    domain: 'The domains that we send for.',
    domainAdd: 'Add a domain and make its DKIM key.',
    domainList: 'List the domains.',
    domainRemove: 'Forget a domain; its key files stay in the data folder.',
    queue: 'Mail that waits.',
    queueList: 'List waiting entries.',
    queueShow: 'Show a message and what was tried.',
    queueRetry: 'Try again now.',
    queueCancel: 'Give up a message without a bounce.',
    config: 'The configuration.',
    configCheck: 'Check the configuration; lists every fault.',
    configPrint: 'Print what is in force and where it comes from.',
    configReference: 'Print the reference page.',
    configExample: 'Print a commented example file.',
    configSchema: 'Print the JSON Schema of the file, for editors.',
    health: 'Ask the running server whether it is ready; for container health checks.',
  },
  options: {
    help: 'show this help',
    version: 'print the version',
    config: 'configuration file (default: posthorn.yaml if it is there)',
    data: 'data folder',
    lang: 'en or ru',
    json: 'print JSON',
    live: 'deliver its mail to the Internet',
    sandbox: 'capture its mail',
    ed25519: 'also make an Ed25519 key (RFC 8463)',
    key: 'sign with this private key (PEM) instead of a new one',
    selector: 'DKIM selector',
    limit: 'how many',
    after: 'go on after this place (printed at the end of a page)',
    site: 'only this destination',
    state: 'ready or held',
    all: 'all waiting entries',
    from: 'sender address',
    username: 'name for AUTH',
    password: 'password for AUTH',
    timeout: 'how long to follow the message',
    write: 'write to this file',
  },
  /** Placeholders of the help, where they differ. */
  terms: {} as Readonly<Record<string, string>>,
  usage: {
    Usage: 'Usage:',
    Options: 'Options:',
    Commands: 'Commands:',
    Arguments: 'Arguments:',
    unknownCommand: (name: string) => `Unknown command ${name}.`,
    unknownOption: (name: string) => `Unknown option ${name}.`,
    missingArgument: (name: string) => `${name} is missing.`,
    missingValue: (option: string) => `${option} needs a value.`,
    tooMany: 'Too many arguments.',
    didYouMean: (name: string) => `Did you mean ${name}?`,
    badNumber: (option: string, value: string) => `${option} wants a number, not "${value}".`,
    badDuration: (option: string, value: string) =>
      `${option} wants a duration such as 30s, not "${value}".`,
    badWord: (option: string, words: string) => `${option} is one of: ${words}.`,
    oneOf: (options: string) => `Give one of: ${options}.`,
    badAddress: (value: string) => `"${value}" is not a mail address.`,
  },
  faults: {
    configuration: (n: number) => `The configuration has ${count.fault(n)}:`,
    configOk: (file: string | undefined) =>
      file === undefined
        ? 'No faults (no file; environment and defaults).'
        : `No faults in ${file}.`,
    notRunning: (where: string, program: string) =>
      `No Posthorn answers at ${where}. Start it: ${program} serve`,
    lockedButSilent: (folder: string, where: string) =>
      `Another Posthorn uses ${folder} but does not answer at ${where}. ` +
      'Use the configuration (--config, POSTHORN_…) that it was started with.',
    noData: (folder: string) =>
      `There is no data folder ${folder} yet. Start the server once, or name the folder with --data.`,
    tokenUnreadable: (file: string) =>
      `${file} cannot be read. Run this as the user that runs the server.`,
    fileUnusable: (text: string) => `A file that the configuration names is unusable: ${text}`,
    unexpected: (text: string) => `Something unexpected happened: ${text}`,
    portInUse: (place: string, holder: string | undefined) =>
      `PORT_IN_USE  Cannot listen on ${place}: ${holder ?? 'another program'} has it.`,
    portInUseFix: (flag: string | undefined) =>
      `Fix: stop that program, or take another port${flag ? `: ${flag}` : ''}.`,
    portNotAllowed: (place: string) =>
      `PORT_NOT_ALLOWED  Cannot listen on ${place}: ports below 1024 need a right.`,
    portNotAllowedFix:
      'Fix: AmbientCapabilities=CAP_NET_BIND_SERVICE in systemd, or a higher port, or in a container ' +
      '--sysctl net.ipv4.ip_unprivileged_port_start=0.',
    addressAbsent: (place: string) =>
      `ADDRESS_NOT_HERE  Cannot listen on ${place}: this machine has no such address.`,
    dataNotWritable: (folder: string, owner: number | undefined, us: number) =>
      owner === undefined || owner === us
        ? `DATA_NOT_WRITABLE  Cannot write to ${folder}.`
        : `DATA_NOT_WRITABLE  ${folder} belongs to uid ${owner}, we run as uid ${us}.`,
    dataNotWritableFix: (folder: string, us: number) =>
      `Fix: chown -R ${us} ${folder}, or another folder: --data FOLDER (POSTHORN_DATA).`,
    dataInUse: (text: string) => `DATA_IN_USE  ${text}`,
    dataInUseFix: 'Fix: stop the other server, or give this one its own folder: --data FOLDER.',
    fileUnreadable: (file: string, code: string) => `Cannot read ${file} (${code}).`,
    fileUnwritable: (file: string, code: string) => `Cannot write ${file} (${code}).`,
    codes: {
      NOT_A_DOMAIN: 'That is not a domain name; one looks like example.com.',
      DOMAIN_EXISTS: 'This domain is here already.',
      DOMAIN_IN_CONFIG: 'This domain comes from the configuration; remove it there.',
      MODE_IN_CONFIG:
        'The configuration says in which world this domain is; change domains.NAME.mode there and restart, or remove it to choose here.',
      KEYS_CHANGED: 'The keys of this domain changed while we looked; run the command again.',
      BAD_KEY:
        'This key cannot be used: an RSA key of at least 1024 bits or an Ed25519 key in PEM is wanted.',
      BAD_SELECTOR: 'A selector is made of letters, digits, hyphens and dots.',
      SELECTOR_EXISTS: 'The domain has or had another key of this selector; choose another one.',
      KEY_IN_CONFIG:
        'The configuration names the key of this domain (domains.NAME.key); remove it there to have keys kept here.',
      LAST_KEY: 'This is the last RSA key that signs for the domain; replace it with dkim rotate.',
      CREDENTIAL_EXISTS: 'There is a credential of this name already; revoke it first.',
      CREDENTIAL_IN_CONFIG: 'This credential is set in the configuration; change it there.',
      WEAK_PASSWORD: 'The password is too short: use at least 8 characters.',
      BAD_CURSOR: 'That is not a place in the queue.',
      NOT_AN_ADDRESS:
        'That is no mail address; a name alone needs rewrite.local_domain to be completed.',
      NO_CREDENTIAL: 'There is no credential of this name.',
      NOT_FOUND: 'There is no such thing here.',
    } as Readonly<Record<string, string>>,
  },
  serve: {
    sandbox: 'SANDBOX: mail is captured, nothing leaves this machine',
    live: 'LIVE: mail is delivered',
    noPassword: (networks: string) => `no password from ${networks}`,
    withPassword: 'with a password',
    smtp: 'SMTP',
    http: 'HTTP',
    captured: 'captured mail: /api/v1/sandbox/messages',
    data: 'Data',
    name: 'Name',
    domains: 'Domains',
    tryIt: 'Try it',
    look: 'Look',
    speaking: 'Sandbox recipients that act out the real world:',
    stop: 'Ctrl-C stops it.',
    draining: (signal: string) => `${signal}: finishing what is open; once more to stop at once.`,
    stopped: 'Stopped. What is queued is on disk.',
    lost: (text: string) => `The server cannot go on: ${text}`,
  },
  send: {
    accepted: 'accepted',
    attempt: 'attempt',
    delivered: 'delivered',
    deferred: 'deferred',
    bounced: 'bounced',
    expired: 'expired',
    cancelled: 'cancelled',
    captured: 'captured',
    fromTo: (from: string, to: string) => `from ${from} to ${to}`,
    waiting: (time: string, command: string) =>
      `Still in the queue after ${time}. Look later: ${command}`,
    refused: (reply: string) => `The server refused: ${reply}`,
    verdictBad: 'The receiver was not convinced: see the verdict above.',
    subject: (token: string) => `Test message from Posthorn (${token})`,
    body: 'This is a test message from Posthorn.\n\nIf you can read it, it was accepted, signed, queued and delivered.',
    next: (command: string) => `Next: ${command}`,
    needsAddress: 'In live mode give the address of a mailbox of yours: send-test you@example.com',
    noSender: 'No live domain yet: posthorn domain add example.com --live, or give --from.',
    noListener:
      'The server has no listener that takes mail without a password; give --username and --password.',
  },
  smtp: {
    unreachable: (place: string, code: string) => `Cannot connect to ${place} (${code}).`,
    closed: 'The server closed the connection.',
    timeout: 'The server did not answer in time.',
    notSmtp: (line: string) => `This is not SMTP: ${line}`,
    noAuth: 'The server does not offer AUTH PLAIN.',
    noTlsForPassword:
      'A password over an unencrypted connection is sent only to localhost. Use -tls, or -insecure to insist.',
    certificate: (text: string) =>
      `The server's certificate is not valid: ${text} (-insecure to accept it)`,
    badAddress: (text: string) => `"${text}" cannot stand in an SMTP command.`,
    authFailed: (reply: string) => `The password was not accepted: ${reply}`,
  },
  checker: {
    flags: {
      mailHost: 'server',
      mailPort: 'its port',
      username: 'name for AUTH PLAIN',
      password: 'password',
      from: 'sender',
      to: 'recipient',
      subject: 'subject',
      body: 'text',
      tls: 'TLS from the first octet (port 465)',
      insecure: 'accept any certificate, and send the password without TLS',
      verbose: 'print the conversation',
      wait: 'follow the message on the Posthorn of this machine and print the verdict',
    },
    intro: 'Flags take one dash or two, and their value after a blank or "=".',
    undefinedFlag: (name: string) => `flag provided but not defined: -${name}`,
    needsValue: (name: string) => `flag needs an argument: -${name}`,
    unexpected: (text: string) => `unexpected argument: ${text}`,
    badBoolean: (name: string, value: string) => `invalid boolean value "${value}" for -${name}`,
    noId: 'The server did not say under which id it queued the message; it is not a Posthorn?',
  },
  domain: {
    added: (domain: string) => `Added ${domain}.`,
    removed: (domain: string) => `Removed ${domain}.`,
    none: 'No domains yet. In the sandbox every domain works without being added.',
    columns: ['DOMAIN', 'MAIL', 'KEYS', 'FROM'],
    live: 'is delivered',
    sandbox: 'is captured',
    config: 'configuration',
    store: 'domain add',
    key: (selector: string, algorithm: string) => `  key        ${selector} (${algorithm})`,
    next: (command: string) => `Next: publish its records: ${command}`,
  },
  queue: {
    empty: 'The queue is empty.',
    columns: ['ID', 'TO', 'STATE', 'TRIED', 'NEXT', 'AGE', 'LAST REPLY'],
    ready: 'ready',
    held: 'held',
    now: 'now',
    in: (ms: number) => `in ${formatDuration(ms)}`,
    summary: (ready: number, held: number) => `${count.entry(ready)} ready, ${held} held.`,
    next: (command: string) => `More: ${command}`,
    retried: (n: number) => `${count.entry(n)} due now.`,
    cancelled: (n: number) => `${count.entry(n)} cancelled.`,
    nothing: 'Nothing in the queue matches.',
    show: {
      from: 'From',
      to: 'To',
      size: 'Size',
      accepted: 'Accepted',
      waits: 'Waits',
      gone: 'This message has left the queue.',
      attempts: 'Attempts, oldest first:',
      noAttempts: 'Nothing was tried yet.',
    },
  },
  health: {
    ready: 'ready',
    notReady: 'not ready',
    stuck: 'mail is taken, but does not get out',
    ok: 'ok',
    bad: 'FAILS',
    unreachable: (where: string) => `No answer at ${where}.`,
  },
  written: (file: string) => `Written: ${file}`,
}

export type Texts = typeof en
