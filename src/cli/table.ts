import { stripVTControlCharacters, styleText } from 'node:util'
import Table from 'cli-table3'
import type { Output } from './world.ts'

/** A table without lines, as wide as its content; the last column is cut to the terminal. */
export function formatTable(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  output: Output,
): string {
  const clean = rows.map((row) => row.map(oneLine))
  const head = columns.map((column) => paint('bold', column, output))
  const table = new Table({
    head,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: noLines,
    ...(output.isTTY ? { colWidths: fit(columns, clean, output.columns) } : {}),
  })
  table.push(...clean.map((row) => [...row]))
  return `${table
    .toString()
    .split('\n')
    .map((line) => `  ${line.trimEnd()}`)
    .join('\n')}\n`
}

const noLines = Object.fromEntries(
  [
    ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left'],
    ['bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ]
    .flat()
    .map((name) => [name, '']),
)

/** Foreign text (replies, subjects) must not move the cursor. */
export function oneLine(text: string): string {
  return stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
}

function fit(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): (number | null)[] {
  const widths = columns.map(
    (column, i) => Math.max(column.length, ...rows.map((row) => row[i]?.length ?? 0)) + 2,
  )
  const before = widths.slice(0, -1).reduce((sum, one) => sum + one, 2)
  const last = Math.max(12, width - before)
  return widths.map((one, i) => (i === widths.length - 1 && one > last ? last : null))
}

/** Colour helps and never tells: NO_COLOR and files get the same words. */
export function paint(
  style: 'bold' | 'dim' | 'green' | 'red' | 'yellow',
  text: string,
  output: Output,
): string {
  return output.isTTY ? styleText(style, text) : text
}
