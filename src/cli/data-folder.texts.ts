/** What may be wrong with the data folder, in both languages. */
export const dataFolderTexts = {
  en: {
    inMemory: (folder: string) =>
      [
        `DATA_IN_MEMORY  ${folder} is in memory (tmpfs): accepted mail would be lost with the power.\n  Fix:`,
        'a volume or a folder on a disk: --data FOLDER (POSTHORN_DATA). To run all the same:',
        'POSTHORN_STORAGE_ALLOW_MEMORY=true.',
      ].join(' '),
    newer: (folder: string, why: string) =>
      [
        `DATA_NEWER  ${folder} was written by a newer Posthorn (${why}).\n  Fix: start the version that wrote`,
        'it, restore a copy from before the upgrade, or use another folder: --data FOLDER.',
      ].join(' '),
  },
  ru: {
    inMemory: (folder: string) =>
      [
        `DATA_IN_MEMORY  ${folder} находится в памяти (tmpfs): принятая почта пропадёт вместе с питанием.\n `,
        'Исправление: том или папка на диске: --data ПАПКА (POSTHORN_DATA). Запустить всё равно:',
        'POSTHORN_STORAGE_ALLOW_MEMORY=true.',
      ].join(' '),
    newer: (folder: string, why: string) =>
      [
        `DATA_NEWER  ${folder} записана более новым Posthorn (${why}).\n  Исправление: запустите ту версию,`,
        'восстановите копию, сделанную до обновления, или возьмите другую папку: --data ПАПКА.',
      ].join(' '),
  },
} as const
