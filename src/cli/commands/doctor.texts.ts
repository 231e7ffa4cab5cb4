import { plurals } from '../plural.ts'

const english = plurals('en', {
  problem: { one: 'problem', other: 'problems' },
  advice: { one: 'piece of advice', other: 'pieces of advice' },
  unknown: { one: 'check could not be made', other: 'checks could not be made' },
  domain: { one: 'domain', other: 'domains' },
})
const russian = plurals('ru', {
  problem: { one: 'проблема', few: 'проблемы', other: 'проблем' },
  advice: { one: 'совет', few: 'совета', other: 'советов' },
  unknown: {
    one: 'проверку сделать не удалось',
    few: 'проверки сделать не удалось',
    other: 'проверок сделать не удалось',
  },
  domain: { one: 'домен', few: 'домена', other: 'доменов' },
})

const en = {
  doctor:
    'Check what receivers check: network, names, DNS records, lists. Exit code 1 means a problem.',
  watch: 'look again every 15 seconds until no problem is left',
  thisServer: (hostname: string) => `${hostname}, this server`,
  domain: { live: 'live: its mail is delivered', sandbox: 'sandbox: its mail is captured' },
  groups: {
    network: 'Network',
    identity: 'Identity',
    spf: 'SPF',
    dkim: 'DKIM',
    dmarc: 'DMARC',
    'return-path': 'Return path',
    lists: 'Blocklists',
    domain: 'Domain',
    transport: 'Transport',
    server: 'Server',
  },
  fix: 'Fix:',
  more: 'More:',
  leftOut: (n: number) =>
    `Not looked at: ${english.domain(n)} more. Name one: posthorn doctor DOMAIN`,
  none: 'No problems.',
  summary: (counts: { error: number; warning: number; unknown: number }) =>
    [
      counts.error > 0 && english.problem(counts.error),
      counts.warning > 0 && english.advice(counts.warning),
      counts.unknown > 0 && english.unknown(counts.unknown),
    ]
      .filter(Boolean)
      .join(', '),
  noDomains: 'No domain is here yet.',
  unknownDomain: (domain: string, program: string) =>
    `${domain} is no domain of this server. Add it: ${program} domain add ${domain}`,
  next: (command: string) => `Next: ${command}`,
  until: (command: string) => `Watch until it is green: ${command}`,
  again: (time: string) => `Looked again at ${time}.`,
  codes: 'Codes of the doctor, the worst first:',
  severity: {
    error: 'problem: mail is refused or goes to spam, and a domain cannot go live',
    warning: 'advice: works, and should be better',
    note: 'a remark: nothing needs to be done',
    unknown: 'could not be checked',
    ok: 'well',
  },
  noCode: (code: string, near: string | undefined) =>
    `There is no code ${code}.${near === undefined ? '' : ` Did you mean ${near}?`}`,
  allCodes: (command: string) => `All codes: ${command}`,
}

const ru: typeof en = {
  doctor:
    'Проверить то, что проверяют получатели: сеть, имена, записи DNS, списки. Код возврата 1 означает проблему.',
  watch: 'проверять каждые 15 секунд, пока остаются проблемы',
  thisServer: (hostname) => `${hostname}, этот сервер`,
  domain: { live: 'боевой режим: письма доставляются', sandbox: 'песочница: письма задерживаются' },
  groups: {
    network: 'Сеть',
    identity: 'Имя и адрес',
    spf: 'SPF',
    dkim: 'DKIM',
    dmarc: 'DMARC',
    'return-path': 'Обратный путь',
    lists: 'Чёрные списки',
    domain: 'Домен',
    transport: 'Шифрование',
    server: 'Сервер',
  },
  fix: 'Что делать:',
  more: 'Подробнее:',
  leftOut: (n) => `Не проверено: ещё ${russian.domain(n)}. Назовите один: posthorn doctor ДОМЕН`,
  none: 'Проблем нет.',
  summary: (counts) =>
    [
      counts.error > 0 && russian.problem(counts.error),
      counts.warning > 0 && russian.advice(counts.warning),
      counts.unknown > 0 && russian.unknown(counts.unknown),
    ]
      .filter(Boolean)
      .join(', '),
  noDomains: 'Доменов здесь ещё нет.',
  unknownDomain: (domain, program) =>
    `${domain} не домен этого сервера. Добавьте его: ${program} domain add ${domain}`,
  next: (command) => `Дальше: ${command}`,
  until: (command) => `Проверять, пока не станет зелёным: ${command}`,
  again: (time) => `Проверено снова в ${time}.`,
  codes: 'Коды проверок, сначала самые важные:',
  severity: {
    error: 'проблема: почту отвергают или кладут в спам, и домен нельзя перевести в боевой режим',
    warning: 'совет: работает, но лучше исправить',
    note: 'замечание: делать ничего не нужно',
    unknown: 'проверить не удалось',
    ok: 'в порядке',
  },
  noCode: (code, near) =>
    `Кода ${code} нет.${near === undefined ? '' : ` Возможно, имелся в виду ${near}?`}`,
  allCodes: (command) => `Все коды: ${command}`,
}

export const doctorTexts = { en, ru }
export type DoctorTexts = typeof en
