// `posthorn policy test FROM TO…`: what would become of a message, without one.

import { isIP } from 'node:net'
import type { Command } from 'commander'
import type { PolicyAnswer, RouteView } from '../../api/policy.ts'
import { connect } from '../client.ts'
import {
  type Builder,
  type Flags,
  group,
  leaf,
  printJson,
  textFlag,
  usageFault,
} from '../command.ts'
import type { Context } from '../context.ts'
import { oneLine } from '../table.ts'
import { EXIT } from '../world.ts'
import { policyTexts } from './policy.texts.ts'

type Texts = ReturnType<typeof policyTexts>

export function policyCommand(builder: Builder): Command {
  const { help } = policyTexts(builder.language)
  const parent = group('policy', help.policy)
  leaf(
    parent
      .command('test <from> <to...>')
      .description(help.test)
      .option('--client <address>', help.client)
      .option('--credential <name>', help.credential)
      .option('--json', builder.texts.options.json),
    builder,
    {
      examples: [
        'policy test app@example.com bob@gmail.com',
        'policy test root root --client 172.17.0.3',
        'policy test app@example.com bob@gmail.com --credential app --json',
      ],
      run: test,
    },
  )
  return parent
}

async function test(context: Context, [from = '', ...to]: readonly string[], flags: Flags) {
  const address = textFlag(flags, 'client')
  if (address !== undefined && isIP(address) === 0)
    throw usageFault(policyTexts(context.language).notAnIp(address))
  await using client = await connect(context)
  const given = (name: string) => {
    const value = textFlag(flags, name)
    return value === undefined ? {} : { [name]: value }
  }
  const body = { from, to, ...given('client'), ...given('credential') }
  const path = '/api/v1/policy/test'
  const answer = await client.call<PolicyAnswer>('POST', path, body)
  if (flags.json) printJson(context, await client.raw('POST', path, body))
  else print(context, answer, textFlag(flags, 'credential'))
  const refused = answer.recipients.some((one) => one.refused !== null)
  return answer.rights.may && !refused ? EXIT.ok : EXIT.failed
}

function print(context: Context, answer: PolicyAnswer, credential: string | undefined): void {
  const texts = policyTexts(context.language)
  const out = (text: string) => context.out(oneLine(text))
  out(texts.client(answer.client))
  if (answer.distrusted) out(`  ${texts.distrusted}`)
  for (const { name, address, port, may } of answer.listeners) {
    const says = may
      ? credential === undefined
        ? texts.free
        : texts.loggedIn(credential)
      : texts.password
    out(`  ${name} ${address.includes(':') ? `[${address}]` : address}:${port}  ${says}`)
  }
  const { sender, rights } = answer
  out(`${texts.sender} <${sender.given}>`)
  for (const line of changesOf(sender.changes, texts)) out(`  ${line}`)
  if (rights.may) {
    out(`  ${texts.may(rights.domain, rights.world)}`)
    const names = rights.selectors.map((one) => `${one}._domainkey.${rights.domain}`)
    out(`  ${names.length > 0 ? texts.signed(names.join(', ')) : texts.unsigned}`)
  } else out(`  ${texts.refused(rights.reply)}`)
  if (answer.credentials.length > 0) out(`  ${texts.credentials(answer.credentials.join(', '))}`)
  for (const recipient of answer.recipients) {
    out(`${texts.recipient} <${recipient.given}>`)
    for (const line of changesOf(recipient.changes, texts)) out(`  ${line}`)
    if (recipient.refused !== null) out(`  ${texts.refused(recipient.refused)}`)
    else if (recipient.routes.length === 0) out(`  ${texts.thrownAway}`)
    for (const route of recipient.routes) out(`  ${routeText(route, texts)}`)
  }
  if (answer.copies.length > 0) out(texts.copies)
  for (const route of answer.copies) out(`  ${routeText(route, texts)}`)
}

function changesOf(changes: PolicyAnswer['sender']['changes'], texts: Texts): string[] {
  if (changes.length === 0) return [texts.unchanged]
  return changes.map(({ step, to }) => `rewrite.${step}: ${to || texts.thrownAway}`)
}

function routeText({ to, site, by, host, port }: RouteView, texts: Texts): string {
  const where = by === 'sandbox' ? texts.sandbox : texts[by](host, port)
  return `<${to}>  ${where}  (${texts.site(site)})`
}
