// What hosting providers do about port 25, so that the advice names the door to knock at. The
// provider is guessed from the machine's vendor (DMI) or from the default name of its address.

import type { Fact } from './text.ts'

type Provider = {
  readonly name: string
  /** Found in the machine's vendor, or at the end of a default host name. */
  readonly vendor: RegExp
  readonly names: RegExp
  readonly port25: { readonly en: string; readonly ru: string }
}

const PROVIDERS: readonly Provider[] = [
  {
    name: 'Google Cloud',
    vendor: /^Google/,
    names: /\.googleusercontent\.com$/,
    port25: {
      en: 'Google Cloud does not open it: use a relay or another host',
      ru: 'Google Cloud его не открывает: нужен сервер-посредник (relay) или другой хостинг',
    },
  },
  {
    name: 'AWS',
    vendor: /^Amazon/,
    names: /\.amazonaws\.com$/,
    port25: {
      en: 'AWS opens it on request: https://repost.aws/knowledge-center/ec2-port-25-throttle',
      ru: 'AWS открывает его по заявке: https://repost.aws/knowledge-center/ec2-port-25-throttle',
    },
  },
  {
    name: 'Azure',
    vendor: /^Microsoft/,
    names: /\.cloudapp\.(azure\.com|net)$/,
    port25: {
      en: 'Azure opens it for some subscriptions only: https://learn.microsoft.com/azure/virtual-network/troubleshoot-outbound-smtp-connectivity',
      ru: 'Azure открывает его не для всех подписок: https://learn.microsoft.com/azure/virtual-network/troubleshoot-outbound-smtp-connectivity',
    },
  },
  {
    name: 'Hetzner',
    vendor: /^Hetzner/,
    names: /\.your-(server|cloud)\.(de|host)$/,
    port25: {
      en: 'Hetzner opens it on request, in the console under Limits, after the first paid invoice',
      ru: 'Hetzner открывает его по заявке (консоль, раздел Limits) после первого оплаченного счёта',
    },
  },
  {
    name: 'DigitalOcean',
    vendor: /^DigitalOcean/,
    names: /(?!)/,
    port25: {
      en: 'DigitalOcean keeps it closed: use a relay or another host',
      ru: 'DigitalOcean держит его закрытым: нужен сервер-посредник (relay) или другой хостинг',
    },
  },
  {
    name: 'OVH',
    vendor: /^OVH/,
    names: /\.(ovh\.(net|ca|us)|kimsufi\.com)$/,
    port25: {
      en: 'ask OVH why: it is closed for new accounts and after spam reports',
      ru: 'спросите OVH о причине: порт закрывают новым клиентам и после жалоб на спам',
    },
  },
  {
    name: 'Vultr',
    vendor: /^Vultr/,
    names: /\.vultrusercontent\.com$/,
    port25: {
      en: 'Vultr opens it on request: write a support ticket',
      ru: 'Vultr открывает его по заявке в поддержку',
    },
  },
  {
    name: 'Akamai (Linode)',
    vendor: /^(Linode|Akamai)/,
    names: /\.(linodeusercontent|members\.linode)\.com$/,
    port25: {
      en: 'Akamai (Linode) opens it on request: write a support ticket',
      ru: 'Akamai (Linode) открывает его по заявке в поддержку',
    },
  },
  {
    name: 'Scaleway',
    vendor: /^Scaleway/,
    names: /\.scw\.cloud$/,
    port25: {
      en: 'Scaleway opens it in the security group ("Enable SMTP") once your account is verified',
      ru: 'Scaleway открывает его в группе безопасности («Enable SMTP») после проверки аккаунта',
    },
  },
  {
    name: 'Oracle Cloud',
    vendor: /^Oracle ?Cloud/i,
    names: /\.oraclecloud\.com$/,
    port25: {
      en: 'Oracle Cloud opens it on request: write a support ticket',
      ru: 'Oracle Cloud открывает его по заявке в поддержку',
    },
  },
  {
    name: 'Yandex Cloud',
    vendor: /^Yandex/,
    names: /\.yandexcloud\.net$/,
    port25: {
      en: 'Yandex Cloud opens it on request to its support',
      ru: 'Yandex Cloud открывает его по заявке в поддержку',
    },
  },
]

/** Who hosts us, and how they open port 25; general words for who is not known. */
export function providerOf(hints: {
  readonly vendor: string
  readonly hostNames: readonly string[]
}): {
  readonly provider: Fact
  readonly opens: Fact
} {
  const known = PROVIDERS.find(
    ({ vendor, names }) =>
      vendor.test(hints.vendor) || hints.hostNames.some((name) => names.test(name)),
  )
  if (known) return { provider: known.name, opens: known.port25 }
  return {
    provider: { en: 'the hosting provider', ru: 'хостинг' },
    opens: {
      en: 'ask the hosting provider to open outgoing port 25 (TCP), and look at the firewall of this machine',
      ru: 'попросите хостинг открыть исходящий порт 25 (TCP) и проверьте брандмауэр этой машины',
    },
  }
}
