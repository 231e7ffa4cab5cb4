// Who keeps a zone, guessed from its name servers, and how that provider's forms want a record to be
// written. What is not known of a provider is left as in the last entry, which fits most.

/** How a form wants its fields. */
export type Provider = {
  readonly id: string
  readonly name: string
  /** Matches the names of its servers. */
  readonly servers: RegExp
  /** `relative`: `mail`; `absolute`: `mail.example.com.` */
  readonly names: 'relative' | 'absolute'
  /** What stands for the domain itself where names are relative; empty: the field stays empty. */
  readonly apex: '@' | ''
  /** Names in values (MX, CNAME) end in a dot. */
  readonly dotted: boolean
  /** Texts are entered in quotes, long ones cut into several of at most 255 characters. */
  readonly quoted: boolean
  /** MX: one field `10 mail.example.com` instead of a field for the priority. */
  readonly mxInOne?: boolean
  /** The TTL field: seconds, at least `least`; the word of a menu; or there is none for a record. */
  readonly ttl:
    | { readonly kind: 'seconds'; readonly least: number }
    | { readonly kind: 'menu'; readonly word: string }
    | { readonly kind: 'none' }
  /** Where records are edited. */
  readonly panel?: string
  /** The value of dns_publish.provider, where we can set records ourselves. */
  readonly publisher?: 'cloudflare' | 'route53' | 'hetzner' | 'digitalocean'
}

const seconds = (least: number) => ({ kind: 'seconds', least }) as const
const menu = (word: string) => ({ kind: 'menu', word }) as const
const none = { kind: 'none' } as const

/** Names relative, `@` for the domain, values bare. */
const plain = { names: 'relative', apex: '@', dotted: false, quoted: false } as const

const UNKNOWN: Provider = { id: 'other', name: '', servers: /^$/, ...plain, ttl: seconds(60) }

