// What a run tells: a table for people, JSON for programs, a plot for the documents.

import type { Idle } from './idle.ts'
import type { RawParts } from './raw.ts'
import type { Load, Measurement } from './run.ts'

export type Row = {
  readonly peer: string
  readonly load: Load
  readonly rounds: readonly Measurement[]
}

export type Spread = { readonly median: number; readonly min: number; readonly max: number }

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median =
    sorted.length % 2 === 1
      ? (sorted[middle] ?? 0)
      : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
  return { median, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 }
}

export const describeLoad = (load: Load): string =>
  [
    `${Math.round(load.bytes / 1000)} KB`,
    `${load.sessions} session${load.sessions === 1 ? '' : 's'}`,
    load.keep ? 'kept' : 'new',
    ...(load.starttls ? ['STARTTLS'] : []),
    ...(load.domains > 1 ? [`${load.domains} domains`] : []),
    ...(load.sinkDelayMs ? [`sink ${load.sinkDelayMs} ms late`] : []),
    ...(load.syncDelayMs ? [`syncs ${load.syncDelayMs} ms slower`] : []),
  ].join(', ')

/** Without TLS, delays or many domains: what differs is size, sessions and connections. */
export const isPlain = ({ starttls, domains, sinkDelayMs = 0, syncDelayMs = 0 }: Load): boolean =>
  !starttls && domains === 1 && sinkDelayMs + syncDelayMs === 0

const cell = (values: readonly number[], digits: number): string => {
  const { median, min, max } = spread(values)
  return `${median.toFixed(digits)} (${min.toFixed(digits)}..${max.toFixed(digits)})`
}

/** A Markdown table: one row per server and load. */
export function table(rows: readonly Row[]): string {
  const head = [
    'server',
    'load',
    'msg/s',
    'CPU ms/msg',
    'ack p50/p99 ms',
    'MiB',
    'signed',
    'missing',
  ]
  const lines = rows.map(({ peer, load, rounds }) => {
    const of = (pick: (m: Measurement) => number) => rounds.map(pick)
    const arrived = of((m) => m.arrived).reduce((a, b) => a + b, 0)
    const signed = of((m) => m.signed).reduce((a, b) => a + b, 0)
    return [
      peer,
      describeLoad(load),
      cell(of((m) => m.rate), 0), // biome-ignore format: one line a column
      cell(of((m) => m.cpuMsPerMessage), 2), // biome-ignore format: one line a column
      `${spread(of((m) => m.p50)).median.toFixed(1)} / ${spread(of((m) => m.p99)).median.toFixed(1)}`,
      spread(of((m) => m.memoryMiB)).median.toFixed(0),
      arrived === 0 ? '-' : `${((signed / arrived) * 100).toFixed(0)} %`,
      String(of((m) => m.accepted - m.arrived).reduce((a, b) => a + b, 0)),
    ]
  })
  return markdown(head, lines)
}

export type IdleRow = { readonly peer: string; readonly rounds: readonly Idle[] }

/** One message at a time on an idle server: in a row, and with pauses. */
export function idleTable(rows: readonly IdleRow[]): string {
  const head = ['one at a time', 'in a row: sink p50', 'p99', 'accepted p50', 'p99']
  head.push('cold: sink p50', 'p99', 'accepted p50', 'p99 (ms)')
  const times = ['p50', 'p99', 'accepted50', 'accepted99'] as const
  const series = ['inARow', 'cold'] as const
  const lines = rows.map(({ peer, rounds }) => [
    peer,
    ...series.flatMap((one) => times.map((time) => cell(rounds.map((r) => r[one][time]), 1))), // biome-ignore format: one line
  ])
  return markdown(head, lines)
}

function markdown(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...lines.map((line) => (line[i] ?? '').length)),
  )
  const draw = (cells: readonly string[]) =>
    `| ${cells.map((text, i) => text.padEnd(widths[i] ?? 0)).join(' | ')} |`
  return [
    draw(head),
    `|${widths.map((w) => '-'.repeat(w + 2)).join('|')}|`,
    ...lines.map(draw),
  ].join('\n')
}

export function rawTable(raw: RawParts): string {
  const micros = (value: number) => `${value.toFixed(0)} µs`
  return [
    'raw parts of one message (CPU):',
    `  RSA-2048 signature    ${micros(raw.signature)}`,
    `  SHA-256               ${micros(raw.sha256)}`,
    `  commit and removal    ${micros(raw.commit)}  (20 to a sync)`,
    `  both dialogues, kept  ${micros(raw.dialogueKept)}`,
    `  both dialogues, new   ${micros(raw.dialogueNew)}`,
    `  generator into sink   ${raw.sinkRateKept.toFixed(0)}/s kept, ${raw.sinkRateNew.toFixed(0)}/s new: the ceiling of this bench`,
  ].join('\n')
}

