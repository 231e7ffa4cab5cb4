const en = {
  live: 'Let mail From a domain out into the world, once receivers will believe it.',
  sandbox: 'Take a domain back: its mail is captured again.',
  force: 'go live all the same',
  goesOut: (domain: string) =>
    `From now on mail From @${domain} IS DELIVERED. Other domains stay as they are.`,
  isOut: (domain: string) => `Mail From @${domain} is delivered already, and all demands are met.`,
  allMet: 'All that receivers demand is met.',
  notReady: (domain: string) =>
    `${domain} is not ready: its mail stays captured. Receivers demand:`,
  outUnready: (domain: string) =>
    `Mail From @${domain} is delivered already, but receivers demand more:`,
  forced: (domain: string) =>
    `Mail From @${domain} IS DELIVERED from now on, by your wish. What you risk: receivers refuse it ` +
    'or put it into the junk folder, and remember the domain and the address that it came from. Missing is:',
  met: 'Met:',
  undo: (command: string) => `Undo: ${command}`,
  next: (command: string) => `Next: ${command}`,
  captured: (domain: string) => `From now on mail From @${domain} is captured.`,
  stays: (domain: string) => `Mail From @${domain} is captured already.`,
  unseen: (domain: string) =>
    `Its mail is delivered from now on. Until its records are published, receivers refuse or junk mail From @${domain}.`,
  onItsWay: 'What was accepted before is still delivered: posthorn queue list',
}

const ru: typeof en = {
  live: 'Выпустить почту домена в мир, когда получатели станут ей верить.',
  sandbox: 'Вернуть домен в песочницу: его почта снова задерживается.',
  force: 'перевести, несмотря ни на что',
  goesOut: (domain) =>
    `Отныне почта от @${domain} ДОСТАВЛЯЕТСЯ. У других доменов всё остаётся как было.`,
  isOut: (domain) => `Почта от @${domain} уже доставляется, и все требования выполнены.`,
  allMet: 'Все требования получателей выполнены.',
  notReady: (domain) =>
    `${domain} не готов: его почта по-прежнему задерживается. Получатели требуют:`,
  outUnready: (domain) => `Почта от @${domain} уже доставляется, но получатели требуют большего:`,
  forced: (domain) =>
    `По вашему желанию почта от @${domain} отныне ДОСТАВЛЯЕТСЯ. Чем вы рискуете: получатели будут ` +
    'её отвергать или класть в спам и запомнят домен и адрес, с которого она пришла. Не хватает:',
  met: 'Выполнено:',
  undo: (command) => `Отменить: ${command}`,
  next: (command) => `Дальше: ${command}`,
  captured: (domain) => `Отныне почта от @${domain} задерживается.`,
  stays: (domain) => `Почта от @${domain} и так задерживается.`,
  unseen: (domain) =>
    `Его почта отныне доставляется. Пока записи не опубликованы, письма от @${domain} отвергнут или положат в спам.`,
  onItsWay: 'Принятое раньше ещё будет доставлено: posthorn queue list',
}

export const liveTexts = { en, ru }
