import type { Language } from '../../config/language.ts'

const en = {
  held: 'with --all or --site: let go what is held, too',
  heldNeeds: '--held goes with --all or --site; an ID alone lets go what is held.',
  stay: (held: number, command: string) =>
    `Held, and still so: ${held}. To let them go: ${command}`,
}

const ru: typeof en = {
  held: 'вместе с --all или --site: отпустить и задержанные',
  heldNeeds: '--held указывают с --all или --site; по ID задержанное отпускается и так.',
  stay: (held, command) => `Задержаны и остаются: ${held}. Отпустить их: ${command}`,
}

export function queueTexts(language: Language): typeof en {
  return language === 'ru' ? ru : en
}
