import type { KeyView } from '../../api/keys.ts'
import type { dkimTexts } from './dkim.texts.ts'

export const keysPath = (domain: string, rest: string): string =>
  `/api/v1/domains/${encodeURIComponent(domain)}/${rest}`

export const date = (time: number | null): string =>
  time === null ? '' : new Date(time).toISOString().slice(0, 10)

const MOST_REASONS = 3

/** What becomes of a key by itself, or what there is to do. */
export function nextOf(key: KeyView, texts: (typeof dkimTexts)['en']): string {
  if (key.txt === null && key.state !== 'retired') return texts.unreadable
  switch (key.state) {
    case 'coming': {
      const { sight } = key
      if (!sight) return texts.notLooked
      const servers = sight.without.map(
        ({ host, kind, why }) => `${host}: ${why || texts.shows[kind]}`,
      )
      const more = [...servers, ...(sight.why === '' ? [] : [sight.why])].slice(0, MOST_REASONS)
      const says = texts.sight(sight.kind, sight.shown, sight.servers)
      return more.length === 0 ? says : `${says} (${more.join('; ')})`
    }
    case 'active':
      if (key.source === 'config') return texts.inConfig
      return key.flags.includes('y') ? texts.testing : texts.signs
    case 'retiring':
      return texts.until(date(key.retiresAt))
    case 'retired':
      return texts.remove
  }
}
