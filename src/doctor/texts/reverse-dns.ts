import type { CodeTexts } from '../text.ts'

export const reverseDnsTexts = {
  PTR_OK: {
    severity: 'ok',
    en: { saw: '{address} is named {name}.' },
    ru: { saw: 'Адрес {address} называется {name}.' },
  },
  PTR_MISSING: {
    severity: 'error',
    en: {
      saw: '{address} has no name (no PTR record).',
      why: 'Gmail (550 5.7.25), Mail.ru, Yahoo and Microsoft refuse or junk mail from an address without a name.',
      fix: 'In the panel of the hosting provider, under "reverse DNS" or "PTR", name {address} {hostname}; keep the A record of {hostname}.',
      more: `Every address that sends mail needs a name in the reverse DNS, and that name must lead back to the address: receivers take it as the first sign that a server is meant to send mail and is not an infected home computer.

The record does not belong to your domain's zone. It belongs to whoever owns the address: the hosting provider. Most have a field for it in their panel, next to the address; others set it on request. Use the very name that this server greets with (the option hostname).

Providers show the change within minutes; other resolvers may remember the old answer for up to a day.`,
    },
    ru: {
      saw: 'У адреса {address} нет имени (нет записи PTR).',
      why: 'Gmail (550 5.7.25), Mail.ru, Yahoo и Microsoft отвергают почту с адреса без имени или кладут её в спам.',
      fix: 'В панели хостинга, в разделе «обратная зона», «reverse DNS» или «PTR», назовите {address} именем {hostname}; запись A у {hostname} оставьте.',
      more: `Адресу, с которого уходит почта, нужно имя в обратной зоне DNS, и это имя должно вести обратно к адресу: для получателей это первый признак, что сервер предназначен для почты, а не является заражённым домашним компьютером.

Эта запись живёт не в зоне вашего домена, а у владельца адреса, то есть у хостинга. Чаще всего для неё есть поле в панели рядом с адресом; иногда её ставят по заявке. Укажите ровно то имя, которым представляется этот сервер (параметр hostname).

У хостинга изменение видно через несколько минут; чужие резолверы могут помнить старый ответ до суток.`,
    },
    paste: '{address} -> {hostname}',
  },
  PTR_MISMATCH: {
    severity: 'error',
    en: {
      saw: '{address} is named {name}, but we greet as {hostname}.',
      why: 'Gmail (550 5.7.25), Mail.ru and Microsoft refuse or junk mail when the name of the address and the greeting disagree or do not lead to each other.',
      fix: 'In the panel of the hosting provider, under "reverse DNS", name {address} {hostname}. Or, if {name} is the better name and leads back to {address}, set hostname to it.',
      more: `A receiver compares three things: the name that the server says in its greeting (HELO), the name of its address in the reverse DNS (PTR), and the address of that name (A or AAAA). When all three agree, the server is what it says it is.

Change one of two: the PTR record, which the owner of the address sets (the hosting provider's panel), or the greeting, which is the option hostname here. The name must have an A record with this address in either case.`,
    },
    ru: {
      saw: 'Адрес {address} называется {name}, а представляемся мы как {hostname}.',
      why: 'Gmail (550 5.7.25), Mail.ru и Microsoft отвергают почту или кладут её в спам, когда имя адреса и приветствие не совпадают или не ведут друг к другу.',
      fix: 'В панели хостинга, в разделе «обратная зона» или «reverse DNS», назовите {address} именем {hostname}. Либо, если {name} лучше и ведёт обратно к {address}, задайте его в hostname.',
      more: `Получатель сравнивает три вещи: имя, которым сервер представляется (HELO), имя его адреса в обратной зоне (PTR) и адрес этого имени (A или AAAA). Если все три сходятся, сервер действительно тот, кем назвался.

Измените одно из двух: запись PTR, которую задаёт владелец адреса (панель хостинга), или приветствие, то есть параметр hostname. В обоих случаях у имени должна быть запись A с этим адресом.`,
    },
    paste: '{address} -> {hostname}',
  },
  PTR_GENERIC: {
    severity: 'error',
    en: {
      saw: '{address} is named {name}, which looks like a default host name of a provider.',
      why: 'Mail.ru refuses such mail ("dynamic IP or generic DNS PTR"), others count it against you.',
      fix: 'Name {address} in its owner\'s panel ("reverse DNS") like a mail server in your own domain, such as mail.example.com, and greet with the same name (now {hostname}).',
      more: `Names such as vps-77.host.example, static-203-0-113-10.isp.example or 10.113.0.203.pool.isp.example are given by providers to addresses that nobody has named. Mail from them is mostly from infected machines, so some receivers refuse it even when the name leads back to the address.

Choose a name in your own domain, give it an A record, set it as PTR at the hosting provider, and as hostname here.`,
    },
    ru: {
      saw: 'Адрес {address} называется {name}; похоже, это имя хостинг дал по умолчанию.',
      why: 'Mail.ru отвергает такую почту («dynamic IP or generic DNS PTR»), другие считают это признаком спама.',
      fix: 'В панели хостинга («обратная зона», «reverse DNS») назовите {address} как почтовый сервер в своём домене, например mail.example.com, и представляйтесь тем же именем (сейчас {hostname}).',
      more: `Имена вроде vps-77.host.example, static-203-0-113-10.isp.example или 10.113.0.203.pool.isp.example провайдеры дают адресам, которые никто не назвал. Почта оттуда идёт чаще всего с заражённых машин, поэтому некоторые получатели отвергают её, даже если имя ведёт обратно к адресу.

Выберите имя в своём домене, заведите для него запись A, задайте его в PTR у хостинга и в параметре hostname здесь.`,
    },
    paste: '{address} -> {hostname}',
  },
  IPV6_NO_PTR: {
    severity: 'note',
    en: {
      saw: 'IPv6 is not used for sending: {address} is not named {hostname}.',
      why: 'Gmail refuses mail over IPv6 from an address without a name (550 5.7.25); over IPv4 nothing is missing.',
      fix: 'Nothing needs to be done. To send over IPv6 too, set the reverse DNS of {address} to {hostname}, then delivery.protocol to both.',
      more: `Receivers are stricter over IPv6 than over IPv4: an address without a proper name in the reverse DNS is refused outright. Every receiver that matters takes mail over IPv4, so that an IPv6 address that has no name is simply not used.

If you want IPv6, have the provider name the address, give the host name an AAAA record, add the address to SPF, and set delivery.protocol: both.`,
    },
    ru: {
      saw: 'IPv6 для отправки не используется: имя адреса {address} не {hostname}.',
      why: 'По IPv6 Gmail отвергает почту с адреса без имени (550 5.7.25); по IPv4 всё работает и так.',
      fix: 'Ничего делать не нужно. Чтобы слать и по IPv6, дайте адресу {address} имя {hostname} в обратной зоне, затем задайте delivery.protocol: both.',
      more: `По IPv6 получатели строже, чем по IPv4: адресу без надлежащего имени в обратной зоне отказывают сразу. Все важные получатели принимают почту по IPv4, поэтому адрес IPv6 без имени просто не используется.

Если IPv6 нужен, попросите хостинг назвать адрес, заведите имени сервера запись AAAA, добавьте адрес в SPF и задайте delivery.protocol: both.`,
    },
    paste: '{address} -> {hostname}',
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
