// How we show an authority that a name is ours (RFC 8555 §8): a text on port 80, or a record in DNS.

import { createServer, type Server } from 'node:http'

/** Publishes TXT records beside those that are there; both resolve when the world can see it. */
export type TxtPublisher = {
  /** @param name without the final dot, such as `_acme-challenge.mail.example.com` */
  setTxt(name: string, value: string): Promise<void>
  removeTxt(name: string, value: string): Promise<void>
}

const PATH = '/.well-known/acme-challenge/'
const MOST_CONNECTIONS = 50

/** The texts that HTTP-01 asks for (RFC 8555 §8.3), by token. Also our HTTP door answers from here. */
export class HttpChallenges {
  readonly #texts = new Map<string, string>()

  set(token: string, text: string): void {
    this.#texts.set(token, text)
  }

  remove(token: string): void {
    this.#texts.delete(token)
  }

  /** Undefined: nobody was told this token. */
  answer(token: string): string | undefined {
    return this.#texts.get(token)
  }

  /** A small server for as long as an order runs. Rejects with the system's error. */
  async listen(
    address: string,
    port: number,
  ): Promise<AsyncDisposable & { readonly port: number }> {
    const server = createServer(
      { requestTimeout: 10_000, headersTimeout: 5_000 },
      (asked, answer) => {
        const url = asked.url ?? ''
        const text = url.startsWith(PATH) ? this.answer(url.slice(PATH.length)) : undefined
        answer.setHeader('connection', 'close')
        answer.statusCode = text === undefined ? 404 : 200
        answer.setHeader('content-type', 'text/plain')
        answer.end(text ?? 'not found\n')
      },
    )
    server.maxConnections = MOST_CONNECTIONS
    await listening(server, { address, port })
    const taken = server.address() as { port: number }
    return {
      port: taken.port,
      async [Symbol.asyncDispose]() {
        const closed = new Promise((resolve) => server.close(resolve))
        server.closeAllConnections()
        await closed
      },
    }
  }
}

function listening(server: Server, place: { address: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(place.port, place.address, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
