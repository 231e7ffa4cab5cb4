/** What may be wrong with the sockets that systemd hands us, in both languages. */
export const supervisorTexts = {
  en: {
    strayingSocket: (name: string, known: readonly string[]) =>
      [
        `SOCKET_UNKNOWN  systemd passed a socket called ${JSON.stringify(name)}, and no listener has that name.\n `,
        `Fix: FileDescriptorName= in the .socket unit must be one of: ${known.join(', ')}; or add`,
        'the listener to the configuration (listeners).',
      ].join(' '),
  },
  ru: {
    strayingSocket: (name: string, known: readonly string[]) =>
      [
        `SOCKET_UNKNOWN  systemd передал сокет с именем ${JSON.stringify(name)}, а входа с таким именем нет.\n `,
        `Исправление: FileDescriptorName= в юните .socket должно быть одним из: ${known.join(', ')};`,
        'или добавьте такой вход в настройки (listeners).',
      ].join(' '),
  },
} as const
