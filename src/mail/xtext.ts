// xtext (RFC 3461 §4): how values travel in the parameters of MAIL and RCPT; and its counterpart for
// addresses beyond ASCII (RFC 6533 §3).

/** Reads xtext; undefined when it is none. The result is ASCII, and may hold control characters. */
export function decodeXtext(text: string): string | undefined {
  if (!/^(?:[!-*,-<>-~]|\+[0-7][0-9A-F])*$/.test(text)) return undefined
  if (!text.includes('+')) return text
  return text.replace(/\+(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** Writes ASCII text as xtext; throws a TypeError on anything beyond ASCII. */
export function encodeXtext(text: string): string {
  if (/[^\u0000-\u007f]/.test(text)) throw new TypeError('xtext is ASCII')
  return text.replace(/[^!-*,-<>-~]/g, (character) => {
    return `+${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
}

/** Reads the address of `utf-8;…`: plain UTF-8 or `\x{HEX}` for what is not (RFC 6533 §3). */
export function decodeUtf8Address(text: string): string | undefined {
  if (!/^(?:[!-*,-<>-[\]-~\u00a0-\ufffc]|\\x\{[0-9A-F]{2,6}\}|\+[0-7][0-9A-F])*$/.test(text)) {
    return undefined
  }
  if (!text.isWellFormed()) return undefined
  const decoded = text.replace(/\\x\{(\w+)\}|\+(..)/g, (_, code?: string, hex?: string) => {
    const point = Number.parseInt(code ?? hex!, 16)
    const lone = point >= 0xd800 && point <= 0xdfff
    return point > 0x10ffff || lone ? '\ufffd' : String.fromCodePoint(point)
  })
  return decoded.includes('\ufffd') ? undefined : decoded
}

/** Writes an address as utf-8-addr-xtext, the form that passes every server (RFC 6533 §3). */
export function encodeUtf8Address(text: string): string {
  return text.replace(/[^!-*,-<>-[\]-~]/gu, (character) => {
    return `\\x{${character.codePointAt(0)!.toString(16).toUpperCase().padStart(2, '0')}}`
  })
}
