// Zones and what SPF makes of them: for our own evaluation, and for others that it is compared with.

export type SpfSample = {
  /** The clause of RFC 7208, and what is peculiar. */
  readonly name: string
  /** `name TYPE` to records, as test/support/dns.ts takes them. */
  readonly zone: Readonly<Record<string, readonly string[] | 'cannot-tell'>>
  readonly result: string
  /** 192.0.2.25 when absent. */
  readonly address?: string
  /** `app@a.example` when absent. */
  readonly sender?: string
  readonly helloName?: string
  readonly explanation?: string
}

type Zone = SpfSample['zone']
const record = (text: string, more: Zone = {}): Zone => ({ 'a.example TXT': [text], ...more })
const V6 = '2001:db8::25'
const POINTER = '25.2.0.192.in-addr.arpa PTR'
const many = (count: number, of: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => of(i))
const host = { 'h.example A': ['192.0.2.25'], 'h.example AAAA': [V6] }

/** Eleven includes that pass through each other; the last one has the record. */
const chain = (length: number): Zone =>
  Object.fromEntries(
    many(length, String).map((i) => [
      `c${i}.example TXT`,
      [
        Number(i) === length - 1
          ? 'v=spf1 ip4:192.0.2.25 -all'
          : `v=spf1 include:c${Number(i) + 1}.example -all`,
      ],
    ]),
  )

const sample = (
  name: string,
  result: string,
  zone: Zone,
  rest: Partial<SpfSample> = {},
): SpfSample => ({ name, result, zone, ...rest })

