import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { before, describe, it } from 'node:test'
import fc from 'fast-check'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { type HeaderField, splitHeader } from '../mail/header.ts'
import { BodyHasher, hashingScratch } from './canonical.ts'
import { makeKey, publicText } from './keys.ts'
import { type SigningKey, signHeader } from './sign.ts'
import { verifySignature } from './verify.ts'

const scratch = hashingScratch()
const NOW = Date.UTC(2026, 10, 21, 12)

function fieldsOf(header: string): HeaderField[] {
  const fields = splitHeader(header)
  assert.ok(Array.isArray(fields), `${JSON.stringify(fields)}`)
  return fields
}

function bodyHashOf(body: string): string {
  const hasher = new BodyHasher('relaxed', scratch)
  hasher.update(Buffer.from(body, 'latin1'))
  return hasher.digest()
}

const HEADER =
  'From: Joe SixPack <joe@football.example.com>\r\n' +
  'To: Suzie Q <suzie@shopping.example.net>\r\n' +
  'Subject: Is dinner ready?\r\n' +
  'Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n' +
  'Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n'
const BODY = 'Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n'

describe('the sample of RFC 8463 §A', () => {
  const ed25519 =
    'DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n' +
    ' d=football.example.com; i=@football.example.com;\r\n' +
    ' q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n' +
    ' subject : date : message-id : from : subject : date;\r\n' +
    ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n' +
    ' b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n' +
    ' Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n'
  const rsa =
    'DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n' +
    ' d=football.example.com; i=@football.example.com;\r\n' +
    ' q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n' +
    ' date : message-id : from : subject : date;\r\n' +
    ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n' +
    ' b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n' +
    ' DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n' +
    ' dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n'
  const rsaPublic =
    'MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16' +
    'JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2Ee' +
    'C3Ip3G+2kryOTIKT+l/K4w3QIDAQAB'
  const edPublic = Buffer.concat([
    Buffer.from('302a300506032b6570032100', 'hex'),
    Buffer.from('11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=', 'base64'),
  ])
  const keys: [string, string, Buffer][] = [
    ['ed25519', ed25519, edPublic],
    ['rsa', rsa, Buffer.from(rsaPublic, 'base64')],
  ]
  for (const [name, signature, der] of keys) {
    const publicKey = () => createPublicKey({ key: der, format: 'der', type: 'spki' })

    it(`${name}: the published signature passes`, () => {
      const fields = fieldsOf(signature + HEADER)
      const options = { bodyHash: bodyHashOf(BODY), publicKey: publicKey() }
      assert.equal(verifySignature(fields, fields[0]!, options).kind, 'pass')
    })

    it(`${name}: and fails when header or body differ by a letter`, () => {
      const bodyHash = bodyHashOf(BODY)
      const bent = fieldsOf(signature + HEADER.replace('dinner', 'Dinner'))
      const options = { bodyHash, publicKey: publicKey() }
      assert.equal(verifySignature(bent, bent[0]!, options).kind, 'fail')
      const fields = fieldsOf(signature + HEADER)
      const other = { ...options, bodyHash: bodyHashOf(BODY.replace('game', 'Game')) }
      assert.equal(verifySignature(fields, fields[0]!, other).kind, 'fail')
    })

    it(`${name}: and fails, without a throw, with a key of another kind`, () => {
      const other = keys.find(([otherName]) => otherName !== name)![2]
      const key = createPublicKey({ key: other, format: 'der', type: 'spki' })
      const options = { bodyHash: bodyHashOf(BODY), publicKey: key }
      const fields = fieldsOf(signature + HEADER)
      assert.equal(verifySignature(fields, fields[0]!, options).kind, 'fail')
    })
  }
})

