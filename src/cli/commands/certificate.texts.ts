// What `posthorn certificate` says.

import type { Language } from '../../config/language.ts'

const en = {
  help: {
    group: 'The certificates of the SMTP listeners.',
    list: 'List them: names, where they come from, until when.',
    show: 'Show one with all its names, and what is wrong with it.',
    check: 'Check files before they are used: CERTIFICATE [KEY] [CHAIN], or a folder.',
    renew: 'Read files again; order and sign anew what is ours to get.',
    root: 'Print the root of our own authority, for clients to trust; made when there is none.',
    host: 'the name that it should be for',
    write: 'write to this file',
  },
  none: 'No certificate: no listener speaks TLS.',
  columns: ['NAME', 'SOURCE', 'EXPIRES', 'STATE'],
  sources: { files: 'files', acme: 'ACME', authority: 'own authority' },
  inUse: 'in use',
  notInUse: 'not in use',
  awaited: 'not issued yet',
  usable: 'can be used',
  unusable: 'cannot be used',
  withFaults: (count: number) => `${count} to mend`,
  unknown: (name: string) => `There is no certificate for ${name}.`,
  /** Label and value, one a line. */
  labels: {
    file: 'File',
    state: 'State',
    names: 'Names',
    issuer: 'Issuer',
    key: 'Key',
    serial: 'Serial number',
    fingerprint: 'SHA-256',
    valid: 'Valid',
    renewal: 'Renewed',
    failed: 'Last failure',
  },
  valid: (from: string, until: string, days: number) =>
    days < 0 ? `${from} to ${until}: expired` : `${from} to ${until}, ${days} days left`,
  from: (date: string) => `from ${date} on`,
  untrusted: 'clients trust it only with our root: posthorn certificate root',
  error: 'ERROR',
  warning: 'warning',
  wrongFiles: 'Give CERTIFICATE [KEY] [CHAIN], or one folder.',
  written: (file: string) => `Written: ${file}`,
}

const ru: typeof en = {
  help: {
    group: 'Сертификаты входов SMTP.',
    list: 'Перечислить: имена, откуда взяты, до какого срока.',
    show: 'Показать один со всеми именами и с тем, что с ним не так.',
    check: 'Проверить файлы до использования: СЕРТИФИКАТ [КЛЮЧ] [ЦЕПОЧКА] или папка.',
    renew: 'Прочесть файлы заново; заказать и подписать то, что получаем сами.',
    root: 'Напечатать корень нашего центра, чтобы клиенты ему доверяли; если его нет, он создаётся.',
    host: 'имя, на которое он должен быть выписан',
    write: 'записать в этот файл',
  },
  none: 'Сертификатов нет: ни один вход не использует TLS.',
  columns: ['ИМЯ', 'ИСТОЧНИК', 'ДЕЙСТВУЕТ ДО', 'СОСТОЯНИЕ'],
  sources: { files: 'файлы', acme: 'ACME', authority: 'свой центр' },
  inUse: 'используется',
  notInUse: 'не используется',
  awaited: 'ещё не выпущен',
  usable: 'годится',
  unusable: 'не годится',
  withFaults: (count) => `исправить: ${count}`,
  unknown: (name) => `Сертификата на имя ${name} нет.`,
  labels: {
    file: 'Файл',
    state: 'Состояние',
    names: 'Имена',
    issuer: 'Издатель',
    key: 'Ключ',
    serial: 'Серийный номер',
    fingerprint: 'SHA-256',
    valid: 'Действует',
    renewal: 'Обновление',
    failed: 'Последняя неудача',
  },
  valid: (from, until, days) =>
    days < 0 ? `с ${from} по ${until}: истёк` : `с ${from} по ${until}, осталось дней: ${days}`,
  from: (date) => `начиная с ${date}`,
  untrusted: 'клиенты доверяют ему только с нашим корнем: posthorn certificate root',
  error: 'ОШИБКА',
  warning: 'предупреждение',
  wrongFiles: 'Укажите СЕРТИФИКАТ [КЛЮЧ] [ЦЕПОЧКА] или одну папку.',
  written: (file) => `Записано: ${file}`,
}

export function certificateTexts(language: Language): typeof en {
  return language === 'ru' ? ru : en
}
