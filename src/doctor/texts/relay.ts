import type { CodeTexts } from '../text.ts'

export const relayTexts = {
  RELAY_OK: {
    severity: 'ok',
    en: { saw: 'Mail leaves through {host}, port {port}, which answers.' },
    ru: { saw: 'Почта уходит через {host}, порт {port}; он отвечает.' },
  },
  RELAY_UNREACHABLE: {
    severity: 'error',
    en: {
      saw: 'The relay {host} does not answer on port {port} ({reason}).',
      why: 'Mail that goes through it waits in the queue until it does; nothing is lost.',
      fix: 'Check name, port and firewall. Relays take mail on port 587 (STARTTLS) or 465 (TLS from the start); 25 is often blocked on the way.',
      more: `With relayhost (or a route for some domains) Posthorn does not look for the receivers' servers, but hands mail to one server that does the rest. When that one cannot be reached, all mail waits; it is tried again within a minute.

Try it by hand from the same machine: openssl s_client -starttls smtp -connect host:587. If that works and Posthorn does not, look at delivery.source_ipv4 and the firewall's rules for its user.`,
    },
    ru: {
      saw: 'Сервер-посредник {host} не отвечает на порту {port} ({reason}).',
      why: 'Почта, которая идёт через него, ждёт в очереди; ничего не теряется.',
      fix: 'Проверьте имя, порт и брандмауэр. Посредники принимают почту на порту 587 (STARTTLS) или 465 (TLS сразу); порт 25 часто закрыт по дороге.',
      more: `Когда задан relayhost (или маршрут для некоторых доменов), Posthorn не ищет серверы получателей, а отдаёт почту одному серверу, который делает остальное. Если он недоступен, вся почта ждёт; повтор идёт не позже чем через минуту.

Попробуйте вручную с той же машины: openssl s_client -starttls smtp -connect host:587. Если это работает, а Posthorn нет, проверьте delivery.source_ipv4 и правила брандмауэра для его пользователя.`,
    },
    paste: 'openssl s_client -starttls smtp -connect {host}:{port}',
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
