import type { CodeTexts } from '../text.ts'

export const mailHostTexts = {
  MX_OK: {
    severity: 'ok',
    en: { saw: 'Replies to {domain} go to {hosts}.' },
    ru: { saw: 'Ответы в {domain} идут на {hosts}.' },
  },
  MX_IMPLICIT: {
    severity: 'note',
    en: {
      saw: '{domain} has no MX record; replies would go to the address of the domain itself.',
      why: 'Where no mail server listens there, replies and bounces are lost after days.',
      fix: 'If the domain receives mail, add an MX record that names its mail server; if not, use a Reply-To in a domain that does.',
      more: `Without MX records mail goes to the A or AAAA record of the domain (RFC 5321 §5.1), which is mostly a web server. Posthorn only sends; for replies the domain needs a mailbox somewhere.`,
    },
    ru: {
      saw: 'У {domain} нет записи MX; ответы пойдут на адрес самого домена.',
      why: 'Если там нет почтового сервера, ответы и отказы через несколько дней пропадут.',
      fix: 'Если домен принимает почту, добавьте запись MX с именем его почтового сервера; если нет, укажите Reply-To в домене, который принимает.',
      more: `Без записей MX почта идёт на запись A или AAAA домена (RFC 5321 §5.1), а там чаще всего веб-сервер. Posthorn только отправляет; для ответов домену нужен где-то почтовый ящик.`,
    },
  },
  MX_NULL: {
    severity: 'warning',
    en: {
      saw: '{domain} says that it takes no mail (null MX).',
      why: 'Some receivers refuse mail From or returning to a domain that cannot be answered.',
      fix: 'Send From a domain that takes replies, or replace the null MX by a real one; a return path needs its own domain with MX.',
      more: `An MX record with a lone dot means that the domain accepts no mail at all (RFC 7505). Then it should not stand in From or in the reverse-path: replies and bounces to it fail at once.`,
    },
    ru: {
      saw: '{domain} сообщает, что не принимает почту (пустой MX).',
      why: 'Некоторые получатели отвергают почту от домена, которому нельзя ответить.',
      fix: 'Шлите от домена, принимающего ответы, или замените пустой MX настоящим; обратному адресу нужен свой домен с MX.',
      more: `Запись MX с одной точкой значит, что домен не принимает почту вовсе (RFC 7505). Тогда ему не место в From и в обратном адресе: ответы и отказы сразу не доходят.`,
    },
  },
  MX_MISSING: {
    severity: 'error',
    en: {
      saw: '{domain} has neither an MX record nor an address.',
      why: 'Yahoo and others refuse mail whose sender domain could not receive a reply (451, 553).',
      fix: 'Add an MX record for {domain} that names a mail server which takes its mail.',
      more: `Receivers check that the domain of the reverse-path could be written to: that it has an MX record, or at least an A or AAAA record. A domain without any looks made up.`,
    },
    ru: {
      saw: 'У {domain} нет ни записи MX, ни адреса.',
      why: 'Yahoo и другие отвергают почту, если домену отправителя нельзя ответить (451, 553).',
      fix: 'Добавьте для {domain} запись MX с именем почтового сервера, который принимает его почту.',
      more: `Получатели проверяют, что домену обратного адреса можно написать: есть запись MX или хотя бы A либо AAAA. Домен без них выглядит выдуманным.`,
    },
  },
  MX_BROKEN: {
    severity: 'error',
    en: {
      saw: 'The MX records of {domain} name hosts that have no usable address: {hosts}.',
      why: 'Replies and bounces cannot be delivered, and some receivers refuse such senders.',
      fix: 'Correct the names: an MX needs a host name with an A or AAAA record, no address, and in a zone file a dot at its end.',
      more: `Common slips: the final dot is missing in the zone file, so that the name ends up with the domain twice; an IP address stands where a host name belongs; the host was renamed or switched off.`,
    },
    ru: {
      saw: 'Записи MX домена {domain} указывают на узлы без пригодного адреса: {hosts}.',
      why: 'Ответы и отказы не доставить, и некоторые получатели таких отправителей отвергают.',
      fix: 'Исправьте имена: в MX нужно имя узла с записью A или AAAA, не адрес, а в файле зоны ещё и точка в конце.',
      more: `Частые ошибки: в файле зоны нет точки в конце, и домен в имени удвоился; вместо имени узла стоит IP-адрес; узел переименован или выключен.`,
    },
  },
  RETURN_PATH_OK: {
    severity: 'ok',
    en: { saw: 'The return path {returnPath} has MX and SPF.' },
    ru: { saw: 'У обратного адреса {returnPath} есть MX и SPF.' },
  },
  RETURN_PATH_NO_MX: {
    severity: 'error',
    en: {
      saw: 'The return path {returnPath} cannot receive mail: no usable MX and no address.',
      why: 'Bounces do not come back, and Yahoo refuses such senders (451, 553).',
      fix: 'Add this record:',
      more: `The return path is the domain of MAIL FROM. Notices of failure go there, so it needs an MX record that leads to this server, and this server must be reachable on port 25.`,
    },
    ru: {
      saw: 'Обратный адрес {returnPath} не может принимать почту: нет пригодного MX и адреса.',
      why: 'Отказы не возвращаются, а Yahoo таких отправителей отвергает (451, 553).',
      fix: 'Добавьте такую запись:',
      more: `Обратный адрес: это домен из MAIL FROM. Туда приходят уведомления о недоставке, поэтому ему нужна запись MX, ведущая на этот сервер, а сам сервер должен быть доступен по порту 25.`,
    },
    paste: '{returnPath}. MX 10 {hostname}.',
  },
  RETURN_PATH_MX_ELSEWHERE: {
    severity: 'warning',
    en: {
      saw: 'Bounces to {returnPath} go to {hosts}, not to us.',
      why: 'We then never learn which addresses do not exist.',
      fix: 'Change the MX record to:',
      more: `Bounces that arrive later than the SMTP dialogue come as mail to the return path. Only when they reach this server can it suppress addresses that do not exist.`,
    },
    ru: {
      saw: 'Отказы в {returnPath} уходят на {hosts}, а не к нам.',
      why: 'Тогда мы не узнаем, каких адресов не существует.',
      fix: 'Измените запись MX на такую:',
      more: `Отказы, которые приходят позже диалога SMTP, идут письмом на обратный адрес. Только если они доходят до этого сервера, он может исключить несуществующие адреса.`,
    },
    paste: '{returnPath}. MX 10 {hostname}.',
  },
  RETURN_PATH_SPF: {
    severity: 'error',
    en: {
      saw: 'SPF of the return path {returnPath} gives {result} for {address}.',
      why: 'Receivers check SPF of exactly this domain; Outlook.com and Gmail want it to pass.',
      fix: 'Publish this record:',
      more: `SPF is evaluated for the domain of MAIL FROM, not for the From that people see. A return path of its own needs a record of its own.`,
    },
    ru: {
      saw: 'SPF обратного адреса {returnPath} даёт {result} для {address}.',
      why: 'Получатели проверяют SPF именно этого домена; Outlook.com и Gmail требуют, чтобы он проходил.',
      fix: 'Опубликуйте такую запись:',
      more: `SPF проверяется для домена из MAIL FROM, а не для From, который видят люди. Отдельному обратному адресу нужна отдельная запись.`,
    },
    paste: '{returnPath}. TXT "{record}"',
  },
  RETURN_PATH_FOREIGN: {
    severity: 'warning',
    en: {
      saw: 'Mail From {domain} was sent with the return path {returnPath}, whose SPF gives {result} for {address}.',
      why: 'Outlook.com and Gmail want SPF of exactly that domain to pass, and DMARC counts it only for its own domain.',
      fix: 'Let the application use a return path in {domain} (MAIL FROM, often called envelope sender, Return-Path or -f).',
      more: `Receivers check SPF for the domain of MAIL FROM, which people do not see. An application that puts a mailbox of another domain there lets SPF fail, however good the records of the From domain are. The signature still passes; but some receivers want both.

Only return paths that were seen since the start of this server are known here. If the other domain is yours as well, add it (posthorn domain add) and publish its records instead.`,
    },
    ru: {
      saw: 'Почта от {domain} уходила с обратным адресом в {returnPath}, чей SPF даёт {result} для {address}.',
      why: 'Outlook.com и Gmail требуют, чтобы SPF проходил именно для этого домена, а DMARC засчитывает его только своему домену.',
      fix: 'Пусть приложение ставит обратный адрес в {domain} (MAIL FROM; его называют ещё envelope sender, Return-Path или -f).',
      more: `Получатели проверяют SPF для домена из MAIL FROM, которого люди не видят. Если приложение ставит туда ящик в другом домене, SPF не проходит, как бы хороши ни были записи домена из From. Подпись по-прежнему проходит, но некоторые получатели требуют и то и другое.

Здесь известны только обратные адреса, встретившиеся с запуска сервера. Если и тот домен ваш, добавьте его (posthorn domain add) и опубликуйте его записи.`,
    },
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
