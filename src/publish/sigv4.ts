// AWS Signature Version 4, for requests without a query of repeated names: what Route 53 needs.

import { createHash, createHmac } from 'node:crypto'

export type AwsKeys = { readonly accessKeyId: string; readonly secretAccessKey: string }

export type AwsRequest = {
  readonly method: string
  readonly host: string
  /** Percent-encoded already. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly body: string
}

/** The headers that sign a request: `authorization`, `x-amz-date`, `x-amz-content-sha256`. */
export function signAws(
  request: AwsRequest,
  keys: AwsKeys,
  {
    now,
    region,
    service,
  }: { readonly now: number; readonly region: string; readonly service: string },
): Record<string, string> {
  const time = `${new Date(now).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
  const day = time.slice(0, 8)
  const bodyHash = sha256(request.body)
  const headers: [string, string][] = [
    ['host', request.host],
    ['x-amz-content-sha256', bodyHash],
    ['x-amz-date', time],
  ]
  const names = headers.map(([name]) => name).join(';')
  const canonical = [
    request.method,
    request.path,
    queryString(request.query),
    ...headers.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    bodyHash,
  ].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')
  const key = [day, region, service, 'aws4_request'].reduce<Buffer>(
    (secret, part) => hmac(secret, part),
    Buffer.from(`AWS4${keys.secretAccessKey}`),
  )
  const signature = hmac(key, toSign).toString('hex')
  return {
    'x-amz-date': time,
    'x-amz-content-sha256': bodyHash,
    authorization: `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  }
}

/** Sorted and encoded as the signature wants it; the request must carry it in this form. */
export function queryString(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&')
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
