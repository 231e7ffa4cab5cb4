// What senders may wish beside delivery, and how far.

import { duration, orNothing, yesNo } from './kinds.ts'
import { option, section } from './option.ts'

export const wishes = section(
  {
    hold: option(
      orNothing(duration),
      {
        en: 'The longest that mail is kept until a time that its sender names (HOLDFOR, HOLDUNTIL); null does not offer it.',
        ru: 'Сколько самое большее хранить письмо до времени, которое назвал отправитель (HOLDFOR, HOLDUNTIL); null: не предлагать.',
      },
      { default: '30d', example: '7d' },
    ),
    deliver_by: option(
      orNothing(duration),
      {
        en: 'The shortest time in which a sender may want delivery or the mail back (BY); null does not offer it.',
        ru: 'За какое самое малое время отправитель может потребовать доставки или возврата (BY); null: не предлагать.',
      },
      { default: '1m', example: '10m' },
    ),
    priority: option(
      yesNo,
      {
        en: 'Offer MT-PRIORITY; credentials say how urgent their mail may be, without one it may only wait longer.',
        ru: 'Предлагать MT-PRIORITY; срочность ограничивает учётная запись, без неё письмо может лишь уступать другим.',
      },
      { default: true, example: 'false' },
    ),
  },
  {
    en: 'What senders may wish: later, not too late, sooner than others.',
    ru: 'Чего может пожелать отправитель: позже, не слишком поздно, раньше других.',
  },
)
