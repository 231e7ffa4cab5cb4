// Who may say that it speaks for somebody else. Part of each listener.

import { listOf, network } from './kinds.ts'
import { option } from './option.ts'

export const proxies = {
  proxy_protocol: option(
    listOf(network),
    {
      en: 'Load balancers in these networks begin every connection with a PROXY header (v1 or v2) that names the client.',
      ru: 'Балансировщики из этих сетей начинают каждое соединение с заголовка PROXY (v1 или v2) с адресом клиента.',
    },
    { default: [], example: '[10.0.0.5]' },
  ),
  xclient_networks: option(
    listOf(network),
    {
      en: 'SMTP proxies in these networks may name the real client with XCLIENT; it then counts for rights, limits and Received.',
      ru: 'SMTP-прокси из этих сетей могут назвать клиента командой XCLIENT; по нему считаются права, ограничения и Received.',
    },
    { default: [], example: '[127.0.0.1]' },
  ),
}
