/** The import command's sentences, in both languages. */
export const importTexts = {
  en: {
    help: 'Take over from a Postfix.',
    postfix: 'Translate main.cf, master.cf, their maps and OpenDKIM’s files into a configuration.',
    write: 'write the configuration here',
    dryRun: 'only show it',
    root: 'the files lie below this folder instead of /',
    title: (folder: string) => `From ${folder}`,
    notWritten: 'Nothing was written. To keep it: --write posthorn.yaml',
    exists: (file: string) =>
      `${file} exists already; give another name: --write posthorn-new.yaml`,
    next: (program: string, file: string) =>
      `Check it and start: ${program} config check --config ${file}; ${program} serve --config ${file}`,
  },
  ru: {
    help: 'Перенять дела у Postfix.',
    postfix: 'Перевести main.cf, master.cf, их таблицы и файлы OpenDKIM в наши настройки.',
    write: 'записать настройки сюда',
    dryRun: 'только показать',
    root: 'файлы лежат под этой папкой, а не под /',
    title: (folder: string) => `Из ${folder}`,
    notWritten: 'Ничего не записано. Чтобы сохранить: --write posthorn.yaml',
    exists: (file: string) => `${file} уже есть; укажите другое имя: --write posthorn-new.yaml`,
    next: (program: string, file: string) =>
      `Проверить и запустить: ${program} config check --config ${file}; ${program} serve --config ${file}`,
  },
} as const
