/** The transcript of a message on its way, in both languages. */
const en = {
  live: 'send for real: From must be in a domain that is live',
  watch: 'tell every step with its time, and wait longer',
  queued: 'queued',
  dns: 'dns',
  connected: 'connected',
  tls: (version: string, isVerified: boolean) =>
    `TLS ${version}, ${isVerified ? 'certificate OK' : 'certificate not checked, as usual between mail servers'}`,
  noTls: 'without TLS: the receiver offers none',
  means: 'means',
  helps: 'helps',
  next: 'next try',
  nothingLeft: 'It is not tried again.',
  waits: (time: string) => `at ${time}, by itself; Ctrl-C stops only the watching`,
  took: (seconds: string) => `${seconds} s`,
  lookFor: (from: string) =>
    [
      `Now look whether it is in the inbox, and open what the receiver says of it:`,
      '  Gmail: ⋮ → Show original · Outlook: … → View → View message source',
      '  Mail.ru: More → Headers · Yandex: … → Message properties',
      `  There SPF, DKIM and DMARC must say PASS, DKIM and DMARC with ${from}.`,
    ].join('\n'),
  paste: (command: string) => `Or paste its headers:  ${command}`,
  notLive: (domain: string, program: string) =>
    `Mail From ${domain} is captured, not delivered. First: ${program} live ${domain}`,
  noLiveDomain: (program: string) => `No domain is live yet. First: ${program} live DOMAIN`,
}

const ru: typeof en = {
  live: 'отправить по-настоящему: домен в From должен быть в боевом режиме',
  watch: 'показать каждый шаг со временем и ждать дольше',
  queued: 'в очереди',
  dns: 'dns',
  connected: 'соединение',
  tls: (version, isVerified) =>
    `TLS ${version}, ${isVerified ? 'сертификат верен' : 'сертификат не проверялся, как принято между почтовыми серверами'}`,
  noTls: 'без TLS: получатель его не предлагает',
  means: 'это значит',
  helps: 'поможет',
  next: 'повтор',
  nothingLeft: 'Новых попыток не будет.',
  waits: (time) => `в ${time}, сам; Ctrl-C прекратит только наблюдение`,
  took: (seconds) => `${seconds} с`,
  lookFor: (from) =>
    [
      `Теперь посмотрите, во «Входящих» ли письмо, и откройте, что о нём говорит получатель:`,
      '  Gmail: ⋮ → Показать оригинал · Outlook: … → Просмотр → Исходный текст',
      '  Mail.ru: Ещё → Служебные заголовки · Яндекс: … → Свойства письма',
      `  Там у SPF, DKIM и DMARC должно быть PASS, а у DKIM и DMARC стоять ${from}.`,
    ].join('\n'),
  paste: (command) => `Или вставьте заголовки:  ${command}`,
  notLive: (domain, program) =>
    `Почта от ${domain} задерживается, а не доставляется. Сначала: ${program} live ${domain}`,
  noLiveDomain: (program) => `Ни один домен ещё не в боевом режиме. Сначала: ${program} live ДОМЕН`,
}

export const sendTestTexts = { en, ru }
