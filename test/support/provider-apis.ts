// Providers' APIs on loopback: they answer in the shapes that the real ones answer in, out of a zone in
// memory, so that a driver is seen to do what it says it does.

import { createServer, type IncomingMessage } from 'node:http'

export type Request = {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Answer = { readonly status?: number; readonly body?: unknown }

export type FakeApi = AsyncDisposable & {
  readonly base: string
  /** Method and path of every request that changes something. */
  readonly changes: string[]
}

/** Serves `answer`; objects go out as JSON, text as it is. */
export async function serveApi(answer: (request: Request) => Answer): Promise<FakeApi> {
  const changes: string[] = []
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://localhost')
      const request = {
        method: incoming.method ?? 'GET',
        path: decodeURIComponent(pathname),
        query: searchParams,
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString(),
      }
      if (request.method !== 'GET') changes.push(`${request.method} ${request.path}`)
      const { status = 200, body = '' } = answer(request)
      response.writeHead(status)
      response.end(typeof body === 'string' ? body : JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    base: `http://127.0.0.1:${port}`,
    changes,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

type Row = Record<string, unknown> & { id: string; name: string; type: string }

const rowsAt = (rows: Row[], { query }: Request) =>
  rows.filter((row) => row.name === query.get('name'))

/** Single records: Cloudflare. The token is `good`; texts of `refused` are refused. */
export function cloudflareApi(rows: Row[]): (request: Request) => Answer {
  const failure = (status: number, code: number, message: string) => ({
    status,
    body: { success: false, errors: [{ code, message }], messages: [], result: null },
  })
  const success = (result: unknown) => ({
    body: {
      success: true,
      errors: [],
      messages: [],
      result,
      result_info: { page: 1, total_pages: 1 },
    },
  })
  return (request) => {
    const { method, path, query, headers, body } = request
    if (headers.authorization !== 'Bearer good') return failure(403, 9109, 'Invalid access token')
    if (path === '/zones')
      return success(query.get('name') === 'example.com' ? [{ id: 'z1', name: 'example.com' }] : [])
    const [, id = ''] = /^\/zones\/z1\/dns_records(?:\/(.+))?$/.exec(path) ?? []
    if (method === 'GET') return success(rowsAt(rows, request))
    if (method === 'DELETE')
      rows.splice(
        rows.findIndex((row) => row.id === id),
        1,
      )
    else {
      const fields = JSON.parse(body) as Row
      if (String(fields.content).includes('refused'))
        return failure(400, 9005, 'Content for TXT record is invalid.')
      if (method === 'POST') rows.push({ ...fields, id: String(rows.length + 100) })
      else Object.assign(rows.find((row) => row.id === id)!, fields)
    }
    return success({ id })
  }
}

/** Single records: DigitalOcean. */
export function digitalOceanApi(rows: Row[]): (request: Request) => Answer {
  return ({ method, path, query, headers, body }) => {
    if (headers.authorization !== 'Bearer good')
      return { status: 401, body: { id: 'Unauthorized', message: 'Unable to authenticate you' } }
    if (path === '/domains/example.com')
      return { body: { domain: { name: 'example.com', ttl: 1800 } } }
    const [, id] = /^\/domains\/example\.com\/records(?:\/(.+))?$/.exec(path) ?? []
    if (!path.startsWith('/domains/example.com/'))
      return { status: 404, body: { id: 'not_found', message: 'The resource was not found.' } }
    const whole = (name: string) => (name === '@' ? 'example.com' : `${name}.example.com`)
    if (method === 'GET') {
      const found = rows.filter(({ name }) => whole(name) === query.get('name'))
      return { body: { domain_records: found, links: {}, meta: { total: found.length } } }
    }
    if (method === 'DELETE') {
      rows.splice(
        rows.findIndex((row) => String(row.id) === id),
        1,
      )
      return { status: 204 }
    }
    const fields = JSON.parse(body) as Row
    if (String(fields.data).includes('refused'))
      return { status: 422, body: { id: 'unprocessable_entity', message: 'Data is invalid.' } }
    if (method === 'POST') rows.push({ ...fields, id: String(rows.length + 100) })
    else Object.assign(rows.find((row) => String(row.id) === id)!, fields)
    return { status: method === 'POST' ? 201 : 200, body: { domain_record: fields } }
  }
}

type Set = { name: string; type: string; ttl: number | null; records: { value: string }[] }

/** Sets and actions: Hetzner. */
export function hetznerApi(sets: Set[]): (request: Request) => Answer {
  let running = 0
  const action = () => ({ id: ++running, status: 'running', error: null })
  return ({ method, path, query, headers, body }) => {
    if (headers.authorization !== 'Bearer good')
      return {
        status: 401,
        body: { error: { code: 'unauthorized', message: 'unable to authenticate' } },
      }
    if (path === '/zones') {
      const zones = query.get('name') === 'example.com' ? [{ id: 7, name: 'example.com' }] : []
      return { body: { zones } }
    }
    if (path.startsWith('/actions/'))
      return { body: { action: { id: Number(path.slice(9)), status: 'success', error: null } } }
    if (method === 'GET')
      return { body: { rrsets: sets.filter(({ name }) => name === query.get('name')) } }
    const fields = (body === '' ? {} : JSON.parse(body)) as Partial<Set>
    if (fields.records?.some(({ value }) => value.includes('refused')))
      return {
        status: 422,
        body: { error: { code: 'invalid_input', message: 'invalid TXT value' } },
      }
    const [, name, type] = /^\/zones\/7\/rrsets\/([^/]+)\/([A-Z]+)/.exec(path) ?? []
    const at = sets.findIndex((set) => set.name === name && set.type === type)
    if (method === 'DELETE') sets.splice(at, 1)
    else if (at >= 0) sets[at]!.records = fields.records!
    else sets.push(fields as Set)
    return { status: 201, body: { action: action() } }
  }
}

/** Batches in XML: Route 53. Deletes only what is told as it stands. */
export function route53Api(sets: Set[]): (request: Request) => Answer {
  const setXml = ({ name, type, ttl, records }: Set) =>
    `<ResourceRecordSet><Name>${name}.</Name><Type>${type}</Type><TTL>${ttl}</TTL><ResourceRecords>${records
      .map(({ value }) => `<ResourceRecord><Value>${value}</Value></ResourceRecord>`)
      .join('')}</ResourceRecords></ResourceRecordSet>`
  const error = (status: number, code: string, message: string) => ({
    status,
    body: `<?xml version="1.0"?><ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
  })
  const change = (status: string) =>
    `<ChangeInfo><Id>/change/C2682N5HXP0BZ4</Id><Status>${status}</Status></ChangeInfo>`
  return ({ method, path, query, headers, body }) => {
    if (!headers.authorization?.includes('Credential=good/'))
      return error(
        403,
        'InvalidClientTokenId',
        'The security token included in the request is invalid',
      )
    if (path === '/2013-04-01/hostedzonesbyname') {
      const zone = (name: string, id: string, secret: boolean) =>
        `<HostedZone><Id>/hostedzone/${id}</Id><Name>${name}</Name><Config><PrivateZone>${secret}</PrivateZone></Config></HostedZone>`
      const zones = [zone('example.com.', 'PRIV', true), zone('example.com.', 'Z1', false)]
      return { body: `<R><HostedZones>${zones.join('')}</HostedZones></R>` }
    }
    if (path.startsWith('/2013-04-01/change/')) return { body: `<R>${change('INSYNC')}</R>` }
    if (method === 'GET') {
      const from = sets.find(
        (set) => `${set.name}.` === query.get('name') && set.type === query.get('type'),
      )
      // Asked for a set that is not there it answers with the next one.
      const other = {
        name: 'zzz.example.com',
        type: 'A',
        ttl: 1,
        records: [{ value: '192.0.2.1' }],
      }
      return { body: `<R><ResourceRecordSets>${setXml(from ?? other)}</ResourceRecordSets></R>` }
    }
    const after = structuredClone(sets)
    for (const [, act, inner = ''] of body.matchAll(/<Action>(\w+)<\/Action>(.*?)<\/Change>/gs)) {
      const one = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(inner)?.[1] ?? ''
      const records = [...inner.matchAll(/<Value>([^<]*)<\/Value>/g)].map(([, value = '']) => ({
        value: value.replaceAll('&#34;', '"'),
      }))
      const set = {
        name: one('Name').slice(0, -1),
        type: one('Type'),
        ttl: Number(one('TTL')),
        records,
      }
      if (records.some(({ value }) => value.includes('refused')))
        return error(400, 'InvalidChangeBatch', 'Invalid Resource Record')
      const at = after.findIndex(({ name, type }) => name === set.name && type === set.type)
      const matches = at >= 0 && JSON.stringify(after[at]) === JSON.stringify(set)
      if (act === 'DELETE' && !matches)
        return error(400, 'InvalidChangeBatch', 'but it was not found')
      if (act === 'CREATE' && at >= 0)
        return error(400, 'InvalidChangeBatch', 'but it already exists')
      if (act === 'DELETE') after.splice(at, 1)
      else after.push(set)
    }
    sets.splice(0, sets.length, ...after)
    return { body: `<R>${change('PENDING')}</R>` }
  }
}
