import assert from 'node:assert/strict'
import { test } from 'node:test'
import { domain } from '../../test/support/delivery.ts'
import { createRouter, type RelayOptions, type RouteConfig } from './route.ts'

const at = (name: string) => ({ localPart: 'user', domain: domain(name) })

function router(config: Partial<RouteConfig>) {
  return createRouter({ routes: new Map(), protocol: 'ipv4', allowPrivate: false, ...config })
}

function relay(options: RelayOptions) {
  const { routeOf, siteOf } = router({ relayhost: options })
  const route = routeOf(at('example.com'), 'live')
  assert.equal(route.kind, 'relay')
  assert.equal(siteOf(at('example.com'), 'live'), route.kind === 'relay' && route.site)
  return route as Extract<typeof route, { kind: 'relay' }>
}

test('without routes a domain goes to its own hosts', () => {
  const { routeOf, siteOf } = router({})
  assert.deepEqual(routeOf(at('example.com'), 'live'), {
    kind: 'direct',
    domain: 'example.com',
    port: 25,
    protocol: 'ipv4',
    allowPrivate: false,
    world: 'live',
  })
  assert.equal(siteOf(at('example.com'), 'live'), 'example.com')
})

test('a relay host is read as it is written', () => {
  const cases: [RelayOptions, string, boolean, string][] = [
    [{ host: 'example.net' }, 'example.net', true, 'relay:example.net:25'],
    [{ host: '[Smtp.example.net]' }, 'smtp.example.net', false, 'relay:[Smtp.example.net]:25'],
    [{ host: '192.0.2.1', port: 2525 }, '192.0.2.1', false, 'relay:192.0.2.1:2525'],
    [{ host: '[2001:db8::1]' }, '2001:db8::1', false, 'relay:[2001:db8::1]:25'],
    [{ host: '[IPv6:2001:db8::1]' }, '2001:db8::1', false, 'relay:[IPv6:2001:db8::1]:25'],
    [{ host: 'localhost' }, 'localhost', false, 'relay:localhost:25'],
  ]
  for (const [options, host, mx, site] of cases) {
    const route = relay(options)
    assert.deepEqual([route.host, route.mx, route.site], [host, mx, site])
  }
})

test('port and TLS follow from each other and from the password', () => {
  const host = 'relay.test'
  const cases: [RelayOptions, number, string, boolean][] = [
    [{ host }, 25, 'opportunistic', false],
    [{ host, username: 'u', password: 'p' }, 587, 'required', true],
    [{ host, tls: 'implicit' }, 465, 'implicit', true],
    [{ host, tls: 'required', insecure: true }, 25, 'required', false],
    [{ host, tls: 'none', username: 'u', password: 'p' }, 587, 'none', false],
  ]
  for (const [options, port, tls, verify] of cases) {
    const route = relay(options)
    assert.deepEqual([route.port, route.tls, route.verify], [port, tls, verify])
  }
})

test('a domain, what is below one, and the rest have their own routes', () => {
  const { siteOf } = router({
    relayhost: { host: '[rest.test]' },
    routes: new Map([
      ['example.com', { host: '[one.test]' }],
      ['.example.com', { host: '[below.test]' }],
    ]),
  })
  assert.equal(siteOf(at('example.com'), 'live'), 'relay:[one.test]:25')
  assert.equal(siteOf(at('a.b.example.com'), 'live'), 'relay:[below.test]:25')
  assert.equal(siteOf(at('myexample.com'), 'live'), 'relay:[rest.test]:25')
  assert.equal(siteOf(at('example.com'), 'sandbox'), 'sandbox:example.com')
})

test('two routes to one server that differ are two sites', () => {
  const host = '[relay.test]'
  const { siteOf } = router({
    routes: new Map([
      ['a.test', { host, username: 'a', password: '1' }],
      ['b.test', { host, username: 'b', password: '2' }],
      ['c.test', { host, username: 'a', password: '1' }],
    ]),
  })
  const sites = ['a.test', 'b.test', 'c.test'].map((name) => siteOf(at(name), 'live'))
  assert.deepEqual(sites, [
    'relay:[relay.test]:587',
    'relay:[relay.test]:587#2',
    'relay:[relay.test]:587',
  ])
})
