import { plurals } from '../plural.ts'

const english = plurals('en', { change: { one: 'change', other: 'changes' } })
const russian = plurals('ru', {
  change: { one: 'изменение', few: 'изменения', other: 'изменений' },
})

const en = {
  dns: 'Print the DNS records that a domain needs, and how they differ from what is published.',
  publish: 'Set these records: by RFC 2136 or through the provider’s API (option dns_publish).',
  options: {
    format: 'table, bind, form, cloudflare, route53, terraform or json',
    only: 'only these: host, spf, dkim, dmarc, return-path, mta-sts, tls-rpt, bimi, ptr, changes',
    with: 'also: return-path, mta-sts, tls-rpt',
    flatten: 'SPF: networks in place of names, which cost lookups',
    prune: 'SPF: without terms that lead nowhere',
    bimiLogo: 'also BIMI, with the logo at this https address (SVG)',
    bimiEvidence: 'and its certificate at this one',
    offline: 'ask nothing of DNS',
    yes: 'do not ask',
    dryRun: 'only show what would change',
    wait: 'how long to wait until every name server shows it; 0s does not wait',
  },
  columns: ['STATE', 'TYPE', 'NAME', 'TTL', 'VALUE'],
  fields: {
    type: 'Type',
    name: 'Name',
    value: 'Value',
    ttl: 'TTL',
    priority: 'Priority',
    empty: '(leave empty)',
  },
  inZone: (zone: string, provider: string) =>
    `In the zone of ${zone}${provider === '' ? '' : `, kept by ${provider}`}:`,
  panel: (place: string) => `Where: ${place}`,
  servers: (names: string) => `Name servers: ${names}`,
  outside: 'NOT in this zone (reverse DNS, at the provider of the address):',
  instead: 'now:',
  remove: (type: string, value: string) => `remove: ${type} ${value}`,
  oneLine: 'A long TXT value is one record: paste it whole into a web form.',
  proxy: 'Addresses must be "DNS only" (grey cloud), not proxied.',
  missing: (option: string) =>
    `${option} is not set, so the address and its PTR cannot be named: set it to the address the world sees.`,
  noMail: (domain: string) =>
    `No mail is received at ${domain} (no MX): MTA-STS and TLS-RPT have nothing to protect there.`,
  policy: (domain: string, hosts: string) =>
    `MTA-STS also needs this file at https://mta-sts.${domain}/.well-known/mta-sts.txt:\n${hosts}`,
  unknown: (domain: string, program: string) =>
    `${domain} is not here. Add it: ${program} domain add ${domain}`,
  nothing: 'Nothing to change.',
  counts: (changes: number) => `${english.change(changes)} to make`,
  next: (command: string) => `Paste it as a file: ${command}`,
  nextPublish: (command: string) => `Let Posthorn set them: ${command}`,
  nextDoctor: (command: string) => `Then: ${command}`,
  willChange: (zones: string, provider: string, count: number) =>
    `${english.change(count)} in ${zones} through ${provider}:`,
  add: 'ADD',
  replace: 'CHANGE',
  removing: 'REMOVE',
  removes: 'Records of others go: look at the lines with REMOVE.',
  confirm: 'Do this? [y/N] ',
  confirmed: /^(y|yes)$/i,
  needsYes: 'Nobody can be asked here: give --yes, or --dry-run to only look.',
  dryRun: 'Nothing was changed (--dry-run).',
  kept: 'Nothing was changed.',
  done: 'done',
  failed: 'FAILED',
  partly: (done: number, all: number) =>
    `${done} of ${all} were made; the zone is as the lines above say. Run it again when the cause is gone.`,
  visible: 'Every name server shows them.',
  notVisible: (servers: string) => `Made, but not seen yet at: ${servers}`,
  noPublisher:
    'Posthorn has no way to set records: configure dns_publish (docs/configuration.md), or paste them: posthorn dns DOMAIN',
  differ: 'The zone changed since these lines were shown. Run the command again.',
}

