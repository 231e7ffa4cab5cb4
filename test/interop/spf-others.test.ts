// Our SPF beside pyspf and mailauth over the same made-up zones: where one of them differs from us,
// it stands here with the clause.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { spf } from 'mailauth'
import { asNodeResolver } from '../../src/sandbox/verify.ts'
import { mapResolver } from '../support/dns.ts'
import { spfSamples } from '../support/spf-samples.ts'

const PYTHON = '/usr/bin/python3'
const hasPyspf = spawnSync(PYTHON, ['-c', 'import spf']).status === 0

const connection = { address: '192.0.2.25', sender: 'app@a.example', helloName: 'mail.a.example' }
const samples = spfSamples.map((sample) => ({ ...connection, ...sample }))

/** Reads samples, prints results; its DNS is the sample's zone. */
const SCRIPT = `
import json, socket, sys, spf
def lookups(zone):
    names = {}
    for key, value in zone.items():
        name, kind = key.rsplit(' ', 1)
        names.setdefault(name.lower(), {})[kind] = value
    def ask(name, kind, strict=True, timeout=None, hops=0):
        for label in name.split('.'):
            if len(label) > 63: raise spf.TempError('label too long')
        records = names.get(name.lower().rstrip('.'), {})
        if 'CNAME' in records and kind != 'CNAME' and hops < 5:
            yield ((name, 'CNAME'), records['CNAME'][0])
            yield from ask(records['CNAME'][0], kind, strict, timeout, hops + 1)
            return
        found = records.get(kind, [])
        if found == 'cannot-tell': raise spf.TempError('SERVFAIL')
        for value in found:
            if kind == 'AAAA': value = socket.inet_pton(socket.AF_INET6, value)
            if kind == 'TXT': value = (value.encode(),)
            if kind == 'MX':
                preference, host = value.split()
                value = (int(preference), host)
            yield ((name, kind), value)
    return ask
results = []
for sample in json.load(sys.stdin):
    spf.DNSLookup = lookups(sample['zone'])
    query = spf.query(i=sample['address'], s=sample['sender'], h=sample['helloName'], receiver='receiver.example', strict=True)
    results.append(query.check()[0])
print(json.dumps(results))
`

/** pyspf: why it differs. */
const PYSPF_DIFFERS: Readonly<Record<string, string>> = {
  '§5.5 SERVFAIL for the names': 'RFC 7208 §5.5: then the mechanism does not match',
  '§5.5 SERVFAIL for a name': 'RFC 7208 §5.5: then that name is skipped',
  '§7.1 zero parts': 'RFC 7208 §7.3: the number must not be zero',
  '§7.1 a macro that never ends': 'RFC 7208 §7.1: a percent sign alone is a syntax error',
}

test('pyspf finds the same', { skip: !hasPyspf && 'no python3-spf here' }, () => {
  const run = spawnSync(PYTHON, ['-W', 'ignore', '-c', SCRIPT], {
    input: JSON.stringify(samples),
    encoding: 'utf8',
  })
  assert.equal(run.status, 0, run.stderr)
  const theirs = JSON.parse(run.stdout) as string[]
  const differing = samples.filter(({ result }, i) => theirs[i] !== result).map(({ name }) => name)
  assert.deepEqual(differing, Object.keys(PYSPF_DIFFERS))
})

test('mailauth finds the same', async () => {
  const differing: string[] = []
  for (const { name, zone, result, address, sender, helloName } of samples) {
    const theirs = await spf({
      ip: address,
      sender,
      helo: helloName,
      mta: 'receiver.example',
      resolver: asNodeResolver(mapResolver(zone)),
      strict: true,
    } as Parameters<typeof spf>[0])
    const found = theirs ? theirs.status.result : 'none'
    if (found !== result) differing.push(`${name}: ${result}, mailauth ${found}`)
  }
  assert.deepEqual(differing, [])
})
