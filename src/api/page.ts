// GET /: one plain page for the person who opens the port in a browser.

import { createHash } from 'node:crypto'
import type { Language } from '../config/language.ts'
import type { About } from './control.ts'

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem;color:#222;background:#fff}
code,pre{font-family:ui-monospace,monospace;font-size:.9em}pre{overflow-x:auto;padding:.75rem;border:1px solid #888;border-radius:4px}
a{color:#0b57d0}@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}a{color:#8ab4f8}}`

/** For style-src: the page has this style and nothing else. */
export const STYLE_HASH = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`

const texts = {
  en: {
    what: 'a send-only mail server',
    sandbox: 'Sandbox: mail is captured, nothing leaves this machine.',
    live: 'Live: mail is delivered.',
    smtp: 'SMTP',
    try: 'Try it',
    see: 'To look at',
    captured: 'captured messages, newest first',
    ready: 'is the server ready?',
    metrics: 'metrics for Prometheus',
  },
  ru: {
    what: 'почтовый сервер, который только отправляет',
    sandbox: 'Песочница: письма задерживаются здесь, ничего не уходит с этой машины.',
    live: 'Боевой режим: письма доставляются.',
    smtp: 'SMTP',
    try: 'Попробуйте',
    see: 'Посмотреть',
    captured: 'задержанные письма, новые сверху',
    ready: 'готов ли сервер?',
    metrics: 'метрики для Prometheus',
  },
} as const

export function homePage(about: About, language: Language): string {
  const text = texts[language]
  const smtp = about.listeners.map((one) => `${one.address}:${one.port}`).join(', ')
  const links = [
    ['/api/v1/sandbox/messages', text.captured],
    ['/readyz', text.ready],
    ['/metrics', text.metrics],
  ].map(([path, says]) => `<li><a href="${path}"><code>${path}</code></a> ${says}</li>`)
  return `<!doctype html>
<html lang="${language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Posthorn</title><style>${STYLE}</style>
<h1>Posthorn ${escapeHtml(about.version)}</h1>
<p>${escapeHtml(about.hostname)}: ${text.what}. <strong>${text[about.mode]}</strong></p>
<p>${text.smtp}: <code>${escapeHtml(smtp)}</code></p>
<h2>${text.try}</h2>
<pre>posthorn send-test you@example.com</pre>
<h2>${text.see}</h2>
<ul>${links.join('')}</ul>
</html>
`
}

/** The language that a browser asks for; English unless Russian comes first. */
export function languageOf(acceptLanguage: string | undefined): Language {
  let best: { language: Language; quality: number } = { language: 'en', quality: 0 }
  for (const item of (acceptLanguage ?? '').slice(0, 500).split(',')) {
    const [, name, q] = /^\s*(en|ru)\b[\w-]*\s*(?:;\s*q=([\d.]+))?/i.exec(item) ?? []
    if (name === undefined) continue
    const quality = q === undefined ? 1 : Number(q)
    if (quality > best.quality) best = { language: name.toLowerCase() as Language, quality }
  }
  return best.language
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)
}
