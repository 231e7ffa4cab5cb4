// A mail server under measurement: started in a folder of its own, relaying everything to the sink.

export type PeerOptions = {
  /** An empty folder on the file system to be measured. */
  readonly folder: string
  readonly port: number
  readonly sinkPort: number
  readonly certificate: string
  readonly key: string
  /** The DKIM key, RSA-2048, PEM; absent: unsigned. */
  readonly dkimKey?: string
  /** Every sync is to take so much longer: a library to preload, and by how much. */
  readonly slowSync?: { readonly library: string; readonly ms: number }
}

/** What a server's environment must hold for that. */
export const slowSyncs = ({ slowSync }: PeerOptions): Readonly<Record<string, string>> =>
  slowSync ? { LD_PRELOAD: slowSync.library, SYNC_DELAY_US: `${slowSync.ms * 1000}` } : {}

export type Peer = {
  readonly name: string
  /** The roots of its process trees. */
  readonly pids: readonly number[]
  stop(): Promise<void>
}

export type PeerKind = {
  readonly name: string
  /** How many messages it gets before it is measured: many thousand for a JIT, few for C. */
  readonly warmUp: number
  /** Why it cannot run here, in words that tell how to install it; undefined when it can. */
  missing(): string | undefined
  start(options: PeerOptions): Promise<Peer>
}