const ru: typeof en = {
  dns: 'Показать записи DNS, нужные домену, и чем они отличаются от опубликованных.',
  publish: 'Поставить эти записи: по RFC 2136 или через API провайдера (опция dns_publish).',
  options: {
    format: 'table, bind, form, cloudflare, route53, terraform или json',
    only: 'только эти: host, spf, dkim, dmarc, return-path, mta-sts, tls-rpt, bimi, ptr, changes',
    with: 'ещё и: return-path, mta-sts, tls-rpt',
    flatten: 'SPF: сети вместо имён, которые стоят запросов',
    prune: 'SPF: без частей, которые ни на что не указывают',
    bimiLogo: 'ещё и BIMI с логотипом по этому адресу https (SVG)',
    bimiEvidence: 'и его сертификатом по этому',
    offline: 'ничего не спрашивать у DNS',
    yes: 'не переспрашивать',
    dryRun: 'только показать, что изменится',
    wait: 'сколько ждать, пока изменения покажут все серверы имён; 0s: не ждать',
  },
  columns: ['СОСТОЯНИЕ', 'ТИП', 'ИМЯ', 'TTL', 'ЗНАЧЕНИЕ'],
  fields: {
    type: 'Тип',
    name: 'Имя',
    value: 'Значение',
    ttl: 'TTL',
    priority: 'Приоритет',
    empty: '(оставить пустым)',
  },
  inZone: (zone, provider) => `В зоне ${zone}${provider === '' ? '' : `, её ведёт ${provider}`}:`,
  panel: (place) => `Где: ${place}`,
  servers: (names) => `Серверы имён: ${names}`,
  outside: 'НЕ в этой зоне (обратная запись, у владельца адреса):',
  instead: 'сейчас:',
  remove: (type, value) => `удалить: ${type} ${value}`,
  oneLine: 'Длинное значение TXT это одна запись: в веб-форму вставляйте его целиком.',
  proxy: 'Адреса должны быть «DNS only» (серое облако), без проксирования.',
  missing: (option) =>
    `Не задано ${option}, поэтому адрес и его PTR назвать нельзя: укажите адрес, который видит мир.`,
  noMail: (domain) =>
    `На ${domain} почту не принимают (нет MX): MTA-STS и TLS-RPT там нечего защищать.`,
  policy: (domain, hosts) =>
    `Для MTA-STS нужен ещё файл https://mta-sts.${domain}/.well-known/mta-sts.txt:\n${hosts}`,
  unknown: (domain, program) => `${domain} здесь нет. Добавьте: ${program} domain add ${domain}`,
  nothing: 'Менять нечего.',
  counts: (changes) => `Нужно внести: ${russian.change(changes)}`,
  next: (command) => `Файлом: ${command}`,
  nextPublish: (command) => `Пусть поставит Posthorn: ${command}`,
  nextDoctor: (command) => `Потом: ${command}`,
  willChange: (zones, provider, count) => `${russian.change(count)} в ${zones} через ${provider}:`,
  add: 'ДОБАВИТЬ',
  replace: 'ИЗМЕНИТЬ',
  removing: 'УДАЛИТЬ',
  removes: 'Уйдут чужие записи: посмотрите на строки «УДАЛИТЬ».',
  confirm: 'Выполнить? [д/Н] ',
  confirmed: /^(y|yes|д|да)$/i,
  needsYes: 'Спросить здесь некого: дайте --yes, а чтобы только посмотреть, --dry-run.',
  dryRun: 'Ничего не изменено (--dry-run).',
  kept: 'Ничего не изменено.',
  done: 'сделано',
  failed: 'НЕ ВЫШЛО',
  partly: (done, all) =>
    `Сделано ${done} из ${all}; зона теперь такая, как в строках выше. Повторите, когда причина исчезнет.`,
  visible: 'Их показывают все серверы имён.',
  notVisible: (servers) => `Сделано, но ещё не видно на: ${servers}`,
  noPublisher:
    'Posthorn нечем ставить записи: настройте dns_publish (docs/configuration.ru.md) или вставьте их сами: posthorn dns DOMAIN',
  differ: 'Зона изменилась с тех пор, как показаны эти строки. Запустите команду снова.',
}

export const dnsTexts = { en, ru } as const
