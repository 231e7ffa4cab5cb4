// One DMARC record out of what is published and what we would begin with (RFC 9989 §4.7). A policy
// that is there, strict or not, is its owner's decision and stays.

/** Gone since RFC 9989 (appendix of changes): receivers ignore them. */
const REMOVED_TAGS = ['pct', 'rf', 'ri']

export type MergedDmarc = {
  readonly value: string
  /** Tags that no longer mean anything and are left out. */
  readonly removed: readonly string[]
  /** The published policy asks for more than watching. */
  readonly stricter: boolean
}

/** Keeps the published record where it is good, and completes it with our `rua` where it has none. */
export function mergeDmarc(published: string | undefined, ours: string): MergedDmarc {
  if (published === undefined) return { value: ours, removed: [], stricter: false }
  const tags = readTags(published)
  const policy = tags.get('p')?.toLowerCase() ?? ''
  const valid = ['none', 'quarantine', 'reject'].includes(policy)
  const removed = REMOVED_TAGS.filter((tag) => tags.has(tag))
  const stricter = policy === 'quarantine' || policy === 'reject'
  if (valid && removed.length === 0 && tags.has('rua'))
    return { value: published, removed: [], stricter }
  // Nothing asked for was ever done to `pct=0`, which is what `t=y` says now (RFC 9989 §4.7).
  if (tags.get('pct') === '0' && !tags.has('t')) tags.set('t', 'y')
  for (const tag of ['v', 'p', ...REMOVED_TAGS]) tags.delete(tag)
  if (!tags.has('rua')) tags.set('rua', readTags(ours).get('rua') ?? '')
  const rest = [...tags].map(([name, value]) => `${name}=${value}`)
  return {
    value: ['v=DMARC1', `p=${valid ? policy : 'none'}`, ...rest].join('; '),
    removed,
    stricter,
  }
}

function readTags(record: string): Map<string, string> {
  const tags = new Map<string, string>()
  for (const part of record.split(';')) {
    const [, name, value] = /^\s*([a-z]+)\s*=\s*(.*?)\s*$/is.exec(part) ?? []
    if (name !== undefined && !tags.has(name.toLowerCase())) tags.set(name.toLowerCase(), value!)
  }
  return tags
}
