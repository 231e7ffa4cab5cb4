// May strangers send through us? The server looks by itself now and then (it alone sees as whom a
// connection arrives); here it looks once more and what it found is told.

import { type Check, findingsOf } from '../check.ts'
import { openRelayTexts } from '../texts/open-relay.ts'

const found = findingsOf(openRelayTexts)

export type OpenRelayOptions = {
  /** Dials our own public address now. */
  readonly probe: () => Promise<void>
  readonly risks: () => readonly { readonly address: string; readonly seen: string }[]
}

/** Undefined options: no server runs here, and there is nothing to check. */
export function checkOpenRelay(options: OpenRelayOptions | undefined): Check {
  return {
    name: 'open-relay',
    group: 'server',
    async run() {
      if (!options) return []
      await options.probe()
      const risks = options.risks()
      if (risks.length === 0) return [found('OPEN_RELAY_OK', 'server', {})]
      return risks.map(({ address, seen }) => found('OPEN_RELAY_RISK', address, { address, seen }))
    },
  }
}
