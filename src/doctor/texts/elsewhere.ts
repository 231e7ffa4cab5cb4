import type { CodeTexts } from '../text.ts'

/** Codes that the program says at its start or in a reply; here for `posthorn explain`. */
export const elsewhereTexts = {
  PORT_IN_USE: {
    severity: 'error',
    en: {
      saw: 'Another program listens on the port that Posthorn is to take mail on.',
      why: 'Two programs cannot share a port; Posthorn does not start.',
      fix: 'Stop that program (on Debian often exim4 or postfix), or take another port.',
      more: `Many systems come with a mail server that listens on port 25 of the machine. If nothing needs it: systemctl disable --now exim4 (or postfix). Otherwise give Posthorn another port with smtp.port, --smtp-port or POSTHORN_SMTP_PORT.

With Docker the other program may be on the host: map another port, -p 127.0.0.1:2525:25, and tell your applications.`,
    },
    ru: {
      saw: 'На порту, где Posthorn должен принимать почту, уже слушает другая программа.',
      why: 'Две программы не могут делить один порт; Posthorn не запускается.',
      fix: 'Остановите ту программу (в Debian это часто exim4 или postfix) или возьмите другой порт.',
      more: `Во многих системах уже есть почтовый сервер, который слушает порт 25. Если он не нужен: systemctl disable --now exim4 (или postfix). Иначе дайте Posthorn другой порт: smtp.port, --smtp-port или POSTHORN_SMTP_PORT.

С Docker та программа может быть на хосте: пробросьте другой порт, -p 127.0.0.1:2525:25, и сообщите его приложениям.`,
    },
    paste: 'ss -ltnp',
  },
  PORT_NOT_ALLOWED: {
    severity: 'error',
    en: {
      saw: 'The system does not let Posthorn listen on a port below 1024.',
      why: 'Such ports need a right that ordinary users do not have; Posthorn does not start.',
      fix: 'Give the service the right, or take a port above 1024 such as 2525.',
      more: `With systemd put AmbientCapabilities=CAP_NET_BIND_SERVICE into the unit. In a container map the port instead: -p 127.0.0.1:25:2525. Posthorn never needs to run as root.`,
    },
    ru: {
      saw: 'Система не разрешает Posthorn слушать порт ниже 1024.',
      why: 'Для таких портов нужно право, которого у обычных пользователей нет; Posthorn не запускается.',
      fix: 'Дайте службе это право или возьмите порт выше 1024, например 2525.',
      more: `С systemd добавьте в юнит AmbientCapabilities=CAP_NET_BIND_SERVICE. В контейнере просто пробросьте порт: -p 127.0.0.1:25:2525. Запускать Posthorn от root не нужно никогда.`,
    },
    paste: 'AmbientCapabilities=CAP_NET_BIND_SERVICE',
  },
  ADDRESS_NOT_HERE: {
    severity: 'error',
    en: {
      saw: 'Posthorn is to listen on an address that this machine does not have.',
      why: 'Nothing could ever arrive there; Posthorn does not start.',
      fix: "Set the listener's address to one of this machine's own, or to 0.0.0.0 (:: for IPv6) for all of them.",
      more: `Behind a router or in a cloud the public address usually belongs to the gateway, not to the machine: listen on the private one. If an address appears only after the start (DHCP, a floating address), listen on 0.0.0.0.`,
    },
    ru: {
      saw: 'Posthorn должен слушать адрес, которого у этой машины нет.',
      why: 'Туда ничего не могло бы прийти; Posthorn не запускается.',
      fix: 'Укажите у входа один из собственных адресов машины или 0.0.0.0 (:: для IPv6), то есть все.',
      more: `За маршрутизатором или в облаке публичный адрес обычно принадлежит шлюзу, а не машине: слушайте частный. Если адрес появляется уже после запуска (DHCP, плавающий адрес), слушайте 0.0.0.0.`,
    },
    paste: 'ip address',
  },
  DATA_NOT_WRITABLE: {
    severity: 'error',
    en: {
      saw: 'The data folder belongs to another user, and Posthorn may not write in it.',
      why: 'Mail is accepted only once it is on the disk; without a disk Posthorn does not start.',
      fix: 'Give the folder to the user that runs Posthorn (uid 10001 in our container image), or use a named volume.',
      more: `Docker makes the folders of bind mounts as root when they are missing. Either give them away once (chown), or use a named volume, which takes over the owner from the image. A read-only mount looks the same: look at the flags of the mount.

Keys and tokens inside are made readable for their owner only; modes that we own we repair ourselves.`,
    },
    ru: {
      saw: 'Папка данных принадлежит другому пользователю, и Posthorn не может в неё писать.',
      why: 'Почта принимается, только когда она уже на диске; без диска Posthorn не запускается.',
      fix: 'Отдайте папку пользователю, от которого работает Posthorn (в нашем образе uid 10001), или возьмите именованный том.',
      more: `Если папки для bind mount нет, Docker создаёт её от root. Отдайте её один раз (chown) или возьмите именованный том: он перенимает владельца из образа. Так же выглядит и монтирование только для чтения: проверьте его флаги.

Ключи и токены внутри доступны только владельцу; права, которые принадлежат нам, мы исправляем сами.`,
    },
    paste: 'chown -R 10001 FOLDER',
  },
  DATA_IN_USE: {
    severity: 'error',
    en: {
      saw: 'Another Posthorn works on this data folder.',
      why: 'Two servers on one queue would send mail twice; the second does not start.',
      fix: 'Stop the other one, or give this one a folder of its own (--data).',
      more: `A lock in the folder tells who has it; it is let go when that process ends, however it ends. In Docker it is usually the old container that still drains: wait for it, or give it less time with stop_grace_period.`,
    },
    ru: {
      saw: 'С этой папкой данных уже работает другой Posthorn.',
      why: 'Два сервера на одной очереди отправили бы письма дважды; второй не запускается.',
      fix: 'Остановите другой или дайте этому отдельную папку (--data).',
      more: `Кто владеет папкой, указывает блокировка в ней; она снимается, когда процесс заканчивается, как бы он ни закончился. В Docker это обычно старый контейнер, который ещё завершает работу: подождите или уменьшите stop_grace_period.`,
    },
    paste: 'posthorn serve --data ./data2',
  },
  FROM_NOT_ALLOWED: {
    severity: 'error',
    en: {
      saw: 'An application wanted to send From a domain that is not set up here (550 5.7.1).',
      why: 'Mail that nobody signs for its From domain is refused or junked, and an open sender is soon abused.',
      fix: 'Add the domain and publish its records, or let the application send From one that is here.',
      more: `A credential may also be limited to some domains: then it needs the right one, or one without limits.

A subdomain is another domain, but is signed for by its parent when it has no keys of its own.`,
    },
    ru: {
      saw: 'Приложение хотело отправить письмо от домена, который здесь не настроен (550 5.7.1).',
      why: 'Письма, которые никто не подписывает за их домен, отвергают или кладут в спам, а открытым сервером быстро начинают злоупотреблять.',
      fix: 'Добавьте домен и опубликуйте его записи, или пусть приложение пишет от домена, который здесь есть.',
      more: `Пароль может быть ограничен некоторыми доменами: тогда нужен подходящий или пароль без ограничений.

Поддомен считается другим доменом, но без собственных ключей его подписывает родительский.`,
    },
    paste: 'posthorn domain add example.com',
  },
  FROM_FREEMAIL: {
    severity: 'error',
    en: {
      saw: 'An application wanted to send From an address at a mail service such as gmail.com, mail.ru or yandex.ru.',
      why: 'These services forbid others to send in their name (DMARC p=reject or quarantine): such mail is refused.',
      fix: 'Use your own domain in From, and put that address into Reply-To.',
      more: `A contact form that writes the visitor's address into From is the usual case. Write your own address there, with the visitor's name if you like, and the visitor's address into Reply-To: the answer goes to the right person all the same.`,
    },
    ru: {
      saw: 'Приложение хотело отправить письмо от адреса почтовой службы, например gmail.com, mail.ru или yandex.ru.',
      why: 'Эти службы запрещают другим слать от их имени (DMARC p=reject или quarantine): такие письма отвергают.',
      fix: 'В From укажите свой домен, а тот адрес поместите в Reply-To.',
      more: `Обычный случай: форма обратной связи пишет в From адрес посетителя. Напишите туда свой адрес, можно с именем посетителя, а его адрес поместите в Reply-To: ответ всё равно придёт кому нужно.`,
    },
    paste: 'From: "Visitor via Example" <form@example.com>\nReply-To: visitor@gmail.com',
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
