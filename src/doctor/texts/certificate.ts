import type { CodeTexts } from '../text.ts'

export const certificateTexts = {
  CERTIFICATE_OK: {
    severity: 'ok',
    en: { saw: 'The certificate of {name} is valid until {until}.' },
    ru: { saw: 'Сертификат {name} действует до {until}.' },
  },
  CERTIFICATE_NONE: {
    severity: 'warning',
    en: {
      saw: 'Mail is taken from other machines without TLS at {listeners}.',
      why: 'Messages and passwords can be read on the way from your applications to this server.',
      fix: 'Give the listeners a certificate, or let them listen on 127.0.0.1 only.',
      more: `This is about the way in, from your applications to Posthorn; on the way out TLS is used wherever a receiver offers it.

Inside one machine or one private container network nothing is needed. Across a network set tls.certificate and tls.key (or tls.acme), and tls: starttls (port 587) or implicit (port 465) on the listener. A self-signed certificate makes more trouble than it is worth: most mail libraries use TLS as soon as it is offered, and refuse a certificate that they cannot verify.`,
    },
    ru: {
      saw: 'Почта от других машин принимается без TLS: {listeners}.',
      why: 'По пути от ваших приложений к этому серверу письма и пароли можно прочитать.',
      fix: 'Дайте этим входам сертификат или пусть они слушают только 127.0.0.1.',
      more: `Речь о пути внутрь, от ваших приложений к Posthorn; наружу TLS используется везде, где получатель его предлагает.

Внутри одной машины или частной сети контейнеров ничего не нужно. Через сеть задайте tls.certificate и tls.key (или tls.acme), а у входа tls: starttls (порт 587) или implicit (порт 465). Самоподписанный сертификат принесёт больше хлопот, чем пользы: большинство почтовых библиотек включают TLS, как только его предложат, и отказываются от сертификата, который не могут проверить.`,
    },
    paste: 'tls: { certificate: fullchain.pem, key: privkey.pem }',
  },
  CERTIFICATE_UNUSABLE: {
    severity: 'error',
    en: {
      saw: 'The certificate in {file} cannot be used: {says}.',
      why: 'Listeners with TLS keep the last good certificate until a restart, and have none after it; applications then cannot hand in mail.',
      fix: '{mend}.',
      more: `A server needs a certificate, its private key, and the certificates of the authorities that lead to a known one, all as PEM text that it may read. Let's Encrypt's certbot writes them as fullchain.pem and privkey.pem.

Files are looked at again as soon as they change; no restart is needed. What is wrong is said with the file's name, and what lies in the file may be newer than what is in use.`,
    },
    ru: {
      saw: 'Сертификат {file} использовать нельзя: {says}.',
      why: 'Входы с TLS держат последний годный сертификат до перезапуска, а после него остаются без сертификата; тогда приложения не смогут сдавать почту.',
      fix: '{mend}.',
      more: `Серверу нужен сертификат, его закрытый ключ и сертификаты центров, ведущие к известному, всё текстом PEM, который ему разрешено читать. Certbot от Let's Encrypt пишет их в fullchain.pem и privkey.pem.

За файлами мы следим: как только они изменятся, их прочтут снова, перезапуск не нужен. Название файла в сообщении указывает, где ошибка; в файле может лежать более новое, чем то, что сейчас в работе.`,
    },
  },
  CERTIFICATE_FLAWED: {
    severity: 'warning',
    en: {
      saw: 'The certificate in {file} works, but {says}.',
      why: 'Some applications will not accept it, or will not one day.',
      fix: '{mend}.',
      more: `The certificate is in use, and most clients are content. A chain that lacks a link is mended by clients that have seen the missing certificate before and refused by those that have not, which makes such faults look random.`,
    },
    ru: {
      saw: 'Сертификат {file} работает, но {says}.',
      why: 'Некоторые приложения его не примут, или не примут когда-нибудь.',
      fix: '{mend}.',
      more: `Сертификат в работе, и большинству клиентов этого хватает. Цепочку без одного звена принимают клиенты, которые уже видели недостающий сертификат, и отвергают остальные, поэтому такие отказы кажутся случайными.`,
    },
  },
  CERTIFICATE_EXPIRED: {
    severity: 'error',
    en: {
      saw: 'The certificate in {file} is over: {says}.',
      why: 'Applications that verify it, which most libraries do, can no longer hand in mail.',
      fix: '{mend}.',
      more: `Look why the renewal failed (certbot renew --dry-run, the log of your ACME client), and whether the renewed file is the one that tls.certificate names: a copy beside it is not renewed. A new file is picked up by itself, without a restart.`,
    },
    ru: {
      saw: 'Срок сертификата {file} истёк: {says}.',
      why: 'Приложения, которые его проверяют (а это делает большинство библиотек), больше не могут сдать почту.',
      fix: '{mend}.',
      more: `Выясните, почему не сработало обновление (certbot renew --dry-run, журнал вашего клиента ACME), и тот ли файл обновляется, что указан в tls.certificate: копия рядом сама не обновится. Новый файл подхватывается сам, без перезапуска.`,
    },
  },
  CERTIFICATE_EXPIRES: {
    severity: 'warning',
    en: {
      saw: 'The certificate in {file} is soon over: {says}.',
      why: 'It should have been renewed by now; after that day applications can no longer hand in mail.',
      fix: '{mend}.',
      more: `Automatic renewal usually happens weeks before the end. When only days are left it has probably failed: look at the log of your ACME client, and whether the renewed file is the one that tls.certificate names.`,
    },
    ru: {
      saw: 'Срок сертификата {file} скоро истечёт: {says}.',
      why: 'К этому времени он должен был обновиться; после этого дня приложения не смогут сдавать почту.',
      fix: '{mend}.',
      more: `Автоматическое обновление обычно проходит за недели до конца. Если остались дни, оно, скорее всего, не сработало: посмотрите журнал вашего клиента ACME и тот ли файл обновляется, что указан в tls.certificate.`,
    },
  },
  CERTIFICATE_NAME: {
    severity: 'warning',
    en: {
      saw: 'The certificate in {file} is for another name: {says}.',
      why: 'Applications that connect under our host name and verify the certificate refuse it.',
      fix: '{mend}.',
      more: `What counts is the name that applications use to reach this server: it must be among the certificate's names. That it differs from hostname does no harm if nobody connects under hostname; receivers do not look at this certificate.`,
    },
    ru: {
      saw: 'Сертификат {file} выдан на другое имя: {says}.',
      why: 'Приложения, которые соединяются под нашим именем и проверяют сертификат, его отвергнут.',
      fix: '{mend}.',
      more: `Важно имя, под которым приложения обращаются к этому серверу: оно должно быть среди имён сертификата. Если под hostname никто не соединяется, расхождение с ним не мешает; получатели этот сертификат не смотрят.`,
    },
  },
  CERTIFICATE_NOT_RENEWED: {
    severity: 'warning',
    en: {
      saw: 'The certificate of {name} could not be renewed: {reason}.',
      why: 'It is tried again by itself; when it never works, applications can no longer hand in mail once the certificate is over.',
      fix: 'Mend what the authority complains of: port 80 must reach this server (http-01), or its DNS records must be ours to set (dns-01).',
      more: `The authority (Let's Encrypt by default) asks for a proof that the name is ours: a file under http://NAME/.well-known/acme-challenge/, which needs port 80 to lead here, or a TXT record at _acme-challenge.NAME, which needs a DNS provider that is configured. Its complaint is repeated as it came.

Renewal begins weeks before the end, and after a failure it is tried again with growing pauses, so that a short trouble does no harm.`,
    },
    ru: {
      saw: 'Сертификат {name} не удалось обновить: {reason}.',
      why: 'Попытки повторяются сами; если не получится вовсе, после конца срока приложения не смогут сдавать почту.',
      fix: 'Устраните то, на что жалуется центр: порт 80 должен вести на этот сервер (http-01), или у нас должно быть право менять записи DNS (dns-01).',
      more: `Центр сертификации (по умолчанию Let's Encrypt) просит доказать, что имя наше: файлом по адресу http://ИМЯ/.well-known/acme-challenge/, для чего порт 80 должен вести сюда, или записью TXT у _acme-challenge.ИМЯ, для чего должен быть настроен DNS-провайдер. Его жалоба приведена как есть.

Обновление начинается за недели до конца срока, а после неудачи повторяется со всё большими паузами, так что короткая неполадка не повредит.`,
    },
  },
  CERTIFICATE_SELF_SIGNED: {
    severity: 'warning',
    en: {
      saw: 'The certificate of {name} ({file}) is signed by itself or by an unknown authority.',
      why: 'Most mail libraries use TLS as soon as it is offered and refuse a certificate that no known authority has signed.',
      fix: "Get one from an authority, such as Let's Encrypt, for {name}; or give the certificate to every application as trusted.",
      more: `Nodemailer, PHPMailer, Symfony, the Ruby mail gem and others switch to STARTTLS by themselves and verify what they get; with a self-signed certificate they fail where without TLS they would work. On a local port it is better to offer no TLS at all.`,
    },
    ru: {
      saw: 'Сертификат {name} ({file}) подписан сам собой или неизвестным центром.',
      why: 'Большинство почтовых библиотек включают TLS, как только его предложат, и отвергают сертификат, который не подписал известный центр.',
      fix: "Получите сертификат на {name} у центра сертификации, например Let's Encrypt, или добавьте этот в доверенные в каждом приложении.",
      more: `Nodemailer, PHPMailer, Symfony, гем mail для Ruby и другие сами переходят на STARTTLS и проверяют сертификат; с самоподписанным они откажут там, где без TLS работали бы. На локальном порту лучше не предлагать TLS вовсе.`,
    },
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
