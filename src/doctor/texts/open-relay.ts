import type { CodeTexts } from '../text.ts'

export const openRelayTexts = {
  OPEN_RELAY_OK: {
    severity: 'ok',
    en: { saw: 'Strangers cannot send through this server.' },
    ru: { saw: 'Посторонние не могут отправлять почту через этот сервер.' },
  },
  OPEN_RELAY_RISK: {
    severity: 'error',
    en: {
      saw: 'Who comes from the Internet through {address} appears as {seen}, and that address may send without a password.',
      why: 'An open relay is found within hours; its address is then on blocklists for weeks.',
      fix: 'Publish the port on the host only (127.0.0.1:25:25), or take {seen} out of networks and give the clients credentials: posthorn credential add NAME.',
      more: `A container does not see how its port was published. Docker's userland proxy, rootless containers and NAT let every client, a program on the host or a stranger on the Internet, appear under the one address of the gateway. If that address is trusted, everybody is.

This server dials its own public address at start and every hour and looks under which address it sees itself. When that is a trusted one, its trust is withdrawn at once: such clients need a password until a later look finds the door closed.

If networks itself holds addresses of the Internet (0.0.0.0/0), name only your own networks.`,
    },
    ru: {
      saw: 'Кто приходит из Интернета через {address}, виден как {seen}, а этот адрес может отправлять без пароля.',
      why: 'Открытый релей находят за часы, и его адрес неделями стоит в чёрных списках.',
      fix: 'Откройте порт только на хосте (127.0.0.1:25:25) или уберите {seen} из networks и выдайте клиентам пароли: posthorn credential add ИМЯ.',
      more: `Контейнер не видит, как опубликован его порт. Из-за прокси Docker, контейнеров без root и NAT все клиенты, и программы хоста, и посторонние из Интернета, видны под одним адресом шлюза. Если ему доверяют, доверяют всем.

Этот сервер при запуске и каждый час соединяется со своим внешним адресом и смотрит, под каким адресом видит сам себя. Если ему доверяют, доверие сразу снимается: таким клиентам нужен пароль, пока следующая проверка не найдёт дверь закрытой.

Если адреса Интернета стоят в самом networks (0.0.0.0/0), укажите только свои сети.`,
    },
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
