// Pasted headers as people paste them: from web pages, with other line ends, with and without the text.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mapResolver } from '../../test/support/dns.ts'
import { signText } from '../../test/support/sign.ts'
import { makeKey, publicText } from '../dkim/keys.ts'
import type { Algorithm } from '../dkim/signature.ts'
import { readHeaders } from './headers.ts'

const TEXT = `From: Anna =?utf-8?q?=C3=84?= <Anna@Example.com>\r
To: you@example.net\r
Subject: Hello\r
Date: Mon, 05 Jan 2026 12:00:00 +0000\r
\r
Hello,\r
  world\r
`
const ABOVE = `Received: by 2002:a05 with SMTP id 1; Mon, 5 Jan 2026 04:00:05 -0800 (PST)\r
Received: from mail.example.com (mail.example.com. [203.0.113.10])\r
        by mx.example.net with ESMTPS id abc for <you@example.net>\r
        (version=TLS1_3); Mon, 05 Jan 2026 04:00:03 -0800 (PST)\r
Authentication-Results: mx.example.net;\r
       dkim=pass header.i=@example.com header.s=s;\r
       spf=softfail (transitioning) smtp.mailfrom="anna@example.com";\r
       dmarc=pass (p=NONE) header.from=example.com\r
Authentication-Results: evil.example; dmarc=fail header.from=example.com\r
`

async function signed(algorithm: Algorithm = 'rsa-sha256') {
  const privateKey = await makeKey(algorithm)
  const message = await signText(TEXT, 'example.com', { selector: 's', algorithm, privateKey })
  const resolver = mapResolver({
    's._domainkey.example.com TXT': [publicText(privateKey)],
    '_dmarc.example.com TXT': ['v=DMARC1; p=none'],
  })
  return { message: ABOVE + message, resolver }
}

const states = async (
  text: string,
  { resolver }: Pick<Awaited<ReturnType<typeof signed>>, 'resolver'>,
) => (await readHeaders(text, resolver))?.signatures.map(({ state }) => state)

test('the way, the verdict of the last server and the signature are read', async () => {
  const { message, resolver } = await signed()
  const story = await readHeaders(message, resolver)
  assert.equal(story?.author, 'example.com')
  assert.deepEqual(story.hops, [
    {
      from: 'mail.example.com',
      by: 'mx.example.net',
      isEncrypted: true,
      id: 'abc',
      at: Date.UTC(2026, 0, 5, 12, 0, 3),
    },
    { from: '', by: '2002:a05', isEncrypted: false, id: '1', at: Date.UTC(2026, 0, 5, 12, 0, 5) },
  ])
  assert.deepEqual(story.judged, {
    by: 'mx.example.net',
    results: [
      { method: 'dkim', result: 'pass', domain: 'example.com' },
      { method: 'spf', result: 'softfail', domain: 'example.com' },
      { method: 'dmarc', result: 'pass', domain: 'example.com' },
    ],
  })
  assert.deepEqual(story.signatures, [
    { domain: 'example.com', selector: 's', state: 'good', isAligned: true },
  ])
})

test('a signature is looked at as far as what was pasted allows', async () => {
  for (const algorithm of ['rsa-sha256', 'ed25519-sha256'] as const) {
    const mail = await signed(algorithm)
    const { message } = mail
    const header = message.slice(0, message.indexOf('\r\n\r\n'))
    assert.deepEqual(await states(message, mail), ['good'])
    assert.deepEqual(await states(header, mail), ['good'], 'without the text')
    assert.deepEqual(await states(message.replaceAll('\r\n', '\n'), mail), ['good'])
    assert.deepEqual(await states(`Original message\nMessage ID\t<x>\n\n${message}`, mail), [
      'good',
    ])
    assert.deepEqual(
      await states(message.replace('Subject: Hello', 'Subject: [list] Hello'), mail),
      ['header-changed'],
    )
    assert.deepEqual(await states(`${message}-- \r\nfooter\r\n`, mail), ['body-changed'])
  }
})

test('what DNS says of the key', async () => {
  const { message, resolver } = await signed()
  const name = 's._domainkey.example.com TXT'
  for (const [records, expected] of [
    ['cannot-tell', 'cannot-tell'],
    ['no-such-name', 'no-key'],
    [['v=DKIM1; p='], 'no-key'],
    [['v=DKIM1; p=AAAA'], 'no-key'],
    [['v=DKIM1; p=AAAA', 'v=DKIM1; p=BBBB'], 'no-key'],
  ] as const) {
    resolver.set(name, records)
    assert.deepEqual(await states(message, { resolver }), [expected], String(records))
  }
})

test('a foreign signature counts for nothing, an old one is not read', async () => {
  const { message, resolver } = await signed()
  const foreign = message.replace('@Example.com>', '@other.example>')
  resolver.set('_dmarc.other.example TXT', ['v=DMARC1; p=none'])
  const story = await readHeaders(foreign, resolver)
  assert.equal(story?.signatures[0]?.isAligned, false)
  const old = message.replace('a=rsa-sha256', 'a=rsa-sha1')
  assert.deepEqual(await states(old, { resolver }), ['unreadable'])
})

test('whatever is pasted, nothing is thrown', async () => {
  const resolver = mapResolver({})
  assert.equal(await readHeaders('good morning', resolver), undefined)
  assert.equal(await readHeaders('Subject: only\n\ntext', resolver), undefined)
  const piece = fc.constantFrom(
    'Received:',
    'DKIM-Signature:',
    'Authentication-Results:',
    'From:',
    ' from a by b',
    ';',
    '=',
    '\n',
    '\r\n',
    '\n ',
    'd=',
    's=;',
    'dkim=',
    '(',
    '"',
    '\u0000',
    'я',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 60 }), async (pieces) => {
      await readHeaders(pieces.join(''), resolver)
    }),
  )
})