describe('signHeader', () => {
  let rsa: KeyObject
  let ed25519: KeyObject
  let keys: SigningKey[]
  before(async () => {
    rsa = await makeKey('rsa-sha256')
    ed25519 = await makeKey('ed25519-sha256')
    keys = [
      { selector: 'p2611', algorithm: 'rsa-sha256', privateKey: rsa },
      { selector: 'e2611', algorithm: 'ed25519-sha256', privateKey: ed25519 },
    ]
  })

  async function signed(header: string, body: string, domain = 'football.example.com') {
    const options = { fields: fieldsOf(header), bodyHash: bodyHashOf(body), domain, now: NOW }
    return (await signHeader({ ...options, keys })) + header
  }

  async function mailauth(message: string): Promise<string[]> {
    const texts: Record<string, string> = {
      'p2611._domainkey.': publicText(rsa),
      'e2611._domainkey.': publicText(ed25519),
    }
    const resolver = async (name: string) => [[texts[name.slice(0, 17)] ?? '']]
    const { results } = await dkimVerify(Buffer.from(message, 'latin1'), { resolver } as object)
    return results.map(({ status }) => `${status.result} ${status.comment ?? ''}`.trim())
  }

  it('writes the field as a receiver and a reader like it', async () => {
    const fields = fieldsOf(HEADER)
    const bodyHash = bodyHashOf(BODY)
    const domain = 'football.example.com'
    const made = await signHeader({ fields, bodyHash, domain, keys: [keys[0]!], now: NOW })
    const lines = made.split('\r\n')
    assert.deepEqual(
      lines.slice(0, 8),
      [
        'DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;',
        ' d=football.example.com; s=p2611; t=1795262400;',
        ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;',
        ' h=From:From:To:To:Cc:Subject:Subject:Date:Date:Message-ID:Message-ID:',
        '  Reply-To:MIME-Version:Content-Type:Content-Transfer-Encoding:',
        '  List-Unsubscribe:List-Unsubscribe-Post;',
        ` b=${lines[6]!.slice(3)}`,
        lines[7],
      ].slice(0, 8),
    )
    assert.ok(lines.every((line) => line.length <= 78))
    assert.equal(lines.at(-1), '')
  })

  it('signs with RSA and Ed25519, and both pass', async () => {
    assert.deepEqual(await mailauth(`${await signed(HEADER, BODY)}\r\n${BODY}`), ['pass', 'pass'])
  })

  it('says when it expires', async () => {
    const fields = fieldsOf(HEADER)
    const bodyHash = bodyHashOf(BODY)
    const made = await signHeader({
      fields,
      bodyHash,
      domain: 'football.example.com',
      keys: [keys[0]!],
      now: NOW,
      expiresAfterMs: 86_400_000,
    })
    assert.match(made, /; t=1795262400; x=1795348800;/)
  })

  for (const name of ['From', 'To', 'Cc', 'Subject', 'Reply-To', 'Content-Type']) {
    it(`a ${name} put on top afterwards breaks it`, async () => {
      const message = `${name}: other@evil.example\r\n${await signed(HEADER, BODY)}\r\n${BODY}`
      for (const verdict of await mailauth(message)) assert.doesNotMatch(verdict, /pass/)
    })
  }

  it('takes the lowest of several fields of one name first', async () => {
    const header = `${HEADER}References: <a@b>\r\nReferences: <c@d>\r\nTo: third@example.com\r\n`
    assert.deepEqual(await mailauth(`${await signed(header, BODY)}\r\n${BODY}`), ['pass', 'pass'])
  })

  it('stays within 998 octets a line with the longest names', async () => {
    const domain = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}.com`
    const header = HEADER.repeat(40)
    const lines = (await signed(header, BODY, domain)).slice(0, -header.length).split('\r\n')
    assert.ok(lines.every((line) => line.length <= 260))
  })

  const blank = fc.constantFrom(' ', '  ', '\t', '\r\n ', ' \r\n\t', '')
  const word = fc.string({
    unit: fc.constantFrom('a', 'Z', '0', ':', ';', '=', '"', '\xc3', '\xa0', '<', '@'),
    maxLength: 12,
  })
  const value = fc
    .tuple(blank, fc.array(fc.tuple(word, blank), { minLength: 1, maxLength: 6 }), fc.constant('x'))
    .map(([before, words, last]) => before + words.flat().join('') + last)
  const name = fc.constantFrom('To', 'cc', 'SUBJECT', 'Subject', 'X-Any', 'References', 'List-Id')
  const body = fc
    .array(fc.oneof(word, fc.constantFrom('\r\n', ' \r\n', '\t', '  ', '.\r\n')), { maxLength: 30 })
    .map((parts) => `${parts.join('')}\r\n`)

  it('mailauth and we accept any message that we signed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, value), { maxLength: 8 }),
        body,
        async (list, text) => {
          const header = `${HEADER}${list.map(([n, v]) => `${n}:${v}\r\n`).join('')}`
          const whole = await signed(header, text)
          assert.deepEqual(await mailauth(`${whole}\r\n${text}`), ['pass', 'pass'])
          const fields = fieldsOf(whole)
          for (const [i, key] of [rsa, ed25519].entries()) {
            const options = { bodyHash: bodyHashOf(text), publicKey: createPublicKey(key) }
            assert.equal(verifySignature(fields, fields[i]!, options).kind, 'pass')
          }
        },
      ),
      { numRuns: 150 },
    )
  })

  it('signs with a 1024-bit key from PKCS#1, which old installations have', async () => {
    const { generateKeyPairSync } = await import('node:crypto')
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const pem = privateKey.export({ type: 'pkcs1', format: 'pem' })
    const key = createPrivateKey(pem)
    const fields = fieldsOf(HEADER)
    const made = await signHeader({
      fields,
      bodyHash: bodyHashOf(BODY),
      domain: 'football.example.com',
      keys: [{ selector: 'p2611', algorithm: 'rsa-sha256', privateKey: key }],
      now: NOW,
    })
    const all = fieldsOf(made + HEADER)
    const options = { bodyHash: bodyHashOf(BODY), publicKey: createPublicKey(key) }
    assert.equal(verifySignature(all, all[0]!, options).kind, 'pass')
  })
})
