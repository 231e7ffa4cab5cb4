// What `posthorn aliases` says.

import type { Language } from '../../config/language.ts'
import { plurals } from '../plural.ts'

const enNouns = plurals('en', { alias: { one: 'alias', other: 'aliases' } })
const ruNouns = plurals('ru', {
  alias: { one: 'псевдоним', few: 'псевдонима', other: 'псевдонимов' },
})

const en = {
  help: {
    group: 'Where mail for users of this machine goes.',
    check: 'Check alias files: those of rewrite.aliases, or those given. newaliases does the same.',
  },
  none: 'There is nothing to check: rewrite.aliases names no file.',
  good: (file: string, count: number) => `${file}: ${enNouns.alias(count)}`,
  unreadable: (file: string, why: string) => `${file}: cannot be read: ${why}`,
  circle: (file: string, name: string) => `${file}: ${name} leads to itself in a circle`,
  tooMany: (file: string, name: string, most: number) =>
    `${file}: ${name} leads to more than ${most} recipients`,
  stays: 'A running server keeps the last good version in force.',
}

const ru: typeof en = {
  help: {
    group: 'Куда идёт почта пользователей этой машины.',
    check:
      'Проверить файлы псевдонимов: из rewrite.aliases или указанные. То же делает newaliases.',
  },
  none: 'Проверять нечего: rewrite.aliases не называет файлов.',
  good: (file, count) => `${file}: ${ruNouns.alias(count)}`,
  unreadable: (file, why) => `${file}: не читается: ${why}`,
  circle: (file, name) => `${file}: ${name} ведёт по кругу к самому себе`,
  tooMany: (file, name, most) => `${file}: ${name} ведёт больше чем к ${most} получателям`,
  stays: 'Работающий сервер пока пользуется последней верной версией.',
}

export const aliasesTexts: Readonly<Record<Language, typeof en>> = { en, ru }
