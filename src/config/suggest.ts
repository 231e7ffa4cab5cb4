/**
 * The known word that a mistyped one most likely meant; undefined when none is near.
 * @param candidates known words; compared without case, and `-` counts as `_`
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(word)
  const bound = Math.max(1, Math.floor(wanted.length * 0.34))
  let best: string | undefined
  let bestDistance = bound + 1
  for (const candidate of candidates) {
    const known = plain(candidate)
    if (Math.abs(known.length - wanted.length) > bound) continue
    const distance = editDistance(wanted, known)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function plain(word: string): string {
  return word.slice(0, 80).toLowerCase().replaceAll('-', '_')
}

/** Insertions, deletions, replacements and swapped neighbours (Damerau). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let distance = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, beforeLast[j - 2]! + 1)
      }
      row.push(distance)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}
