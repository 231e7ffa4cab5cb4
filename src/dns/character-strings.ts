// TXT data as quoted strings of at most 255 octets (RFC 1035 §3.3.14, §5.1), as zone files and most
// APIs write it, and back.

const LONGEST_STRING = 255

/** The quoted strings of one record; octets beyond ASCII as \DDD, decimal unless `radix` says octal. */
export function quotedStrings(text: string, radix: 8 | 10 = 10): string[] {
  const octets = Buffer.from(text)
  const strings: string[] = []
  for (let from = 0; from < octets.length || from === 0; from += LONGEST_STRING) {
    let quoted = ''
    for (const octet of octets.subarray(from, from + LONGEST_STRING)) {
      const letter = String.fromCharCode(octet)
      if (octet < 0x20 || octet > 0x7e) quoted += `\\${octet.toString(radix).padStart(3, '0')}`
      else quoted += letter === '"' || letter === '\\' ? `\\${letter}` : letter
    }
    strings.push(`"${quoted}"`)
  }
  return strings
}

/** The text of quoted strings, whatever stands between them; text without quotes is itself. */
export function joinedStrings(data: string, radix: 8 | 10 = 10): string {
  if (!data.trimStart().startsWith('"')) return data
  const octets: number[] = []
  for (const [, quoted = ''] of data.matchAll(/"((?:[^"\\]|\\.)*)"/gs))
    for (const [piece, digits, escaped] of quoted.matchAll(/\\(\d{3})|\\(.)|[^\\]/gsu)) {
      if (digits !== undefined) octets.push(Number.parseInt(digits, radix) & 255)
      else octets.push(...Buffer.from(escaped ?? piece))
    }
  return Buffer.from(octets).toString('utf8')
}
