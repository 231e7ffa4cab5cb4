import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type parseConfig, startProbed } from './gateway.samples.ts'
import { parseGateways } from './gateway.ts'

describe('the default gateway', () => {
  it('is read from the tables of the kernel', () => {
    const ipv4 =
      'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\n' +
      'eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\n' +
      'eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\n'
    const ipv6 =
      '00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 0 0 0 eth0\n' +
      '00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 0 0 0 lo\n'
    assert.deepEqual(parseGateways(ipv4, ipv6), ['172.17.0.1', 'fd00::1'])
    assert.deepEqual(parseGateways('', 'nonsense\n00 11\n'), [])
  })

  const range = ['172.16.0.0/12']
  const table: [string, Parameters<typeof parseConfig>[0], boolean][] = [
    ['in a trusted range is not believed', { networks: range }, true],
    ['is, when it was said so', { networks: range, trustGateway: true }, false],
    ['is, when it stands there itself', { networks: [...range, '172.17.0.1/32'] }, false],
  ]
  for (const [what, config, distrusted] of table)
    it(what, () => {
      using probed = startProbed(config, { gateways: ['172.17.0.1'] })
      assert.equal(probed.watch.distrusts('172.17.0.1'), distrusted)
      assert.equal(probed.watch.distrusts('::ffff:172.17.0.1'), distrusted)
      assert.equal(probed.watch.distrusts('172.17.0.9'), false)
    })
})

it('a gateway loses its trust when a first domain is made live, and not before', async () => {
  let live = false
  using probed = startProbed(
    { networks: ['172.16.0.0/12', '0.0.0.0/0'] },
    { gateways: ['172.17.0.1'], isLive: () => live },
  )
  probed.watch.start([])
  assert.equal(probed.watch.distrusts('172.17.0.1'), false, 'nothing leaves')
  assert.deepEqual(probed.watch.risks(), [])
  live = true
  assert.equal(probed.watch.distrusts('172.17.0.1'), true)
  assert.equal(probed.watch.risks().length, 1)
  await probed.watch.probe()
  assert.match(probed.said.join(), /networks trusts strangers/)
})

describe('our own published address', () => {
  it('shows us as somebody trusted: that one loses its trust, and gets it back later', async () => {
    using probed = startProbed({ networks: ['127.0.0.0/8'] }, { ipv4: '127.0.0.5', own: [] })
    await using server = await probed.serve()
    await probed.watch.probe()
    assert.deepEqual(probed.watch.risks(), [
      { address: `127.0.0.5:${server.port}`, seen: '127.0.0.1' },
    ])
    assert.equal(probed.watch.distrusts('127.0.0.1'), true)
    assert.match(probed.said.join(), /OPEN_RELAY_RISK: who connects to 127\.0\.0\.5:/)
    await probed.watch.probe()
    assert.equal(probed.said.length, 1, 'it is said once')
    assert.equal(probed.watch.distrusts('127.0.0.1'), true, 'and stays, though MAIL is now refused')
    await server[Symbol.asyncDispose]()
    await probed.watch.probe()
    assert.equal(probed.watch.distrusts('127.0.0.1'), false)
  })
  it('shows us as a stranger, or is our own interface: nothing to say', async () => {
    using stranger = startProbed({ networks: ['10.0.0.0/8'] }, { ipv4: '127.0.0.5', own: [] })
    await using server = await stranger.serve()
    await stranger.watch.probe()
    assert.deepEqual(stranger.watch.risks(), [])
    await server[Symbol.asyncDispose]()
    using own = startProbed(
      { networks: ['127.0.0.0/8'] },
      { ipv4: '127.0.0.5', own: ['127.0.0.5'] },
    )
    await using second = await own.serve()
    await own.watch.probe()
    assert.deepEqual(own.watch.risks(), [])
    assert.ok(second.port > 0)
  })
})

it('networks that hold the world are told at once', () => {
  using probed = startProbed({ networks: ['0.0.0.0/0'] }, {})
  probed.watch.start([])
  assert.equal(probed.watch.risks()[0]!.address, 'networks')
  assert.match(probed.said.join(), /networks trusts strangers/)
})