export const rawSumMs = (raw: RawParts, keep: boolean): number =>
  (raw.signature + raw.sha256 + raw.commit + (keep ? raw.dialogueKept : raw.dialogueNew)) / 1000

const COLOURS = ['#1b6ca8', '#c8553d', '#6a994e', '#8d6a9f']
const DASHES = ['', '7 4', '2 3', '9 3 2 3']

/** Rate and CPU over sessions and over size, a panel each; lines differ in colour and dash. */
export function plot(rows: readonly Row[]): string {
  const plain = rows.filter(({ load }) => load.keep && isPlain(load))
  const over = (pick: (load: Load) => number, where: (load: Load) => boolean) =>
    plain.filter(({ load }) => where(load)).map((row) => ({ row, x: pick(row.load) }))
  const bySessions = over((l) => l.sessions, (l) => l.bytes <= 5000) // biome-ignore format: one line
  const bySize = over((l) => l.bytes / 1000, (l) => l.sessions === 20) // biome-ignore format: one line
  const rate = (row: Row) => spread(row.rounds.map((m) => m.rate)).median
  const cpu = (row: Row) => spread(row.rounds.map((m) => m.cpuMsPerMessage)).median
  const peers = [...new Set(plain.map(({ peer }) => peer))]
  const panels = [
    panel({ title: 'messages a second over sessions (5 KB)', points: bySessions, y: rate, peers }),
    panel({ title: 'CPU ms a message over sessions (5 KB)', points: bySessions, y: cpu, peers }),
    panel({ title: 'messages a second over KB (20 sessions)', points: bySize, y: rate, peers }),
    panel({ title: 'CPU ms a message over KB (20 sessions)', points: bySize, y: cpu, peers }),
  ]
  const legend = peers
    .map(
      (peer, i) =>
        `<g transform="translate(${30 + i * 210},590)"><line x2="34" stroke="${COLOURS[i % 4]}" stroke-width="2.5" stroke-dasharray="${DASHES[i % 4]}"/><text x="42" y="4">${peer}</text></g>`,
    )
    .join('')
  const placed = panels
    .map((p, i) => `<g transform="translate(${(i % 2) * 430},${(i >> 1) * 280})">${p}</g>`)
    .join('\n')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 610" font-family="system-ui, sans-serif" font-size="12" fill="#222"><rect width="860" height="610" fill="#fff"/>\n${placed}\n${legend}</svg>\n`
}

type Panel = {
  readonly title: string
  readonly points: readonly { row: Row; x: number }[]
  readonly y: (row: Row) => number
  readonly peers: readonly string[]
}

function panel({ title, points, y, peers }: Panel): string {
  const [left, top, width, height] = [60, 40, 340, 190]
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b)
  const highest = Math.max(...points.map(({ row }) => y(row)), 0.001) * 1.1
  const px = (x: number) => left + (xs.length > 1 ? (xs.indexOf(x) / (xs.length - 1)) * width : 0)
  const py = (value: number) => top + height - (value / highest) * height
  const ticks = [0, 0.5, 1].map((share) => {
    const value = highest * share
    const text = value >= 10 ? value.toFixed(0) : value.toFixed(2)
    return `<line x1="${left}" x2="${left + width}" y1="${py(value)}" y2="${py(value)}" stroke="#ddd"/><text x="${left - 6}" y="${py(value) + 4}" text-anchor="end">${text}</text>`
  })
  const labels = xs.map(
    (x) => `<text x="${px(x)}" y="${top + height + 18}" text-anchor="middle">${x}</text>`,
  )
  const lines = peers.map((peer, i) => {
    const own = points.filter(({ row }) => row.peer === peer).sort((a, b) => a.x - b.x)
    const path = own.map(({ row, x }) => `${px(x)},${py(y(row))}`)
    const dots = own.map(
      ({ row, x }) => `<circle cx="${px(x)}" cy="${py(y(row))}" r="3.5" fill="${COLOURS[i % 4]}"/>`,
    )
    return `<polyline points="${path.join(' ')}" fill="none" stroke="${COLOURS[i % 4]}" stroke-width="2.5" stroke-dasharray="${DASHES[i % 4]}"/>${dots.join('')}`
  })
  return `<text x="${left}" y="22" font-weight="600">${title}</text>${ticks.join('')}${labels.join('')}${lines.join('')}`
}
