import type { CodeTexts } from '../text.ts'

export const helloNameTexts = {
  HELO_OK: {
    severity: 'ok',
    en: { saw: 'We greet as {hostname}, and its {type} record leads to {address}.' },
    ru: { saw: 'Мы представляемся как {hostname}, запись {type} ведёт на {address}.' },
  },
  HELO_NOT_FQDN: {
    severity: 'error',
    en: {
      saw: 'We greet as "{hostname}", which is no name of the public DNS (a container\'s id, a short or a test name).',
      why: 'Receivers refuse a greeting that they cannot look up (Microsoft: 550 5.7.506), and no reverse DNS can ever match it.',
      fix: 'Choose a name in your own domain, such as {proposal}, and set it as hostname.',
      more: `The name in the greeting (HELO or EHLO) is the first thing that a receiver learns of a server. It must be a full name that exists in DNS: with an A record that leads to the address of this server, and that address must be named the same in the reverse DNS.

Without the option hostname the machine's own name is used; in a container that is a random id, in the sandbox a test name. Set hostname in the configuration, or POSTHORN_HOSTNAME in the environment; in Docker --hostname mail.example.com does as well.`,
    },
    ru: {
      saw: 'Мы представляемся как «{hostname}», а такого имени в публичном DNS быть не может (идентификатор контейнера, короткое или тестовое имя).',
      why: 'Получатели отвергают приветствие, которое нельзя проверить (Microsoft: 550 5.7.506), и обратная зона никогда с ним не совпадёт.',
      fix: 'Выберите имя в своём домене, например {proposal}, и задайте его в hostname.',
      more: `Имя в приветствии (HELO или EHLO) получатель узнаёт о сервере первым. Это должно быть полное имя, которое есть в DNS: с записью A, ведущей на адрес этого сервера, а адрес в обратной зоне должен называться так же.

Без параметра hostname берётся имя самой машины; в контейнере это случайный идентификатор, в песочнице тестовое имя. Задайте hostname в конфигурации или POSTHORN_HOSTNAME в окружении; в Docker подойдёт и --hostname mail.example.com.`,
    },
    paste: 'hostname: {proposal}',
  },
  HELO_NO_ADDRESS: {
    severity: 'error',
    en: {
      saw: '{hostname}, the name that we greet with, has no {type} record.',
      why: 'Receivers look the name up to see whether it leads back to {address}; Gmail, Mail.ru and Yahoo refuse or junk mail when it does not.',
      fix: 'Add this record where the zone of {hostname} is kept:',
      more: `A receiver knows the address of the connection, looks up its name in the reverse DNS, and then looks up the address of that name. Only when the circle closes does it believe the name. The greeting should be the same name.

Add the record at your DNS provider. At Cloudflare leave the proxy off ("DNS only"): mail does not pass through it.`,
    },
    ru: {
      saw: 'У имени {hostname}, которым мы представляемся, нет записи {type}.',
      why: 'Получатели проверяют, ведёт ли имя обратно на {address}; если нет, Gmail, Mail.ru и Yahoo отвергают почту или кладут её в спам.',
      fix: 'Добавьте эту запись там, где живёт зона имени {hostname}:',
      more: `Получатель знает адрес соединения, узнаёт его имя в обратной зоне, а затем адрес этого имени. Имени верят, только если круг замкнулся. В приветствии должно стоять то же имя.

Добавьте запись у своего DNS-провайдера. В Cloudflare оставьте прокси выключенным («DNS only»): почта через него не ходит.`,
    },
    paste: '{hostname}. 300 IN {type} {address}',
  },
  HELO_WRONG_ADDRESS: {
    severity: 'error',
    en: {
      saw: '{hostname}, the name that we greet with, leads to {addresses}, not to {address}.',
      why: 'Receivers look the name up to see whether it leads back to the address that the mail came from; Gmail, Mail.ru and Yahoo refuse or junk mail when it does not.',
      fix: 'Change the {type} record, or add this one beside it; if {address} is not the address that mail leaves from, correct public_ipv4 or public_ipv6:',
      more: `A receiver knows the address of the connection, looks up its name in the reverse DNS, and then looks up the addresses of that name. The address of the connection must be among them.

If the name belongs to another machine, such as the web server, choose another one for the mail server (mail.example.com), give it its own record, set it as hostname here and as reverse DNS at the hosting provider.`,
    },
    ru: {
      saw: 'Имя {hostname}, которым мы представляемся, ведёт на {addresses}, а не на {address}.',
      why: 'Получатели проверяют, ведёт ли имя обратно на адрес, с которого пришла почта; если нет, Gmail, Mail.ru и Yahoo отвергают её или кладут в спам.',
      fix: 'Измените запись {type} или добавьте рядом эту; если почта уходит не с {address}, исправьте public_ipv4 или public_ipv6:',
      more: `Получатель знает адрес соединения, узнаёт его имя в обратной зоне, а затем адреса этого имени. Адрес соединения должен быть среди них.

Если имя принадлежит другой машине, например веб-серверу, выберите для почтового сервера другое (mail.example.com), заведите ему свою запись, задайте его в hostname здесь и в обратной зоне у хостинга.`,
    },
    paste: '{hostname}. 300 IN {type} {address}',
  },
  HELO_ALIAS: {
    severity: 'warning',
    en: {
      saw: '{hostname}, the name that we greet with, is an alias (CNAME) of {target}.',
      why: 'A mail server should greet with its primary name, not with an alias (RFC 5321 §2.3.5); some receivers count it against you.',
      fix: 'Replace the CNAME by an address record:',
      more: `RFC 5321 §2.3.5 asks that the name in the greeting resolves to an address by itself: it must be a primary host name. A name with a CNAME record can have no other records either, so that no SPF record can stand at it; receivers look for that one when a bounce comes, because a bounce has no sender domain.

Remove the CNAME record and add an A record (and an AAAA record for IPv6) with this server's address.`,
    },
    ru: {
      saw: 'Имя {hostname}, которым мы представляемся, это псевдоним (CNAME) для {target}.',
      why: 'Почтовый сервер должен представляться основным именем, а не псевдонимом (RFC 5321 §2.3.5); некоторые получатели считают это признаком спама.',
      fix: 'Замените CNAME адресной записью:',
      more: `RFC 5321 §2.3.5 требует, чтобы имя в приветствии само вело на адрес, то есть было основным именем. У имени с записью CNAME не может быть и других записей, в том числе SPF, а её ищут, когда приходит уведомление о недоставке: у него нет домена отправителя.

Удалите запись CNAME и добавьте запись A (для IPv6 ещё и AAAA) с адресом этого сервера.`,
    },
    paste: '{hostname}. 300 IN {type} {address}',
  },
  CLOUDFLARE_PROXIED: {
    severity: 'error',
    en: {
      saw: '{hostname}, the name that we greet with, leads to Cloudflare ({addresses}), not to {address}.',
      why: "Cloudflare's proxy carries the web and no mail: receivers find that the name does not lead back to us.",
      fix: 'In the Cloudflare panel switch this record from "Proxied" (orange cloud) to "DNS only" (grey cloud): {hostname}, {address}.',
      more: `With the proxy on, Cloudflare answers with its own addresses instead of the one in the record. For web pages that is the purpose; a mail server's name must lead to the mail server itself.

Switch the proxy off for this name only; the web site's names may keep it.`,
    },
    ru: {
      saw: 'Имя {hostname}, которым мы представляемся, ведёт на Cloudflare ({addresses}), а не на {address}.',
      why: 'Прокси Cloudflare пропускает веб, но не почту: получатели видят, что имя не ведёт обратно к нам.',
      fix: 'В панели Cloudflare переключите эту запись с «Proxied» (оранжевое облако) на «DNS only» (серое облако): {hostname}, {address}.',
      more: `При включённом прокси Cloudflare отвечает своими адресами вместо адреса из записи. Для сайтов это и нужно, а имя почтового сервера должно вести на сам почтовый сервер.

Выключите прокси только для этого имени; имена сайта можно оставить как есть.`,
    },
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
