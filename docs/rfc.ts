// Writes docs/rfc.md: which standards Posthorn follows, how far, and where in the sources.
// The places come from the citations in src/ (`RFC 5321 §4.5.3.2`); the titles and the verdicts
// stand below. Run it with `npm run docs`.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

type Status = 'yes' | 'partly' | 'planned' | 'no' | 'cited'

const standards: Readonly<Record<number, readonly [title: string, status: Status, note?: string]>> =
  {
    1034: ['Domain names: concepts', 'cited'],
    1035: ['Domain names: implementation', 'yes', 'a stub resolver, no server'],
    1047: ['Duplicate messages and SMTP', 'yes'],
    1870: ['SMTP SIZE', 'yes'],
    1912: ['Common DNS errors', 'cited'],
    2034: ['SMTP enhanced error codes', 'yes'],
    2045: [
      'MIME: bodies',
      'partly',
      'composed for notices and tests; mail of others is not rewritten',
    ],
    2047: ['MIME: encoded words', 'yes'],
    2136: ['DNS dynamic updates', 'yes', 'as a client'],
    2181: ['Clarifications to DNS', 'cited'],
    2231: ['MIME parameter values', 'partly'],
    2308: ['Negative caching of DNS', 'yes'],
    2852: [
      'SMTP DELIVERBY',
      'partly',
      'servers without it get what is to be returned in time, too, and the sender is told',
    ],
    2920: ['SMTP PIPELINING', 'yes'],
    2986: ['PKCS#10 certificate requests', 'yes', 'written for ACME'],
    3030: ['SMTP CHUNKING and BINARYMIME', 'partly', 'CHUNKING; BINARYMIME is decided against'],
    3164: ['BSD syslog lines', 'yes'],
    3207: ['SMTP STARTTLS', 'yes'],
    3339: ['Timestamps', 'yes'],
    3461: ['SMTP DSN', 'yes'],
    3463: ['Enhanced status codes', 'yes'],
    3464: ['Delivery status notifications', 'yes'],
    3596: ['DNS AAAA', 'yes'],
    3696: ['Checking of names', 'cited'],
    3834: ['Automatic responses', 'yes', 'for our own notices'],
    3848: ['Transmission types in Received', 'yes'],
    3849: ['IPv6 prefix for documentation', 'cited'],
    3879: ['Deprecating site-local addresses', 'cited'],
    3986: ['URI', 'cited'],
    4013: ['SASLprep', 'yes'],
    4034: ['DNSSEC records', 'cited'],
    4291: ['IPv6 addresses', 'cited'],
    4616: ['SASL PLAIN', 'yes'],
    4865: ['SMTP FUTURERELEASE', 'yes'],
    4954: ['SMTP AUTH', 'yes'],
    2195: ['CRAM-MD5', 'yes', 'off by default'],
    2307: ['LDAP as a network information service', 'partly', 'password schemes, for imports'],
    4422: ['SASL', 'yes'],
    5802: ['SCRAM', 'yes', 'with SHA-256 alone'],
    5803: ['Storing SCRAM secrets', 'partly', 'the text form'],
    5929: ['Channel bindings for TLS', 'partly', 'tls-server-end-point'],
    7677: ['SCRAM-SHA-256 and SCRAM-SHA-256-PLUS', 'yes'],
    9106: ['Argon2', 'yes'],
    9266: ['Channel bindings for TLS 1.3', 'yes', 'tls-exporter'],
    5248: ['Registry of enhanced status codes', 'yes'],
    5280: ['X.509 certificates', 'cited'],
    5321: ['SMTP', 'yes', 'sending and submission; no mailboxes'],
    5322: ['Internet message format', 'yes'],
    5737: ['IPv4 blocks for documentation', 'cited'],
    5782: ['DNS blacklists and whitelists', 'yes', 'asked by the doctor'],
    5890: ['IDNA: definitions', 'yes'],
    5891: ['IDNA: protocol', 'yes'],
    6052: ['IPv6 of IPv4/IPv6 translators', 'cited'],
    6066: ['TLS extensions', 'cited'],
    6125: ['Names in certificates', 'cited'],
    6152: ['SMTP 8BITMIME', 'yes'],
    6376: ['DKIM', 'yes', 'we sign; verifying is for tests and the sandbox'],
    6409: ['Message submission', 'yes'],
    6522: ['multipart/report', 'yes'],
    6531: ['SMTPUTF8', 'yes'],
    6749: ['OAuth 2.0', 'partly', 'refresh of tokens for relays'],
    6532: ['Internationalized headers', 'yes'],
    6533: ['Internationalized DSN', 'yes'],
    6598: ['Shared address space', 'cited'],
    6604: ['RCODE after CNAME', 'yes'],
    6710: ['SMTP MT-PRIORITY', 'yes', 'within a site; the values have no profile'],
    6758: [
      'Tunneling of MT-PRIORITY',
      'partly',
      'written for peers without it; what clients wrote is removed',
    ],
    6761: ['Special-use domain names', 'yes'],
    6762: ['Multicast DNS', 'cited'],
    6840: ['Clarifications to DNSSEC', 'cited'],
    6874: ['IPv6 zones in URIs', 'cited'],
    6891: ['EDNS(0)', 'yes'],
    7208: ['SPF', 'yes', 'records printed; evaluated in the doctor and in the sandbox'],
    7292: ['PKCS#12', 'no', 'recognised, and a conversion proposed'],
    7435: ['Opportunistic security', 'yes'],
    7468: ['PEM', 'yes', 'read in every layout that people have'],
    7489: ['DMARC (2015)', 'cited'],
    7505: ['Null MX', 'yes'],
    7672: ['SMTP over DANE', 'planned'],
    7766: ['DNS over TCP', 'yes'],
    7914: ['scrypt', 'yes'],
    8058: ['One-click unsubscribe', 'partly', 'demanded of broadcast streams, and signed'],
    8215: ['Local-use translation prefix', 'cited'],
    8301: ['DKIM algorithms', 'yes'],
    8314: ['Implicit TLS for submission', 'yes'],
    8460: ['SMTP TLS reporting', 'planned'],
    8410: ['Ed25519 keys in PKCS#8', 'cited'],
    8461: ['MTA-STS', 'planned'],
    8463: ['Ed25519 for DKIM', 'yes', 'as a second signature'],
    8555: ['ACME', 'yes', 'http-01 and dns-01; no renewal information (RFC 9773)'],
    8601: ['Authentication-Results', 'partly', 'written in the sandbox'],
    8617: ['ARC', 'no', 'on its way to historic'],
    8689: ['SMTP REQUIRETLS', 'yes', 'MX records must be proved by DNSSEC'],
    8767: ['Serving stale DNS data', 'yes'],
    8945: ['DNS transaction signatures (TSIG)', 'yes'],
    9083: ['RDAP', 'partly', 'the date of registration'],
    9110: ['HTTP semantics', 'cited'],
    9325: ['Recommendations for TLS', 'yes', 'on our side of a listener'],
    9422: ['SMTP LIMITS', 'yes'],
    9457: ['Problem details for HTTP', 'yes'],
    9476: ['The .alt top-level domain', 'cited'],
    9520: ['Caching of DNS failures', 'yes'],
    9637: ['IPv6 block for documentation', 'cited'],
    9989: ['DMARC', 'yes', 'records printed; evaluated in the doctor and in the sandbox'],
    9990: ['DMARC aggregate reports', 'partly', 'external destinations are checked'],
  }

