// Durations and sizes as people write them: `5m`, `1h30m`, `25MiB`.

const DURATION_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

const SIZE_BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  tb: 1000 ** 4,
}

/** Reads `250ms`, `30s`, `5m`, `1h30m`, `3d`, `1w`; milliseconds, or undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const compact = text.trim().toLowerCase().replace(/\s+/g, '')
  if (!/^(\d{1,12}(\.\d{1,6})?(ms|s|m|h|d|w))+$/.test(compact)) return undefined
  let ms = 0
  for (const [, amount, unit] of compact.matchAll(/([\d.]+)(ms|s|m|h|d|w)/g)) {
    ms += Number(amount) * DURATION_MS[unit!]!
  }
  return Number.isSafeInteger(Math.round(ms)) ? Math.round(ms) : undefined
}

/** Reads `25MiB`, `10 MB`, `1.5GiB` or a plain number of bytes; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,6})?)\s*([kmgt]i?b|b)?$/i.exec(text.trim())
  if (!match) return undefined
  const bytes = Math.round(Number(match[1]) * SIZE_BYTES[(match[2] ?? 'b').toLowerCase()]!)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** The shortest exact form: `90000` → `1m30s`. */
export function formatDuration(ms: number): string {
  let rest = ms
  let text = ''
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const count = Math.floor(rest / DURATION_MS[unit]!)
    if (count > 0) text += `${count}${unit}`
    rest -= count * DURATION_MS[unit]!
  }
  return text || '0s'
}

/** Exact where a binary unit fits (`25MiB`), else plain bytes. */
export function formatSize(bytes: number): string {
  for (const [unit, factor] of [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`
  }
  return `${bytes}B`
}
