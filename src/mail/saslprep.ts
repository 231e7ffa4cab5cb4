// Names and passwords that look the same are the same (SASLprep, RFC 4013).

import saslprep from '@mongodb-js/saslprep'

const PLAIN = /^[\x20-\x7e]*$/

/** Prepares a name or a password; undefined for what no profile allows, such as control characters. */
export function prepare(text: string): string | undefined {
  if (PLAIN.test(text)) return text
  try {
    return saslprep(text, { allowUnassigned: true })
  } catch {
    return undefined
  }
}
