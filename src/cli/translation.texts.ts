/** The headings of a translation, in both languages. */
export const translationTexts = {
  en: {
    wrong: 'Wrong: nothing starts until this is repaired',
    rightForm: 'The right form:',
    understood: 'Understood',
    changed: 'Done in another way here',
    ignored: 'Not applicable here',
    configuration: 'The configuration that follows',
    named: (text: string) => text,
  },
  ru: {
    wrong: 'Неверно: запуска не будет, пока это не исправлено',
    rightForm: 'Верная форма:',
    understood: 'Понято',
    changed: 'Здесь делается иначе',
    ignored: 'Здесь неприменимо',
    configuration: 'Настройки, которые из этого следуют',
    /** Arguments are named in English where they are read. */
    named: (text: string) =>
      text
        .replace(/^ {2}argument(?= \d+\b)/, '  аргумент')
        .replace(/^ {2}arguments(?=:)/, '  аргументы')
        .replace(/(?<=# задано в )argument(?= \d+$)/, 'аргументе'),
  },
} as const
