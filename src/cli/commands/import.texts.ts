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
    spool: 'Bring over the mail that waits in the queue of a stopped Postfix.',
    locked: (data: string) =>
      `A server runs on ${data}. Stop it for the import: what waits is sent when it starts again.`,
    running: (pid: string) => `This Postfix runs (process ${pid}). First: postfix stop`,
    noSpool: (folder: string) =>
      `${folder} is no queue of Postfix. The right form: posthorn import spool /var/spool/postfix`,
    brought: (messages: number, recipients: number, held: number) =>
      [
        `Brought over: messages ${messages}, recipients`,
        `${recipients}${held > 0 ? `, of the messages still on hold ${held}` : ''}. Their files are in`,
        'posthorn-imported.',
      ].join(' '),
    left: (count: number) =>
      `Files that stay where they were: ${count}. A Postfix can still send them, and so can a later run.`,
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
    spool: 'Перенести письма, ждущие в очереди остановленного Postfix.',
    locked: (data: string) =>
      `На ${data} работает сервер. Остановите его на время переноса: письма уйдут, когда он запустится снова.`,
    running: (pid: string) => `Этот Postfix работает (процесс ${pid}). Сначала: postfix stop`,
    noSpool: (folder: string) =>
      `${folder} не очередь Postfix. Верная форма: posthorn import spool /var/spool/postfix`,
    brought: (messages: number, recipients: number, held: number) =>
      [
        `Перенесено: писем ${messages}, получателей`,
        `${recipients}${held > 0 ? `, из писем остаются задержанными ${held}` : ''}. Их файлы лежат в`,
        'posthorn-imported.',
      ].join(' '),
    left: (count: number) =>
      `Файлов, оставшихся на месте: ${count}. Их может отправить Postfix или следующий перенос.`,
    next: (program: string, file: string) =>
      `Проверить и запустить: ${program} config check --config ${file}; ${program} serve --config ${file}`,
  },
} as const
