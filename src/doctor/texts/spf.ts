import type { CodeTexts } from '../text.ts'

export const spfTexts = {
  SPF_OK: {
    severity: 'ok',
    en: { saw: '{domain}: one SPF record, {lookups} of 10 lookups, covers {addresses}.' },
    ru: { saw: '{domain}: одна запись SPF, запросов DNS {lookups} из 10, разрешены {addresses}.' },
  },
  SPF_MISSING: {
    severity: 'error',
    en: {
      saw: '{domain} has no SPF record.',
      why: 'Gmail, Yahoo and Outlook.com want SPF to pass for mail with this domain in the reverse-path; without a record it cannot.',
      fix: 'Add this TXT record at {domain}:',
      more: `SPF is a TXT record at the domain itself that lists who may send with this domain in the reverse-path (MAIL FROM). Receivers compare the address that connects with the list. Outlook.com refuses larger senders whose SPF does not pass (550 5.7.515), even when DKIM does.

The record begins with v=spf1. It ends with ~all, which says "others are suspicious"; what happens to them DMARC decides. Where somebody else sends for the domain too (a mailbox provider, a newsletter service), their include: belongs into the same record.`,
    },
    ru: {
      saw: 'У {domain} нет записи SPF.',
      why: 'Gmail, Yahoo и Outlook.com требуют, чтобы SPF проходил для домена обратного адреса, а без записи это невозможно.',
      fix: 'Добавьте в {domain} такую запись TXT:',
      more: `SPF: это запись TXT у самого домена со списком тех, кому можно слать с этим доменом в обратном адресе (MAIL FROM). Получатель сверяет с ней адрес, который к нему подключился. Outlook.com отвергает почту крупных отправителей без SPF (550 5.7.515), даже если DKIM в порядке.

Запись начинается с v=spf1 и кончается на ~all: «остальные подозрительны»; что с ними делать, решает DMARC. Если от имени домена шлёт кто-то ещё (почтовый провайдер, сервис рассылок), его include: должен стоять в этой же записи.`,
    },
    paste: '{domain}. TXT "{record}"',
  },
  SPF_TWO_RECORDS: {
    severity: 'error',
    en: {
      saw: '{domain} has {count} SPF records.',
      why: 'Receivers treat more than one as an error (permerror), so none of them counts.',
      fix: 'Delete them all and publish this one, which holds the terms of each:',
      more: `A domain may have one SPF record. With two, a receiver does not choose, it gives up: the result is permerror and SPF passes for nobody. This usually happens when a second service asks to "add an SPF record": its include: has to go into the record that is there.

Other TXT records at the same name (verification codes and the like) do no harm.`,
    },
    ru: {
      saw: 'У {domain} несколько записей SPF: {count}.',
      why: 'Больше одной записи получатели считают ошибкой (permerror), и не действует ни одна.',
      fix: 'Удалите все и опубликуйте одну, в которой собрано содержимое каждой:',
      more: `Запись SPF у домена может быть только одна. Если их две, получатель не выбирает, а сдаётся: результат permerror, и SPF не проходит ни для кого. Чаще всего так выходит, когда второй сервис просит «добавить запись SPF»: его include: нужно вписать в уже существующую.

Другие записи TXT у того же имени (коды подтверждения и подобное) не мешают.`,
    },
    paste: '{domain}. TXT "{record}"',
  },
  SPF_SYNTAX: {
    severity: 'error',
    en: {
      saw: 'SPF of {domain}: receivers cannot read "{term}" in the record of {at}.',
      why: 'One wrong term makes the whole record an error (permerror): SPF passes for nobody.',
      fix: 'Correct or remove "{term}" at {at}. For {domain} without its broken terms that is:',
      more: `An SPF record is v=spf1 and then terms with single spaces between them: ip4:192.0.2.1, ip6:2001:db8::1, a, mx, a:host.example.com, include:other.example, exists:, ptr, all, and the modifiers redirect= and exp=. Common slips: ipv4: for ip4:, a space behind the colon, a comma between terms, quotes or letters of another alphabet that came along by copying, an address without its fourth number, a name in its national spelling instead of xn--.

The whole record is read before anything is compared, so a wrong term at the end spoils the good ones in front of it. The same holds for each record that an include: leads to.`,
    },
    ru: {
      saw: 'SPF домена {domain}: получатели не могут прочесть «{term}» в записи {at}.',
      why: 'Один неверный элемент делает ошибочной всю запись (permerror): SPF не проходит ни для кого.',
      fix: 'Исправьте или уберите «{term}» в {at}. Запись {domain} без неверных элементов:',
      more: `Запись SPF: это v=spf1 и затем элементы через один пробел: ip4:192.0.2.1, ip6:2001:db8::1, a, mx, a:host.example.com, include:other.example, exists:, ptr, all и модификаторы redirect= и exp=. Частые ошибки: ipv4: вместо ip4:, пробел после двоеточия, запятая между элементами, кавычки или буквы другого алфавита, попавшие при копировании, адрес без четвёртого числа, имя в национальном написании вместо xn--.

Запись читается целиком до всякого сравнения, поэтому ошибка в конце портит и верное начало. То же относится к каждой записи, на которую ведёт include:.`,
    },
    paste: '{domain}. TXT "{record}"',
  },
  SPF_TOO_MANY_LOOKUPS: {
    severity: 'error',
    en: {
      saw: 'SPF of {domain} needs {lookups} DNS lookups, the limit is 10; "{term}" alone costs {cost}.',
      why: 'At the eleventh lookup receivers give up with an error (permerror): SPF passes or fails by the order of the terms.',
      fix: 'Remove what no longer sends for the domain, or replace names by addresses. At the least put our address first, where it costs nothing:',
      more: `Each include, a, mx, ptr, exists and redirect costs one lookup, and so does every one of them in the records that an include leads to. Ten are allowed in all. ip4 and ip6 cost nothing.

Ways out, best first: remove the includes of services that no longer send for you; give a service a subdomain of its own for its reverse-path, with its own record; replace an include by the addresses behind it (flatten), which must then be kept up when they change: posthorn dns can print such a record.`,
    },
    ru: {
      saw: 'SPF домена {domain} требует запросов DNS: {lookups} при пределе 10; один «{term}» стоит {cost}.',
      why: 'На одиннадцатом запросе получатели сдаются с ошибкой (permerror): SPF проходит или нет в зависимости от порядка элементов.',
      fix: 'Уберите тех, кто больше не шлёт от имени домена, или замените имена адресами. Как минимум поставьте наш адрес первым, он не стоит ничего:',
      more: `Каждый include, a, mx, ptr, exists и redirect стоит одного запроса, и так же каждый из них в записях, на которые ведут include. Всего допускается десять. ip4 и ip6 не стоят ничего.

Что делать, начиная с лучшего: убрать include сервисов, которые больше не шлют за вас; выделить сервису поддомен для обратного адреса со своей записью; заменить include адресами, которые за ним стоят, и потом следить за их изменениями: такую запись умеет печатать posthorn dns.`,
    },
    paste: '{domain}. TXT "{record}"',
  },
  SPF_VOID_LOOKUPS: {
    severity: 'error',
    en: {
      saw: 'SPF of {domain} asks for {voids} names that have no such records; receivers allow 2.',
      why: 'At the third empty answer receivers may give up with an error (permerror).',
      fix: 'Remove the a:, mx: and exists: terms whose names are gone from the SPF record of {domain} and of what it includes.',
      more: `A term that names a host without addresses, or a domain without MX, is a void lookup. Such terms are mostly left over from servers that no longer exist. More than two of them make many receivers stop with permerror (RFC 7208 §4.6.4).

Look at each a:, mx: and exists: of the record and ask DNS for its name; remove those without an answer.`,
    },
    ru: {
      saw: 'SPF домена {domain} спрашивает имена без нужных записей: {voids}; получатели допускают 2.',
      why: 'На третьем пустом ответе получатель может сдаться с ошибкой (permerror).',
      fix: 'Уберите из записи SPF домена {domain} и из включённых в неё записей элементы a:, mx: и exists: с исчезнувшими именами.',
      more: `Элемент с именем узла без адресов или домена без MX даёт пустой ответ. Обычно это остатки серверов, которых больше нет. Если таких больше двух, многие получатели прекращают проверку с permerror (RFC 7208 §4.6.4).

Проверьте в DNS имя каждого a:, mx: и exists: и уберите те, на которые нет ответа.`,
    },
  },
  SPF_TOO_MANY_MX: {
    severity: 'error',
    en: {
      saw: 'SPF of {domain} uses mx of {at}, which has more than 10 MX records.',
      why: 'Receivers look at ten at most and then give up with an error (permerror).',
      fix: 'Replace mx by the addresses that really send mail: ip4: and ip6:.',
      more: `The mx term means "the hosts that receive mail for this domain". Hosts that receive are seldom those that send. Where there are more than ten, the term is an error (RFC 7208 §4.6.4).

Name the sending addresses instead.`,
    },
    ru: {
      saw: 'SPF домена {domain} использует mx домена {at}, у которого больше 10 записей MX.',
      why: 'Получатели смотрят не больше десяти, а затем сдаются с ошибкой (permerror).',
      fix: 'Замените mx адресами, с которых почта действительно уходит: ip4: и ip6:.',
      more: `Элемент mx означает «узлы, принимающие почту домена». Те, кто принимает, редко те же, кто отправляет. Если их больше десяти, элемент ошибочен (RFC 7208 §4.6.4).

Перечислите вместо этого адреса отправки.`,
    },
  },
  SPF_BROKEN_INCLUDE: {
    severity: 'error',
    en: {
      saw: 'SPF of {domain} leads to {target}, which has no SPF record that could be used (none, or several).',
      why: 'An include or redirect to such a name makes the whole record an error (permerror).',
      fix: 'Remove the include: or redirect= to {target} from the SPF record of {domain}, or correct its name.',
      more: `include:NAME asks for the SPF record of NAME. If there is none, or more than one, or the name cannot exist, the evaluation ends with permerror: not only for mail from that service, for all mail.

Services that were shut down or renamed leave such names behind. Ask the service for its present include, or remove it.`,
    },
    ru: {
      saw: 'SPF домена {domain} ссылается на {target}, где нет пригодной записи SPF (её нет или их несколько).',
      why: 'include или redirect на такое имя делает ошибочной всю запись (permerror).',
      fix: 'Уберите include: или redirect= на {target} из записи SPF домена {domain} или исправьте имя.',
      more: `include:ИМЯ запрашивает запись SPF этого имени. Если её нет, если их несколько или такого имени быть не может, проверка кончается ошибкой permerror: не только для почты того сервиса, а для всей.

Такие имена остаются от закрытых или переименованных сервисов. Узнайте у сервиса действующий include или уберите его.`,
    },
  },
  SPF_NO_IP: {
    severity: 'error',
    en: {
      saw: 'SPF of {domain} does not list {address}: a receiver gets {result}.',
      why: 'Outlook.com and Gmail want SPF to pass; mail from an address that is not listed is junked or refused.',
      fix: 'Change the record of {domain} to this; the rest of it stays as it is:',
      more: `The record exists and can be read, but the address that our mail leaves from is not in it. Put it in as ip4: or ip6:, in front, where it costs no lookup.

If mail leaves over another address than the one named here (a NAT, a second interface), tell Posthorn its public address in the configuration.`,
    },
    ru: {
      saw: 'В SPF домена {domain} нет {address}: получатель видит {result}.',
      why: 'Outlook.com и Gmail требуют, чтобы SPF проходил; почту с адреса не из списка кладут в спам или отвергают.',
      fix: 'Замените запись {domain} на такую; остальное в ней прежнее:',
      more: `Запись есть и читается, но адреса, с которого уходит наша почта, в ней нет. Впишите его как ip4: или ip6: в начало: там он не стоит запросов.

Если почта уходит не с того адреса, что назван здесь (NAT, второй интерфейс), укажите публичный адрес в настройках Posthorn.`,
    },
    paste: '{domain}. TXT "{record}"',
  },
  SPF_ODD_TERM: {
    severity: 'warning',
    en: {
      saw: 'SPF of {domain} holds "{term}", which receivers ignore.',
      why: 'With an equals sign it is an unknown modifier, not a mechanism: whoever it was to allow is not allowed.',
      fix: 'Write "{right}" in place of "{term}".',
      more: `Mechanisms take a colon: ip4:192.0.2.1, include:other.example. With "=" the term is read as a modifier, and modifiers that nobody knows are skipped without an error (RFC 7208 §6).`,
    },
    ru: {
      saw: 'В SPF домена {domain} стоит «{term}», и получатели его пропускают.',
      why: 'Со знаком равенства это неизвестный модификатор, а не механизм: тот, кого хотели разрешить, не разрешён.',
      fix: 'Напишите «{right}» вместо «{term}».',
      more: `Механизмы пишутся через двоеточие: ip4:192.0.2.1, include:other.example. Со знаком «=» элемент читается как модификатор, а незнакомые модификаторы молча пропускаются (RFC 7208 §6).`,
    },
  },
  SPF_PTR: {
    severity: 'warning',
    en: {
      saw: 'SPF of {domain} uses ptr.',
      why: 'The standard says not to: it is slow, unreliable, and some receivers skip it or refuse such records.',
      fix: 'Replace ptr by the addresses that send: ip4: and ip6:.',
      more: `ptr asks for the name of the connecting address and compares it with the domain. It loads the reverse DNS, fails when that is slow, and costs a lookup. RFC 7208 §5.5, says that it should not be published.`,
    },
    ru: {
      saw: 'SPF домена {domain} использует ptr.',
      why: 'Стандарт этого не советует: медленно, ненадёжно, часть получателей его пропускает или отвергает такие записи.',
      fix: 'Замените ptr адресами отправки: ip4: и ip6:.',
      more: `ptr запрашивает имя подключившегося адреса и сравнивает его с доменом. Это нагружает обратную зону, не срабатывает, когда та медленна, и стоит запроса. RFC 7208 §5.5, советует его не публиковать.`,
    },
  },
  SPF_ALLOWS_ALL: {
    severity: 'warning',
    en: {
      saw: 'SPF of {domain} passes for any address in the world.',
      why: 'Everyone may send in the name of the domain, and filters count such a record (+all) as a sign of spam.',
      fix: 'End the record with ~all in place of +all or all, and look for an include or a network that allows everyone.',
      more: `A record that ends in +all, or lists a network such as 0.0.0.0/0, or includes a record that does so, says that every machine may send for the domain. With DMARC this makes forged mail pass.

List who really sends, and end with ~all.`,
    },
    ru: {
      saw: 'SPF домена {domain} проходит для любого адреса в мире.',
      why: 'От имени домена может слать кто угодно, а фильтры считают такую запись (+all) признаком спама.',
      fix: 'Закончите запись на ~all вместо +all или all и проверьте, нет ли include или сети, разрешающей всех.',
      more: `Запись, которая кончается на +all, содержит сеть вроде 0.0.0.0/0 или включает такую запись, разрешает отправку любой машине. Вместе с DMARC это пропускает поддельную почту.

Перечислите тех, кто действительно отправляет, и закончите на ~all.`,
    },
  },
  SPF_NEUTRAL: {
    severity: 'warning',
    en: {
      saw: 'SPF of {domain} says nothing about other senders (?all, or no all at its end).',
      why: 'Such a record protects nobody: forged mail is treated as if there were no SPF.',
      fix: 'End the record with ~all.',
      more: `The end of the record decides about addresses that no term lists. ?all, or no all, means "neutral", which receivers treat like no record at all. ~all ("softfail") says that others are suspicious and leaves the decision to DMARC. -all ("fail") makes some receivers refuse forwarded mail before they look at its signature.`,
    },
    ru: {
      saw: 'SPF домена {domain} ничего не говорит о чужих отправителях (?all или нет all в конце).',
      why: 'Такая запись никого не защищает: с подделкой поступают так, будто SPF нет.',
      fix: 'Закончите запись на ~all.',
      more: `Конец записи решает судьбу адресов, которых в ней нет. ?all или отсутствие all означает «нейтрально», а это для получателей то же, что отсутствие записи. ~all («softfail») говорит, что остальные подозрительны, и оставляет решение DMARC. -all («fail») заставляет некоторых отвергать пересланную почту, не глядя на подпись.`,
    },
  },
  HELO_SPF_OK: {
    severity: 'ok',
    en: { saw: 'SPF of the greeting {hostname} passes for {address}.' },
    ru: { saw: 'SPF приветствия {hostname} проходит для {address}.' },
  },
  HELO_SPF_MISSING: {
    severity: 'note',
    en: {
      saw: 'The greeting name {hostname} has no SPF record of its own.',
      why: 'Notices have no sender address; for them receivers check SPF of the name that we greet with.',
      fix: 'Add this TXT record at {hostname}:',
      more: `Mail about other mail (bounces, delays) is sent with an empty reverse-path. Then SPF is checked for the name in the greeting (RFC 7208 §2.4). Without a record the result is "none", which most receivers accept.`,
    },
    ru: {
      saw: 'У имени приветствия {hostname} нет своей записи SPF.',
      why: 'У уведомлений нет адреса отправителя; для них получатели проверяют SPF имени, которым мы представляемся.',
      fix: 'Добавьте в {hostname} такую запись TXT:',
      more: `Письма о письмах (о недоставке, о задержке) уходят с пустым обратным адресом. Тогда SPF проверяется для имени в приветствии (RFC 7208 §2.4). Без записи результат «none», и большинство получателей с этим мирится.`,
    },
    paste: '{hostname}. TXT "v=spf1 a -all"',
  },
  HELO_SPF_FAILS: {
    severity: 'warning',
    en: {
      saw: 'SPF of the greeting name {hostname} gives {result} for {address}.',
      why: 'Notices about failed mail, which have no sender address, are refused by strict receivers.',
      fix: 'Give {hostname} an A or AAAA record with {address}, and this SPF record:',
      more: `For mail with an empty reverse-path receivers check SPF of the greeting. The record "v=spf1 a -all" says: the addresses of this name, and nobody else. It needs the A and AAAA records of the name to be right.`,
    },
    ru: {
      saw: 'SPF имени приветствия {hostname} даёт {result} для {address}.',
      why: 'Уведомления о недоставке, у которых нет адреса отправителя, строгие получатели отвергнут.',
      fix: 'Дайте имени {hostname} запись A или AAAA с {address} и такую запись SPF:',
      more: `У писем с пустым обратным адресом проверяется SPF приветствия. Запись «v=spf1 a -all» значит: адреса этого имени и больше никто. Для неё записи A и AAAA этого имени должны быть верны.`,
    },
    paste: '{hostname}. TXT "v=spf1 a -all"',
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
