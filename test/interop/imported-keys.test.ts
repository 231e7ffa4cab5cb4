// Keys made by the commands of two well-known tutorials are taken over with one command, sign, and
// three independent verifiers accept the mail with the records that we print.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type PosthornHere, startHere } from '../support/posthorn.ts'
import { send } from '../support/talk.ts'
import { missing, missingModule, PYTHON, run, temporaryFolder } from '../support/tools.ts'

const tools = missing('opendkim-genkey', 'openssl')

describe('keys of other servers', { skip: tools }, () => {
  let folder: ReturnType<typeof temporaryFolder>
  let posthorn: PosthornHere
  /** The text of every record by its name, as `dkim export` prints it. */
  const records = new Map<string, string>()
  const files: string[] = []

  before(async () => {
    folder = temporaryFolder()
    posthorn = await startHere({
      domains: { 'mydomain.ru': { canonicalization: 'simple/simple', sign_fields: ['X-*'] } },
    })
  })
  after(async () => {
    await posthorn?.[Symbol.asyncDispose]()
    folder?.[Symbol.dispose]()
  })

  const command = async (...args: string[]) => {
    const { code, out, err } = await posthorn.command(args)
    assert.equal(code, 0, `${args.join(' ')}\n${out}${err}`)
    return out
  }

  /** Sends a message and keeps what the receiver got, with the records that verify it. */
  async function sign(from: string, subject: string, header: readonly string[] = []) {
    const text = 'One  line \n\tand another\n\n'
    await send(posthorn.port, { from, to: 'reader@other.test', subject, header, text })
    const captured = await posthorn.capture(subject)
    assert.equal(captured.authentication.dkim, 'pass')
    const raw = await posthorn.raw(captured.id)
    const file = join(folder.path, `m${files.length}`)
    writeFileSync(file, raw, 'latin1')
    files.push(file)
    return raw
  }

  async function exported(domain: string) {
    const lines = (await command('dkim', 'export', domain)).trim().split('\n')
    for (let i = 0; i + 1 < lines.length; i += 2) records.set(lines[i]!, lines[i + 1]!.trim())
  }

  it('OpenDKIM with its tables, as the second tutorial sets it up', async () => {
    const etc = join(folder.path, 'opendkim')
    mkdirSync(etc)
    execFileSync('opendkim-genkey', ['-D', etc, '-d', 'example.com', '-s', 'mail'])
    const key = '/etc/opendkim/mail.private'
    writeFileSync(join(etc, 'keytable'), `mail._domainkey.example.com example.com:mail:${key}\n`)
    writeFileSync(join(etc, 'signingtable'), 'example.com    mail._domainkey.example.com\n')
    const out = await command('dkim', 'import', etc, '--sandbox')
    assert.match(out, /example\.com +mail +RSA 2048 +\S+mail\.private/)
    assert.match(out, /mail\._domainkey\.example\.com signs from now on/)
    const raw = await sign('info@example.com', 'from the second tutorial')
    assert.match(raw, /d=example\.com; s=mail;/)
    await sign('info@sub.example.com', 'from below')
    await exported('example.com')
  })

  it('dkim.key with 1024 bits and t=s, as the first tutorial sets it up', async () => {
    const dkim = join(folder.path, 'dkim')
    mkdirSync(dkim)
    const key = join(dkim, 'dkim.key')
    execFileSync('openssl', ['genrsa', '-out', key, '1024'], { stdio: 'ignore' })
    chmodSync(key, 0o644)
    const pem = String(execFileSync('openssl', ['rsa', '-pubout', '-in', key], { stdio: 'pipe' }))
    const p = pem.replace(/-----[^-]+-----|\s/g, '')
    const name = 'myselector._domainkey.firma.example.'
    writeFileSync(join(dkim, 'dkim.public'), `${name} TXT "v=DKIM1\\; k=rsa\\; t=s\\; p=${p}"\n`)
    const out = await command('dkim', 'import', dkim, '--sandbox')
    assert.match(out, /firma\.example +myselector +RSA 1024/)
    assert.match(out, /mode 0644\). Fix: chmod 600/)
    assert.match(out, /RSA key of 1024 bits/)
    const raw = await sign('app@firma.example', 'from the first tutorial')
    assert.match(raw, /d=firma\.example; s=myselector;/)
    await exported('firma.example')
    assert.match(records.get('myselector._domainkey.firma.example')!, /; t=s; p=/)
  })

  it('a folder of keys, one file a domain', async () => {
    const keys = join(folder.path, 'keys')
    mkdirSync(keys)
    for (const domain of ['a.example', 'b.example']) {
      execFileSync('opendkim-genkey', ['-D', keys, '-d', domain, '-s', 'mail'])
      renameSync(join(keys, 'mail.private'), join(keys, `${domain}.private`))
      renameSync(join(keys, 'mail.txt'), join(keys, `${domain}.txt`))
    }
    await command('dkim', 'import', keys, '--sandbox')
    for (const domain of ['a.example', 'b.example']) {
      const unsubscribe = ['List-Unsubscribe: <https://u.example/1>']
      const raw = await sign(`me@${domain}`, `from ${domain}`, unsubscribe)
      assert.match(raw.replace(/\r\n\s+/g, ''), /h=[^;]*:List-Unsubscribe:List-Unsubscribe:/)
      await exported(domain)
    }
  })

  it('a domain of the configuration keeps its form and signs its own fields', async () => {
    const header = ['X-Shop: two   blanks', 'x-shop: and again', 'List-Unsubscribe-Post: One-Click']
    const raw = await sign('me@mydomain.ru', 'in its own form', header)
    const [signature = ''] = /^DKIM-Signature:[\s\S]*?\r\n(?=\S)/m.exec(raw) ?? []
    assert.match(signature, /c=simple\/simple;/)
    assert.match(signature.replace(/\s/g, ''), /:List-Unsubscribe-Post:.*:x-shop:X-Shop;b=/)
    await exported('mydomain.ru')
  })

  it('are accepted by dkimpy', { skip: missingModule('dkim') }, async () => {
    const script = `
import dkim, json, sys
keys = json.loads(sys.argv[1])
for file in sys.argv[2:]:
    print('pass' if dkim.verify(open(file, 'rb').read(), dnsfunc=lambda name, timeout=5: keys[name.decode().rstrip('.')].encode()) else 'FAIL ' + file)
`
    const args = ['-c', script, JSON.stringify(Object.fromEntries(records)), ...files]
    const { out, err } = await run(PYTHON, args)
    assert.deepEqual(
      out.trim().split('\n'),
      files.map(() => 'pass'),
      err,
    )
  })

  it('are accepted by OpenDKIM', { skip: missing('opendkim') }, async () => {
    const published = join(folder.path, 'published')
    writeFileSync(published, [...records].map(([name, text]) => `${name} ${text}\n`).join(''))
    const conf = join(folder.path, 'conf')
    writeFileSync(conf, `Mode v\nTestPublicKeys ${published}\nSyslog no\n`)
    const { out, err } = await run('opendkim', ['-t', files.join(','), '-x', conf])
    const good = (out + err).match(/verification \(.*\) succeeded/g) ?? []
    assert.ok(files.length > 4)
    assert.equal(good.length, files.length, out + err)
  })

  it('are accepted by Mail::DKIM', { skip: missing('perl') }, async (t) => {
    const script = `use strict; use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS::RR;
my ($n, @rest) = @ARGV; my %keys = splice @rest, 0, 2 * $n;
{ no warnings 'redefine';
  *Mail::DKIM::DNS::query = sub {
    my $text = $keys{$_[0]} or return ();
    return Net::DNS::RR->new(name => $_[0], type => 'TXT', txtdata => [unpack '(A200)*', $text]);
  };
}
for my $file (@rest) {
  open my $in, '<:raw', $file or die;
  my $dkim = Mail::DKIM::Verifier->new;
  while (<$in>) { s/\\r?\\n$//; $dkim->PRINT("$_\\r\\n"); }
  $dkim->CLOSE;
  print $dkim->result_detail, "\\n";
}`
    const args = ['-e', script, String(records.size), ...[...records].flat(), ...files]
    const { out, err } = await run('perl', args)
    if (/Can't locate/.test(err)) return t.skip('needs Mail::DKIM')
    assert.deepEqual(
      out.trim().split('\n'),
      files.map(() => 'pass'),
      err,
    )
  })
})
