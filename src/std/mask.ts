// Mail addresses in log lines, made unreadable for who may read logs but not know people.

/** What of an address stays: the ends of its parts, or nothing. */
export type Masking = 'masked' | 'hidden'

const ADDRESS = /[^\s<>"'(),;:=[\]\\]{1,64}@([\p{L}\p{N}](?:[\p{L}\p{N}.-]{0,253}[\p{L}\p{N}])?)/gu
/** The Message-ID looks like an address and belongs to nobody. */
const EXEMPT = 'message-id=<'

/** `bob@example.net` becomes `b***b@e***.net`, or `***@***`. */
export function maskAddresses(line: string, masking: Masking): string {
  if (!line.includes('@')) return line
  return line.replace(ADDRESS, (found, domain: string, at: number) => {
    if (line.slice(Math.max(0, at - EXEMPT.length), at) === EXEMPT) return found
    return masking === 'hidden' ? '***@***' : `${ends(found)}@${shortened(domain)}`
  })
}

function ends(address: string): string {
  const local = [...address.slice(0, address.lastIndexOf('@'))]
  return local.length > 3 ? `${local[0]}***${local.at(-1)}` : `${local[0]}***`
}

function shortened(domain: string): string {
  const dot = domain.lastIndexOf('.')
  return `${[...domain][0]}***${dot < 0 ? '' : domain.slice(dot)}`
}
