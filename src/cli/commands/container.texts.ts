/** The container command's sentences, in both languages. */
export const containerTexts = {
  en: {
    help: 'Run as the container does: with the arguments and variables of the well-known Postfix images.',
    explain: 'print the configuration that follows, what was ignored and why, and do not serve',
    root: 'look for files below this folder instead of /',
    images: [
      'Which image is meant follows from what is given:',
      '  versatile-postfix      DOMAIN [USER:PASSWORD …], POSTFIX_RAW_CONFIG_*, DISABLE_DKIM, DKIM_*, ALIASES',
      '  boky/postfix           ALLOWED_SENDER_DOMAINS, RELAYHOST*, XOAUTH2_*, SMTPD_SASL_USERS, POSTFIX_* …',
      '  wader/postfix-relay    OPENDKIM_DOMAINS, POSTFIXMASTER_*, POSTFIX_* alone',
      '  none of these          Posthorn’s own configuration, as `posthorn serve`',
    ].join('\n'),
    none: 'Nothing of another image is given: this is `posthorn serve` with its own configuration (posthorn config print).',
    title: (image: string) => `As ${image}`,
    bothGiven: (image: string) =>
      [
        `POSTHORN_CONFIG: a configuration file and what ${image} takes cannot both decide. Keep one of them;`,
        'the right form: POSTHORN_CONFIG=posthorn.yaml without them, made by: posthorn container --explain …',
      ].join(' '),
  },
  ru: {
    help: 'Работать как контейнер: с аргументами и переменными известных образов Postfix.',
    explain: 'показать, какие настройки следуют, что не учтено и почему, и не запускаться',
    root: 'искать файлы под этой папкой вместо /',
    images: [
      'Какой образ имеется в виду, видно по тому, что указано:',
      '  versatile-postfix      ДОМЕН [ИМЯ:ПАРОЛЬ …], POSTFIX_RAW_CONFIG_*, DISABLE_DKIM, DKIM_*, ALIASES',
      '  boky/postfix           ALLOWED_SENDER_DOMAINS, RELAYHOST*, XOAUTH2_*, SMTPD_SASL_USERS, POSTFIX_* …',
      '  wader/postfix-relay    OPENDKIM_DOMAINS, POSTFIXMASTER_*, одни только POSTFIX_*',
      '  ничего из этого        собственные настройки Posthorn, как `posthorn serve`',
    ].join('\n'),
    none: 'От других образов ничего не указано: это `posthorn serve` с собственными настройками (posthorn config print).',
    title: (image: string) => `Как ${image}`,
    bothGiven: (image: string) =>
      [
        `POSTHORN_CONFIG: файл настроек и то, что понимает ${image}, не могут решать вместе. Оставьте одно из`,
        'двух; верная форма: POSTHORN_CONFIG=posthorn.yaml без них, см. posthorn container --explain …',
      ].join(' '),
  },
} as const
