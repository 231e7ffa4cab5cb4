// Who is believed without a password, beyond `networks`.

import { yesNo } from './kinds.ts'
import { option } from './option.ts'

export const trust = {
  trust_gateway: option(
    yesNo,
    {
      en: 'Trust the default gateway too where `networks` holds it: through it come programs of a Docker host, or the whole Internet.',
      ru: 'Доверять и шлюзу, если он входит в `networks`: через него приходят программы хоста Docker или весь Интернет.',
    },
    { default: false, example: 'true' },
  ),
}
