// wader/postfix-relay: POSTFIX_<name>, POSTFIXMASTER_<service>__<type>, OPENDKIM_DOMAINS and
// OPENDKIM_<option>, POSTSRSD_*, RSYSLOG_*, POSTMASTER_ADDRESS.

import { type Domain, parseDomain } from '../mail/domain.ts'
import { PRIVATE_NETWORKS } from './boky.ts'
import {
  alignListeners,
  domainOf,
  environmentOrigin,
  type ImageTask,
  prefixed,
  settleHostname,
  startImage,
  trust,
  useKey,
} from './image.ts'
import type { Setting } from './main-cf.ts'
import { translateMaster } from './master-cf.ts'
import { isServiceLink } from './service-link.ts'
import { translateSettings } from './settings.ts'

const IMAGE = 'postfix-relay'

export function translateWader(task: ImageTask): void {
  const { draft, input, around } = task
  startImage(task, IMAGE, [25])
  if (input.environment.POSTFIX_mynetworks === undefined) {
    trust(task, PRIVATE_NETWORKS, IMAGE)
    draft.changed('POSTFIX_mynetworks', {
      en: 'this image trusts 0.0.0.0/0 by default; here it is loopback and the private networks',
      ru: 'этот образ по умолчанию доверяет 0.0.0.0/0; здесь доверие лишь локальным и частным сетям',
    })
  }
  draft.set(['senders'], 'any', { kind: 'flag', name: IMAGE })
  const domains = openDkimDomains(task)
  const settings = new Map<string, Setting>()
  for (const [parameter, setting] of prefixed(input.environment, 'POSTFIX_'))
    if (!isServiceLink(setting.from.kind === 'environment' ? setting.from.name : '', setting.value))
      settings.set(parameter, setting)
  const myhostname = settings.get('myhostname')
  if (myhostname && !parseDomain(myhostname.value)?.includes('.')) settings.delete('myhostname')
  translateSettings({
    draft,
    settings,
    around,
    example: (name, value) => `POSTFIX_${name}=${value}`,
  })
  services(task)
  rest(task)
  settleHostname(task, domains[0], 'POSTFIX_myhostname=mail.example.com')
  alignListeners(task, IMAGE)
}

function openDkimDomains(task: ImageTask): Domain[] {
  const { draft, input } = task
  const name = 'OPENDKIM_DOMAINS'
  const from = environmentOrigin(name)
  const domains: Domain[] = []
  for (const word of (input.environment[name] ?? '').split(/\s+/).filter(Boolean)) {
    const [left = '', selector = 'mail'] = word.split('=')
    const domain = domainOf(left, name, { draft, example: `${name}=example.com=mail` })
    if (domain === undefined) continue
    domains.push(domain)
    draft.set(['domains', domain, 'selector'], selector || 'mail', from)
    draft.understood(name, `domains.${domain}.selector: ${selector || 'mail'}`)
    const path = `/etc/opendkim/keys/${domain}/${selector || 'mail'}.private`
    if (useKey(task, domain, [{ path, selector: selector || 'mail', from }])) continue
    draft.changed(path, {
      en: `there is none, so a key is made and kept in the data folder; its record: posthorn dns ${domain}`,
      ru: `файла нет, поэтому ключ создаётся и хранится в папке данных; его запись: posthorn dns ${domain}`,
    })
  }
  return domains
}

/** `POSTFIXMASTER_submission__inet=submission inet n - n - - smtpd` */
function services({ draft, input, around }: ImageTask): void {
  for (const [name, value] of Object.entries(input.environment)) {
    const [, service, type] = /^POSTFIXMASTER_(.+)__([a-z-]+)$/.exec(name) ?? []
    if (service === undefined || value === undefined) continue
    const line = /\s/.test(value.trim()) ? value : `${service} ${type} ${value}`
    translateMaster([{ text: line, from: environmentOrigin(name), name }], {
      draft,
      around,
      taken: [25],
    })
  }
}

function rest({ draft, input }: ImageTask): void {
  for (const [name, value] of Object.entries(input.environment)) {
    if (value === undefined) continue
    if (/^OPENDKIM_(?!DOMAINS$)/.test(name)) {
      draft.ignored(name, {
        en: 'Posthorn signs itself; OpenDKIM’s options have no meaning here',
        ru: 'Posthorn подписывает сам; опции OpenDKIM здесь ни к чему',
      })
    } else if (/^POSTSRSD_/.test(name)) {
      draft.ignored(name, {
        en: 'nothing is forwarded here, so no sender needs to be rewritten',
        ru: 'здесь ничего не пересылается, переписывать отправителя незачем',
      })
    } else if (/^RSYSLOG_/.test(name)) {
      draft.ignored(name, {
        en: 'the log goes to standard error (log.format, log.level)',
        ru: 'журнал пишется в стандартный вывод ошибок (log.format, log.level)',
      })
    } else if (name === 'POSTMASTER_ADDRESS') {
      draft.ignored(name, {
        en: 'nothing is sent to a postmaster here: the log, the metrics and the doctor tell it',
        ru: 'письма постмастеру не посылаются: всё видно в журнале, метриках и у doctor',
      })
    } else if (/^POSTFIXMASTER_/.test(name) && !/__/.test(name)) {
      draft.wrong(
        name,
        { en: 'needs __ and the type in its name', ru: 'в имени нужны __ и тип' },
        'POSTFIXMASTER_submission__inet=submission inet n - n - - smtpd',
      )
    }
  }
}
