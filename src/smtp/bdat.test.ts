import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { openListener, type TestListener } from '../../test/support/listener.ts'
import { converse } from '../../test/support/transcript.ts'
import { refuse } from '../mail/reply.ts'

let open: TestListener
before(async () => {
  open = await openListener({ limits: { messageOctets: 1_000 } })
})
after(() => open.listener.drain(0))
beforeEach(() => {
  open.received.length = 0
})

const BEGIN = `
  S: 220 *
  C: EHLO a.example
  C: MAIL FROM:<a@example.com>
  C: RCPT TO:<b@example.org>
  S: ...
  S: 250 2.1.0 Ok
  S: 250 2.1.5 Ok`

test('chunks of any size make one message, under any segmentation', async () => {
  for (const segment of [1, 4, 1_000]) {
    await converse(
      open.port,
      `${BEGIN}
  R: BDAT 6\\r\\nSubjecBDAT 8\\r\\nt: x\\r\\n\\r\\nBDAT 0\\r\\nNOOP\\r\\nBDAT 5 LAST\\r\\n.\\r\\n.\\n
  S: 250 2.0.0 Ok
  S: 250 2.0.0 Ok
  S: 250 2.0.0 Ok
  S: 250 2.0.0 Ok
  S: 550 5.6.11 *`,
      { segment },
    )
    await converse(
      open.port,
      `${BEGIN}
  R: BDAT 6\\r\\nSubjecBDAT 6\\r\\nt: x\\r\\nBDAT 7 LAST\\r\\n\\r\\n.\\r\\n.xQUIT\\r\\n
  S: 250 2.0.0 Ok
  S: 250 2.0.0 Ok
  S: 250 2.0.0 Ok: queued as *
  S: 221 2.0.0 Bye
  S: (closed)`,
      { segment },
    )
    assert.equal(open.received.at(-1)?.content, 'Subject: x\r\n\r\n.\r\n.x\r\n')
  }
})

test('RSET, QUIT and EHLO give the message up; all else is out of place', async () => {
  await converse(
    open.port,
    `${BEGIN}
  R: BDAT 3\\r\\nabcDATA\\r\\nRCPT TO:<c@example.org>\\r\\nMAIL FROM:<>\\r\\nFROB\\r\\nRSET\\r\\n
  S: 250 2.0.0 Ok
  S: 503 5.5.1 *
  S: 503 5.5.1 *
  S: 503 5.5.1 *
  S: 500 5.5.2 *
  S: 250 2.0.0 Ok
  C: RCPT TO:<c@example.org>
  S: 503 5.5.1 *
  C: MAIL FROM:<>
  C: RCPT TO:<c@example.org>
  S: 250 2.1.0 Ok
  S: 250 2.1.5 Ok
  R: BDAT 3\\r\\nabcEHLO again\\r\\n
  S: 250 2.0.0 Ok
  S: 250-mx.example.com
  S: ...
  S: 250 LIMITS*
  R: BDAT 3 LAST\\r\\nabcQUIT\\r\\n
  S: 503 5.5.1 *
  S: 221 2.0.0 Bye
  S: (closed)`,
  )
  assert.equal(open.received.length, 0)
})

test('after a failure every chunk on its way is consumed and refused', async () => {
  const chunk = 'x'.repeat(398)
  await converse(
    open.port,
    `${BEGIN}
  R: BDAT 400\\r\\n${chunk}\\r\\nBDAT 400\\r\\n${chunk}\\r\\nBDAT 400\\r\\n${chunk}\\r\\nBDAT 400\\r\\n${chunk}\\r\\nBDAT 3 LAST\\r\\nabcNOOP\\r\\nDATA\\r\\n
  S: 250 2.0.0 Ok
  S: 250 2.0.0 Ok
  S: 552 5.3.4 *
  S: 503 5.5.1 *
  S: 503 5.5.1 *
  S: 250 2.0.0 Ok
  S: 503 5.5.1 Error: need MAIL command`,
  )
  assert.equal(open.received.length, 0)
})

