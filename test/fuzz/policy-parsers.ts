// What filters answer, and the tables that an operator writes.

import assert from 'node:assert/strict'
import { splitHeader } from '../../src/mail/header.ts'
import { applyChanges } from '../../src/milter/change.ts'
import { readAgreement } from '../../src/milter/flags.ts'
import { formatPacket, PacketReader } from '../../src/milter/packet.ts'
import { type Change, neededChange, parseResponse } from '../../src/milter/response.ts'
import { parseAliases } from '../../src/rewrite/aliases.ts'
import { redactReceived } from '../../src/rewrite/hide.ts'
import { parseTextTable } from '../../src/rewrite/lookup.ts'
import { assertLines, type Target, textOf } from './target.ts'

const ENDINGS = new Set(['continue', 'accept', 'reject', 'tempfail', 'discard', 'skip', 'shutdown'])
const packet = (letter: string, ...parts: string[]) =>
  formatPacket(letter, ...parts).toString('latin1')

const answers: Target = {
  name: 'answers of filters',
  samples: [
    packet('c') + packet('p') + packet('a'),
    packet('h', 'X-Name', 'value\n\tfolded'),
    packet('i', '\u0001\u0001\u0001\u0001X-Name', 'v'),
    packet('y', '550 5.7.1 no'),
    packet('+', '<a@b.example>') + packet('e', '<>'),
    packet('q', 'reason'),
    packet('O', '\u0001\u0001\u0001\u0001\u0001\u0001\u0001\u0001\u0001\u0001\u0001\u0001'),
  ],
  tokens: ['\0', '\0\0\0\x05', 'h', 'm', '+', 'y', '\n', '\r\n', ': ', '550-', '<a@b>', '\xff\xff'],
  check(octets, dice) {
    const reader = new PacketReader()
    const changes: Change[] = []
    for (let at = 0; at < octets.length; ) {
      const end = at + 1 + dice.below(20)
      reader.push(octets.subarray(at, end))
      at = end
      for (let one = reader.next(); one; one = reader.next()) {
        readAgreement(one.data)
        const response = parseResponse(one)
        if (!response || response.kind === 'progress' || response.kind === 'reply') continue
        if (response.kind === 'failed' || ENDINGS.has(response.kind)) continue
        assert.ok(neededChange(response as Change) > 0)
        if (response.kind !== 'body') changes.push(response as Change)
      }
    }
    const fields = splitHeader('From: a@b.example\r\nX-A: 1\r\n')
    assert.ok(Array.isArray(fields))
    const envelope = { reversePath: null, recipients: [], body: '7bit', smtputf8: false } as const
    const draft = {
      envelope: { ...envelope, requireTls: false },
      fields,
      body: { size: 0, chunks: () => [] },
    }
    const after = applyChanges(draft, changes, { leadingSpace: dice.oneIn(2) })
    // However a value is written, it is one field.
    for (const field of after.fields) {
      const again = splitHeader(field.raw)
      assert.ok(Array.isArray(again) && again.length === 1, JSON.stringify(field.raw))
      assertLines(Buffer.from(field.raw, 'latin1'))
    }
  },
}

const tables: Target = {
  name: 'tables of rewriting',
  operator: true,
  samples: [
    'root: admin@example.com, :include:/x\n',
    'a@b.example c@d.example\n @e\n',
    '"a b": c\n',
  ],
  tokens: [':', ',', '"', '\\', '#', '\n', '\n ', ':include:', '|', '/dev/null', '@', ' '],
  check(octets, dice) {
    const text = textOf(octets, dice)
    for (const parsed of [parseTextTable(text), parseAliases(text, () => 'a@b.example, c')])
      if ('fault' in parsed && 'line' in parsed) assert.ok((parsed.line as number) >= 1)
  },
}

const received: Target = {
  name: 'Received without its client',
  samples: [
    'Received: from a (b [10.0.0.1]) by c.example with ESMTP id 1; Sat, 21 Nov 2026 12:00:00 +0000\r\n',
  ],
  tokens: ['(', ')', '\\', ' by ', ';', 'with ', '\r\n ', 'from ', '10.0.0.1'],
  check(octets) {
    const raw = `Received:${octets.toString('latin1').replace(/[\r\n\0]/g, ' ')}\r\n`
    const redacted = redactReceived({ name: 'Received', lowerName: 'received', raw })
    assert.match(redacted.raw, /^Received: by\s+[\w.-]+/)
    assertLines(Buffer.from(redacted.raw, 'latin1'))
  },
}

export const policyParsers: readonly Target[] = [answers, tables, received]
