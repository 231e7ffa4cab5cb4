// Which image is meant, by what is given; nothing of an image's means our own configuration alone.

import { translateBoky } from './boky.ts'
import { Draft, type Surroundings, type Translation } from './draft.ts'
import type { ContainerInput } from './image.ts'
import { isServiceLink } from './service-link.ts'
import { translateVersatile } from './versatile.ts'
import { translateWader } from './wader.ts'

export type Image = 'versatile-postfix' | 'boky/postfix' | 'wader/postfix-relay'

const VERSATILE = /^(POSTFIX_RAW_CONFIG_.+|DISABLE_DKIM|DKIM_CANONICALIZATION|ALIASES)$/i
const WADER = /^(OPENDKIM_DOMAINS|POSTFIXMASTER_.+|POSTSRSD_.+|RSYSLOG_.+|POSTMASTER_ADDRESS)$/
const BOKY = new RegExp(
  `^(${[
    'ALLOWED_SENDER_DOMAINS|ALLOW_EMPTY_SENDER_DOMAINS|AUTOSET_HOSTNAME(_SERVICES)?',
    'ANONYMIZE_EMAILS|(SASL_)?RELAYHOST(_.+)?|XOAUTH2_.+|SMTPD_SASL_USERS|MASQUERADED_DOMAINS',
    'SMTP_HEADER_CHECKS|DKIM_(BACKEND|AUTOGENERATE|SELECTOR)|INBOUND_DEBUGGING|RSPAMD_.+__.+',
    'SKIP_ROOT_SPOOL_CHOWN|MYNETWORKS|MESSAGE_SIZE_LIMIT',
  ].join('|')})$`,
)

/** The image that these arguments and variables were written for; undefined when they are for none. */
export function imageOf({ args, environment }: ContainerInput): Image | undefined {
  const names = Object.keys(environment).filter(
    (name) => environment[name] !== undefined && !isServiceLink(name, environment[name]),
  )
  const any = (pattern: RegExp) => names.some((name) => pattern.test(name))
  if (args.length > 0 || any(VERSATILE)) return 'versatile-postfix'
  if (any(WADER)) return 'wader/postfix-relay'
  if (any(BOKY)) return 'boky/postfix'
  return any(/^POSTFIX_.+/) ? 'wader/postfix-relay' : undefined
}

/** The configuration that an image's arguments and variables mean. */
export function translateContainer(
  image: Image,
  input: ContainerInput,
  around: Surroundings,
): Translation {
  const draft = new Draft()
  TRANSLATORS[image]({ draft, input, around })
  return draft.finish()
}

const TRANSLATORS: Readonly<Record<Image, typeof translateBoky>> = {
  'versatile-postfix': translateVersatile,
  'boky/postfix': translateBoky,
  'wader/postfix-relay': translateWader,
}
