import type { Language } from '../../config/language.ts'
import type { KeyFaultCode } from '../../dkim/keys.ts'
import type { Remark } from '../../dkim/recognise.ts'

type Say = (remark: Remark & { readonly octal: string; readonly us: number }) => string

const en = {
  import: 'Take over the keys of the server that you had: a key file, a folder, OpenDKIM’s tables.',
  options: {
    domain: 'whose key it is, where nothing tells',
    selector: 'its selector, where nothing tells',
    dryRun: 'only say what is understood',
  },
  understood: (path: string) => `Understood of ${path}:`,
  columns: ['DOMAIN', 'SELECTOR', 'KEY', 'FILE'],
  whose: 'whose?',
  whoseFix: (file: string) => `Whose key is ${file}? Say it: --domain example.com`,
  unchanged: 'Nothing was changed.',
  added: (domain: string, live: boolean) =>
    `${domain} was added: its mail ${live ? 'is delivered' : 'is captured (sandbox)'}.`,
  active: (name: string) => `${name} signs from now on.`,
  coming: (name: string, meanwhile: string, next: string) =>
    `${name} was taken over, but signs only when every name server shows its record: ${next}. Until then: ${meanwhile}.`,
  next: (command: string) => `Next: ${command}`,
  remarks: {
    unreadable: ({ file, found, uid, octal, us }) => {
      if (found === 'ENOENT') return `${file} is not here.`
      if (found === 'EFBIG') return `${file} is too large for a key.`
      if (uid === undefined) return `Cannot read ${file} (${found}).`
      return (
        `Cannot read ${file}: it belongs to uid ${uid} with mode ${octal}, we are uid ${us}. ` +
        `Fix: run this command as its owner, or give us a copy: sudo install -m 600 -o ${us} ${file} COPY`
      )
    },
    'bad-key': ({ file, fault, found }) => `${file}: ${enFaults[fault!](found ?? '', file)}`,
    'open-to-others': ({ file, octal }) =>
      `${file} can be read by every user of this machine (mode ${octal}). ` +
      `Fix: chmod 600 ${file}. Our copy is closed; whoever may have read it calls for a new key: dkim rotate.`,
    weak: ({ file, found }) =>
      `${file} is an RSA key of ${found} bits. It works; receivers advise 2048: dkim rotate when this one signs.`,
    'record-of-another-key': ({ file, found }) =>
      `${file} is the record of another key than ${found}; it was left aside. What counts is what DNS holds.`,
    'selector-assumed': ({ file, found }) =>
      `Nothing tells the selector of ${file}; ${found} is the usual one. Otherwise: --selector NAME`,
    'odd-line': ({ file, found }) => `${file}: not understood and left aside: ${found}`,
    'no-such-name': ({ file, found }) =>
      `${file} names the key ${found}, which the KeyTable does not have.`,
    'not-used': ({ file, found }) =>
      `${file}: ${found} signs for nobody (SigningTable); left aside.`,
    'some-addresses': ({ file, found }) =>
      `${file}: ${found}: here a key signs for all addresses of its domain.`,
    'other-domain': ({ file, found }) =>
      `${file}: ${found}: DMARC does not count a signature of another domain, so that mail is not signed so. Add the domain: domain add`,
    'every-domain': ({ file, found }) =>
      `${file}: ${found}: here a key signs for its own domain and below.`,
    canonicalization: ({ file, found }) =>
      `${file} signs ${found}; here it is relaxed/relaxed, which survives more. ` +
      `As before: domains.NAME.canonicalization in the configuration.`,
    database: ({ file, found }) => `${file}: ${found} is a database; only files are read.`,
    nothing: ({ file }) =>
      `No key was found in ${file}. Looked for: *.private, *.key, *.pem, KeyTable, opendkim.conf.`,
  } satisfies Record<Remark['code'], Say> as Record<Remark['code'], Say>,
}

type FaultTexts = Record<KeyFaultCode, (found: string, file: string) => string>

const enFaults: FaultTexts = {
  public: () => 'this is the public key; the private one is needed.',
  certificate: () => 'this is a certificate; a private key is needed.',
  passphrase: (_, file) =>
    `the key is protected by a passphrase. Fix: openssl pkey -in ${file} -out PLAIN.pem && chmod 600 PLAIN.pem, then import PLAIN.pem`,
  openssh: (_, file) =>
    `a key in the form of OpenSSH. Fix: cp ${file} COPY && ssh-keygen -p -m PEM -N "" -f COPY, then import COPY`,
  'not-a-key': () =>
    'not a private key in PEM form (-----BEGIN PRIVATE KEY-----); perhaps it is cut.',
  'other-kind': (found) => `a key of the kind ${found}; DKIM knows RSA and Ed25519.`,
  'too-short': (found) =>
    `an RSA key of ${found} bits: receivers refuse less than 1024. Fix: make a new one: dkim create`,
  'too-long': (found) =>
    `an RSA key of ${found} bits: receivers need not take more than 4096. Fix: make a new one: dkim create`,
}

