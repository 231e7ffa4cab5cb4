import type { CodeTexts } from '../text.ts'

export const outboundPortTexts = {
  PORT25_OK: {
    severity: 'ok',
    en: { saw: 'Outgoing port {port} is open ({hosts} answered).' },
    ru: { saw: 'Исходящий порт {port} открыт (ответили: {hosts}).' },
  },
  PORT25_BLOCKED: {
    severity: 'error',
    en: {
      saw: 'No mail server answered on port {port} (tried: {hosts}), but port {other} works: {provider} blocks outgoing mail.',
      why: 'Mail servers take mail from each other on port 25 only; until it is open nothing can be delivered directly.',
      fix: 'Outgoing port {port}: {opens}. Meanwhile hand the mail to a relay; mail waits in the queue, nothing is lost.',
      more: `Many hosting providers close outgoing port 25 for new customers, because rented machines are used for spam. Nothing on this machine shows it: connections simply get no answer, and the queue grows.

There are three ways out. Ask the provider to open the port; some do it in a form, some after the first paid invoice, some never. Or send through a relay that takes mail on port 587 or 465, which are not blocked: set relayhost in the configuration. Or move to another provider.

Mail that is in the queue stays there and is tried again by itself; when the port opens or a relay is set, it leaves.`,
    },
    ru: {
      saw: 'Ни один почтовый сервер не ответил на порту {port} (опрошены: {hosts}), а порт {other} работает: исходящую почту блокирует {provider}.',
      why: 'Почтовые серверы принимают почту друг от друга только на порту 25; пока он закрыт, напрямую ничего не доставить.',
      fix: 'Исходящий порт {port}: {opens}. Пока можно отдавать почту серверу-посреднику; письма ждут в очереди, ничего не теряется.',
      more: `Многие хостинги закрывают новым клиентам исходящий порт 25, потому что с арендованных машин рассылают спам. На самой машине это не видно: соединения просто остаются без ответа, и очередь растёт.

Выхода три. Попросить хостинг открыть порт: кто-то делает это по форме, кто-то после первого оплаченного счёта, кто-то никогда. Отправлять через сервер-посредник (relay), который принимает почту на порту 587 или 465, их не блокируют: задайте relayhost в конфигурации. Или сменить хостинг.

Письма в очереди остаются и повторяются сами: когда порт откроется или появится relay, они уйдут.`,
    },
    paste: 'relayhost: smtp://user:password@smtp.example.net:587',
  },
  PORT25_HIJACKED: {
    severity: 'error',
    en: {
      saw: 'We dialled {host} on port {port}, but "{banner}" answered: something on the way intercepts mail.',
      why: 'Receivers then see another sender than this server: SPF, reverse DNS and TLS no longer fit, and somebody else reads the mail.',
      fix: 'Ask the provider to exempt {address} from its mail proxy, or hand the mail to a relay on port 587 or 465.',
      more: `Some providers, hotels and offices do not block port 25 but lead every connection to a server of their own. It answers for everybody, offers no TLS or a foreign certificate, and passes mail on from its own address or throws it away.

Every mail server that we dialled greeted with a name that does not belong to it; hence the conclusion. If you have chosen the dialled domains yourself (doctor.port25_domains), choose such whose servers greet with their own name.`,
    },
    ru: {
      saw: 'Мы соединялись с {host}, порт {port}, а ответил «{banner}»: кто-то по пути перехватывает почту.',
      why: 'Получатели видят тогда не этот сервер, а другого отправителя: не сходятся SPF, обратная зона и TLS, а почту читает кто-то ещё.',
      fix: 'Попросите провайдера исключить {address} из перехвата почты или отдавайте её серверу-посреднику (relay) на порт 587 или 465.',
      more: `Некоторые провайдеры, гостиницы и офисы не блокируют порт 25, а направляют все соединения на собственный сервер. Он отвечает за всех, не предлагает TLS или показывает чужой сертификат и либо пересылает почту от своего адреса, либо выбрасывает её.

Каждый почтовый сервер, с которым мы соединялись, представился чужим именем; отсюда и вывод. Если вы сами выбрали домены для проверки (doctor.port25_domains), возьмите такие, серверы которых представляются своим именем.`,
    },
    paste: 'relayhost: smtp://user:password@smtp.example.net:587',
  },
  ADDRESS_UNKNOWN: {
    severity: 'warning',
    en: {
      saw: 'We do not know under which address the world sees our mail: this machine has no public address of its own.',
      why: 'Without it SPF records, reverse DNS and blocklists cannot be checked or printed.',
      fix: 'Look the public address up in the panel of the hosting provider and set it.',
      more: `Behind a router or in a cloud a machine often has only a private address (10.…, 172.16.…, 192.168.…); what receivers see is the address of the gateway. It is the one that must stand in SPF and that needs a name in the reverse DNS.

Set public_ipv4 in the configuration, or POSTHORN_PUBLIC_IPV4 in the environment.`,
    },
    ru: {
      saw: 'Неизвестно, с какого адреса мир видит нашу почту: у самой машины нет публичного адреса.',
      why: 'Без него нельзя ни составить, ни проверить записи SPF, обратную зону и чёрные списки.',
      fix: 'Посмотрите публичный адрес в панели хостинга и задайте его.',
      more: `За маршрутизатором или в облаке у машины часто есть только частный адрес (10.…, 172.16.…, 192.168.…), а получатели видят адрес шлюза. Именно он должен стоять в SPF, и именно ему нужно имя в обратной зоне.

Задайте public_ipv4 в конфигурации или POSTHORN_PUBLIC_IPV4 в окружении.`,
    },
    paste: 'public_ipv4: 203.0.113.10',
  },
  ADDRESS_NOT_SET: {
    severity: 'warning',
    en: {
      saw: 'Receivers see our mail come from {seen}, and no address is set here.',
      why: 'Without it SPF records, reverse DNS and blocklists cannot be checked or printed.',
      fix: 'Set {option}, then run the doctor again.',
      more: `A receiving server told us the address that it sees. This machine does not have that address itself: it stands behind a router or a cloud's gateway. The address must stand in SPF and needs a name in the reverse DNS, so Posthorn must know it.

Set it in the configuration, or as POSTHORN_PUBLIC_IPV4 (POSTHORN_PUBLIC_IPV6) in the environment.`,
    },
    ru: {
      saw: 'Получатели видят нашу почту с адреса {seen}, а здесь адрес не задан.',
      why: 'Без него нельзя ни составить, ни проверить записи SPF, обратную зону и чёрные списки.',
      fix: 'Задайте {option} и запустите проверку ещё раз.',
      more: `Принимающий сервер сказал нам, какой адрес он видит. У самой машины такого адреса нет: она стоит за маршрутизатором или шлюзом облака. Этот адрес должен быть в SPF, и ему нужно имя в обратной зоне, поэтому Posthorn должен его знать.

Задайте его в конфигурации или как POSTHORN_PUBLIC_IPV4 (POSTHORN_PUBLIC_IPV6) в окружении.`,
    },
    paste: '{option}: {seen}',
  },
  ADDRESS_MISMATCH: {
    severity: 'error',
    en: {
      saw: 'Receivers see our mail come from {seen}, but we take {address} for our address.',
      why: 'SPF and reverse DNS are then right for an address that no mail comes from, and receivers refuse the other one.',
      fix: 'Set {option} to {seen}, or make mail leave from {address} (delivery.source_ipv4, delivery.source_ipv6, or the routing of this machine).',
      more: `A receiving server told us the address that it sees, and it is not the one that is set or that this machine has. Machines with several addresses send from the first one unless told otherwise; behind a router the gateway's address counts.

Either is right as long as both agree: the address from which mail leaves, and the one in SPF and the reverse DNS.`,
    },
    ru: {
      saw: 'Получатели видят нашу почту с адреса {seen}, а мы считаем своим {address}.',
      why: 'Тогда SPF и обратная зона верны для адреса, с которого почта не приходит, а с настоящего её отвергнут.',
      fix: 'Задайте {option} равным {seen} либо сделайте так, чтобы почта уходила с {address} (delivery.source_ipv4, delivery.source_ipv6 или маршруты этой машины).',
      more: `Принимающий сервер сказал нам, какой адрес он видит, и это не тот адрес, который задан или есть у машины. Машина с несколькими адресами отправляет с первого, если не сказано иное; за маршрутизатором виден адрес шлюза.

Годится любой из них, лишь бы совпадали адрес, с которого уходит почта, и адрес в SPF и в обратной зоне.`,
    },
    paste: '{option}: {seen}',
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
