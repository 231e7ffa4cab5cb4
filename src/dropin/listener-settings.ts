// Settings of smtpd: where it listens, with which certificate, and who may send.

import type { Text } from '../config/language.ts'
import type { Surroundings } from './draft.ts'
import { isYes, words } from './main-cf.ts'
import type { Given, SettingsReader } from './settings.ts'
import { postfixNetwork } from './units.ts'

export function translateListener(reader: SettingsReader): void {
  interfaces(reader)
  certificate(reader)
  offered(reader)
  restrictions(reader)
  logins(reader)
}

/** Every address of this machine; one socket for both families where there is IPv6. */
export function anyAddress({ read }: Pick<Surroundings, 'read'>): string {
  return (read('/proc/net/if_inet6') ?? '') === '' ? '0.0.0.0' : '::'
}

function interfaces(reader: SettingsReader) {
  const given = reader.take('inet_interfaces')
  if (!given) return
  const { around, draft } = reader.task
  const [first = 'all', ...more] = words(given.value)
  const address =
    first === 'all'
      ? anyAddress(around)
      : /^(loopback-only|localhost)$/.test(first)
        ? '127.0.0.1'
        : postfixNetwork(first)
  if (address === undefined || address.includes('/')) {
    const says = { en: 'all, loopback-only or an address', ru: 'all, loopback-only или адрес' }
    return reader.wrong(given, says, 'loopback-only')
  }
  reader.become(given, ['smtp', 'address'], address)
  const rest = more.filter((word) => !/^(localhost|127\.0\.0\.1|\[?::1\]?)$/.test(word))
  if (rest.length > 0) {
    draft.changed(given.name, {
      en: `one address a listener: add ${rest.join(', ')} under listeners`,
      ru: `у входа один адрес: добавьте ${rest.join(', ')} в listeners`,
    })
  }
}

function certificate(reader: SettingsReader) {
  const chain = reader.take('smtpd_tls_chain_files')
  const cert = reader.take('smtpd_tls_cert_file') ?? reader.take('smtpd_tls_eccert_file')
  const key = reader.take('smtpd_tls_key_file') ?? reader.take('smtpd_tls_eckey_file')
  const file = chain ? words(chain.value)[0] : cert?.value
  if (file === undefined || file === '' || file === 'none') return
  reader.become((chain ?? cert)!, ['tls', 'certificate'], file)
  const own = chain ? undefined : key
  reader.become((own ?? chain ?? cert)!, ['tls', 'key'], own?.value || file)
  // Guides give the intermediate certificates so; the system's own bundle is something else.
  const above = reader.take('smtpd_tls_CAfile')
  if (!above || above.value === '') return
  if (/^\/etc\/(ssl|pki)\//.test(above.value)) reader.task.draft.ignored(above.name, noClients)
  else reader.become(above, ['tls', 'chain'], above.value)
}

/** STARTTLS on the main listener. */
function offered(reader: SettingsReader) {
  const level = reader.take('smtpd_tls_security_level')
  const use = reader.take('smtpd_use_tls')
  const enforce = reader.take('smtpd_enforce_tls')
  const { draft } = reader.task
  const decisive = level?.value ? level : enforce && isYes(enforce.value) ? enforce : use
  for (const one of [level, use, enforce])
    if (one && one !== decisive)
      draft.ignored(one.name, decidedBy(decisive?.parameter ?? one.parameter))
  if (!decisive) return
  const wanted =
    decisive === level ? level.value.toLowerCase() : isYes(decisive.value) ? 'may' : 'none'
  if (!['none', 'may', 'encrypt'].includes(wanted)) {
    return reader.wrong(
      decisive,
      { en: 'none, may or encrypt', ru: 'none, may или encrypt' },
      'may',
    )
  }
  if (wanted === 'none') return reader.become(decisive, ['smtp', 'tls'], 'none')
  if (draft.get(['tls', 'certificate']) === undefined) draft.changed(decisive.name, ownAuthority)
  reader.become(decisive, ['smtp', 'tls'], 'starttls')
  if (wanted === 'encrypt' || decisive === enforce) {
    draft.changed(decisive.name, {
      en: 'TLS is offered; clients that do not ask for it are not turned away',
      ru: 'TLS предлагается; клиентам без TLS не отказывают',
    })
  }
}

const noClients: Text = {
  en: 'authorities for client certificates; clients are known by password or network',
  ru: 'центры для сертификатов клиентов; клиентов узнают по паролю или сети',
}

export const ownAuthority: Text = {
  en: 'no certificate is given (smtpd_tls_cert_file): one of an authority of our own is used',
  ru: 'сертификат не задан (smtpd_tls_cert_file): берётся выпущенный собственным центром',
}

const RESTRICTIONS = [
  'smtpd_relay_restrictions',
  'smtpd_recipient_restrictions',
  'smtpd_client_restrictions',
  'smtpd_sender_restrictions',
  'smtpd_helo_restrictions',
  'smtpd_data_restrictions',
  'smtpd_end_of_data_restrictions',
  'smtpd_etrn_restrictions',
]

/** What holds here without being said. */
const ALWAYS = new RegExp(
  `^(${[
    'permit|permit_mynetworks|permit_sasl_authenticated|reject|defer|reject_unauth_destination',
    'defer_unauth_destination|check_relay_domains|reject_unauth_pipelining',
    'reject_non_fqdn_(sender|recipient)|permit_inet_interfaces|reject_sender_login_mismatch',
  ].join('|')})$`,
)

function restrictions(reader: SettingsReader) {
  const { draft } = reader.task
  const lists = RESTRICTIONS.map((name) => reader.take(name)).filter((one) => one !== undefined)
  const relay = lists.find((one) => /relay|recipient/.test(one.parameter) && one.value !== '')
  if (relay) whoMaySend(relay, reader)
  for (const given of lists) {
    const other = words(given.value).filter((word) => !ALWAYS.test(word))
    if (other.length > 0) {
      draft.ignored(given.name, {
        en: `not applied here: ${other.join(' ')}`,
        ru: `здесь не применяется: ${other.join(' ')}`,
      })
    } else if (given !== relay) draft.understood(given.name, 'smtp.auth')
  }
}

function whoMaySend(given: Given, reader: SettingsReader) {
  const list = words(given.value)
  if (list.includes('permit_mynetworks') || !list.includes('permit_sasl_authenticated')) {
    return reader.become(given, ['smtp', 'auth'], 'optional')
  }
  reader.become(given, ['smtp', 'auth'], 'required')
}

function logins(reader: SettingsReader) {
  const { draft } = reader.task
  const enabled = reader.take('smtpd_sasl_auth_enable')
  if (enabled) draft.understood(enabled.name, 'AUTH PLAIN LOGIN')
  const type = reader.take('smtpd_sasl_type')
  const path = reader.take('smtpd_sasl_path')
  if (!enabled || !isYes(enabled.value)) {
    for (const one of [type, path]) if (one) draft.ignored(one.name, notOn)
    return
  }
  for (const one of [type, path])
    if (one)
      draft.changed(one.name, {
        en: `passwords are kept here and not asked of ${one.value}: posthorn credential add NAME`,
        ru: `пароли хранятся здесь, ${one.value} не спрашивается: posthorn credential add ИМЯ`,
      })
}

const notOn: Text = {
  en: 'smtpd_sasl_auth_enable is not on',
  ru: 'smtpd_sasl_auth_enable не включено',
}

function decidedBy(parameter: string): Text {
  return { en: `${parameter} decides`, ru: `решает ${parameter}` }
}
