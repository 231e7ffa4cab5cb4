import type { KeyView } from '../../api/keys.ts'
import type { Language } from '../../config/language.ts'

type Kind = NonNullable<KeyView['sight']>['kind']

const en = {
  dkim: 'The keys that sign our mail.',
  list: 'List the keys, their state and what comes next.',
  create: 'Make a further key; it signs once its record is published.',
  rotate: 'Replace the keys of a domain: the new ones sign when every name server shows them.',
  retire: 'Take a key out of use.',
  export: 'Print the records of the keys, or write a private key to a file.',
  options: {
    algorithm: 'rsa or ed25519',
    bits: 'length of an RSA key: 1024, 2048, 3072 or 4096',
    flag: 't= of the record: y (testing) or s (no subdomains); may be repeated',
    watch: 'look until the new keys sign',
    abort: 'give the new keys up',
    now: 'also a retiring key, before the mail that it signed has ended',
    pem: 'write the private key of SELECTOR to this new file, readable by you alone',
    format: 'text or bind',
    all: 'also the retired ones',
  },
  columns: ['DOMAIN', 'SELECTOR', 'KEY', 'STATE', 'SINCE', 'NEXT'],
  states: { coming: 'coming', active: 'active', retiring: 'retiring', retired: 'retired' },
  none: 'No keys yet: add a domain, posthorn domain add example.com',
  noDomain: (domain: string, program: string) =>
    `${domain} is not here. Add it: ${program} domain add ${domain}`,
  noKey: (domain: string, selector: string, program: string) =>
    `${domain} has no key ${selector}. See them: ${program} dkim list ${domain}`,
  inConfig: 'the configuration names its file',
  unreadable: 'its file cannot be read',
  signs: 'signs',
  testing: 'signs; its record says testing (t=y), so receivers do not count it',
  until: (date: string) => `keep its record until ${date}`,
  remove: 'its record may be removed',
  sight: (kind: Kind, shown: number, servers: number) => {
    if (kind === 'published') return 'every name server shows it'
    if (servers === 0) return 'waits: no name server of the zone could be asked'
    return `waits: ${shown} of ${servers} name servers show it`
  },
  shows: {
    published: 'shows it',
    missing: 'no record',
    'other-key': 'another key',
    revoked: 'an empty key (p=)',
    cut: 'the key is cut',
    several: 'more than one record',
    'not-usable': 'the record forbids its use (v=, k=, h=, s=)',
    'cannot-tell': 'no answer',
  } satisfies Record<Kind, string> as Record<Kind, string>,
  notLooked: 'waits for its record',
  made: (name: string) => `New key ${name}. Publish this TXT record:`,
  stays: (selectors: string) =>
    `Until every name server shows it, ${selectors} signs as before. Nothing else is to be done.`,
  activeNow: (selector: string) => `${selector} signs from now on.`,
  keepOld: (selector: string, date: string) =>
    `Keep the record of ${selector} until ${date}: mail that it signed may still be on its way.`,
  watchNext: (command: string) => `Next: ${command}`,
  nothingToAbort: 'No new key waits; nothing was changed.',
  aborted: (selectors: string) => `Given up: ${selectors}. Its record may be removed.`,
  retired: {
    coming: (selector: string) => `${selector} waits for its record and does not sign.`,
    active: (selector: string) => `${selector} signs.`,
    retiring: (selector: string, date: string) =>
      `${selector} signs no more. Keep its record until ${date}; then it retires by itself.`,
    retired: (selector: string) => `${selector} is retired. Its record may be removed.`,
  },
  written: (file: string) => `Written: ${file} (only you can read it)`,
  exists: (file: string) =>
    `${file} is there already, and keys are never overwritten. Name another file.`,
  whichKey: (selectors: string) => `--pem needs a SELECTOR: one of ${selectors}.`,
}

