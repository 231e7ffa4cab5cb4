import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitHeader } from '../mail/header.ts'
import { Refusal } from '../mail/reply.ts'
import { demandOneClick } from './one-click.ts'

const POST = 'List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n'
const LINK = 'List-Unsubscribe: <https://example.com/u?x=1>\r\n'

/** What the refusal asks for; undefined when there is none. */
function asked(header: string): string | undefined {
  const fields = splitHeader(`From: a@example.com\r\n${header}`)
  assert.ok(Array.isArray(fields))
  try {
    demandOneClick(fields)
  } catch (error) {
    assert.ok(error instanceof Refusal)
    return error.reply.text.join(' ').split('Fix: add ')[1]
  }
  return undefined
}

test('readers of a broadcast can leave with one click', () => {
  assert.equal(asked(LINK + POST), undefined)
  assert.equal(
    asked(`List-Unsubscribe: <mailto:u@example.com>,\r\n <https://example.com/u>\r\n${POST}`),
    undefined,
  )
  assert.equal(asked(LINK), 'List-Unsubscribe-Post: List-Unsubscribe=One-Click')
  for (const link of [
    '',
    'List-Unsubscribe: <mailto:u@example.com>\r\n',
    'List-Unsubscribe: <http://example.com/u>\r\n',
  ])
    assert.equal(asked(link + POST), 'List-Unsubscribe: <https://...>')
  assert.match(asked('')!, /^List-Unsubscribe: .* and List-Unsubscribe-Post: /)
  assert.match(asked(`${LINK}List-Unsubscribe-Post: yes\r\n`)!, /^List-Unsubscribe-Post/)
})
