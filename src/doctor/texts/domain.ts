import type { CodeTexts } from '../text.ts'

export const domainTexts = {
  DOMAIN_OK: {
    severity: 'ok',
    en: { saw: '{name} exists in DNS.' },
    ru: { saw: '{name} есть в DNS.' },
  },
  DOMAIN_MISSING: {
    severity: 'error',
    en: {
      saw: '{name} does not exist in DNS.',
      why: 'Receivers refuse mail from a domain that does not exist.',
      fix: 'Look whether {domain} is spelled right, is registered and paid for, and whether its zone is set up at the name servers that the registrar names.',
      more: `The name servers of the zone above say that there is no such name (NXDOMAIN). Either the domain was never registered, or it expired, or it is below a domain whose zone does not mention it.

After a registration or a change of name servers it can take up to a day until all resolvers see it.`,
    },
    ru: {
      saw: 'Домена {name} в DNS нет.',
      why: 'Почту от несуществующего домена получатели отвергают.',
      fix: 'Проверьте, верно ли написано {domain}, зарегистрирован ли и оплачен домен и заведена ли его зона на серверах имён, указанных у регистратора.',
      more: `Серверы имён вышестоящей зоны говорят, что такого имени нет (NXDOMAIN). Домен не зарегистрировали, или он истёк, или он лежит внутри домена, чья зона о нём не знает.

После регистрации или смены серверов имён может пройти до суток, пока изменение увидят все резолверы.`,
    },
  },
  ZONE_FAILS: {
    severity: 'error',
    en: {
      saw: 'The name servers of {name} give no usable answer ({reason}).',
      why: 'Receivers that cannot look up SPF, DKIM and DMARC defer or refuse the mail.',
      fix: 'Compare the name servers at the registrar with those that serve {domain}; with DNSSEC look whether the DS record still fits the zone.',
      more: `SERVFAIL means that a resolver found name servers for the zone but got nothing from them that it could use. The usual causes: the registrar names servers where the zone does not exist; the servers are down; the zone is signed (DNSSEC) and its signatures expired or its keys were changed while the DS record at the registrar stayed.

If other domains fail too, it is not the zone but the resolver of this machine.`,
    },
    ru: {
      saw: 'Серверы имён домена {name} не дают пригодного ответа ({reason}).',
      why: 'Если получатель не может узнать SPF, DKIM и DMARC, он откладывает почту или отвергает её.',
      fix: 'Сверьте серверы имён у регистратора с теми, что обслуживают {domain}; при DNSSEC проверьте, подходит ли ещё запись DS к зоне.',
      more: `SERVFAIL значит, что резолвер нашёл серверы имён зоны, но ничего пригодного от них не получил. Обычные причины: у регистратора указаны серверы, где зоны нет; серверы не работают; зона подписана (DNSSEC), а подписи истекли или ключи сменили, оставив у регистратора старую запись DS.

Если не отвечают и другие домены, дело не в зоне, а в резолвере этой машины.`,
    },
  },
  NEW_DOMAIN: {
    severity: 'warning',
    en: {
      saw: '{name} was registered {days} days ago.',
      why: 'Filters distrust new domains: expect the junk folder at first.',
      fix: 'Keep the volume small for four to six weeks, and write first to people who expect it.',
      more: `Spammers register domains and throw them away, so a young name has no good reputation yet, however clean its records are. It grows with mail that people open and answer. There is nothing to publish that would speed it up.`,
    },
    ru: {
      saw: 'Домен {name} зарегистрирован недавно (дней назад: {days}).',
      why: 'Фильтры не доверяют новым доменам: поначалу ждите папку «Спам».',
      fix: 'Четыре-шесть недель шлите понемногу и сначала тем, кто писем ждёт.',
      more: `Спамеры регистрируют домены и бросают их, поэтому у молодого имени хорошей репутации ещё нет, как бы чисты ни были записи. Она растёт от писем, которые открывают и на которые отвечают. Записью в DNS это не ускорить.`,
    },
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
