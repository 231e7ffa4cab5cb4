import type { KeyView } from '../../api/keys.ts'
import type { dkimTexts } from './dkim.texts.ts'

export const keysPath = (domain: string, rest: string): string =>
  `/api/v1/domains/${encodeURIComponent(domain)}/${rest}`

export const date = (time: number | null): string =>
  time === null ? '' : new Date(time).toISOString().slice(0, 10)

/** What becomes of a key by itself, or what there is to do. */
export function nextOf(key: KeyView, texts: (typeof dkimTexts)['en']): string {
  if (key.txt === null && key.state !== 'retired') return texts.unreadable
  switch (key.state) {
    case 'coming': {
      const { sight } = key
      if (!sight) return texts.notLooked
      const says = sight.says === '' ? '' : ` (${sight.says})`
      return texts.sight(sight.kind, sight.shown, sight.servers) + says
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
