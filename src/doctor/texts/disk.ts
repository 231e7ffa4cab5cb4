import type { CodeTexts } from '../text.ts'

export const diskTexts = {
  DISK_OK: {
    severity: 'ok',
    en: { saw: 'The disk of {folder} has {free} MiB free ({percent} %).' },
    ru: { saw: 'На диске с {folder} свободно {free} МиБ ({percent} %).' },
  },
  DISK_LOW: {
    severity: 'warning',
    en: {
      saw: 'The disk of {folder} has only {free} MiB free ({percent} %).',
      why: 'Below {reserve} MiB new mail is put off (452 4.3.1), so that what was accepted is not lost.',
      fix: 'Make room: look for what is large, then prune logs, images or old backups.',
      more: `Posthorn keeps a reserve (storage.reserve) so that mail that was accepted can always be worked on: attempts and their results need room too. Below the reserve it answers new mail with 452, and well-behaved clients try again later.

Look at what is large with du and df. If the queue itself is what grew, posthorn queue list shows whom it waits for.`,
    },
    ru: {
      saw: 'На диске с {folder} свободно только {free} МиБ ({percent} %).',
      why: 'Ниже {reserve} МиБ новая почта откладывается (452 4.3.1), чтобы не потерять уже принятую.',
      fix: 'Освободите место: найдите, что занимает его больше всего, и удалите старые журналы, образы, копии.',
      more: `Posthorn держит запас (storage.reserve), чтобы принятую почту всегда можно было обработать: попыткам и их результатам тоже нужно место. Ниже запаса он отвечает на новую почту 452, и правильные клиенты повторяют позже.

Посмотрите, что занимает место, командами du и df. Если выросла сама очередь, posthorn queue list покажет, кого она ждёт.`,
    },
    paste: 'df -h {folder}; du -xh {folder} | sort -h | tail',
  },
  DISK_FULL: {
    severity: 'error',
    en: {
      saw: 'The disk of {folder} has {free} MiB free, less than the reserve of {reserve} MiB ({percent} %).',
      why: 'New mail is put off now (452 4.3.1), so that what was accepted is not lost.',
      fix: 'Make room, or make the reserve smaller (storage.reserve); mail is taken again by itself.',
      more: `Nothing is lost: mail that was accepted is on the disk and is delivered as before, and clients are told to try again later. But programs that do not retry will show an error to their users.

Look at what is large with du and df. As soon as there is more room than the reserve, new mail is taken again without a restart.`,
    },
    ru: {
      saw: 'На диске с {folder} свободно {free} МиБ, меньше запаса в {reserve} МиБ ({percent} %).',
      why: 'Новая почта сейчас откладывается (452 4.3.1), чтобы не потерять уже принятую.',
      fix: 'Освободите место или уменьшите запас (storage.reserve); почта снова начнёт приниматься сама.',
      more: `Ничего не потеряно: принятые письма лежат на диске и доставляются как прежде, а клиентам сказано повторить позже. Но программы, которые не повторяют, покажут пользователям ошибку.

Посмотрите, что занимает место, командами du и df. Как только места станет больше запаса, почта снова принимается без перезапуска.`,
    },
    paste: 'df -h {folder}; du -xh {folder} | sort -h | tail',
  },
} as const satisfies Readonly<Record<string, CodeTexts>>
