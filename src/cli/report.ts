// The doctor's report on a terminal: grouped, a sign before every line, the fix indented under what
// it mends, and one next command. Signs tell, colours only help.

import type { DoctorReport } from '../api/control.ts'
import { describeFinding } from '../doctor/catalogue.ts'
import type { Finding, Severity } from '../doctor/check.ts'
import type { Demand } from '../doctor/demands.ts'
import type { CheckResult } from '../doctor/doctor.ts'
import { type DoctorTexts, doctorTexts } from './commands/doctor.texts.ts'
import type { Context } from './context.ts'
import { oneLine, paint } from './table.ts'

const SIGNS: Readonly<Record<Severity, string>> = {
  ok: '✓',
  note: '-',
  warning: '!',
  error: '✗',
  unknown: '?',
}
const COLOURS = {
  ok: 'green',
  note: 'dim',
  warning: 'yellow',
  error: 'red',
  unknown: 'dim',
} as const
const WIDEST = 110
const NARROWEST = 50

type Page = { readonly context: Context; readonly texts: DoctorTexts; readonly width: number }

/** The whole report, ready to print. `domain` is the one that was asked for. */
export function formatReport(
  report: DoctorReport,
  { context, domain }: { context: Context; domain: string | undefined },
): string {
  const texts = doctorTexts[context.language]
  const { stdout } = context.world
  const page = {
    context,
    texts,
    width: Math.max(NARROWEST, Math.min(stdout.columns || 100, WIDEST)),
  }
  const blocks = [
    [paint('bold', texts.thisServer(report.hostname), stdout), ...linesOf(report.host, page)],
    ...report.domains.map((one) => [
      paint('bold', `${one.domain}, ${texts.domain[one.world]}`, stdout),
      ...linesOf(one.checks, page),
    ]),
    ending(report, { page, domain }),
  ]
  return blocks.map((lines) => lines.join('\n')).join('\n\n')
}

function linesOf(checks: readonly CheckResult[], page: Page): string[] {
  const titles = [...new Set(checks.map(({ group }) => group))]
  const margin = Math.max(...Object.values(page.texts.groups).map(({ length }) => length)) + 4
  return titles.flatMap((group) => {
    const findings = checks.filter((check) => check.group === group).flatMap((one) => one.findings)
    // Two checks that got no answer to the same question say so once.
    const said = new Map(
      findings
        .map((one) => formatFinding(one, { page, margin }))
        .map((lines) => [lines.join('\n'), lines]),
    )
    const lines = [...said.values()].flat()
    const title = `  ${page.texts.groups[group]}`.padEnd(margin)
    return lines.map((line, i) => (i === 0 ? title : ' '.repeat(margin)) + line)
  })
}

function formatFinding(
  finding: Finding,
  { page, margin }: { page: Page; margin: number },
): string[] {
  const { context, texts, width } = page
  const { stdout, program } = context.world
  const { code, severity } = finding
  const said = describeFinding(finding, context.language)
  const colour = COLOURS[severity]
  const inner = width - margin - 2
  const bad = severity === 'error' || severity === 'warning'
  const what = bad ? `${code}  ${oneLine(said.saw)}` : oneLine(said.saw)
  const lines = wrap(what, inner).map((line, i) => {
    const text = i === 0 ? `${SIGNS[severity]} ${line}` : `  ${line}`
    return i === 0 || !bad ? paint(colour, text, stdout) : text
  })
  if (!bad) return lines
  const rest = [
    ...wrap(oneLine(said.why ?? ''), inner),
    ...wrap(`${texts.fix} ${oneLine(said.fix ?? '')}`, inner),
    // Never wrapped: it is there to be copied.
    ...(said.paste ?? '')
      .split('\n')
      .filter(Boolean)
      .map((line) => `  ${paint('bold', oneLine(line), stdout)}`),
    paint('dim', `${texts.more} ${program} explain ${code}`, stdout),
  ]
  return [...lines, ...rest.map((line) => `  ${line}`)]
}

function ending(
  report: DoctorReport,
  { page, domain }: { page: Page; domain: string | undefined },
): string[] {
  const { texts, context } = page
  const { program } = context.world
  const { counts, domains } = report
  const summary = texts.summary(counts)
  const lines = [summary === '' ? texts.none : `${summary}.`]
  if (report.leftOut > 0) lines.push(texts.leftOut(report.leftOut))
  const command = [program, 'doctor', domain].filter(Boolean).join(' ')
  if (counts.error > 0) lines.push(texts.until(`${command} --watch`))
  else if (domains.length === 0)
    lines.push(texts.noDomains, texts.next(`${program} domain add example.com`))
  return lines
}

/** What stands between a domain and the world; what is met is one line. */
export function formatDemands(
  demands: readonly Demand[],
  { context }: { context: Context },
): { readonly met: string; readonly unmet: string } {
  const texts = doctorTexts[context.language]
  const { stdout } = context.world
  const width = Math.max(NARROWEST, Math.min(stdout.columns || 100, WIDEST))
  const groupsOf = (some: readonly Demand[]) =>
    [...new Set(some.map(({ group }) => texts.groups[group]))].join(', ')
  const unmet = demands.filter(({ state }) => state !== 'met')
  const met = demands.filter(({ state }) => state === 'met')
  const checks = unmet.map(({ findings, ...check }) => {
    const against = findings.filter(({ severity }) => severity !== 'ok' && severity !== 'note')
    return { ...check, findings: against.length > 0 ? against : findings }
  })
  return {
    met: met.length === 0 ? '' : paint('green', `✓ ${groupsOf(met)}`, stdout),
    unmet: linesOf(checks, { context, texts, width }).join('\n'),
  }
}

/** Breaks at spaces; a word that is longer than the line stays whole, so that it can be copied. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return line === '' ? lines : [...lines, line]
}