const ru: typeof en = {
  dkim: 'Ключи, которыми подписана наша почта.',
  list: 'Показать ключи, их состояние и что будет дальше.',
  create: 'Создать ещё один ключ; он подпишет почту, когда опубликована его запись.',
  rotate: 'Сменить ключи домена: новые подписывают, когда их покажет каждый сервер имён.',
  retire: 'Вывести ключ из употребления.',
  export: 'Напечатать записи ключей или записать закрытый ключ в файл.',
  options: {
    algorithm: 'rsa или ed25519',
    bits: 'длина ключа RSA: 1024, 2048, 3072 или 4096',
    flag: 't= в записи: y (проба) или s (без поддоменов); можно повторять',
    watch: 'смотреть, пока новые ключи не начнут подписывать',
    abort: 'отказаться от новых ключей',
    now: 'и уходящий ключ тоже, не дожидаясь конца подписанных им писем',
    pem: 'записать закрытый ключ СЕЛЕКТОРА в этот новый файл, доступный только вам',
    format: 'text или bind',
    all: 'показать и отслужившие',
  },
  columns: ['ДОМЕН', 'СЕЛЕКТОР', 'КЛЮЧ', 'СОСТОЯНИЕ', 'С', 'ДАЛЬШЕ'],
  states: { coming: 'ждёт', active: 'подписывает', retiring: 'уходит', retired: 'отслужил' },
  none: 'Ключей ещё нет: добавьте домен, posthorn domain add example.com',
  noDomain: (domain, program) =>
    `Домена ${domain} здесь нет. Добавьте: ${program} domain add ${domain}`,
  noKey: (domain, selector, program) =>
    `У ${domain} нет ключа ${selector}. Список: ${program} dkim list ${domain}`,
  inConfig: 'его файл задан в конфигурации',
  unreadable: 'его файл не читается',
  signs: 'подписывает',
  testing: 'подписывает; в записи t=y (проба), получатели такую подпись не засчитывают',
  until: (date) => `храните запись до ${date}`,
  remove: 'запись можно удалить',
  sight: (kind, shown, servers) => {
    if (kind === 'published') return 'его показывают все серверы имён'
    if (servers === 0) return 'ждёт: ни один сервер имён зоны не ответил'
    return `ждёт: показывают ${shown} из ${servers} серверов имён`
  },
  shows: {
    published: 'показывает',
    missing: 'записи нет',
    'other-key': 'другой ключ',
    revoked: 'пустой ключ (p=)',
    cut: 'ключ обрезан',
    several: 'записей больше одной',
    'not-usable': 'запись запрещает его применять (v=, k=, h=, s=)',
    'cannot-tell': 'нет ответа',
  },
  notLooked: 'ждёт своей записи',
  made: (name) => `Новый ключ ${name}. Опубликуйте запись TXT:`,
  stays: (selectors) =>
    `Пока её не покажут все серверы имён, подписывает ${selectors}. Больше ничего делать не надо.`,
  activeNow: (selector) => `${selector} теперь подписывает.`,
  keepOld: (selector, date) =>
    `Запись ${selector} храните до ${date}: подписанные им письма могут быть ещё в пути.`,
  watchNext: (command) => `Дальше: ${command}`,
  nothingToAbort: 'Ни один новый ключ не ждёт; ничего не изменилось.',
  aborted: (selectors) => `Отменено: ${selectors}. Запись можно удалить.`,
  retired: {
    coming: (selector) => `${selector} ждёт своей записи и не подписывает.`,
    active: (selector) => `${selector} подписывает.`,
    retiring: (selector, date) =>
      `${selector} больше не подписывает. Храните запись до ${date}, потом он отслужит сам.`,
    retired: (selector) => `${selector} отслужил. Запись можно удалить.`,
  },
  written: (file) => `Записано: ${file} (читать можете только вы)`,
  exists: (file) => `${file} уже есть, а ключи никогда не перезаписываются. Укажите другой файл.`,
  whichKey: (selectors) => `Для --pem нужен СЕЛЕКТОР: один из ${selectors}.`,
}

export const dkimTexts: Readonly<Record<Language, typeof en>> = { en, ru }
