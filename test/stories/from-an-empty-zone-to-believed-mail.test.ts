// The whole way of a newcomer: an empty zone, one command after the other, and at its end a message
// that a strict receiver believes. Nothing here is made up but the network it happens in.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import nodemailer from 'nodemailer'
import { AT, inOwnNetwork, isInOwnNetwork, noInternet, startInternet } from '../support/internet.ts'
import { PosthornProcess } from '../support/posthorn.ts'
import { PRIMARY_KEY } from '../support/primary.ts'
import { run, until } from '../support/tools.ts'

const title = 'from an empty zone to mail that a strict receiver believes'
if (isInOwnNetwork) test(title, story)
else
  test(title, { skip: noInternet, timeout: 180_000 }, async () => {
    const { code, said } = await inOwnNetwork(import.meta.filename)
    assert.equal(code, 0, said)
  })

const DOMAIN = 'example.com'
const TO = 'you@receiver.net'

async function story(): Promise<void> {
  await using internet = await startInternet(DOMAIN, TO)
  await using posthorn = await PosthornProcess.start({
    settings: {
      hostname: `mail.${DOMAIN}`,
      public_ipv4: AT.sender,
      dns: { servers: [AT.resolver] },
      dns_publish: {
        provider: 'rfc2136',
        server: AT.primary,
        key_name: PRIMARY_KEY.name,
        key_secret: PRIMARY_KEY.secret,
      },
      delivery: { source_ipv4: AT.sender },
      doctor: {
        every: '0s',
        port25_domains: ['receiver.net'],
        blocklists: [],
        clock_hosts: [],
        signed_name: DOMAIN,
        broken_name: 'broken.test',
      },
    },
  })
  const command = async (line: string, code = 0) => {
    const ran = await posthorn.command(line.split(' '))
    assert.equal(ran.code, code, `${line}: ${ran.out}${ran.err}${internet.receiver.log()}`)
    return ran.out
  }
  const mailbox = () => internet.receiver.mailbox('receiver.net', 'you')

  await command(`domain add ${DOMAIN}`)
  const first = await command(`live ${DOMAIN}`, 1)
  for (const code of [
    'HELO_NO_ADDRESS',
    'PTR_GENERIC',
    'SPF_MISSING',
    'DKIM_MISSING',
    'DMARC_MISSING',
    'MX_MISSING',
  ])
    assert.match(first, new RegExp(`✗ ${code} `), first)
  assert.match(first, /Next: .*dns example\.com --only changes\n/)
  await send(posthorn.port, { from: `app@${DOMAIN}`, subject: 'too early' })
  const early = await posthorn.capture('too early')
  assert.deepEqual(early.authentication, { dkim: 'pass', spf: 'pass', dmarc: 'pass' })

  const published = await command(`dns publish ${DOMAIN} --yes`)
  assert.match(published, /Every name server shows them\.$/m)
  // The resolver remembers for a second what was not there.
  const second = await until(async () => {
    const { out } = await posthorn.command(['live', DOMAIN])
    return !/✗ (SPF|DKIM|DMARC|HELO)_/.test(out) && out
  }, 'the records are seen')
  assert.match(second, /✗ PTR_GENERIC {2}5\.9\.0\.10 is named static-10-0-9-5\.provider\.net/)
  assert.match(second, /✗ MX_MISSING/)
  assert.match(second, /Next: .*doctor example\.com --watch\n/)

  // What is not ours to publish: the provider names our address, the owner says where replies go.
  await internet.update(
    '.',
    'del 10.0.9.5.in-addr.arpa. PTR',
    'add 10.0.9.5.in-addr.arpa. 1 PTR mail.example.com.',
  )
  await internet.update(DOMAIN, `add ${DOMAIN}. 1 MX 10 mx.receiver.net.`)
  const healthy = await until(async () => {
    const { code, out } = await posthorn.command(['doctor', DOMAIN])
    return code === 0 && out
  }, 'the doctor is content')
  assert.match(healthy, /✓ p\d+\._domainkey\.example\.com .*2 of 2/)
  assert.doesNotMatch(healthy, /^\s*[✗?!] /m)

  const live = await command(`live ${DOMAIN}`)
  assert.match(live, /From now on mail From @example\.com IS DELIVERED/)
  const sent = await command(`send-test ${TO} --from test@${DOMAIN} --live --watch --timeout 20s`)
  assert.match(sent, /delivered .*250 2\.0\.0 Ok/)
  const [believed] = await until(() => mailbox().length > 0 && mailbox(), 'the message is there')
  const unfolded = believed!.replace(/\n[ \t]+/g, ' ')
  assert.match(
    unfolded,
    /^Authentication-Results: mx\.receiver\.net; dkim=pass .*header\.d=example\.com/m,
  )
  assert.match(
    unfolded,
    /^Authentication-Results: mx\.receiver\.net; dmarc=pass .*header\.from=example\.com/m,
  )
  assert.match(
    unfolded,
    /^Authentication-Results: mx\.receiver\.net; spf=pass smtp\.mailfrom=example\.com/m,
  )
  assert.match(
    unfolded,
    /^Received: from mail\.example\.com \(mail\.example\.com \[5\.9\.0\.10\]\) by mx\.receiver\.net \(Postfix\) with ESMTPS/m,
  )

  // The receiver is no yes-man: the same words from elsewhere do not pass.
  await forge()
  const forged = await until(
    () => mailbox().find((one) => /^Subject: forged$/m.test(one)),
    'the forgery',
  )
  assert.match(forged.replace(/\n[ \t]+/g, ' '), /dmarc=fail .*header\.from=example\.com/)

  // Others stay inside, and so does this one when it is taken back.
  await send(posthorn.port, { from: 'app@other.example', subject: 'of another domain' })
  await posthorn.capture('of another domain')
  await command(`sandbox ${DOMAIN}`)
  await send(posthorn.port, { from: `app@${DOMAIN}`, subject: 'taken back' })
  await posthorn.capture('taken back')
  assert.equal(mailbox().length, 2)
}

async function send(port: number, { from, subject }: { from: string; subject: string }) {
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port, ignoreTLS: true })
  await transport.sendMail({ from, to: TO, subject, text: 'Hello' })
  transport.close()
}

async function forge(): Promise<void> {
  const args = [
    '--server',
    AT.receiver,
    '--local-interface',
    AT.stranger,
    '--ehlo',
    'mail.stranger.net',
  ]
  const letter = ['--from', `test@${DOMAIN}`, '--to', TO, '--header', 'Subject: forged']
  const { code, out, err } = await run('swaks', [...args, ...letter])
  assert.equal(code, 0, out + err)
}
