// Replies as receivers send them, and what they mean.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue } from './catalogue.ts'
import { explainReply, wordsOf } from './replies.ts'
import { type ReplyMeaning, replyTexts } from './texts/replies.ts'

const REPLIES: readonly (readonly [string, ReplyMeaning, 'wait' | 'over' | 'done'])[] = [
  [
    '550-5.7.26 This mail has been blocked because the sender is unauthenticated.',
    'unauthenticated',
    'over',
  ],
  ['421 4.7.28 Gmail has detected an unusual rate of unsolicited mail', 'rate', 'wait'],
  ['550 5.7.27 This mail is blocked because SPF did not pass', 'spf', 'over'],
  ['421 4.7.30 DKIM did not pass', 'dkim', 'wait'],
  ['421 4.7.31 no DMARC record', 'dmarcMissing', 'wait'],
  ['550 5.7.32 From not aligned', 'dmarc', 'over'],
  [
    '550 5.7.25 The IP address sending this message does not have a PTR record',
    'reverseDns',
    'over',
  ],
  [
    '550-5.7.1 [2001:db8::1] Our system has detected that this message does not meet IPv6 sending guidelines',
    'reverseDns',
    'over',
  ],
  ['452 4.2.2 The recipient’s inbox is out of storage space', 'full', 'wait'],
  ['550 5.1.1 The email account that you tried to reach does not exist', 'noMailbox', 'over'],
  ['550 5.7.1 No such user!', 'noMailbox', 'over'],
  [
    '550 Message was not accepted -- invalid mailbox. Local mailbox a@mail.ru is unavailable: user not found',
    'noMailbox',
    'over',
  ],
  ['554 5.7.1 [2] Message rejected under suspicion of SPAM; https://ya.cc/1', 'spam', 'over'],
  [
    '550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=1',
    'spam',
    'over',
  ],
  [
    '550 5.7.515 Access denied, sending domain EXAMPLE.COM does not meet the required authentication level.',
    'unauthenticated',
    'over',
  ],
  [
    '550 5.7.509 Access denied, sending domain example.com does not pass DMARC verification',
    'dmarc',
    'over',
  ],
  ['550 5.7.510 Access denied, IPv6 is not accepted', 'ipv6', 'over'],
  ['550 5.7.1 Unfortunately, messages from [192.0.2.1] weren’t sent. (S3140)', 'blocklist', 'over'],
  [
    '451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited (S775)',
    'rate',
    'wait',
  ],
  ['550 5.7.506 Access Denied, Bad HELO', 'hello', 'over'],
  ['550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant', 'format', 'over'],
  ['421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred', 'rate', 'wait'],
  [
    '553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred',
    'blocklist',
    'over',
  ],
  ['554 5.7.9 Message not accepted for policy reasons. [AUTH]', 'unauthenticated', 'over'],
  [
    '554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org',
    'blocklist',
    'over',
  ],
  [
    '450 4.7.1 <a@b.example>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch',
    'greylisted',
    'wait',
  ],
  ['554 5.7.1 <a@b.example>: Relay access denied', 'relaying', 'over'],
  ['552 5.3.4 Message size exceeds fixed limit', 'tooLarge', 'over'],
  ['535 5.7.8 Error: authentication failed', 'password', 'over'],
  ['550 5.2.1 The account is disabled', 'disabled', 'over'],
  ['421 Too many concurrent SMTP connections', 'busy', 'wait'],
  ['mx.example.org: connect ECONNREFUSED (connect)', 'noConnection', 'wait'],
  ['gmial.example: no such domain', 'noDomain', 'over'],
  ['451 something went wrong', 'later', 'wait'],
  ['554 no', 'never', 'over'],
  ['530 5.7.0 Must issue a STARTTLS command first', 'tls', 'over'],
  [
    '421 4.7.0 our system has detected that this message is suspicious due to the very low reputation of the sending domain',
    'reputation',
    'wait',
  ],
  ['450 4.1.8 <a@b.example>: Sender address rejected: Domain not found', 'sender', 'wait'],
  ['451 4.4.3 b.example: SERVFAIL', 'dnsFails', 'wait'],
  ['250 2.0.0 OK 1732 gsmtp', 'delivered', 'done'],
  ['mx.example.org said at content: 550-5.7.1 rejected by our policy', 'policy', 'over'],
]

test('replies of receivers, by code and text together', () => {
  for (const [reply, meaning, outlook] of REPLIES) {
    const explained = explainReply(reply)
    assert.deepEqual([explained?.meaning, explained?.outlook], [meaning, outlook], reply)
  }
})

test('what is no reply is not explained', () => {
  for (const text of ['', 'good morning', '12345', 'call 5550 now'])
    assert.equal(explainReply(text), undefined, text)
})

test('every meaning is reached, is told in both languages, and names codes that exist', () => {
  const reached = new Set<string>(REPLIES.map(([, meaning]) => meaning))
  assert.deepEqual(
    Object.keys(replyTexts).filter((name) => !reached.has(name)),
    [],
  )
  for (const [reply] of REPLIES) {
    const explained = explainReply(reply)!
    for (const code of explained.codes) assert.ok(catalogue.has(code), code)
    assert.notEqual(wordsOf(explained, 'en').means, wordsOf(explained, 'ru').means)
  }
})
