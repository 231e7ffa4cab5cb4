import type { CodeTexts } from '../text.ts'

export const dkimTexts = {
  DKIM_OK: {
    severity: 'ok',
    en: { saw: '{name} in DNS equals our key (seen by {servers} of {of} name servers).' },
    ru: { saw: '{name} в DNS совпадает с нашим ключом (серверов имён: {servers} из {of}).' },
  },
  DKIM_NO_KEY: {
    severity: 'error',
    en: {
      saw: 'There is no DKIM key for {domain}.',
      why: 'Unsigned mail fails DMARC as soon as it is forwarded, and large receivers refuse it.',
      fix: 'Make one: posthorn dkim create {domain}',
      more: `A DKIM signature says which domain answers for a message, and that nothing was changed on its way. The private key stays here, the public one is published in DNS under a selector.

After making the key publish its record (posthorn dns prints it) and run the doctor again.`,
    },
    ru: {
      saw: 'Для {domain} нет ключа DKIM.',
      why: 'Почта без подписи не проходит DMARC после любой пересылки, и крупные получатели её отвергают.',
      fix: 'Создайте ключ: posthorn dkim create {domain}',
      more: `Подпись DKIM говорит, какой домен отвечает за письмо и что в пути оно не изменилось. Закрытый ключ остаётся здесь, открытый публикуется в DNS под именем селектора.

Создав ключ, опубликуйте его запись (её печатает posthorn dns) и запустите проверку снова.`,
    },
  },
  DKIM_OFF: {
    severity: 'error',
    en: {
      saw: 'Mail From {domain} leaves unsigned: the configuration has sign: false for it.',
      why: 'Unsigned mail fails DMARC as soon as it is forwarded; Gmail and Outlook.com refuse it from larger senders.',
      fix: 'Remove sign: false under domains.{domain} from the configuration and restart.',
      more: `Signing can be switched off for a domain because some relays sign by themselves. Mail that goes straight to receivers needs our signature: without it DMARC rests on SPF alone, and that breaks when a message is forwarded.

With relayhost set this is no fault, and nothing is said.`,
    },
    ru: {
      saw: 'Почта от {domain} уходит без подписи: в настройках для него задано sign: false.',
      why: 'Почта без подписи не проходит DMARC после любой пересылки; Gmail и Outlook.com отвергают её у крупных отправителей.',
      fix: 'Уберите sign: false из domains.{domain} в настройках и перезапустите сервер.',
      more: `Подпись домена можно отключить, потому что некоторые relay подписывают сами. Почте, которая идёт прямо получателям, нужна наша подпись: без неё DMARC держится на одном SPF, а он ломается при пересылке.

Если задан relayhost, это не ошибка, и ничего не говорится.`,
    },
  },
  DKIM_MISSING: {
    severity: 'error',
    en: {
      saw: '{name} does not exist in DNS.',
      why: 'Receivers cannot check our signature: Gmail, Yahoo and Outlook.com count the mail as unsigned.',
      fix: 'Add this TXT record. If you have just added it, wait until the name servers show it:',
      more: `The public key stands in a TXT record at SELECTOR._domainkey.DOMAIN. Most panels add the domain by themselves: then enter only SELECTOR._domainkey as the name.

A key of 2048 bits is longer than 255 characters, so in a zone file it is written as several quoted strings of ONE record; in a web form it is one line. posthorn dns prints both.`,
    },
    ru: {
      saw: '{name} в DNS нет.',
      why: 'Получатели не могут проверить нашу подпись: для Gmail, Yahoo и Outlook.com почта не подписана.',
      fix: 'Добавьте такую запись TXT. Если только что добавили, подождите, пока её покажут серверы имён:',
      more: `Открытый ключ лежит в записи TXT с именем СЕЛЕКТОР._domainkey.ДОМЕН. Большинство панелей дописывают домен сами: тогда вводите в имя только СЕЛЕКТОР._domainkey.

Ключ в 2048 бит длиннее 255 знаков, поэтому в файле зоны он записан несколькими строками в кавычках внутри ОДНОЙ записи; в веб-форме это одна строка. posthorn dns печатает и то и другое.`,
    },
    paste: '{name}. TXT "{record}"',
  },
  DKIM_NAME_DOUBLED: {
    severity: 'error',
    en: {
      saw: '{name} does not exist, but {doubled} does: the panel appended the domain a second time.',
      why: 'Receivers ask for the first name only; to them there is no key.',
      fix: 'Rename the record: enter its name without the domain, as your panel adds that itself.',
      more: `Panels differ: some want the whole name of a record, most want only the part in front of the domain and add the rest. A whole name in such a panel ends up with the domain twice. In a zone file the same happens when the final dot is missing.

Change the name to SELECTOR._domainkey, or end the whole name with a dot.`,
    },
    ru: {
      saw: '{name} нет, зато есть {doubled}: панель дописала домен второй раз.',
      why: 'Получатели спрашивают только первое имя; ключа для них нет.',
      fix: 'Переименуйте запись: введите имя без домена, панель допишет его сама.',
      more: `Панели различаются: одни ждут имя записи целиком, большинство ждёт только часть перед доменом и дописывает остальное. Полное имя в такой панели получает домен дважды. В файле зоны то же бывает без точки в конце имени.

Измените имя на СЕЛЕКТОР._domainkey или поставьте после полного имени точку.`,
    },
  },
  DKIM_TRUNCATED: {
    severity: 'error',
    en: {
      saw: 'The key at {name} has {have} of {want} characters: it was cut.',
      why: 'With half a key no signature can be checked; receivers count the mail as badly signed.',
      fix: 'Enter the whole value again, in one record. Where the panel cuts at 255 characters, enter it as quoted strings: posthorn dns prints them.',
      more: `One string of a TXT record holds at most 255 characters, a record several strings. Good panels split long values by themselves; others cut them, or want the strings in quotes: "first part" "second part", in ONE record, not in two.

If the panel can do neither, move the zone to a name server that can, or delegate the name with a CNAME. A key of 1024 bits fits one string and is the last resort: posthorn dkim rotate.`,
    },
    ru: {
      saw: 'В ключе {name} знаков {have} из {want}: он обрезан.',
      why: 'По части ключа подпись не проверить; получатели считают почту подписанной неверно.',
      fix: 'Введите значение целиком ещё раз, одной записью. Если панель режет на 255 знаках, введите строки в кавычках: их печатает posthorn dns.',
      more: `Одна строка записи TXT вмещает не больше 255 знаков, а запись состоит из нескольких строк. Хорошие панели делят длинное значение сами; другие обрезают или ждут строки в кавычках: "первая часть" "вторая часть", в ОДНОЙ записи, а не в двух.

Если панель не умеет ни того ни другого, перенесите зону на другой сервер имён или отдайте имя через CNAME. Ключ в 1024 бита помещается в одну строку, но это крайнее средство: posthorn dkim rotate.`,
    },
    paste: '{name}. TXT "{record}"',
  },
  DKIM_TWO_RECORDS: {
    severity: 'error',
    en: {
      saw: '{name} has {count} TXT records; there must be one.',
      why: 'Receivers take any of them, so some of the mail fails; two halves of one key never work.',
      fix: 'Delete them and publish this one record:',
      more: `There is one record at a selector (RFC 6376 §3.6.2.2). Two appear when a new key is added beside the old one, or when a long key is entered as two records in place of two strings of one record.

For a change of keys use a new selector: posthorn dkim rotate does so, and both keys stay valid for a while.`,
    },
    ru: {
      saw: 'У {name} записей TXT: {count}, а должна быть одна.',
      why: 'Получатель берёт любую из них, и часть почты не проходит; две половины одного ключа не работают никогда.',
      fix: 'Удалите их и опубликуйте одну запись:',
      more: `У селектора одна запись (RFC 6376 §3.6.2.2). Две появляются, когда новый ключ добавлен рядом со старым или когда длинный ключ введён двумя записями вместо двух строк одной записи.

Для смены ключа берут новый селектор: так делает posthorn dkim rotate, и какое-то время действуют оба ключа.`,
    },
    paste: '{name}. TXT "{record}"',
  },
  DKIM_MISMATCH: {
    severity: 'error',
    en: {
      saw: 'The key at {name} is not the key that we sign with (fingerprints {published} and {ours}).',
      why: 'Every signature of ours fails there; receivers treat the mail as forged.',
      fix: 'Publish our key, or import the private key that belongs to the published one (posthorn dkim import):',
      more: `The record at the selector and the private key here are not a pair. This happens when a key was made anew after its record had been published, or when two servers share a selector.

Two servers of one domain need a selector each, or the same private key.`,
    },
    ru: {
      saw: 'Ключ {name} не тот, которым мы подписываем (отпечатки {published} и {ours}).',
      why: 'Любая наша подпись там не сходится; для получателей почта выглядит поддельной.',
      fix: 'Опубликуйте наш ключ или импортируйте закрытый ключ от опубликованного (posthorn dkim import):',
      more: `Запись селектора и закрытый ключ на этом сервере не пара. Так бывает, когда ключ создали заново уже после публикации записи или когда один селектор делят два сервера.

Двум серверам одного домена нужны разные селекторы или один и тот же закрытый ключ.`,
    },
    paste: '{name}. TXT "{record}"',
  },
  DKIM_REVOKED: {
    severity: 'error',
    en: {
      saw: 'The key at {name} is revoked: its p= is empty.',
      why: 'An empty key means "no longer valid": every signature with this selector fails.',
      fix: 'Publish our key, or rotate to a new selector (posthorn dkim rotate DOMAIN):',
      more: `A record with an empty p= withdraws a key (RFC 6376 §3.6.1). It is right for a key that signs no more, and wrong for one that does. It also appears when a form dropped the value.`,
    },
    ru: {
      saw: 'Ключ {name} отозван: его p= пуст.',
      why: 'Пустой ключ значит «больше не действует»: любая подпись с этим селектором не проходит.',
      fix: 'Опубликуйте наш ключ или смените селектор (posthorn dkim rotate ДОМЕН):',
      more: `Запись с пустым p= отзывает ключ (RFC 6376 §3.6.1). Это верно для ключа, который больше не подписывает, и неверно для действующего. Так бывает и тогда, когда форма потеряла значение.`,
    },
    paste: '{name}. TXT "{record}"',
  },
  DKIM_INVALID: {
    severity: 'error',
    en: {
      saw: 'The record at {name} is no key for our mail: {found}',
      why: 'Receivers cannot use it, and count the mail as badly signed.',
      fix: 'Replace the record by this one, without quotes or backslashes of your own:',
      more: `A key record begins with v=DKIM1, names the kind of key with k= (rsa when absent) and holds it in p= as base64. Quotes or backslashes inside the value, a missing p=, h=sha1 and an s= other than * or email make it useless for mail signed with SHA-256.

Copy the value exactly as it is printed; panels add what quotes they need.`,
    },
    ru: {
      saw: 'Запись {name} не годится как ключ для нашей почты: {found}',
      why: 'Получатели не могут ею воспользоваться и считают почту подписанной неверно.',
      fix: 'Замените запись этой, не добавляя кавычек и обратных косых черт:',
      more: `Запись ключа начинается с v=DKIM1, называет вид ключа в k= (если его нет, то rsa) и содержит ключ в p= в виде base64. Кавычки или обратная косая черта внутри значения, отсутствие p=, h=sha1 и s= кроме * и email делают её бесполезной для почты, подписанной с SHA-256.

Скопируйте значение точно как напечатано; нужные кавычки панель поставит сама.`,
    },
    paste: '{name}. TXT "{record}"',
  },
  DKIM_NOT_EVERYWHERE: {
    severity: 'error',
    en: {
      saw: '{name}: {servers} of {of} name servers show our key; it is missing or different on {without}.',
      why: 'A receiver asks any of them, so some of the mail fails its check.',
      fix: 'Wait until the change has reached all name servers; if it stays so, look at why {without} does not follow (zone transfer, a second provider).',
      more: `A zone has several name servers that should say the same. After a change they follow within seconds or minutes. A server that stays behind has lost its connection to the primary, or belongs to a provider where the zone was not changed.

The serial number in the SOA record tells which server is behind.`,
    },
    ru: {
      saw: '{name}: наш ключ видят серверы имён: {servers} из {of}; его нет или он другой на {without}.',
      why: 'Получатель спрашивает любой из них, поэтому часть почты не проходит проверку.',
      fix: 'Подождите, пока изменение дойдёт до всех серверов имён; если не доходит, выясните, почему отстаёт {without} (передача зоны, второй провайдер).',
      more: `У зоны несколько серверов имён, и отвечать они должны одинаково. После изменения они догоняют за секунды или минуты. Отстающий сервер потерял связь с основным или стоит у провайдера, где зону не меняли.

Кто отстал, показывает номер версии в записи SOA.`,
    },
  },
  DKIM_RETIRED_EARLY: {
    severity: 'warning',
    en: {
      saw: 'The record {name} is gone or changed; its key signs no more, but its mail may still be on the way.',
      why: 'Receivers cannot check the signature of that mail any more.',
      fix: 'Unless it signed only in the sandbox, put the record back until posthorn dkim list calls the key retired:',
      more: `After a rotation the old key signs nothing new, but what it signed waits in queues, here and elsewhere, for some days. Its record should stay that long. New mail is signed with the new key and does not depend on the old record, so this keeps no domain from going live. A key that signed only in the sandbox was never needed in DNS.`,
    },
    ru: {
      saw: 'Записи {name} нет, или она другая; её ключ больше не подписывает, но подписанные им письма могут быть ещё в пути.',
      why: 'Проверить подпись таких писем получатели уже не могут.',
      fix: 'Если ключ подписывал не только в песочнице, верните запись до тех пор, пока он не отслужит (posthorn dkim list --all):',
      more: `После смены ключа прежний больше ничего не подписывает, но подписанное им ещё несколько дней ждёт в очередях, здесь и у других. Столько и должна оставаться его запись. Новые письма подписаны новым ключом и от старой записи не зависят, поэтому переводу домена в боевой режим это не мешает. Ключ, который подписывал только в песочнице, в DNS и не был нужен.`,
    },
    paste: '{name}. TXT "{record}"',
  },
  DKIM_TESTING: {
    severity: 'warning',
    en: {
      saw: 'The key at {name} is marked as a test (t=y).',
      why: 'Receivers may treat mail signed with it as unsigned.',
      fix: 'Remove t=y from the record.',
      more: `The flag y says that the domain only tries DKIM out (RFC 6376 §3.6.1): a verifier must not treat a good signature better than none. It is often left over from a tool that sets it by itself.`,
    },
    ru: {
      saw: 'Ключ {name} помечен как пробный (t=y).',
      why: 'Получатели могут считать почту с такой подписью неподписанной.',
      fix: 'Уберите t=y из записи.',
      more: `Флаг y говорит, что домен только пробует DKIM (RFC 6376 §3.6.1): верная подпись не должна давать преимуществ. Часто он остаётся от программы, которая ставит его сама.`,
    },
  },
  DKIM_SHORT_KEY: {
    severity: 'warning',
    en: {
      saw: 'The key at {name} has {bits} bits.',
      why: 'Gmail and Yahoo advise 2048; shorter keys can be broken with money.',
      fix: 'Rotate to a key of 2048 bits: posthorn dkim rotate DOMAIN',
      more: `Receivers must accept keys from 1024 bits and should be given 2048 (RFC 8301). A rotation publishes the new key first, signs with it when every name server shows it, and withdraws the old one later: no message is lost.`,
    },
    ru: {
      saw: 'В ключе {name} бит: {bits}.',
      why: 'Gmail и Yahoo советуют 2048; более короткий ключ можно вскрыть за деньги.',
      fix: 'Перейдите на ключ в 2048 бит: posthorn dkim rotate ДОМЕН',
      more: `Получатели обязаны принимать ключи от 1024 бит, а давать им следует 2048 (RFC 8301). При смене сначала публикуется новый ключ, подпись переходит на него, когда его видят все серверы имён, и лишь затем отзывается старый: ни одно письмо не страдает.`,
    },
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
