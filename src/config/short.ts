// Short forms: one text for a whole section, so that an environment variable can hold it.

/** `smtp://user:password@host:587`, `smtps://host`, `host`, `host:25`, `[2001:db8::1]:25`. */
export function relayUrl(text: string): Record<string, unknown> | undefined {
  const match =
    /^(?:(smtps?):\/\/)?(?:([^:@/\s]+)(?::([^@/\s]*))?@)?(\[[0-9a-f:.]+\]|[^:@/[\]\s]+)(?::(\d{1,5}))?\/?$/i.exec(
      text.trim(),
    )
  if (!match) return undefined
  const [, scheme, username, password, host, port] = match
  const implicit = scheme?.toLowerCase() === 'smtps'
  try {
    return {
      host,
      ...(port || implicit ? { port: Number(port ?? 465) } : {}),
      ...(implicit ? { tls: 'implicit' } : {}),
      ...(username ? { username: decodeURIComponent(username) } : {}),
      ...(password ? { password: decodeURIComponent(password) } : {}),
    }
  } catch {
    return undefined // a stray % that begins no escape
  }
}

/** `example.com, example.org` */
export function domainList(text: string): Record<string, unknown> | undefined {
  const names = text.split(/[\s,]+/).filter(Boolean)
  return Object.fromEntries(names.map((name) => [name, {}]))
}

/** `POSTHORN_LOG=json` */
export function logFormat(text: string): Record<string, unknown> | undefined {
  return { format: text }
}