const root = join(import.meta.dirname, '..')

/** Standard → section (`''` for the whole) → files. */
function readCitations(): Map<number, Map<string, Set<string>>> {
  const found = new Map<number, Map<string, Set<string>>>()
  const source = join(root, 'src')
  for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (!name.endsWith('.ts') || /\.(test|contract|samples)\.ts$/.test(name)) continue
    const text = readFileSync(join(source, name), 'utf8')
    const citations = text.matchAll(/RFC (\d+)(?: §((?:\d+|[A-Z])(?:\.\d+)*))?/g)
    for (const [, number, section = ''] of citations) {
      const sections = found.get(Number(number)) ?? new Map<string, Set<string>>()
      found.set(Number(number), sections)
      const files = sections.get(section) ?? new Set<string>()
      sections.set(section, files.add(relative(source, join(source, name))))
    }
  }
  return found
}

function page(citations: ReadonlyMap<number, ReadonlyMap<string, ReadonlySet<string>>>): string {
  const numbers = new Set([...Object.keys(standards).map(Number), ...citations.keys()])
  const rows = [...numbers]
    .toSorted((a, b) => a - b)
    .map((number) => {
      const [title, status, note] = standards[number] ?? ['', 'cited']
      const places = [...(citations.get(number) ?? [])]
        .toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
        .map(([section, files]) => {
          const links = [...files].map((file) => `[${file}](../src/${file})`).join(', ')
          return section === '' ? links : `§${section}: ${links}`
        })
      const verdict = note === undefined ? status : `${status}: ${note}`
      return `| RFC ${number} | ${title} | ${verdict} | ${places.join('<br>')} |`
    })
  return [
    '# Standards',
    '',
    'Generated by `npm run docs` from the citations in the sources; do not edit.',
    '',
    'yes: followed · partly: followed as far as said · planned · no: decided against · cited: read, nothing to implement',
    '',
    '| Standard | Title | Followed | Where |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

const citations = readCitations()
writeFileSync(join(import.meta.dirname, 'rfc.md'), page(citations))
const untitled = [...citations.keys()].filter((number) => !(number in standards))
if (untitled.length > 0) {
  process.stderr.write(`docs/rfc.ts has no title for RFC ${untitled.join(', ')}\n`)
  process.exitCode = 1
}
