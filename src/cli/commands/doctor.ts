import type { Command } from 'commander'
import type { DoctorReport } from '../../api/control.ts'
import { ApiFault, type Client, connect } from '../client.ts'
import { type Builder, type Flags, leaf } from '../command.ts'
import type { Context } from '../context.ts'
import { formatReport } from '../report.ts'
import { CliFault, EXIT } from '../world.ts'
import { doctorTexts } from './doctor.texts.ts'

const WATCH_EVERY_MS = 15_000

export function doctorCommand(builder: Builder, parent: Command): void {
  const { texts, language } = builder
  const command = parent
    .command('doctor [domain]')
    .description(doctorTexts[language].doctor)
    .option('--watch', doctorTexts[language].watch)
    .option('--json', texts.options.json)
  leaf(command, builder, {
    examples: ['doctor', 'doctor example.com', 'doctor example.com --watch', 'doctor --json'],
    run: doctor,
  })
}

async function doctor(context: Context, [domain]: readonly string[], flags: Flags) {
  const watch = flags.watch === true
  let before = ''
  for (;;) {
    const { healthy, text } = await look(context, domain, flags)
    if (text !== before) context.out(text)
    before = text
    if (healthy || !watch) return healthy ? EXIT.ok : EXIT.failed
    await context.world.clock.sleep(WATCH_EVERY_MS)
  }
}

/** One round, with what is to be printed of it. The data folder is not held between rounds. */
async function look(
  context: Context,
  domain: string | undefined,
  flags: Flags,
): Promise<{ healthy: boolean; text: string }> {
  await using client = await connect(context)
  const path = `/api/v1/doctor${domain === undefined ? '' : `?domain=${encodeURIComponent(domain)}`}`
  if (flags.json) {
    const raw = await ask(context, client, { path, domain, how: 'raw' })
    return { healthy: (raw as DoctorReport).healthy, text: JSON.stringify(raw, null, 2) }
  }
  const report = (await ask(context, client, { path, domain, how: 'call' })) as DoctorReport
  return { healthy: report.healthy, text: formatReport(report, { context, domain }) }
}

async function ask(
  { language, world }: Context,
  client: Client,
  { path, domain, how }: { path: string; domain: string | undefined; how: 'raw' | 'call' },
): Promise<unknown> {
  try {
    return await client[how]('GET', path)
  } catch (error) {
    if (!(error instanceof ApiFault) || error.code !== 'NOT_FOUND') throw error
    throw new CliFault(doctorTexts[language].unknownDomain(domain ?? '', world.program))
  }
}
