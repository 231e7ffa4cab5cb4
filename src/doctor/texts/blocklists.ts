import type { CodeTexts } from '../text.ts'

export const blocklistTexts = {
  DNSBL_OK: {
    severity: 'ok',
    en: { saw: '{address} is not on {lists}.' },
    ru: { saw: 'Адреса {address} нет в списках {lists}.' },
  },
  DNSBL_LISTED: {
    severity: 'error',
    en: {
      saw: '{address} is on the blocklist {list} ({reason}).',
      why: 'Receivers that use the list refuse mail from this address; Spamhaus alone decides for Yahoo, Microsoft and many others.',
      fix: 'Read there why, mend the cause, then ask to be taken off; for a new rented server ask the provider for another address instead:',
      more: `A blocklist names addresses from which spam was seen, or from which no mail should come at all. New rented addresses often stand on one because of their last tenant; Spamhaus' PBL holds whole networks of providers until their users ask for an exception.

Open the link: it says which list it is, since when, and what takes an address off. Ask only after the cause is gone, as lists remember. With a fresh machine it is often quicker to give the address back and take another one.

Addresses such as 127.255.255.254 that a list answers to public resolvers are refusals to answer and are never shown as listings here.`,
    },
    ru: {
      saw: 'Адрес {address} есть в чёрном списке {list} ({reason}).',
      why: 'Получатели, которые пользуются этим списком, отвергают почту с адреса; один только Spamhaus решает за Yahoo, Microsoft и многих других.',
      fix: 'Прочитайте там о причине, устраните её и попросите исключить адрес; для нового арендованного сервера проще попросить у хостинга другой адрес:',
      more: `В чёрный список попадают адреса, с которых видели спам или с которых почты быть не должно вовсе. Новые арендованные адреса часто уже в списке из-за прежнего арендатора; в PBL у Spamhaus стоят целые сети провайдеров, пока владелец адреса не попросит исключения.

Откройте ссылку: там написано, какой это список, с какого времени и что нужно для исключения. Просите только после устранения причины: списки помнят. Для новой машины часто быстрее вернуть адрес и взять другой.

Ответы вроде 127.255.255.254, которые списки дают публичным резолверам, означают отказ отвечать; здесь они никогда не показываются как попадание в список.`,
    },
    paste: '{link}',
  },
  DNSBL_REFUSED: {
    severity: 'unknown',
    en: {
      saw: '{address}: some blocklists do not answer this resolver ({lists}).',
      why: 'Nothing is known: lists refuse public resolvers such as 8.8.8.8 and 1.1.1.1.',
      fix: "Ask through a resolver of your own (unbound on this machine), or look the address up on the list's page.",
      more: `Blocklists count how often they are asked and refuse resolvers through which half the world asks. The refusal comes as an address of its own, such as 127.255.255.254, which some tools take for a listing.

Before believing a list we ask it for its two test entries (RFC 5782 §5): 127.0.0.2, which must be listed, and 127.0.0.1, which must not. A list that fails this has closed or does not talk to us.

A recursive resolver on this machine, such as unbound, asks under your own address; set dns.servers to it. It can validate DNSSEC as well, which DANE needs.`,
    },
    ru: {
      saw: '{address}: некоторые чёрные списки не отвечают этому резолверу ({lists}).',
      why: 'Это ничего не значит: списки отказывают публичным резолверам, таким как 8.8.8.8 и 1.1.1.1.',
      fix: 'Спрашивайте через собственный резолвер (unbound на этой машине) или посмотрите адрес на сайте списка.',
      more: `Чёрные списки считают вопросы и отказывают резолверам, через которые спрашивает полмира. Отказ приходит в виде особого адреса, например 127.255.255.254, и некоторые программы принимают его за попадание в список.

Прежде чем верить списку, мы спрашиваем две его проверочные записи (RFC 5782 §5): 127.0.0.2 в нём быть должна, а 127.0.0.1 нет. Список, который этого не выполняет, закрылся или не разговаривает с нами.

Собственный резолвер на этой машине, например unbound, спрашивает от вашего адреса; укажите его в dns.servers. Он умеет и проверять DNSSEC, что нужно для DANE.`,
    },
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
