import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadConfig } from './load.ts'

test('examples/relay-to-sink.yaml is what its comments promise', () => {
  const file = fileURLToPath(new URL('../../examples/relay-to-sink.yaml', import.meta.url))
  const around = { file, workingDirectory: tmpdir(), machineName: 'web-1' }
  const { config, faults } = loadConfig({ ...around, environment: {} })
  assert.deepEqual(faults, [])
  assert.equal(config?.domains['sender.example']?.mode, 'live')
  assert.deepEqual(
    [config?.smtp.address, config?.smtp.port, config?.smtp.auth, config?.networks],
    ['127.0.0.1', 2525, 'optional', ['127.0.0.0/8', '::1/128']],
  )
  assert.deepEqual([config?.relayhost?.host, config?.relayhost?.port], ['127.0.0.1', 2626])
  const environment = {
    POSTHORN_DATA: '/tmp/relay',
    POSTHORN_SMTP_PORT: '3525',
    POSTHORN_HTTP_PORT: '9025',
    POSTHORN_RELAYHOST_PORT: '3626',
    POSTHORN_RELAYHOST_HOST: '192.0.2.25',
  }
  const moved = loadConfig({ ...around, environment }).config
  assert.deepEqual(
    [
      moved?.data,
      moved?.smtp.port,
      moved?.http.port,
      moved?.relayhost?.port,
      moved?.relayhost?.host,
    ],
    ['/tmp/relay', 3525, 9025, 3626, '192.0.2.25'],
  )
})
