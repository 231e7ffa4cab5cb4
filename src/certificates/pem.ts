// What a file said to hold a certificate or key really holds (RFC 7468).

import type { Found } from './fault-texts.ts'

type Blocks = {
  readonly certificates: readonly string[]
  readonly keys: readonly { readonly text: string; readonly encrypted: boolean }[]
  /** Of the rest, what is nearest to what was meant. */
  readonly other: Found | undefined
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----[\s\S]*?-----END \1-----/g
const MOST_BLOCKS = 64

/** Sorts a file's PEM blocks; text around them is allowed. */
export function readPem(content: Buffer): Blocks {
  const text = content.toString('latin1')
  const certificates: string[] = []
  const keys: { text: string; encrypted: boolean }[] = []
  let other: Found | undefined
  let count = 0
  for (const [block, label = ''] of text.matchAll(BLOCK)) {
    if (++count > MOST_BLOCKS) break
    if (/^(X509 |TRUSTED )?CERTIFICATE$/.test(label)) certificates.push(plain(block, label))
    else if (/^(RSA |EC |DSA |ENCRYPTED )?PRIVATE KEY$/.test(label))
      keys.push({
        text: block,
        encrypted: label.startsWith('ENCRYPTED') || /^Proc-Type: 4,ENCRYPTED/m.test(block),
      })
    else other = foundBy(label) ?? other
  }
  if (count === 0) other = binary(content)
  return { certificates, keys, other }
}

/** Node knows only the first of the three labels; TRUSTED has OpenSSL's own settings behind it. */
const plain = (block: string, label: string): string => block.replaceAll(label, 'CERTIFICATE')

function foundBy(label: string): Found | undefined {
  if (label.endsWith('CERTIFICATE REQUEST')) return 'request'
  if (label.endsWith('PUBLIC KEY')) return 'public-key'
  if (label === 'OPENSSH PRIVATE KEY') return 'openssh-key'
  if (label === 'PKCS7' || label === 'CMS') return 'pkcs7'
  return label.endsWith('PARAMETERS') ? 'parameters' : undefined
}

/** The object identifier of PKCS#7 data, which opens a PKCS#12 file as well (RFC 7292 §4). */
const PKCS7 = Buffer.from('2a864886f70d0107', 'hex')

function binary(content: Buffer): Found {
  if (content[0] !== 0x30) return 'nothing'
  const head = content.subarray(0, 40)
  if (!head.includes(PKCS7)) return 'der'
  // PKCS#12 begins with its version, 3.
  return head.subarray(0, 8).includes(Buffer.from([0x02, 0x01, 0x03])) ? 'pkcs12' : 'pkcs7'
}
