// The SPF record to publish in place of what is there: everything that others need stays, our own
// addresses come first, and there is one of it (RFC 7208 §3.2).

import { parseSpf } from '../auth/spf-record.ts'

/** @param published the SPF records that stand there now, any number, readable or not */
export function withOurs(
  published: readonly string[],
  ours: { readonly hostname: string; readonly addresses: readonly string[] },
): string {
  const networks = ours.addresses.map((one) => `${one.includes(':') ? 'ip6' : 'ip4'}:${one}`)
  const unknown = published.length > 0 ? [] : [`a:${ours.hostname}`]
  const wanted = networks.length > 0 ? networks : unknown
  const terms = published
    .flatMap((record) => record.split(' ').slice(1))
    .filter((term) => term !== '' && isReadable(term))
  // A redirect in one of several can only go on as an include.
  const redirects = terms.filter((term) => /^redirect=/i.test(term))
  const alls = terms.filter((term) => /^[+?~-]?all$/i.test(term))
  const rest = terms.filter((term) => !redirects.includes(term) && !alls.includes(term))
  const alone = published.length === 1
  const follow = alone
    ? alls.length > 0
      ? []
      : redirects
    : redirects.map((term) => `include:${term.slice('redirect='.length)}`)
  const end = alls[0] ?? (alone && redirects.length > 0 ? [] : '~all')
  return ['v=spf1', ...new Set([...wanted, ...rest, ...follow].concat(end))].join(' ')
}

function isReadable(term: string): boolean {
  return !('fault' in parseSpf(`v=spf1 ${term}`))
}
