import type { ConfigFault } from './faults.ts'
import type { Text } from './language.ts'
import type { RawConfig } from './schema.ts'

type Settings = RawConfig['dnsPublish']

const needed: Readonly<Record<NonNullable<Settings['provider']>, readonly (keyof Settings)[]>> = {
  rfc2136: ['server'],
  cloudflare: ['token'],
  hetzner: ['token'],
  digitalocean: ['token'],
  route53: ['accessKeyId', 'secretAccessKey'],
}

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** What each provider needs is there, and a TSIG key is whole. */
export function checkDnsPublish(
  { dnsPublish }: RawConfig,
  add: (code: ConfigFault['code'], path: string, says: Text) => void,
): void {
  const { provider, keyName, keySecret } = dnsPublish
  for (const name of provider === null ? [] : needed[provider]) {
    if (dnsPublish[name] !== null) continue
    const option = snake(name)
    add('INCOMPLETE', `dns_publish.${option}`, {
      en: `${option} is missing: ${provider} needs it`,
      ru: `не хватает ${option}: без этого ${provider} не работает`,
    })
  }
  if ((keyName === null) !== (keySecret === null)) {
    const absent = keyName === null ? 'key_name' : 'key_secret'
    add('INCOMPLETE', `dns_publish.${absent}`, {
      en: `${absent} is missing: a TSIG key has a name and a secret`,
      ru: `не хватает ${absent}: у ключа TSIG есть имя и секрет`,
    })
  }
  if (keySecret !== null && !/^[A-Za-z0-9+/]{4,}={0,2}$/.test(keySecret))
    add('BAD_VALUE', 'dns_publish.key_secret', {
      en: 'is not base64; copy it as tsig-keygen or keymgr printed it',
      ru: 'это не base64; скопируйте так, как напечатал tsig-keygen или keymgr',
    })
}
