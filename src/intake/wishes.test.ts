import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitHeader } from '../mail/header.ts'
import type { MessageId } from '../mail/message.ts'
import { complete } from './complete.ts'

function completed(...lines: string[]) {
  const fields = splitHeader([...lines, 'From: a@example.com', ''].join('\r\n'))
  assert.ok(Array.isArray(fields))
  return complete(fields, {
    envelope: {
      reversePath: null,
      recipients: [],
      body: '7bit',
      smtputf8: false,
      requireTls: false,
    },
    origin: {
      door: 'smtp',
      sender: { kind: 'posthorn' },
      helloName: 'client.test',
      address: '192.0.2.1',
      protocol: 'ESMTP',
    },
    id: 1 as MessageId,
    hostname: 'mail.example.com' as never,
    nonce: 'n0nce',
    now: 0,
    mostReceived: 50,
  })
}

test('TLS-Required: No is read, and stays where it is', () => {
  for (const [line, expected] of [
    ['TLS-Required: No', true],
    ['tls-required: no ', true],
    ['TLS-Required: Yes', false],
    ['TLS-Required: No, really', false],
    ['Subject: No', false],
  ] as const) {
    const { tlsOptional, kept } = completed(line)
    assert.equal(tlsOptional, expected, line)
    assert.equal(kept.length, 2)
  }
  assert.throws(() => completed('TLS-Required: No', 'TLS-Required: Maybe'), /Two TLS-Required/)
})

test('an MT-Priority field that a client wrote is not passed on', () => {
  assert.deepEqual(
    completed('MT-Priority: 9', 'Subject: x').kept.map(({ name }) => name),
    ['Subject', 'From'],
  )
})
