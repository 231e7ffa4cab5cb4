import type { CodeTexts } from '../text.ts'

export const generalTexts = {
  COULD_NOT_CHECK: {
    severity: 'unknown',
    en: {
      saw: '{subject}: could not check ({reason}).',
      why: 'This says nothing about your mail: the question got no answer.',
      fix: 'Run the doctor again; if it stays so, look at the network and the resolver of this machine.',
      more: `A check asked the network or DNS and got no usable answer in time: a name server that fails (SERVFAIL), a resolver that is down, a peer that hangs. Nothing is concluded from that, in either direction: a check that could not be made is neither passed nor failed.

Ask again after a minute. If only one domain is affected, its name servers have trouble; if all are, look at dns.servers in the configuration or at /etc/resolv.conf.`,
    },
    ru: {
      saw: '{subject}: не удалось проверить ({reason}).',
      why: 'О вашей почте это ничего не говорит: вопрос остался без ответа.',
      fix: 'Запустите проверку ещё раз; если не поможет, проверьте сеть и DNS-резолвер этой машины.',
      more: `Проверка спросила сеть или DNS и не получила пригодного ответа вовремя: сбой сервера имён (SERVFAIL), неработающий резолвер, зависший собеседник. Из этого ничего не следует ни в ту, ни в другую сторону: такая проверка не пройдена и не провалена.

Повторите через минуту. Если так только с одним доменом, неполадка у его серверов имён; если со всеми, проверьте dns.servers в конфигурации или /etc/resolv.conf.`,
    },
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
