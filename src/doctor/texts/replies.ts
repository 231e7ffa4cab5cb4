// What receivers mean by what they say, and what would change it. For each: what happened, and what
// helps; what Posthorn does next is in replies.ts, for it follows from the kind of answer.

import type { DoctorLanguage } from '../text.ts'

export type ReplyWords = Readonly<
  Record<DoctorLanguage, { readonly means: string; readonly change: string }>
>

export const replyTexts = {
  unauthenticated: {
    en: {
      means:
        'The receiver could not tell that the mail is really from the domain in From: SPF, DKIM or DMARC did not pass there.',
      change:
        'Mend what the doctor finds for the domain. The recipient is not at fault; when the records are right, send again.',
    },
    ru: {
      means:
        'Получатель не смог убедиться, что письмо действительно от домена из From: у него не прошли SPF, DKIM или DMARC.',
      change:
        'Исправьте то, что найдёт проверка домена. Адресат ни при чём; когда записи верны, отправьте снова.',
    },
  },
  spf: {
    en: {
      means:
        'SPF did not pass: the domain of the reverse-path does not list the address that the mail came from.',
      change:
        'Put our address into the SPF record of that domain (posthorn dns DOMAIN prints it, merged into what is there).',
    },
    ru: {
      means:
        'SPF не прошёл: домен обратного адреса не перечисляет адрес, с которого пришло письмо.',
      change:
        'Внесите наш адрес в запись SPF этого домена (posthorn dns ДОМЕН печатает её вместе с тем, что уже есть).',
    },
  },
  dkim: {
    en: {
      means:
        'The DKIM signature was missing or did not pass: the key was not found in DNS, or something on the way changed the message.',
      change:
        'Look whether every name server shows the key (posthorn doctor DOMAIN), and whether a relay or filter behind us rewrites mail.',
    },
    ru: {
      means:
        'Подписи DKIM нет или она не прошла: ключ не нашёлся в DNS или кто-то в пути изменил письмо.',
      change:
        'Проверьте, видят ли ключ все серверы имён (posthorn doctor ДОМЕН) и не переписывает ли письма relay или фильтр за нами.',
    },
  },
  dmarcMissing: {
    en: {
      means:
        'The From domain has no DMARC record, and this receiver wants one from senders of our size.',
      change: 'Publish _dmarc with p=none to begin with: posthorn dns DOMAIN --only dmarc.',
    },
    ru: {
      means:
        'У домена из From нет записи DMARC, а этот получатель требует её от отправителей нашего размера.',
      change: 'Опубликуйте _dmarc, для начала с p=none: posthorn dns ДОМЕН --only dmarc.',
    },
  },
  dmarc: {
    en: {
      means:
        'DMARC of the From domain forbids it: neither signature nor SPF belongs to that domain, and its owner asks to refuse such mail.',
      change:
        'Send From a domain of your own. With your own domain: the doctor says which of the two does not fit. An address at gmail.com, mail.ru or yandex.ru belongs into Reply-To.',
    },
    ru: {
      means:
        'Так велит DMARC домена из From: ни подпись, ни SPF не принадлежат этому домену, а владелец просит такое отвергать.',
      change:
        'Пишите From своего домена. Если домен ваш, проверка скажет, что из двух не подходит. Адрес на gmail.com, mail.ru или yandex.ru ставьте в Reply-To.',
    },
  },
  reverseDns: {
    en: {
      means:
        'The address that the mail came from has no name, or its name does not lead back to it, or is a hosting provider’s default.',
      change:
        'Set the reverse DNS of our address to our host name in the panel of the hosting provider; posthorn doctor shows what receivers see.',
    },
    ru: {
      means:
        'У адреса, с которого пришло письмо, нет имени, или имя не ведёт обратно, или это стандартное имя хостинга.',
      change:
        'Задайте обратную запись нашего адреса на наше имя в панели хостинга; posthorn doctor покажет, что видят получатели.',
    },
  },
  ipv6: {
    en: {
      means: 'The receiver does not take mail from our IPv6 address.',
      change:
        'Send over IPv4 (delivery.protocol: ipv4, as it is by default), or give the IPv6 address a name in the reverse DNS.',
    },
    ru: {
      means: 'Получатель не принимает почту с нашего адреса IPv6.',
      change:
        'Отправляйте по IPv4 (delivery.protocol: ipv4, так по умолчанию) или дайте адресу IPv6 имя в обратной зоне.',
    },
  },
  hello: {
    en: {
      means: 'The receiver does not accept the name that we greet with.',
      change: 'Set hostname to a full name in public DNS that leads to our address.',
    },
    ru: {
      means: 'Получатель не принимает имя, которым мы представляемся.',
      change: 'Задайте в hostname полное имя из публичного DNS, которое ведёт на наш адрес.',
    },
  },
  tls: {
    en: {
      means: 'The receiver takes this mail only over TLS, and TLS did not come about.',
      change:
        'Nothing at the recipient; look whether something between us and the receiver strips STARTTLS, and at the relay’s tls setting.',
    },
    ru: {
      means: 'Получатель принимает такую почту только по TLS, а TLS не состоялся.',
      change:
        'Адресат ни при чём; проверьте, не вырезает ли кто-то по пути STARTTLS, и настройку tls у relay.',
    },
  },
  rate: {
    en: {
      means:
        'Too much mail in too short a time for what this receiver thinks of our address or domain.',
      change:
        'Time and less mail: new addresses and domains earn trust in weeks. Spread large mailings, and write to people who expect it.',
    },
    ru: {
      means:
        'Слишком много писем за слишком короткое время для того, как получатель относится к нашему адресу или домену.',
      change:
        'Поможет время и меньше писем: новые адреса и домены зарабатывают доверие неделями. Растягивайте рассылки и пишите тем, кто их ждёт.',
    },
  },
  reputation: {
    en: {
      means:
        'The receiver thinks badly of our address, our domain or the content: others marked such mail as spam, or nobody knows us yet.',
      change:
        'Look at the receiver’s postmaster pages, stop what people did not ask for, and let the volume grow slowly. Records alone do not mend it.',
    },
    ru: {
      means:
        'Получатель плохого мнения о нашем адресе, домене или содержании: такие письма отмечали как спам, или нас ещё никто не знает.',
      change:
        'Посмотрите кабинет постмастера у получателя, прекратите то, чего люди не просили, и наращивайте объём медленно. Одними записями это не исправить.',
    },
  },
  blocklist: {
    en: {
      means:
        'Our address, or its whole neighbourhood, is on a blocklist that this receiver trusts.',
      change:
        'Open the link in the answer and ask for removal, once the cause is gone; posthorn doctor names the lists. New rented servers are often listed before their first mail: ask for another address.',
    },
    ru: {
      means: 'Наш адрес или вся его сеть в чёрном списке, которому верит получатель.',
      change:
        'Откройте ссылку из ответа и попросите об исключении, когда причина устранена; posthorn doctor называет списки. Новые арендованные серверы часто в списках ещё до первого письма: попросите другой адрес.',
    },
  },
  spam: {
    en: {
      means: 'The content looks like spam to this receiver.',
      change:
        'Change what it says or links to; a case number in the answer is for the receiver’s support. The address of the recipient is good.',
    },
    ru: {
      means: 'Содержание показалось получателю спамом.',
      change:
        'Измените текст или ссылки; номер в ответе пригодится поддержке получателя. Адрес адресата верен.',
    },
  },
  greylisted: {
    en: {
      means:
        'Greylisting: the receiver puts off whom it does not know yet, to see whether he comes again.',
      change: 'Nothing; the next attempts get through.',
    },
    ru: {
      means:
        'Серый список: незнакомого получатель сначала откладывает и смотрит, придёт ли он снова.',
      change: 'Ничего; следующие попытки пройдут.',
    },
  },
  noMailbox: {
    en: {
      means: 'There is no such mailbox.',
      change:
        'Correct the address; if it was right once, stop writing to it. Many such answers harm our reputation.',
    },
    ru: {
      means: 'Такого почтового ящика нет.',
      change:
        'Исправьте адрес; если он когда-то был верным, больше на него не пишите. Много таких ответов портит репутацию.',
    },
  },
  disabled: {
    en: {
      means: 'The mailbox exists and is switched off.',
      change: 'Only its owner can change it. Stop writing to it.',
    },
    ru: {
      means: 'Ящик есть, но отключён.',
      change: 'Изменить это может только его владелец. Больше на него не пишите.',
    },
  },
  full: {
    en: {
      means: 'The recipient’s mailbox is full.',
      change: 'Only the recipient can empty it.',
    },
    ru: {
      means: 'Почтовый ящик адресата переполнен.',
      change: 'Освободить его может только адресат.',
    },
  },
  tooLarge: {
    en: {
      means: 'The message is larger than the receiver takes.',
      change: 'Send it smaller, or put the large part on a web server and link to it.',
    },
    ru: {
      means: 'Письмо больше, чем принимает получатель.',
      change: 'Уменьшите письмо или выложите большую часть на сайт и дайте ссылку.',
    },
  },
  format: {
    en: {
      means:
        'The receiver finds the header of the message wrong, mostly From: missing, doubled or not an address.',
      change:
        'Correct how the application writes the message; captured in the sandbox, it can be looked at.',
    },
    ru: {
      means:
        'Получателю не нравится заголовок письма, чаще всего From: его нет, их два или это не адрес.',
      change: 'Исправьте, как приложение составляет письмо; в песочнице его можно рассмотреть.',
    },
  },
  sender: {
    en: {
      means:
        'The receiver does not accept the sender’s domain: it cannot be answered, for it has neither MX nor address.',
      change:
        'Give the domain of the reverse-path an MX record that names a server which takes its mail.',
    },
    ru: {
      means:
        'Получатель не принимает домен отправителя: ему нельзя ответить, у него нет ни MX, ни адреса.',
      change:
        'Заведите домену обратного адреса запись MX с именем сервера, который принимает его почту.',
    },
  },
  relaying: {
    en: {
      means:
        'The server that we handed it to does not take mail for that recipient: it is not responsible for the domain, or wants a password first.',
      change:
        'Look at the MX records of the recipient’s domain, and with a relay at its username and password.',
    },
    ru: {
      means:
        'Сервер, которому мы отдали письмо, не принимает почту для этого адресата: он не отвечает за домен или сначала хочет пароль.',
      change: 'Посмотрите записи MX домена адресата, а при отправке через relay его имя и пароль.',
    },
  },
  password: {
    en: {
      means: 'The relay did not accept our name and password.',
      change: 'Correct username and password of relayhost or of the route.',
    },
    ru: {
      means: 'Relay не принял наше имя и пароль.',
      change: 'Исправьте username и password у relayhost или маршрута.',
    },
  },
  busy: {
    en: {
      means: 'The receiver is busy or going down, or had enough of our connections for now.',
      change: 'Nothing; it is tried again by itself.',
    },
    ru: {
      means: 'Получатель занят, останавливается или пока не хочет новых соединений от нас.',
      change: 'Ничего; попытки повторятся сами.',
    },
  },
  noConnection: {
    en: {
      means: 'No connection to the receiver’s mail server came about.',
      change:
        'If this happens with every receiver, outgoing port 25 is closed: posthorn doctor tells, and a relay helps. With one receiver only: its servers are down.',
    },
    ru: {
      means: 'Соединение с почтовым сервером получателя не состоялось.',
      change:
        'Если так со всеми, закрыт исходящий порт 25: это скажет posthorn doctor, а поможет relay. Если с одним, не работают его серверы.',
    },
  },
  noDomain: {
    en: {
      means: 'The recipient’s domain does not exist or takes no mail.',
      change: 'Correct the address: mostly a letter is wrong behind the @.',
    },
    ru: {
      means: 'Домена адресата нет, или он не принимает почту.',
      change: 'Исправьте адрес: чаще всего ошибка в букве после @.',
    },
  },
  dnsFails: {
    en: {
      means: 'DNS gave no usable answer about the recipient’s domain.',
      change:
        'If it is every domain, look at the resolver (posthorn doctor); if one, its zone is broken and its owner must mend it.',
    },
    ru: {
      means: 'DNS не дал пригодного ответа о домене адресата.',
      change:
        'Если так со всеми доменами, проверьте резолвер (posthorn doctor); если с одним, сломана его зона, и чинить её владельцу.',
    },
  },
  policy: {
    en: {
      means: 'The receiver refused by a rule of its own, and the text says what little it says.',
      change:
        'Follow the link in the answer if there is one; run the doctor, for most such rules look at the same records.',
    },
    ru: {
      means: 'Получатель отказал по своему правилу; подробностей в ответе немного.',
      change:
        'Откройте ссылку из ответа, если она есть; запустите проверку: большинство таких правил смотрит на те же записи.',
    },
  },
  delivered: {
    en: {
      means: 'The receiver took the message and answers for it from here on.',
      change: 'Whether it lies in the inbox or in the junk folder, only the recipient sees.',
    },
    ru: {
      means: 'Получатель принял письмо и дальше отвечает за него сам.',
      change: 'Во «Входящих» оно или в спаме, видит только адресат.',
    },
  },
  later: {
    en: {
      means: 'The receiver cannot take the message now.',
      change: 'Mostly nothing; if it goes on for hours, the text says why.',
    },
    ru: {
      means: 'Сейчас получатель принять письмо не может.',
      change: 'Обычно ничего; если это длится часами, причина в тексте ответа.',
    },
  },
  never: {
    en: {
      means: 'The receiver refuses the message for good.',
      change: 'The text of the answer says why; the same message again gets the same answer.',
    },
    ru: {
      means: 'Получатель отказал окончательно.',
      change: 'Почему, сказано в тексте ответа; то же письмо получит тот же ответ.',
    },
  },
} as const satisfies Readonly<Record<string, ReplyWords>>

export type ReplyMeaning = keyof typeof replyTexts
