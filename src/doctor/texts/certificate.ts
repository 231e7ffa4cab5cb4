import type { CodeTexts } from '../text.ts'

export const certificateTexts = {
  CERTIFICATE_OK: {
    severity: 'ok',
    en: { saw: 'The certificate is for {hostname} and valid until {until}.' },
    ru: { saw: 'Сертификат выдан на {hostname} и действует до {until}.' },
  },
  CERTIFICATE_NONE: {
    severity: 'warning',
    en: {
      saw: 'Mail is taken from other machines without TLS at {listeners}.',
      why: 'Messages and passwords can be read on the way from your applications to this server.',
      fix: 'Give the listeners a certificate, or let them listen on 127.0.0.1 only.',
      more: `This is about the way in, from your applications to Posthorn; on the way out TLS is used wherever a receiver offers it.

Inside one machine or one private container network nothing is needed. Across a network set tls.certificate and tls.key, and tls: starttls (port 587) or implicit (port 465) on the listener. A self-signed certificate makes more trouble than it is worth: most mail libraries use TLS as soon as it is offered, and refuse a certificate that they cannot verify.`,
    },
    ru: {
      saw: 'Почта от других машин принимается без TLS: {listeners}.',
      why: 'По пути от ваших приложений к этому серверу письма и пароли можно прочитать.',
      fix: 'Дайте этим входам сертификат или пусть они слушают только 127.0.0.1.',
      more: `Речь о пути внутрь, от ваших приложений к Posthorn; наружу TLS используется везде, где получатель его предлагает.

Внутри одной машины или частной сети контейнеров ничего не нужно. Через сеть задайте tls.certificate и tls.key, а у входа tls: starttls (порт 587) или implicit (порт 465). Самоподписанный сертификат принесёт больше хлопот, чем пользы: большинство почтовых библиотек включают TLS, как только его предложат, и отказываются от сертификата, который не могут проверить.`,
    },
    paste: 'tls: { certificate: fullchain.pem, key: privkey.pem }',
  },
  CERTIFICATE_BROKEN: {
    severity: 'error',
    en: {
      saw: 'The certificate file holds no certificate that can be read.',
      why: 'Listeners with TLS keep the last good certificate until a restart, and have none after it.',
      fix: "Put the chain into tls.certificate as PEM, the server's own certificate first.",
      more: `The file must hold one or more blocks between BEGIN CERTIFICATE and END CERTIFICATE: the server's own certificate first, then those of the authorities that lead to a known one. Let's Encrypt calls it fullchain.pem. The private key belongs into tls.key.`,
    },
    ru: {
      saw: 'В файле сертификата нет сертификата, который можно прочитать.',
      why: 'Входы с TLS держат последний годный сертификат до перезапуска, а после него остаются без сертификата.',
      fix: 'Положите в tls.certificate цепочку в формате PEM, первым сертификат самого сервера.',
      more: `В файле должны быть блоки между BEGIN CERTIFICATE и END CERTIFICATE: сначала сертификат самого сервера, затем сертификаты центров, ведущие к известному. У Let's Encrypt это fullchain.pem. Закрытый ключ указывается в tls.key.`,
    },
    paste: 'openssl x509 -in fullchain.pem -noout -subject -enddate',
  },
  CERTIFICATE_EXPIRED: {
    severity: 'error',
    en: {
      saw: 'The certificate expired on {until}.',
      why: 'Applications that verify it, which most libraries do, can no longer hand in mail.',
      fix: 'Renew it; the new file is picked up within a minute, without a restart.',
      more: `Look why the renewal failed (certbot renew --dry-run, the log of your ACME client), and whether the renewed file is the one that tls.certificate names: a copy beside it is not renewed. Posthorn looks at the file every minute.`,
    },
    ru: {
      saw: 'Срок действия сертификата закончился {until}.',
      why: 'Приложения, которые его проверяют (а это делает большинство библиотек), больше не могут сдать почту.',
      fix: 'Обновите его; новый файл подхватится за минуту без перезапуска.',
      more: `Выясните, почему не сработало обновление (certbot renew --dry-run, журнал вашего клиента ACME), и тот ли файл обновляется, что указан в tls.certificate: копия рядом сама не обновится. Posthorn смотрит на файл каждую минуту.`,
    },
    paste: 'certbot renew',
  },
  CERTIFICATE_EXPIRES: {
    severity: 'warning',
    en: {
      saw: 'The certificate expires on {until}, days left: {days}.',
      why: 'It should have been renewed by now; after that day applications can no longer hand in mail.',
      fix: 'Look at the renewal; the new file is picked up within a minute, without a restart.',
      more: `Automatic renewal usually happens a month before the end. When only two weeks are left it has probably failed: look at the log of your ACME client, and whether the renewed file is the one that tls.certificate names.`,
    },
    ru: {
      saw: 'Срок действия сертификата закончится {until}, осталось дней: {days}.',
      why: 'К этому времени он должен был обновиться; после этого дня приложения не смогут сдавать почту.',
      fix: 'Проверьте обновление; новый файл подхватится за минуту без перезапуска.',
      more: `Автоматическое обновление обычно проходит за месяц до конца. Если осталось две недели, оно, скорее всего, не сработало: посмотрите журнал вашего клиента ACME и тот ли файл обновляется, что указан в tls.certificate.`,
    },
    paste: 'certbot renew --dry-run',
  },
  CERTIFICATE_NOT_YET: {
    severity: 'error',
    en: {
      saw: 'The certificate is valid only from {from} on.',
      why: 'Applications that verify it cannot hand in mail before; or the clock of this machine is behind.',
      fix: 'Check the clock of this machine, and whether the right certificate is in place.',
      more: `Certificates carry the time from which they are valid, usually an hour before they were made. One that begins in the future was made for later, or this machine's clock is slow; the doctor checks the clock as well.`,
    },
    ru: {
      saw: 'Сертификат действует только с {from}.',
      why: 'До этого времени приложения, которые его проверяют, не смогут сдать почту; либо отстают часы этой машины.',
      fix: 'Проверьте часы этой машины и тот ли сертификат установлен.',
      more: `В сертификате записано время, с которого он действует, обычно за час до его выпуска. Если оно в будущем, сертификат выпущен впрок или отстают часы машины; часы проверяются тоже.`,
    },
    paste: 'timedatectl set-ntp true',
  },
  CERTIFICATE_NAME: {
    severity: 'warning',
    en: {
      saw: 'The certificate is for {names}, not for {hostname}.',
      why: 'Applications that connect to {hostname} and verify the certificate refuse it.',
      fix: 'Get a certificate that names {hostname} too, or let applications connect under a name that it has.',
      more: `What counts is the name that applications use to reach this server: it must be among the certificate's names. That it differs from hostname does no harm if nobody connects under hostname; receivers do not look at this certificate.`,
    },
    ru: {
      saw: 'Сертификат выдан на {names}, а не на {hostname}.',
      why: 'Приложения, которые соединяются с {hostname} и проверяют сертификат, его отвергнут.',
      fix: 'Получите сертификат и на {hostname} либо пусть приложения соединяются под именем, которое в нём есть.',
      more: `Важно имя, под которым приложения обращаются к этому серверу: оно должно быть среди имён сертификата. Если под hostname никто не соединяется, расхождение с ним не мешает; получатели этот сертификат не смотрят.`,
    },
    paste: 'certbot certonly --standalone -d {hostname}',
  },
  CERTIFICATE_SELF_SIGNED: {
    severity: 'warning',
    en: {
      saw: 'The certificate is signed by itself.',
      why: 'Most mail libraries use TLS as soon as it is offered and refuse a certificate that no known authority has signed.',
      fix: "Get one from an authority, such as Let's Encrypt, for {hostname}; or give the certificate to every application as trusted.",
      more: `Nodemailer, PHPMailer, Symfony, the Ruby mail gem and others switch to STARTTLS by themselves and verify what they get; with a self-signed certificate they fail where without TLS they would work. On a local port it is better to offer no TLS at all.`,
    },
    ru: {
      saw: 'Сертификат подписан сам собой.',
      why: 'Большинство почтовых библиотек включают TLS, как только его предложат, и отвергают сертификат, который не подписал известный центр.',
      fix: "Получите сертификат на {hostname} у центра сертификации, например Let's Encrypt, или добавьте этот в доверенные в каждом приложении.",
      more: `Nodemailer, PHPMailer, Symfony, гем mail для Ruby и другие сами переходят на STARTTLS и проверяют сертификат; с самоподписанным они откажут там, где без TLS работали бы. На локальном порту лучше не предлагать TLS вовсе.`,
    },
    paste: 'certbot certonly --standalone -d {hostname}',
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