export const spfSamples: readonly SpfSample[] = [
  sample('§4.3 a single label', 'none', {}, { sender: 'x@localhost' }),
  sample('§4.3 an empty label', 'none', {}, { sender: 'x@a..example' }),
  sample('§4.3 an address literal', 'none', {}, { sender: 'x@[192.0.2.25]' }),
  sample(
    '§4.3 no local part is postmaster',
    'pass',
    record('v=spf1 exists:%{l}.h.example -all', { 'postmaster.h.example A': ['127.0.0.2'] }),
    { sender: '@a.example' },
  ),
  sample(
    '§2.4 the null reverse-path: HELO',
    'pass',
    { 'mail.a.example TXT': ['v=spf1 ip4:192.0.2.25 -all'] },
    { sender: '', helloName: 'mail.a.example' },
  ),
  sample('§4.4 no such name', 'none', {}),
  sample('§4.4 SERVFAIL', 'temperror', { 'a.example TXT': 'cannot-tell' }),
  sample('§4.5 other TXT records', 'pass', {
    'a.example TXT': ['hello', 'v=spf1 +all', 'v=spf10 -all', 'v=spf1-all'],
  }),
  sample('§4.5 only other records', 'none', {
    'a.example TXT': ['v=spf2.0/pra -all', 'spf1 -all'],
  }),
  sample('§4.5 two records', 'permerror', { 'a.example TXT': ['v=spf1 +all', 'v=spf1 -all'] }),
  sample('§4.5 the version in any case', 'fail', record('V=sPf1 -ALL')),
  sample('§4.5 the version alone', 'neutral', record('v=spf1')),
  sample('§4.6.1 many spaces', 'fail', record('v=spf1   -all  ')),
  sample('§4.6.1 a tab is no space', 'permerror', record('v=spf1 a\t-all')),
  sample('§4.6.2 the qualifiers: ?', 'neutral', record('v=spf1 ?all')),
  sample('§4.6.2 the qualifiers: ~', 'softfail', record('v=spf1 ~all')),
  sample('§4.6.2 the qualifiers: +', 'pass', record('v=spf1 +all')),
  sample('§4.6.2 two qualifiers', 'permerror', record('v=spf1 --all')),
  sample('§4.6 an unknown mechanism behind a match', 'permerror', record('v=spf1 +all foo')),
  sample('§4.6 a mechanism by a wrong name', 'permerror', record('v=spf1 ipv4:192.0.2.25 -all')),
  sample('§4.6 a spelling with =', 'fail', record('v=spf1 ip4=192.0.2.25 -all')),
  sample('§4.7 nothing matched', 'neutral', record('v=spf1 ip4:192.0.2.1')),
  sample('§4.8 a final dot', 'pass', record('v=spf1 a:h.example. -all', host)),
  sample('§5.1 all with a value', 'permerror', record('v=spf1 all:a.example')),
  sample(
    '§5.1 what is behind all counts only as syntax',
    'fail',
    record('v=spf1 -all ip4:192.0.2.25'),
  ),
  sample(
    '§5.2 include passes',
    'pass',
    record('v=spf1 include:b.example -all', { 'b.example TXT': ['v=spf1 ip4:192.0.2.25 -all'] }),
  ),
  sample(
    '§5.2 include fails: no match',
    'softfail',
    record('v=spf1 include:b.example ~all', { 'b.example TXT': ['v=spf1 -all'] }),
  ),
  sample(
    '§5.2 include is neutral: no match',
    'fail',
    record('v=spf1 include:b.example -all', { 'b.example TXT': ['v=spf1 ?all'] }),
  ),
  sample(
    '§5.2 include without a record',
    'permerror',
    record('v=spf1 include:b.example -all', { 'b.example A': ['192.0.2.1'] }),
  ),
  sample(
    '§5.2 include with a broken record',
    'permerror',
    record('v=spf1 include:b.example -all', { 'b.example TXT': ['v=spf1 a:'] }),
  ),
  sample(
    '§5.2 include with SERVFAIL',
    'temperror',
    record('v=spf1 include:b.example -all', { 'b.example TXT': 'cannot-tell' }),
  ),
  sample(
    '§5.2 a match before the broken include',
    'pass',
    record('v=spf1 ip4:192.0.2.25 include:b.example -all'),
  ),
  sample('§5.2 include:', 'permerror', record('v=spf1 include: -all')),
  sample(
    '§5.3 a of the domain itself',
    'pass',
    record('v=spf1 a -all', { 'a.example A': ['192.0.2.25'] }),
  ),
  sample('§5.3 a of another', 'pass', record('v=spf1 A:H.example -all', host)),
  sample('§5.3 a over IPv6', 'pass', record('v=spf1 a:h.example -all', host), { address: V6 }),
  sample(
    '§5.3 a with a prefix',
    'pass',
    record('v=spf1 a:h.example/24 -all', { 'h.example A': ['192.0.2.1'] }),
  ),
  sample(
    '§5.3 a with both prefixes',
    'pass',
    record('v=spf1 a:h.example/32//64 -all', { 'h.example AAAA': ['2001:db8::1'] }),
    { address: V6 },
  ),
  sample(
    '§5.3 a with the prefix of the other family',
    'fail',
    record('v=spf1 a:h.example//24 -all', { 'h.example A': ['192.0.2.1'] }),
  ),
  sample('§5.3 a prefix of 33', 'permerror', record('v=spf1 a/33 -all')),
  sample('§5.3 a prefix with a zero in front', 'permerror', record('v=spf1 a:h.example/024 -all')),
  sample('§5.3 an IPv6 prefix of 129', 'permerror', record('v=spf1 a//129 -all')),
  sample(
    '§5.3 a prefix of 0',
    'pass',
    record('v=spf1 a:h.example/0 -all', { 'h.example A': ['8.8.8.8'] }),
  ),
  sample('§5.3 a: with an address', 'permerror', record('v=spf1 a:192.0.2.25 -all')),
  sample(
    '§5.3 a behind an alias',
    'pass',
    record('v=spf1 a:w.example -all', { 'w.example CNAME': ['h.example'], ...host }),
  ),
  sample(
    '§5.3 SERVFAIL',
    'temperror',
    record('v=spf1 a:h.example -all', { 'h.example A': 'cannot-tell' }),
  ),
  sample(
    '§5.4 mx',
    'pass',
    record('v=spf1 mx -all', {
      'a.example MX': ['10 x.example', '5 h.example'],
      'x.example A': ['192.0.2.1'],
      ...host,
    }),
  ),
  sample(
    '§5.4 mx with a prefix',
    'pass',
    record('v=spf1 mx:m.example/24 -all', {
      'm.example MX': ['10 x.example'],
      'x.example A': ['192.0.2.1'],
    }),
  ),
  sample(
    '§5.4 no MX: the address of the domain does not serve',
    'fail',
    record('v=spf1 mx -all', { 'a.example A': ['192.0.2.25'] }),
  ),
  sample(
    '§4.6.4 ten hosts of mx',
    'fail',
    record('v=spf1 mx -all', {
      'a.example MX': many(10, (i) => `${i} x.example`),
      'x.example A': ['192.0.2.1'],
    }),
  ),
  sample(
    '§4.6.4 eleven hosts of mx',
    'permerror',
    record('v=spf1 mx -all', { 'a.example MX': many(11, (i) => `${i} x${i}.example`) }),
  ),
  sample(
    '§5.5 ptr',
    'pass',
    record('v=spf1 ptr -all', { [POINTER]: ['m.a.example'], 'm.a.example A': ['192.0.2.25'] }),
  ),
  sample(
    '§5.5 ptr that does not lead back',
    'fail',
    record('v=spf1 ptr -all', { [POINTER]: ['m.a.example'], 'm.a.example A': ['192.0.2.1'] }),
  ),
  sample(
    '§5.5 ptr of another domain',
    'fail',
    record('v=spf1 ptr:b.example -all', {
      [POINTER]: ['m.a.example'],
      'm.a.example A': ['192.0.2.25'],
    }),
  ),
  sample(
    '§5.5 ptr that only ends alike',
    'fail',
    record('v=spf1 ptr -all', { [POINTER]: ['xa.example'], 'xa.example A': ['192.0.2.25'] }),
  ),
  sample(
    '§5.5 SERVFAIL for the names',
    'fail',
    record('v=spf1 ptr -all', { [POINTER]: 'cannot-tell' }),
  ),
  sample(
    '§5.5 SERVFAIL for a name',
    'pass',
    record('v=spf1 ptr -all', {
      [POINTER]: ['x.a.example', 'm.a.example'],
      'x.a.example A': 'cannot-tell',
      'm.a.example A': ['192.0.2.25'],
    }),
  ),
  sample('§5.6 ip4', 'pass', record('v=spf1 ip4:192.0.2.0/24 -all')),
  sample('§5.6 ip4 by another', 'fail', record('v=spf1 ip4:192.0.3.0/24 -all')),
  sample('§5.6 ip4 without all its numbers', 'permerror', record('v=spf1 ip4:192.0.2 -all')),
  sample('§5.6 ip4 with zeros in front', 'permerror', record('v=spf1 ip4:192.000.2.25 -all')),
  sample('§5.6 ip4 with a name', 'permerror', record('v=spf1 ip4:h.example -all')),
  sample('§5.6 ip4 with IPv6', 'permerror', record('v=spf1 ip4:2001:db8::25 -all')),
  sample('§5.6 ip4 with an empty prefix', 'permerror', record('v=spf1 ip4:192.0.2.25/ -all')),
  sample('§5.6 ip6', 'pass', record('v=spf1 ip6:2001:DB8::/32 -all'), { address: V6 }),
  sample('§5.6 ip6 and a client of IPv4', 'fail', record('v=spf1 ip6:::/0 -all')),
  sample('§5.6 ip4 and a client of IPv6', 'fail', record('v=spf1 ip4:0.0.0.0/0 -all'), {
    address: V6,
  }),
  sample('§5.6 ip6 with IPv4', 'permerror', record('v=spf1 ip6:192.0.2.25 -all')),
  sample(
    '§5.7 exists',
    'pass',
    record('v=spf1 exists:%{ir}.list.example -all', { '25.2.0.192.list.example A': ['127.0.0.2'] }),
  ),
  sample(
    '§5.7 exists asks for A even over IPv6',
    'pass',
    record('v=spf1 exists:h.example -all', { 'h.example A': ['127.0.0.2'] }),
    { address: V6 },
  ),
  sample('§5.7 it does not exist', 'fail', record('v=spf1 exists:nothere.example -all')),
  sample(
    '§6.1 redirect',
    'pass',
    record('v=spf1 redirect=b.example', { 'b.example TXT': ['v=spf1 ip4:192.0.2.25 -all'] }),
  ),
  sample(
    '§6.1 redirect from anywhere in the record',
    'pass',
    record('v=spf1 redirect=b.example ip4:192.0.2.1', {
      'b.example TXT': ['v=spf1 ip4:192.0.2.25 -all'],
    }),
  ),
  sample(
    '§6.1 redirect behind all is of no use',
    'fail',
    record('v=spf1 -all redirect=b.example', { 'b.example TXT': ['v=spf1 +all'] }),
  ),
  sample(
    '§6.1 redirect to nothing',
    'permerror',
    record('v=spf1 redirect=b.example', { 'b.example A': ['192.0.2.1'] }),
  ),
  sample(
    '§6.1 the domain of the target serves its mechanisms',
    'pass',
    record('v=spf1 redirect=b.example', {
      'b.example TXT': ['v=spf1 a -all'],
      'b.example A': ['192.0.2.25'],
    }),
  ),
  sample('§6 redirect twice', 'permerror', record('v=spf1 redirect=b.example redirect=b.example')),
  sample('§6 an unknown modifier', 'pass', record('v=spf1 foo=bar ip4:192.0.2.25 -all')),
  sample('§6 an unknown modifier with a broken macro', 'permerror', record('v=spf1 foo=%{x} -all')),
  sample(
    '§6.2 exp',
    'fail',
    record('v=spf1 -all exp=e.example', { 'e.example TXT': ['%{i} is not for %{d}: see %{r}'] }),
    { explanation: '192.0.2.25 is not for a.example: see receiver.example' },
  ),
  sample(
    '§6.2 the exp of the redirected record',
    'fail',
    record('v=spf1 redirect=b.example exp=e.example', {
      'b.example TXT': ['v=spf1 -all exp=f.example'],
      'e.example TXT': ['not this'],
      'f.example TXT': ['this'],
    }),
    { explanation: 'this' },
  ),
  sample(
    '§6.2 the exp of an included record is not used',
    'fail',
    record('v=spf1 include:b.example -all', {
      'b.example TXT': ['v=spf1 -all exp=f.example'],
      'f.example TXT': ['not this'],
    }),
  ),
  sample(
    '§6.2 an exp that cannot be asked for',
    'fail',
    record('v=spf1 -all exp=e.example', { 'e.example TXT': 'cannot-tell' }),
  ),
  sample(
    '§6.2 exp with two records',
    'fail',
    record('v=spf1 -all exp=e.example', { 'e.example TXT': ['one', 'two'] }),
  ),
  sample(
    '§6.2 exp with a broken macro',
    'fail',
    record('v=spf1 -all exp=e.example', { 'e.example TXT': ['100% wrong'] }),
  ),
  sample('§6.2 exp=', 'permerror', record('v=spf1 -all exp=')),
  sample(
    '§7.1 %{l} %{o} %{d}',
    'pass',
    record('v=spf1 exists:%{l}._.%{o}._.%{d} -all', {
      'app._.a.example._.a.example A': ['127.0.0.2'],
    }),
  ),
  sample(
    '§7.1 parts, reversed',
    'pass',
    record('v=spf1 exists:%{d1r}.%{i3r}.h.example -all', {
      'a.0.2.192.h.example A': ['127.0.0.2'],
    }),
    { address: '192.2.0.192' },
  ),
  sample(
    '§7.1 delimiters',
    'pass',
    record('v=spf1 exists:%{l1r+-}.h.example -all', { 'app.h.example A': ['127.0.0.2'] }),
    { sender: 'app-x+y@a.example' },
  ),
  sample(
    '§7.1 %{h} %{v}',
    'pass',
    record('v=spf1 exists:%{h}.%{v}.h.example -all', {
      'mail.a.example.in-addr.h.example A': ['127.0.0.2'],
    }),
    { helloName: 'mail.a.example' },
  ),
  sample('§7.1 zero parts', 'permerror', record('v=spf1 exists:%{d0}.h.example -all')),
  sample('§7.1 an unknown letter', 'permerror', record('v=spf1 exists:%{x}.h.example -all')),
  sample(
    '§7.1 a letter for explanations only',
    'permerror',
    record('v=spf1 exists:%{r}.h.example -all'),
  ),
  sample('§7.1 a macro that never ends', 'permerror', record('v=spf1 exists:%{d.h.example -all')),
  sample('§7.1 a lone percent sign', 'permerror', record('v=spf1 exists:%.h.example -all')),
  sample('§7.1 the top label of digits', 'permerror', record('v=spf1 a:h.123 -all')),
  sample(
    '§7.3 %{p}',
    'pass',
    record('v=spf1 exists:%{p}.h.example -all', {
      [POINTER]: ['x.example', 'm.a.example'],
      'm.a.example A': ['192.0.2.25'],
      'x.example A': ['192.0.2.25'],
      'm.a.example.h.example A': ['127.0.0.2'],
    }),
  ),
  sample(
    '§7.3 %{p} of a client without a name',
    'pass',
    record('v=spf1 exists:%{p}.h.example -all', { 'unknown.h.example A': ['127.0.0.2'] }),
  ),
  sample(
    '§4.6.4 ten lookups',
    'pass',
    record(`v=spf1 ${many(9, () => 'a:x.example').join(' ')} a:h.example -all`, {
      'x.example A': ['192.0.2.1'],
      ...host,
    }),
  ),
  sample(
    '§4.6.4 eleven lookups',
    'permerror',
    record(`v=spf1 ${many(10, () => 'a:x.example').join(' ')} a:h.example -all`, {
      'x.example A': ['192.0.2.1'],
      ...host,
    }),
  ),
  sample(
    '§4.6.4 a match before the eleventh',
    'pass',
    record(`v=spf1 a:h.example ${many(12, () => 'a:x.example').join(' ')} -all`, host),
  ),
  sample('§4.6.4 ten includes deep', 'pass', record('v=spf1 include:c0.example -all', chain(10))),
  sample(
    '§4.6.4 eleven includes deep',
    'permerror',
    record('v=spf1 include:c0.example -all', chain(11)),
  ),
  sample('§4.6.4 a loop', 'permerror', record('v=spf1 include:a.example -all')),
  sample('§4.6.4 a loop of redirects', 'permerror', record('v=spf1 redirect=a.example')),
  sample(
    '§4.6.4 two void lookups',
    'pass',
    record('v=spf1 a:n1.example exists:n2.example ip4:192.0.2.25 -all'),
  ),
  sample(
    '§4.6.4 three void lookups',
    'permerror',
    record('v=spf1 a:n1.example mx:n2.example exists:n3.example ip4:192.0.2.25 -all'),
  ),
  sample(
    '§4.6.4 void lookups in an include count too',
    'permerror',
    record('v=spf1 a:n1.example include:b.example ip4:192.0.2.25 -all', {
      'b.example TXT': ['v=spf1 a:n2.example a:n3.example -all'],
    }),
  ),
]