const PROVIDERS: readonly Provider[] = [
  {
    id: 'cloudflare',
    name: 'Cloudflare',
    servers: /\.ns\.cloudflare\.com$/,
    ...plain,
    ttl: menu('Auto'),
    panel: 'https://dash.cloudflare.com/ → DNS → Records',
    publisher: 'cloudflare',
  },
  {
    id: 'route53',
    name: 'Amazon Route 53',
    servers: /\.awsdns-\d+\.(com|net|org|co\.uk)$/,
    names: 'relative',
    apex: '',
    dotted: false,
    quoted: true,
    mxInOne: true,
    ttl: seconds(0),
    panel: 'AWS Console → Route 53 → Hosted zones',
    publisher: 'route53',
  },
  {
    id: 'hetzner',
    name: 'Hetzner',
    servers: /\.ns\.hetzner\.(com|de)$/,
    ...plain,
    dotted: true,
    quoted: true,
    mxInOne: true,
    ttl: seconds(60),
    panel: 'Hetzner Console → DNS',
    publisher: 'hetzner',
  },
  {
    id: 'digitalocean',
    name: 'DigitalOcean',
    servers: /^ns\d\.digitalocean\.com$/,
    ...plain,
    dotted: true,
    ttl: seconds(30),
    panel: 'https://cloud.digitalocean.com/networking/domains',
    publisher: 'digitalocean',
  },
  {
    id: 'google',
    name: 'Google Cloud DNS',
    servers: /^ns-cloud-[a-z]\d\.googledomains\.com$/,
    names: 'relative',
    apex: '',
    dotted: true,
    quoted: true,
    mxInOne: true,
    ttl: seconds(0),
    panel: 'Google Cloud Console → Network services → Cloud DNS',
  },
  {
    id: 'azure',
    name: 'Azure DNS',
    servers: /\.azure-dns\.(com|net|org|info)$/,
    ...plain,
    ttl: seconds(1),
    panel: 'https://portal.azure.com/ → DNS zones',
  },
  {
    id: 'godaddy',
    name: 'GoDaddy',
    servers: /\.domaincontrol\.com$/,
    ...plain,
    ttl: seconds(600),
    panel: 'https://dcc.godaddy.com/ → DNS',
  },
  {
    id: 'namecheap',
    name: 'Namecheap',
    servers: /\.registrar-servers\.com$/,
    ...plain,
    ttl: menu('5 min'),
    panel: 'https://ap.www.namecheap.com/ → Domain List → Manage → Advanced DNS',
  },
  {
    id: 'gandi',
    name: 'Gandi',
    servers: /\.gandi\.net$/,
    ...plain,
    dotted: true,
    quoted: true,
    ttl: seconds(300),
    panel: 'https://admin.gandi.net/ → DNS Records',
  },
  {
    id: 'ovh',
    name: 'OVHcloud',
    servers: /\.(ovh\.(net|ca)|anycast\.me)$/,
    names: 'relative',
    apex: '',
    dotted: true,
    quoted: false,
    ttl: seconds(60),
    panel: 'https://www.ovh.com/manager/ → DNS zone',
  },
  {
    id: 'porkbun',
    name: 'Porkbun',
    servers: /\.ns\.porkbun\.com$/,
    ...plain,
    apex: '',
    ttl: seconds(600),
    panel: 'https://porkbun.com/account/domains → DNS',
  },
  {
    id: 'ionos',
    name: 'IONOS',
    servers: /\.ui-dns\.(com|de|org|biz)$/,
    ...plain,
    ttl: menu('5 min'),
    panel: 'https://my.ionos.com/ → Domains & SSL → DNS',
  },
  {
    id: 'linode',
    name: 'Linode (Akamai)',
    servers: /^ns\d\.linode\.com$/,
    ...plain,
    apex: '',
    ttl: menu('5 minutes'),
    panel: 'https://cloud.linode.com/domains',
  },
  {
    id: 'vultr',
    name: 'Vultr',
    servers: /^ns\d\.vultr\.com$/,
    ...plain,
    apex: '',
    quoted: true,
    ttl: seconds(120),
    panel: 'https://my.vultr.com/dns/',
  },
  {
    id: 'reg.ru',
    name: 'REG.RU',
    servers: /^ns\d\.(reg\.ru|hosting\.reg\.ru)$/,
    ...plain,
    ttl: none,
    panel: 'https://www.reg.ru/user/account/ → DNS-серверы и управление зоной',
  },
  {
    id: 'nic.ru',
    name: 'RU-CENTER',
    servers: /\.nic\.ru$/,
    ...plain,
    dotted: true,
    ttl: seconds(300),
    panel: 'https://www.nic.ru/manager/ → DNS-хостинг',
  },
  {
    id: 'yandex-cloud',
    name: 'Yandex Cloud',
    servers: /^ns\d\.yandexcloud\.net$/,
    names: 'absolute',
    apex: '@',
    dotted: true,
    quoted: true,
    mxInOne: true,
    ttl: seconds(0),
    panel: 'Yandex Cloud → Cloud DNS',
  },
  {
    id: 'yandex-360',
    name: 'Яндекс 360',
    servers: /^dns\d\.yandex\.(net|ru)$/,
    ...plain,
    dotted: true,
    ttl: seconds(90),
    panel: 'https://admin.yandex.ru/domains',
  },
  {
    id: 'beget',
    name: 'Beget',
    servers: /^ns\d\.beget\.(com|ru|pro)$/,
    ...plain,
    apex: '',
    ttl: none,
    panel: 'https://cp.beget.com/dns',
  },
  {
    id: 'timeweb',
    name: 'Timeweb',
    servers: /^ns\d\.timeweb\.(ru|org)$/,
    ...plain,
    apex: '',
    ttl: none,
    panel: 'https://timeweb.cloud/my/domains',
  },
  {
    id: 'selectel',
    name: 'Selectel',
    servers: /\.selectel\.(ru|org|com)$/,
    names: 'absolute',
    apex: '@',
    dotted: true,
    quoted: true,
    mxInOne: true,
    ttl: seconds(60),
    panel: 'https://my.selectel.ru/network/dns',
  },
]

/** The provider of these name servers; one without a name when it is nobody we know. */
export function providerOf(servers: readonly string[]): Provider {
  return (
    PROVIDERS.find(({ servers: pattern }) => servers.some((name) => pattern.test(name))) ?? UNKNOWN
  )
}

/** By its id, as a plan carries it. */
export function providerNamed(id: string): Provider {
  return PROVIDERS.find((provider) => provider.id === id) ?? UNKNOWN
}