const ruFaults: FaultTexts = {
  public: () => 'это открытый ключ, а нужен закрытый.',
  certificate: () => 'это сертификат, а нужен закрытый ключ.',
  passphrase: (_, file) =>
    `ключ закрыт паролем. Как исправить: openssl pkey -in ${file} -out PLAIN.pem && chmod 600 PLAIN.pem, затем импорт PLAIN.pem`,
  openssh: (_, file) =>
    `ключ в формате OpenSSH. Как исправить: cp ${file} COPY && ssh-keygen -p -m PEM -N "" -f COPY, затем импорт COPY`,
  'not-a-key': () =>
    'это не закрытый ключ в формате PEM (-----BEGIN PRIVATE KEY-----); возможно, файл обрезан.',
  'other-kind': (found) => `ключ вида ${found}; DKIM знает только RSA и Ed25519.`,
  'too-short': (found) =>
    `ключ RSA длиной ${found} бит: получатели не принимают короче 1024. Как исправить: создайте новый, dkim create`,
  'too-long': (found) =>
    `ключ RSA длиной ${found} бит: длиннее 4096 получатели принимать не обязаны. Как исправить: создайте новый, dkim create`,
}

const ru: typeof en = {
  import: 'Взять ключи прежнего сервера: файл, папку или таблицы OpenDKIM.',
  options: {
    domain: 'чей это ключ, если это ниоткуда не видно',
    selector: 'его селектор, если это ниоткуда не видно',
    dryRun: 'только сказать, что понято',
  },
  understood: (path) => `Понято из ${path}:`,
  columns: ['ДОМЕН', 'СЕЛЕКТОР', 'КЛЮЧ', 'ФАЙЛ'],
  whose: 'чей?',
  whoseFix: (file) => `Чей ключ ${file}? Укажите: --domain example.com`,
  unchanged: 'Ничего не изменено.',
  added: (domain, live) =>
    `${domain} добавлен: его почта ${live ? 'доставляется' : 'задерживается (песочница)'}.`,
  active: (name) => `${name} теперь подписывает.`,
  coming: (name, meanwhile, next) =>
    `${name} взят, но подпишет, только когда его запись покажут все серверы имён: ${next}. А пока: ${meanwhile}.`,
  next: (command) => `Дальше: ${command}`,
  remarks: {
    unreadable: ({ file, found, uid, octal, us }) => {
      if (found === 'ENOENT') return `Файла ${file} здесь нет.`
      if (found === 'EFBIG') return `${file} слишком велик для ключа.`
      if (uid === undefined) return `Не читается ${file} (${found}).`
      return (
        `Не читается ${file}: владелец uid ${uid}, права ${octal}, а мы uid ${us}. ` +
        `Как исправить: запустите команду от имени владельца или дайте нам копию: sudo install -m 600 -o ${us} ${file} COPY`
      )
    },
    'bad-key': ({ file, fault, found }) => `${file}: ${ruFaults[fault!](found ?? '', file)}`,
    'open-to-others': ({ file, octal }) =>
      `${file} может прочитать любой пользователь этой машины (права ${octal}). ` +
      `Как исправить: chmod 600 ${file}. Наша копия закрыта; если ключ могли прочитать, смените его: dkim rotate.`,
    weak: ({ file, found }) =>
      `${file}: ключ RSA длиной ${found} бит. Он годится, но получатели советуют 2048: ` +
      `когда начнёт подписывать, смените его командой dkim rotate.`,
    'record-of-another-key': ({ file, found }) =>
      `${file}: запись не от ключа ${found}; она не учтена. Важно то, что в DNS.`,
    'selector-assumed': ({ file, found }) =>
      `Селектор ключа ${file} ниоткуда не виден; обычно это ${found}. Иначе: --selector ИМЯ`,
    'odd-line': ({ file, found }) => `${file}: не понято и пропущено: ${found}`,
    'no-such-name': ({ file, found }) => `${file} называет ключ ${found}, которого нет в KeyTable.`,
    'not-used': ({ file, found }) =>
      `${file}: ${found} никого не подписывает (SigningTable); пропущен.`,
    'some-addresses': ({ file, found }) =>
      `${file}: ${found}: здесь ключ подписывает все адреса своего домена.`,
    'other-domain': ({ file, found }) =>
      `${file}: ${found}: подпись чужого домена DMARC не засчитывает, поэтому так почта не подписывается. Добавьте домен: domain add`,
    'every-domain': ({ file, found }) =>
      `${file}: ${found}: здесь ключ подписывает свой домен и имена под ним.`,
    canonicalization: ({ file, found }) =>
      `${file} подписывает в форме ${found}; здесь relaxed/relaxed, она прочнее. ` +
      `Как раньше: domains.ИМЯ.canonicalization в конфигурации.`,
    database: ({ file, found }) => `${file}: ${found} это база данных; читаются только файлы.`,
    nothing: ({ file }) =>
      `В ${file} ключей не нашлось. Искали: *.private, *.key, *.pem, KeyTable, opendkim.conf.`,
  },
}

export const importTexts: Readonly<Record<Language, typeof en>> = { en, ru }
