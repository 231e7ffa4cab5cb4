// A watch over trust with a server behind it that says 250 to everybody, for its tests.

import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Config } from '../config/schema.ts'
import type { SmtpService } from '../smtp/service.ts'
import { systemClock } from '../std/clock.ts'
import { silentLog } from '../std/log.ts'
import { Metrics } from '../std/metrics.ts'
import { type TrustWatch, type TrustWatchDeps, watchTrust } from './gateway.ts'

type Trusting = Pick<Config, 'networks' | 'trustGateway'>

export function parseConfig(change: Partial<Trusting>): Trusting {
  return { networks: [], trustGateway: false, ...change }
}

export type Probed = Disposable & {
  readonly watch: TrustWatch
  /** What was logged as an error. */
  readonly said: string[]
  serve(): Promise<AsyncDisposable & { readonly port: number }>
}

export function startProbed(change: Partial<Trusting>, deps: Partial<TrustWatchDeps>): Probed {
  const said: string[] = []
  const watch = watchTrust(parseConfig(change), {
    clock: systemClock,
    log: { ...silentLog, error: (_fields, message) => said.push(message) },
    metrics: new Metrics(),
    gateways: [],
    isLive: () => true,
    ...deps,
  })
  return {
    watch,
    said,
    serve: () => serve(watch),
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  }
}

async function serve(watch: TrustWatch) {
  const service = watch.watched({ mail: () => {} } as unknown as SmtpService)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    let helloName = ''
    socket.on('error', () => {})
    socket.write('220 x\r\n')
    socket.on('data', (chunk) => {
      const line = chunk.toString()
      if (line.startsWith('EHLO ')) helloName = line.slice(5).trim()
      const client = { helloName, address: socket.remoteAddress } as Parameters<
        SmtpService['mail']
      >[0]
      if (line.startsWith('MAIL ')) void service.mail(client, {} as never)
      socket.write('250 ok\r\n')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.5', resolve))
  const { port } = server.address() as AddressInfo
  watch.start([port])
  let closed: Promise<void> | undefined
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      closed ??= new Promise<void>((resolve) => server.close(() => resolve()))
      await closed
    },
  }
}
