import type { CodeTexts } from '../text.ts'

export const clockTexts = {
  CLOCK_OK: {
    severity: 'ok',
    en: { saw: 'The clock is right (within {seconds} s).' },
    ru: { saw: 'Часы идут верно (с точностью до {seconds} с).' },
  },
  CLOCK_SKEW: {
    severity: 'error',
    en: {
      saw: 'The clock of this machine is {direction} by {seconds} seconds.',
      why: "DKIM signatures from the future are refused, certificates seem expired or not yet valid, and messages stand at the wrong place in the reader's list.",
      fix: 'Let the system keep the time by NTP.',
      more: `The time was compared with what several well-known web servers say (doctor.clock_hosts), the middle one counts. A machine whose clock nobody keeps drifts by seconds a day; a virtual machine that was paused or copied may be hours off.

With systemd: timedatectl set-ntp true. Elsewhere install chrony. A container has the clock of its host: correct it there.`,
    },
    ru: {
      saw: 'Часы этой машины {direction} на {seconds} с.',
      why: 'Подписи DKIM из будущего отвергают, сертификаты кажутся просроченными или ещё не действующими, а письма встают в списке не на своё место.',
      fix: 'Пусть система сверяет время по NTP.',
      more: `Время сравнивалось с тем, что говорят несколько известных веб-серверов (doctor.clock_hosts); взято среднее по порядку. Часы, за которыми никто не следит, уходят на секунды в день; у виртуальной машины, которую останавливали или копировали, расхождение бывает в часы.

С systemd: timedatectl set-ntp true. В других системах поставьте chrony. У контейнера часы хоста: поправьте их там.`,
    },
    paste: 'timedatectl set-ntp true',
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
