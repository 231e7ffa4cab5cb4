// The sentences about compared records, in both languages.

import type { Note, NoteCode, RecordState } from './compare.ts'

export type ZoneLanguage = 'en' | 'ru'

type Facts = Note['facts']
type Sentence = (facts: Facts) => string

const NOTES: Readonly<Record<NoteCode, Readonly<Record<ZoneLanguage, Sentence>>>> = {
  alias: {
    en: ({ target }) => `an alias (CNAME) to ${target} stands here: nothing else can; remove it`,
    ru: ({ target }) =>
      `здесь стоит псевдоним (CNAME) на ${target}, рядом с ним других записей быть не может; удалите его`,
  },
  'two-records': {
    en: ({ count }) => `there are ${count} where only one may be: receivers believe none of them`,
    ru: ({ count }) => `их ${count}, а может быть только одна: получатели не верят ни одной`,
  },
  'other-address': {
    en: ({ address }) =>
      `this name has ${address} now: if another server uses it, choose another hostname`,
    ru: ({ address }) =>
      `сейчас у имени ${address}: если им пользуется другой сервер, выберите другой hostname`,
  },
  'spf-merged': {
    en: () => 'CHANGE the record that is there, do not add a second one; what it allowed stays',
    ru: () => 'ИЗМЕНИТЕ имеющуюся запись, не добавляйте вторую; всё, что она разрешала, сохранено',
  },
  'spf-dropped': {
    en: ({ terms }) => `left out, for no receiver can read it: ${terms}`,
    ru: ({ terms }) => `не вошло, потому что этого не поймёт ни один получатель: ${terms}`,
  },
  'spf-broken': {
    en: ({ terms }) => `leads nowhere: ${terms}; --prune leaves it out`,
    ru: ({ terms }) => `ни на что не указывает: ${terms}; --prune уберёт`,
  },
  'spf-lookups': {
    en: ({ lookups, most, term, cost }) =>
      `needs ${lookups} DNS lookups, the limit is ${most}; ${term} costs ${cost}: remove what is not used, or --flatten`,
    ru: ({ lookups, most, term, cost }) =>
      `требует запросов DNS: ${lookups} при пределе ${most}; ${term} стоит ${cost}: уберите лишнее или --flatten`,
  },
  'dkim-other-key': {
    en: () => 'another key stands under this selector: with it no signature of ours is valid',
    ru: () => 'под этим селектором другой ключ: с ним ни одна наша подпись не верна',
  },
  'dmarc-kept': {
    en: () => 'your policy is stricter than ours to begin with, and stays',
    ru: () => 'ваша политика строже начальной; она остаётся',
  },
  'dmarc-removed-tags': {
    en: ({ tags }) => `${tags}: no longer part of DMARC (RFC 9989), left out`,
    ru: ({ tags }) => `${tags}: больше не входит в DMARC (RFC 9989), убрано`,
  },
  'dmarc-above': {
    en: ({ name }) => `${name} speaks for this domain too; nothing to add`,
    ru: ({ name }) => `${name} действует и для этого домена; добавлять ничего не нужно`,
  },
  'bimi-policy': {
    en: () => 'receivers look at it only with DMARC p=quarantine or p=reject',
    ru: () => 'получатели смотрят на неё только при DMARC p=quarantine или p=reject',
  },
  'cannot-tell': {
    en: ({ why }) => `could not ask: ${why}`,
    ru: ({ why }) => `узнать не удалось: ${why}`,
  },
}

/** One sentence, without its full stop. */
export function describeNote({ code, facts }: Note, language: ZoneLanguage): string {
  return NOTES[code][language](facts)
}

/** A sign and a word: the state is told without colour, and without the sign too. */
const STATES: Readonly<Record<RecordState, Readonly<Record<ZoneLanguage | 'sign', string>>>> = {
  present: { sign: '✓', en: 'present', ru: 'есть' },
  differs: { sign: '≠', en: 'CHANGE', ru: 'ИЗМЕНИТЬ' },
  missing: { sign: '+', en: 'ADD', ru: 'ДОБАВИТЬ' },
  conflict: { sign: '✗', en: 'CONFLICT', ru: 'ПОМЕХА' },
  unknown: { sign: '?', en: 'not known', ru: 'неизвестно' },
}

export function describeState(state: RecordState, language: ZoneLanguage): string {
  return `${STATES[state].sign} ${STATES[state][language]}`
}
