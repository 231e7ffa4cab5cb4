/** The headings of a translation, in both languages. */
export const translationTexts = {
  en: {
    wrong: 'Wrong: nothing starts until this is repaired',
    rightForm: 'The right form:',
    understood: 'Understood',
    changed: 'Done in another way here',
    ignored: 'Not applicable here',
    configuration: 'The configuration that follows',
  },
  ru: {
    wrong: 'Неверно: запуска не будет, пока это не исправлено',
    rightForm: 'Верная форма:',
    understood: 'Понято',
    changed: 'Здесь делается иначе',
    ignored: 'Здесь неприменимо',
    configuration: 'Настройки, которые из этого следуют',
  },
} as const
