/** What may stop the way from root to the user that serves, in both languages. */
export const descentTexts = {
  en: {
    notAUser: (text: string) =>
      [
        `POSTHORN_USER: ${JSON.stringify(text)} is no user to serve as. The right form: numbers of a user`,
        'and a group, not root’s, as in POSTHORN_USER=10001:10001',
      ].join(' '),
    rightsMissing: (user: string, path: string) =>
      [
        `RIGHTS_MISSING  Started as root, but without the right to hand over${path && ` ${path}`} and become ${user}.`,
        `\n  Fix: let the container start as that user (docker run --user ${user}; user: "${user}" in`,
        `compose), with volumes that belong to it (chown -R ${user} FOLDER), or with the capabilities`,
        'CHOWN, FOWNER, DAC_OVERRIDE, SETUID and SETGID.',
      ].join(' '),
  },
  ru: {
    notAUser: (text: string) =>
      [
        `POSTHORN_USER: ${JSON.stringify(text)} не годится. Верная форма: номера пользователя и группы, не`,
        'root, например POSTHORN_USER=10001:10001',
      ].join(' '),
    rightsMissing: (user: string, path: string) =>
      [
        `RIGHTS_MISSING  Запущено от root, но без права передать${path && ` ${path}`} и стать ${user}.`,
        `\n  Исправление: запускайте контейнер от этого пользователя (docker run --user ${user}; user:`,
        `"${user}" в compose), а тома отдайте ему (chown -R ${user} ПАПКА), либо дайте права CHOWN,`,
        'FOWNER, DAC_OVERRIDE, SETUID и SETGID.',
      ].join(' '),
  },
} as const