test('a refusal by the service comes after the chunk at which it was thrown', async () => {
  const choosy = await openListener({
    service: {
      async accept(_, __, content) {
        await content((chunk) => {
          if (Buffer.from(chunk).includes('virus')) throw refuse(554, '5.7.1', 'Not that')
          return undefined
        })
        return 'Ok: queued as 1'
      },
    },
  })
  await converse(
    choosy.port,
    `${BEGIN}
  R: BDAT 4\\r\\naa\\r\\nBDAT 7\\r\\nvirus\\r\\nBDAT 2 LAST\\r\\n\\r\\n
  S: 250 2.0.0 Ok
  S: 554 5.7.1 Not that
  S: 503 5.5.1 *
  C: NOOP
  S: 250 2.0.0 Ok`,
  )
  await choosy.listener.drain(0)
})

test('without a recipient the octets are consumed; an absurd size hangs up', async () => {
  await converse(
    open.port,
    `S: 220 *
  R: BDAT 5 LAST\\r\\nQUIT\\rNOOP\\r\\nEHLO a\\r\\nMAIL FROM:<>\\r\\nBDAT 3\\r\\nabcRCPT TO:<nobody@b.example>\\r\\nBDAT 3\\r\\nabcBDAT 99999999\\r\\n
  S: 503 5.5.1 Error: send EHLO or HELO first
  S: 250 2.0.0 Ok
  S: ...
  S: 250 2.1.0 Ok
  S: 503 5.5.1 Error: need RCPT command
  S: 550 5.1.1 *
  S: 554 5.5.1 Error: no valid recipients
  S: 552 5.3.4 *
  S: (closed)`,
  )
})

test('NOOP, VRFY and HELP may come between chunks (RFC 5321 §4.1.4)', async () => {
  await converse(
    open.port,
    `${BEGIN}
  R: BDAT 3\\r\\nabcNOOP\\r\\nVRFY b\\r\\nHELP\\r\\nBDAT 3 LAST\\r\\ndefQUIT\\r\\n
  S: 250 2.0.0 Ok
  S: 250 2.0.0 Ok
  S: 252 2.5.2 *
  S: 214-2.0.0 *
  S: 214 2.0.0 *
  S: 250 2.0.0 Ok: queued as 1
  S: 221 2.0.0 Bye
  S: (closed)`,
  )
  assert.equal(open.received[0]?.content, 'abcdef\r\n')
})

test('one error too many between chunks is said once, and nothing after it is obeyed', async () => {
  const strict = await openListener({ limits: { hardErrors: 3, softErrors: 2, junkCommands: 2 } })
  for (const [wrong, said] of [
    ['FROB', '500 5.5.2 *'],
    ['DATA', '503 5.5.1 *'],
    ['RCPT TO:<c@example.org>', '503 5.5.1 *'],
  ]) {
    const heard = await converse(
      strict.port,
      `${BEGIN}
  R: BDAT 3\\r\\nabc${wrong}\\r\\n${wrong}\\r\\n${wrong}\\r\\nBDAT 3 LAST\\r\\ndefQUIT\\r\\n
  S: 250 2.0.0 Ok
  S: ${said}
  S: ${said}
  S: 421 4.7.0 *
  S: (closed)`,
    )
    assert.equal(heard.split('421 ').length, 2)
  }
  assert.equal(strict.received.length, 0)
  await strict.listener.drain(0)
})

test('chunks of nothing lead nowhere, and are counted as what does', async () => {
  const strict = await openListener({ limits: { junkCommands: 3, softErrors: 1, hardErrors: 2 } })
  await converse(
    strict.port,
    `${BEGIN}
${'  C: BDAT 0\n  S: 250 2.0.0 Ok\n'.repeat(4)}  C: BDAT 0
  S: 421 4.7.0 *
  S: (closed)`,
  )
  await strict.listener.drain(0)
})
