import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DnsReply, type ScriptedDns, scriptedDns } from '../../../test/support/dns-server.ts'
import { systemClock } from '../../std/clock.ts'
import { checkResolver } from './resolver.ts'

const PROVED = 0x20
const SERVFAIL = { rcode: 2 }
const NXDOMAIN = { rcode: 3 }
const record = (name: string) => ({ type: 'A' as const, name, ttl: 60, data: '192.0.2.1' })
const signal = new AbortController().signal

/** A resolver that answers for the signed and the broken name as told, and denies all others. */
const resolving = (names: Readonly<Record<string, DnsReply>>, address = '127.0.0.1') =>
  scriptedDns(({ name }) => names[name] ?? NXDOMAIN, { address })
const answers = (name: string, flags = 0): DnsReply => ({ answers: [record(name)], flags })

async function codes(dns: ScriptedDns, trustAd = false) {
  const check = checkResolver({
    servers: [dns.server],
    trustAd,
    clock: systemClock,
    timeoutMs: 200,
    signedName: 'signed.example',
    brokenName: 'broken.example',
  })
  return (await check.run(signal)).map(({ code }) => code)
}

const validates = {
  'signed.example': answers('signed.example', PROVED),
  'broken.example': SERVFAIL,
}

test('a validating resolver on this machine is trusted', async () => {
  await using dns = await resolving(validates)
  assert.deepEqual(await codes(dns), ['RESOLVER_OK'])
})

test('one that only passes questions on is trusted when the operator says so', async () => {
  await using dns = await resolving(validates, '127.0.0.11')
  assert.deepEqual(await codes(dns), ['RESOLVER_NOT_TRUSTED'])
  assert.deepEqual(await codes(dns, true), ['RESOLVER_OK'])
})

test('one that does not validate is a grey line', async () => {
  await using dns = await resolving({
    'signed.example': answers('signed.example'),
    'broken.example': answers('broken.example'),
  })
  assert.deepEqual(await codes(dns), ['RESOLVER_NOT_VALIDATING'])
})

test('one that claims proof and lets broken signatures pass is unmasked', async () => {
  await using dns = await resolving({
    'signed.example': answers('signed.example', PROVED),
    'broken.example': answers('broken.example'),
  })
  assert.deepEqual(await codes(dns), ['RESOLVER_HALF_VALIDATING'])
})

test('one that invents addresses breaks mail, however well it validates', async () => {
  const invented = 'no-such-name.posthorn.invalid'
  await using dns = await resolving({ ...validates, [invented]: answers(invented) })
  assert.deepEqual(await codes(dns), ['RESOLVER_INVENTS'])
})

test('one that says nothing', async () => {
  await using dns = await scriptedDns(() => 'silence')
  assert.deepEqual(await codes(dns), ['RESOLVER_SILENT'])
})

test('one that fails for the good name, or is silent about the broken one, is not judged', async () => {
  await using fails = await resolving({ ...validates, 'signed.example': SERVFAIL })
  assert.deepEqual(await codes(fails), ['COULD_NOT_CHECK'])
  await using silent = await resolving({ ...validates, 'broken.example': 'silence' })
  assert.deepEqual(await codes(silent), ['COULD_NOT_CHECK'])
})
