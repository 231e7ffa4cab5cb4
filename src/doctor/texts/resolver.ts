import type { CodeTexts } from '../text.ts'

export const resolverTexts = {
  RESOLVER_OK: {
    severity: 'ok',
    en: { saw: 'Resolver {server} answers, validates DNSSEC and is trusted: ready for DANE.' },
    ru: { saw: 'Резолвер {server} отвечает, проверяет DNSSEC, и ему верим: к DANE всё готово.' },
  },
  RESOLVER_SILENT: {
    severity: 'error',
    en: {
      saw: 'Resolver {server} does not answer ({reason}).',
      why: 'Without DNS no receiver can be found; with several resolvers every question waits for this one first.',
      fix: 'Start it, or name another one in dns.servers (or in /etc/resolv.conf); behind a firewall open port 53, UDP and TCP.',
      more: `Posthorn asks the resolvers in dns.servers, or those of /etc/resolv.conf when the list is empty. A resolver that stays silent is asked last for half a minute; mail whose receivers cannot be found waits in the queue.

Best is a resolver on the same machine, such as unbound: it is quick, it validates DNSSEC, and blocklists answer it.`,
    },
    ru: {
      saw: 'Резолвер {server} не отвечает ({reason}).',
      why: 'Без DNS не найти получателей; если резолверов несколько, каждый вопрос сначала ждёт этот.',
      fix: 'Запустите его или укажите другой в dns.servers (либо в /etc/resolv.conf); за брандмауэром откройте порт 53, UDP и TCP.',
      more: `Posthorn спрашивает резолверы из dns.servers, а если список пуст, из /etc/resolv.conf. Молчащий резолвер полминуты спрашивается последним; письма, получателей которых не найти, ждут в очереди.

Лучше всего резолвер на той же машине, например unbound: он быстр, проверяет DNSSEC, и чёрные списки ему отвечают.`,
    },
    paste: 'dns: { servers: [127.0.0.1] }',
  },
  RESOLVER_INVENTS: {
    severity: 'error',
    en: {
      saw: 'Resolver {server} gives an address for a name that cannot exist.',
      why: 'Mail to a mistyped domain is then sent to a stranger instead of being returned, and blocklists seem to list everybody.',
      fix: 'Use another resolver: name it in dns.servers; best is unbound on this machine.',
      more: `Some providers answer for names that do not exist with the address of a page of their own (NXDOMAIN redirection). It is meant for browsers and breaks mail: whether a domain exists decides between returning a message at once and trying it for days, and a blocklist says "not listed" by answering that the name does not exist.

The top-level domain invalid never holds a name (RFC 6761 §6.4); whoever answers for it makes answers up.`,
    },
    ru: {
      saw: 'Резолвер {server} даёт адрес для имени, которого быть не может.',
      why: 'Тогда письмо на домен с опечаткой уходит посторонним, вместо того чтобы вернуться, а чёрные списки будто бы содержат всех.',
      fix: 'Возьмите другой резолвер: укажите его в dns.servers; лучше всего unbound на этой машине.',
      more: `Некоторые провайдеры на вопрос о несуществующем имени отвечают адресом своей страницы. Это сделано для браузеров и ломает почту: от того, есть ли домен, зависит, вернуть письмо сразу или повторять несколько дней, а чёрный список говорит «не значится» именно ответом, что имени нет.

В домене верхнего уровня invalid имён не бывает (RFC 6761 §6.4); кто о нём отвечает, тот выдумывает.`,
    },
    paste: 'dns: { servers: [127.0.0.1] }',
  },
  RESOLVER_NOT_VALIDATING: {
    severity: 'note',
    en: {
      saw: 'Resolver {server} does not validate DNSSEC: not ready for DANE; mail goes over TLS wherever it is offered.',
      why: 'Receivers that publish TLSA records can only be held to them when DNS proves its answers.',
      fix: 'Nothing needs to be done. For DANE run a validating resolver on this machine (unbound does it as installed) and name it:',
      more: `DANE (RFC 7672) lets a receiver publish in DNS which certificate its mail servers have, so that nobody in the middle can strip TLS. That is only worth something when DNS itself is proved by DNSSEC, and the proof is made by the resolver.

On Debian and Ubuntu: apt install unbound, then dns.servers: [127.0.0.1]. A resolver on this machine is believed; one across the network only with dns.trust_ad, as its word can be forged on the way.`,
    },
    ru: {
      saw: 'Резолвер {server} не проверяет DNSSEC: к DANE не готово; почта уходит по TLS везде, где его предлагают.',
      why: 'Записи TLSA получателей чего-то стоят, только если ответы DNS доказаны.',
      fix: 'Делать ничего не нужно. Для DANE поставьте на эту машину проверяющий резолвер (unbound годится сразу) и укажите его:',
      more: `DANE (RFC 7672) позволяет получателю объявить в DNS, какой сертификат у его почтовых серверов, чтобы никто по пути не мог убрать TLS. Это чего-то стоит, только если сам DNS доказан при помощи DNSSEC, а доказательство проверяет резолвер.

В Debian и Ubuntu: apt install unbound, затем dns.servers: [127.0.0.1]. Резолверу на этой машине мы верим; резолверу в сети только с dns.trust_ad, потому что его слово можно подделать по дороге.`,
    },
    paste: 'dns: { servers: [127.0.0.1] }',
  },
  RESOLVER_HALF_VALIDATING: {
    severity: 'warning',
    en: {
      saw: 'Resolver {server} says that it proves answers, but answers for {name}, whose signatures are wrong.',
      why: 'Its proof is worth nothing: forged answers pass, and with them forged TLSA records.',
      fix: 'Do not trust it: use a validating resolver on this machine.',
      more: `A validating resolver refuses (SERVFAIL) every name whose DNSSEC signatures do not fit. This one sets the AD bit, which means "proved", but lets a name through that is broken on purpose for such tests.

Either it passes on the bit of another server, or validation is switched to report only (val-permissive-mode in unbound), or it has an exception for this name. If your own network answers for that name, set doctor.broken_name to another one.`,
    },
    ru: {
      saw: 'Резолвер {server} утверждает, что доказывает ответы, но отвечает о {name}, подписи которого неверны.',
      why: 'Его доказательство ничего не стоит: пройдут и поддельные ответы, а с ними поддельные записи TLSA.',
      fix: 'Не верьте ему: возьмите проверяющий резолвер на этой машине.',
      more: `Проверяющий резолвер отказывает (SERVFAIL) для каждого имени с неверными подписями DNSSEC. Этот ставит бит AD, то есть «доказано», но пропускает имя, нарочно сломанное для таких проверок.

Либо он передаёт бит другого сервера, либо проверка только сообщает об ошибках (val-permissive-mode в unbound), либо для этого имени сделано исключение. Если об этом имени отвечает ваша собственная сеть, задайте в doctor.broken_name другое.`,
    },
    paste: 'dns: { servers: [127.0.0.1] }',
  },
  RESOLVER_NOT_TRUSTED: {
    severity: 'note',
    en: {
      saw: 'Resolver {server} validates DNSSEC, but is not on this machine, so that its word is not believed: not ready for DANE.',
      why: 'The AD bit is not signed: anybody between the resolver and this machine can set it.',
      fix: 'Nothing needs to be done. For DANE run a validating resolver on this machine, or, if the network up to {server} is yours alone, believe it:',
      more: `A resolver tells by one bit (AD) that it has checked the signatures of an answer. The bit itself is not protected on its way, so Posthorn believes it only from a loopback address.

If the resolver is reached over a network that you trust as you trust the machine (the host of a container, a private network), set dns.trust_ad: true, or write "options trust-ad" into /etc/resolv.conf. Docker's own resolver, 127.0.0.11, looks local but passes questions on to the outside; it counts as not on this machine.`,
    },
    ru: {
      saw: 'Резолвер {server} проверяет DNSSEC, но он не на этой машине, поэтому ему не верим: к DANE не готово.',
      why: 'Бит AD не подписан: его может поставить любой на пути от резолвера до этой машины.',
      fix: 'Делать ничего не нужно. Для DANE поставьте проверяющий резолвер на эту машину или, если сеть до {server} только ваша, поверьте ему:',
      more: `Что подписи ответа проверены, резолвер сообщает одним битом (AD). Сам бит по дороге не защищён, поэтому Posthorn верит ему только с адреса loopback.

Если резолвер доступен по сети, которой вы доверяете как самой машине (хост контейнера, частная сеть), задайте dns.trust_ad: true или напишите «options trust-ad» в /etc/resolv.conf. Собственный резолвер Docker, 127.0.0.11, выглядит локальным, но передаёт вопросы наружу; он считается чужим.`,
    },
    paste: 'dns: { trust_ad: true }',
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
