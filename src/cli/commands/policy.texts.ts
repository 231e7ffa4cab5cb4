import type { Language } from '../../config/language.ts'

const en = {
  help: {
    policy: 'Who may send what, and where it would go.',
    test: 'Show what would become of a message; nothing is sent.',
    client: 'the address that the client comes from; else this machine',
    credential: 'as if logged in as this credential',
  },
  client: (address: string) => `From ${address}`,
  loggedIn: (credential: string) => `logged in as ${credential}: may hand in mail`,
  free: 'may hand in mail without a password',
  password: 'needs a password',
  distrusted:
    'its network is trusted, and yet it is not believed: the world appears behind it (posthorn doctor)',
  sender: 'Sender',
  recipient: 'Recipient',
  copies: 'Copies for always_bcc',
  unchanged: 'not rewritten',
  may: (domain: string, world: string) => `may be sent as ${domain}, ${world}`,
  signed: (selectors: string) => `signed by ${selectors}`,
  unsigned: 'NOT signed',
  refused: (reply: string) => `REFUSED: ${reply}`,
  credentials: (names: string) => `credentials that may: ${names}`,
  thrownAway: 'thrown away by its alias',
  direct: (host: string, port: number) => `to the mail hosts of ${host}, port ${port}`,
  relay: (host: string, port: number) => `to the relay ${host}, port ${port}`,
  sandbox: 'into the sandbox',
  site: (site: string) => `site ${site}`,
  notAnIp: (text: string) => `--client: ${text} is no IP address`,
}

const ru: typeof en = {
  help: {
    policy: 'Кто что может отправлять и куда это пойдёт.',
    test: 'Показать, что стало бы с письмом; ничего не отправляется.',
    client: 'адрес, с которого приходит клиент; иначе эта машина',
    credential: 'как если бы вошли под этим именем',
  },
  client: (address) => `С адреса ${address}`,
  loggedIn: (credential) => `вход под именем ${credential}: принимаем почту`,
  free: 'принимаем почту без пароля',
  password: 'нужен пароль',
  distrusted: 'его сеть доверенная, но ему не верим: за ним виден весь Интернет (posthorn doctor)',
  sender: 'Отправитель',
  recipient: 'Получатель',
  copies: 'Копии для always_bcc',
  unchanged: 'не переписывается',
  may: (domain, world) => `можно отправлять от имени ${domain}, ${world}`,
  signed: (selectors) => `подпишут ${selectors}`,
  unsigned: 'БЕЗ подписи',
  refused: (reply) => `ОТКАЗ: ${reply}`,
  credentials: (names) => `могут те, кто вошёл как: ${names}`,
  thrownAway: 'отбрасывается по псевдониму',
  direct: (host, port) => `на почтовые серверы ${host}, порт ${port}`,
  relay: (host, port) => `через сервер ${host}, порт ${port}`,
  sandbox: 'в песочницу',
  site: (site) => `узел ${site}`,
  notAnIp: (text) => `--client: ${text} не IP-адрес`,
}

export function policyTexts(language: Language): typeof en {
  return language === 'ru' ? ru : en
}
