import type { CodeTexts } from '../text.ts'

export const dmarcTexts = {
  DMARC_OK: {
    severity: 'ok',
    en: {
      saw: '{domain}: DMARC applies with the policy {policy} (record of {at}), and our mail is aligned.',
    },
    ru: {
      saw: '{domain}: действует DMARC с политикой {policy} (запись {at}), наша почта ей соответствует.',
    },
  },
  DMARC_MISSING: {
    severity: 'error',
    en: {
      saw: 'There is no DMARC record for {domain}: none at {name}, none above.',
      why: 'Gmail, Yahoo and Outlook.com require one from larger senders (421 4.7.31, 550 5.7.515).',
      fix: 'Add this TXT record; it only watches and harms no mail:',
      more: `DMARC says what receivers should do with mail From this domain that is neither signed by it nor sent from its addresses, and where they may report. p=none changes nothing about delivery and brings daily reports; after two clean weeks p=quarantine or p=reject keeps forgers away.

Receivers look at _dmarc. in front of the domain, then at the names above it. The tags pct, rf and ri are gone since RFC 9989.`,
    },
    ru: {
      saw: 'Для {domain} нет записи DMARC: ни в {name}, ни выше.',
      why: 'Gmail, Yahoo и Outlook.com требуют её от крупных отправителей (421 4.7.31, 550 5.7.515).',
      fix: 'Добавьте такую запись TXT; она только наблюдает и почте не вредит:',
      more: `DMARC говорит, что делать с почтой от этого домена, которая им не подписана и ушла не с его адресов, и куда слать отчёты. p=none ничего не меняет в доставке и даёт ежедневные отчёты; через две спокойные недели p=quarantine или p=reject закроет дорогу подделкам.

Получатели смотрят _dmarc. перед доменом, затем имена над ним. Тегов pct, rf и ri больше нет: их отменил RFC 9989.`,
    },
    paste: '{name}. TXT "{record}"',
  },
  DMARC_MISPLACED: {
    severity: 'error',
    en: {
      saw: 'The DMARC record of {domain} stands at {place}, where nobody looks for it.',
      why: 'Receivers ask for {name} only; to them there is no policy.',
      fix: 'Move the record to {name}. Where the panel adds the domain by itself, enter _dmarc as the name.',
      more: `The record belongs at _dmarc. in front of the domain, as a TXT record. In panels that append the domain enter only _dmarc; in a zone file end a whole name with a dot.`,
    },
    ru: {
      saw: 'Запись DMARC домена {domain} стоит в {place}, где её никто не ищет.',
      why: 'Получатели спрашивают только {name}; политики для них нет.',
      fix: 'Перенесите запись в {name}. Если панель дописывает домен сама, введите в имя _dmarc.',
      more: `Место записи: _dmarc. перед доменом, тип TXT. В панелях, которые дописывают домен, вводите только _dmarc; в файле зоны заканчивайте полное имя точкой.`,
    },
  },
  DMARC_TWO_RECORDS: {
    severity: 'error',
    en: {
      saw: '{name} has {count} DMARC records.',
      why: 'Receivers discard them all: no policy applies.',
      fix: 'Keep one and delete the others, such as:',
      more: `If several records at one name begin with v=DMARC1, none of them counts (RFC 9989 §4.10). Put all report addresses into one rua=, with commas between them.`,
    },
    ru: {
      saw: 'У {name} записей DMARC: {count}.',
      why: 'Получатели отбрасывают все: не действует никакая политика.',
      fix: 'Оставьте одну, остальные удалите, например:',
      more: `Если у имени несколько записей с v=DMARC1, не считается ни одна (RFC 9989 §4.10). Все адреса отчётов соберите в одном rua= через запятую.`,
    },
    paste: '{name}. TXT "{record}"',
  },
  DMARC_INVALID: {
    severity: 'error',
    en: {
      saw: 'Receivers cannot use the record at {name}: {what}',
      why: 'A record that does not begin with v=DMARC1, holds a tag twice or has no valid policy counts as none.',
      fix: 'Replace it by a record like this one:',
      more: `A DMARC record begins with v=DMARC1 in exactly these letters; then follow tags with semicolons between them, p= first by custom. p, sp and np take none, quarantine or reject. No tag may stand twice. Common slips: quotes inside the value, v=DMARC 1, a colon in place of a semicolon, letters of another alphabet.`,
    },
    ru: {
      saw: 'Получатели не могут воспользоваться записью {name}: {what}',
      why: 'Запись, которая не начинается с v=DMARC1, содержит тег дважды или не имеет верной политики, не считается.',
      fix: 'Замените её подобной:',
      more: `Запись DMARC начинается с v=DMARC1, именно этими буквами; дальше идут теги через точку с запятой, первым обычно p=. p, sp и np принимают none, quarantine или reject. Ни один тег не повторяется. Частые ошибки: кавычки внутри значения, v=DMARC 1, двоеточие вместо точки с запятой, буквы другого алфавита.`,
    },
    paste: '{name}. TXT "{record}"',
  },
  DMARC_INHERITED: {
    severity: 'note',
    en: {
      saw: '{domain} has no DMARC record of its own; that of {at} applies ({policy}).',
      why: 'This is how it is meant; a record of its own would let you watch this domain apart.',
      fix: 'Nothing needs to be done. To have its own policy and reports, publish a record at _dmarc.{domain}.',
      more: `Receivers walk up the tree of names until they find a policy (RFC 9989 §4.10). For names below the one with the record its sp= applies, or np= for names that do not exist, or else p=.`,
    },
    ru: {
      saw: 'У {domain} нет своей записи DMARC, действует запись {at} ({policy}).',
      why: 'Так и задумано; своя запись позволила бы следить за этим доменом отдельно.',
      fix: 'Ничего делать не нужно. Для своей политики и отчётов опубликуйте запись в _dmarc.{domain}.',
      more: `Получатели поднимаются по дереву имён, пока не найдут политику (RFC 9989 §4.10). Для имён ниже записи действует её sp=, для несуществующих np=, а без них p=.`,
    },
  },
  DMARC_WATCHING: {
    severity: 'note',
    en: {
      saw: 'DMARC of {domain} only watches (p=none).',
      why: 'Fine to start with; forged mail is still delivered.',
      fix: 'After two weeks of reports without surprises change it to p=quarantine.',
      more: `p=none asks receivers to deliver as ever and to send reports. The reports show who sends in the name of the domain: forgotten servers and services appear there. When all of them pass, p=quarantine and then p=reject protect the name.`,
    },
    ru: {
      saw: 'DMARC домена {domain} только наблюдает (p=none).',
      why: 'Для начала хорошо; но подделки по-прежнему доходят.',
      fix: 'После двух недель отчётов без неожиданностей перейдите на p=quarantine.',
      more: `p=none просит получателей доставлять как обычно и слать отчёты. Отчёты показывают, кто шлёт от имени домена: там обнаруживаются забытые серверы и сервисы. Когда все проходят проверку, p=quarantine, а затем p=reject защищают имя.`,
    },
  },
  DMARC_TESTING: {
    severity: 'note',
    en: {
      saw: 'DMARC of {domain} asks for {policy} but is marked as a test (t=y).',
      why: 'Receivers apply one policy less than is written.',
      fix: 'When the reports are clean, remove t=y.',
      more: `t=y replaced what people used pct=0 for (RFC 9989): quarantine is applied as none, reject as quarantine. Reports come as ever.`,
    },
    ru: {
      saw: 'DMARC домена {domain} требует {policy}, но помечен как проба (t=y).',
      why: 'Получатели применяют политику на ступень мягче написанной.',
      fix: 'Когда отчёты чисты, уберите t=y.',
      more: `t=y пришёл на смену приёму pct=0 (RFC 9989): quarantine действует как none, reject как quarantine. Отчёты приходят как обычно.`,
    },
  },
  DMARC_REMOVED_TAGS: {
    severity: 'warning',
    en: {
      saw: 'The record at {name} uses tags that are gone: {tags}.',
      why: 'RFC 9989 removed them; receivers pass over them, so pct=10 is not a tenth but everything.',
      fix: 'Remove {tags}. To try a policy out use t=y.',
      more: `pct, rf and ri belonged to RFC 7489. Since RFC 9989 receivers ignore them. Who relied on pct to apply a policy to a part of the mail now has it applied to all of it; t=y asks for one policy less instead.`,
    },
    ru: {
      saw: 'В записи {name} отменённые теги: {tags}.',
      why: 'RFC 9989 их убрал; получатели их пропускают, и pct=10 значит не десятую часть, а всё.',
      fix: 'Уберите {tags}. Чтобы испытать политику, поставьте t=y.',
      more: `pct, rf и ri были в RFC 7489. После RFC 9989 получатели их не замечают. Кто рассчитывал на pct, чтобы политика касалась части почты, получает её для всей; вместо этого t=y просит политику на ступень мягче.`,
    },
  },
  DMARC_ODD_TAG: {
    severity: 'warning',
    en: {
      saw: 'Receivers ignore a part of the record at {name}: {what}',
      why: 'What they cannot read is replaced by its default, which may not be what you meant.',
      fix: 'Correct or remove "{what}".',
      more: `Unknown tags and wrong values do not spoil the record, they are passed over (RFC 9989 §4.8). A record without a valid p=, sp= or np= acts as p=none, and only when it asks for reports. adkim and aspf take r or s, t takes y or n, psd takes y, n or u; rua and ruf take addresses as mailto:name@example.com, with commas between them.`,
    },
    ru: {
      saw: 'Часть записи {name} получатели пропускают: {what}',
      why: 'Непрочитанное заменяется значением по умолчанию, а оно может быть не тем, что вы имели в виду.',
      fix: 'Исправьте или уберите «{what}».',
      more: `Незнакомые теги и неверные значения не портят запись, их пропускают (RFC 9989 §4.8). Запись без верного p=, sp= или np= действует как p=none, и только если просит отчётов. adkim и aspf принимают r или s, t принимает y или n, psd принимает y, n или u; в rua и ruf пишут адреса вида mailto:name@example.com через запятую.`,
    },
  },
  DMARC_NO_REPORTS: {
    severity: 'note',
    en: {
      saw: 'The record at {name} asks for no reports (no rua=).',
      why: 'Without reports nobody tells you that your mail fails somewhere.',
      fix: 'Add to the record: rua=mailto:{address}',
      more: `Receivers send a summary each day to the addresses in rua=: who sent how much in the name of the domain, and whether it passed. An address in another domain needs that domain's consent as a record.`,
    },
    ru: {
      saw: 'Запись {name} не просит отчётов (нет rua=).',
      why: 'Без отчётов никто не скажет, что ваша почта где-то не проходит.',
      fix: 'Добавьте в запись: rua=mailto:{address}',
      more: `Получатели ежедневно шлют сводку на адреса из rua=: кто и сколько отправил от имени домена и прошло ли это проверку. Для адреса в другом домене нужно согласие того домена в виде записи.`,
    },
  },
  DMARC_REPORTS_NOT_AUTHORISED: {
    severity: 'warning',
    en: {
      saw: 'DMARC of {at} sends its reports to {domain}, which has not agreed to get them.',
      why: 'Receivers then send no reports there, without a word.',
      fix: 'Ask the owner of {domain} for this TXT record, or use an address in your own domain:',
      more: `So that nobody can be flooded with reports about foreign domains, the domain of the report address must agree: with a TXT record at DOMAIN._report._dmarc.OTHER that begins with v=DMARC1 (RFC 9990). Services for reports have such a record for all their customers; if it is missing, the customer was not set up there.`,
    },
    ru: {
      saw: 'DMARC домена {at} шлёт отчёты в {domain}, а тот не дал на это согласия.',
      why: 'Получатели тогда молча ничего туда не шлют.',
      fix: 'Попросите владельца {domain} о такой записи TXT или укажите адрес в своём домене:',
      more: `Чтобы никого нельзя было завалить отчётами о чужих доменах, домен адреса для отчётов должен согласиться: записью TXT в ДОМЕН._report._dmarc.ДРУГОЙ, которая начинается с v=DMARC1 (RFC 9990). У сервисов отчётов такая запись есть для всех клиентов; если её нет, клиента там не завели.`,
    },
    paste: '{name}. TXT "v=DMARC1"',
  },
  DMARC_REPORTS_UNUSABLE: {
    severity: 'warning',
    en: {
      saw: 'DMARC of {at} names a report address that cannot be used: {uri}',
      why: 'Receivers send reports by mail only, and ignore what is no mail address.',
      fix: 'Write it as mailto:name@example.com.',
      more: `rua= and ruf= hold URIs. Every receiver that reports supports mailto:, others are mostly ignored. A comma or exclamation mark inside an address must be written as %2C or %21.`,
    },
    ru: {
      saw: 'В DMARC домена {at} непригодный адрес отчётов: {uri}',
      why: 'Получатели шлют отчёты только почтой и пропускают то, что не является почтовым адресом.',
      fix: 'Напишите его в виде mailto:name@example.com.',
      more: `В rua= и ruf= пишут URI. mailto: поддерживают все, кто шлёт отчёты, остальное обычно пропускают. Запятую и восклицательный знак внутри адреса пишут как %2C и %21.`,
    },
  },
  DMARC_DKIM_NOT_ALIGNED: {
    severity: 'error',
    en: {
      saw: 'Mail From {domain} is signed as {signer}, which DMARC does not accept for it ({mode} alignment).',
      why: 'Then DMARC rests on SPF alone, and fails as soon as the mail is forwarded.',
      fix: 'Make a key for {domain} (posthorn dkim create {domain}), or set adkim=r in the DMARC record if it is strict.',
      more: `DMARC wants the domain of the signature (d=) to be the From domain, or with relaxed alignment one of the same organization. A signature of another domain counts for nothing here, good as it may be.`,
    },
    ru: {
      saw: 'Почта от {domain} подписана как {signer}, и DMARC этого для неё не принимает (соответствие {mode}).',
      why: 'Тогда DMARC держится на одном SPF и не проходит после любой пересылки.',
      fix: 'Создайте ключ для {domain} (posthorn dkim create {domain}) или поставьте adkim=r в записи DMARC, если там строгий режим.',
      more: `DMARC требует, чтобы домен подписи (d=) был доменом из From, а в мягком режиме (relaxed) доменом той же организации. Подпись другого домена здесь ничего не значит, как бы верна она ни была.`,
    },
  },
  DMARC_SPF_NOT_ALIGNED: {
    severity: 'warning',
    en: {
      saw: 'The reverse-path of mail From {domain} is in {returnPath}, which DMARC does not accept for it ({mode} alignment).',
      why: 'DMARC then rests on the signature alone; some receivers want both.',
      fix: 'Use a return path in {domain} or below it, or set aspf=r in the DMARC record if it is strict.',
      more: `SPF proves the domain of the reverse-path (MAIL FROM). For DMARC that must be the From domain, or with relaxed alignment one of the same organization, such as bounce.example.com for example.com.`,
    },
    ru: {
      saw: 'Обратный адрес почты от {domain} лежит в {returnPath}, и DMARC этого для неё не принимает (соответствие {mode}).',
      why: 'DMARC тогда держится на одной подписи; некоторым получателям нужно и то и другое.',
      fix: 'Возьмите обратный адрес в {domain} или ниже либо поставьте aspf=r в записи DMARC, если там строгий режим.',
      more: `SPF подтверждает домен обратного адреса (MAIL FROM). Для DMARC это должен быть домен из From, а в мягком режиме (relaxed) домен той же организации, например bounce.example.com для example.com.`,
    },
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
