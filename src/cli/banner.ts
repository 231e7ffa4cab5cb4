// What `posthorn serve` says when it is up: where everything is, and what to try.

import type { About, ListenerView, Server } from '../api/control.ts'
import type { Config } from '../config/schema.ts'
import type { Context } from './context.ts'
import { baseUrl, bracketed, reachable } from './running.ts'
import { paint } from './table.ts'

/** The whole banner; some fifteen lines. */
export function banner(
  context: Context,
  { config, server }: { config: Config; server: Server },
): string {
  const { texts, world } = context
  const { serve } = texts
  const about = server.control.about()
  const base = baseUrl(server.http.address, server.http.port)
  const live =
    about.mode === 'live' || Object.values(config.domains).some((one) => one.mode === 'live')
  const headline = paint('bold', `posthorn ${about.version}`, world.stdout)
  const mode = paint(live ? 'yellow' : 'green', live ? serve.live : serve.sandbox, world.stdout)
  const rows: [string, string][] = [
    ...about.listeners.map((one): [string, string] => [
      serve.smtp,
      `${place(one)}  ${access(context, one, config)}`,
    ]),
    [serve.http, `${base}${about.mode === 'sandbox' ? `  ${serve.captured}` : ''}`],
    [serve.name, about.hostname],
    [serve.data, config.data],
  ]
  const domains = Object.entries(config.domains).map(
    ([name, { mode: world }]) => `${name} (${texts.domain[world]})`,
  )
  if (domains.length > 0) rows.push([serve.domains, domains.join(', ')])
  const lines = [
    `${headline}  ${mode}`,
    '',
    ...columns(rows),
    '',
    ...columns(tries(context, about, { config, base })),
  ]
  if (about.speakingAddresses.length > 0 && about.mode === 'sandbox') {
    lines.push('', `  ${serve.speaking}`)
    const rows = about.speakingAddresses.map(({ address, says }): [string, string] => [
      `  ${address}`,
      says[context.language],
    ])
    lines.push(...columns(rows))
  }
  return `${[...lines, '', `  ${serve.stop}`].join('\n')}\n\n`
}

function tries(
  { texts, world }: Context,
  about: About,
  { config, base }: { config: Config; base: string },
): [string, string][] {
  const listener = about.listeners.find((one) => one.auth === 'optional' && one.tls !== 'implicit')
  const address = about.mode === 'sandbox' ? ' you@example.com' : ' YOU@YOUR-PROVIDER'
  const rows: [string, string][] = [[texts.serve.tryIt, `${world.program} send-test${address}`]]
  if (!listener) return rows
  const host = reachable(listener.address)
  const domain = Object.keys(config.domains)[0] ?? 'example.test'
  const from = `hello@${domain}`
  const to = about.mode === 'sandbox' ? 'you@example.com' : address.trim()
  rows.push(
    [
      'swaks',
      `swaks --server ${bracketed(host)} --port ${listener.port} --from ${from} --to ${to}`,
    ],
    ['Python', pythonLine({ host, port: listener.port, from, to })],
    ['Django', `EMAIL_HOST = "${host}"  EMAIL_PORT = ${listener.port}`],
  )
  if (about.mode === 'sandbox')
    rows.push([texts.serve.look, `curl -s ${base}/api/v1/sandbox/messages`])
  return rows
}

function pythonLine(one: { host: string; port: number; from: string; to: string }): string {
  const message = `From: ${one.from}\\nTo: ${one.to}\\nSubject: Hello\\n\\nHi`
  const call = `sendmail('${one.from}', '${one.to}', '${message}')`
  return `python3 -c "import smtplib; smtplib.SMTP('${one.host}', ${one.port}).${call}"`
}

function place({ address, port, tls }: ListenerView): string {
  const note = tls === 'none' ? '' : tls === 'implicit' ? ' TLS' : ' STARTTLS'
  return `${bracketed(address)}:${port}${note}`
}

function access({ texts }: Context, { auth }: ListenerView, { networks }: Config): string {
  return auth === 'required'
    ? texts.serve.withPassword
    : texts.serve.noPassword(networks.join(', ') || '-')
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2
  return rows.map(([name, value]) => `  ${name.padEnd(width)}${value}`)
}
