// A folder of Postfix: main.cf, master.cf and OpenDKIM's files beside it.

import { posix } from 'node:path'
import { parseDomain } from '../mail/domain.ts'
import { Draft, type Surroundings, type Translation } from './draft.ts'
import { expander, logicalLines, parseMainCf, words } from './main-cf.ts'
import { type MasterLine, translateMaster } from './master-cf.ts'
import { translateOpenDkim } from './opendkim.ts'
import { translateSettings } from './settings.ts'

/** @param folder of main.cf, such as /etc/postfix */
export function translatePostfix(folder: string, around: Surroundings): Translation {
  const draft = new Draft()
  const main = `${folder}/main.cf`
  const text = around.read(main)
  if (text === undefined) {
    const says = { en: 'cannot be read', ru: 'не читается' }
    draft.wrong(main, says, 'posthorn import postfix /etc/postfix')
    return draft.finish()
  }
  const { settings, odd } = parseMainCf(text, 'main.cf')
  for (const { line, text: content } of odd) {
    const quoted = JSON.stringify(content.slice(0, 60))
    const says = { en: `${quoted} is no setting`, ru: `${quoted} не настройка` }
    draft.wrong(`main.cf:${line}`, says, 'myhostname = mail.example.com')
  }
  const from = { kind: 'file', file: 'main.cf', line: 1, column: 1 } as const
  draft.set(['mode'], 'live', from)
  if (!settings.has('mynetworks') && !settings.has('mynetworks_style'))
    draft.set(['networks'], ['127.0.0.0/8', '::1/128'], from)
  const example = (parameter: string, value: string) => `${parameter} = ${value}`
  // A name of one word is what Debian writes when nobody answered.
  const expand = expander(settings, around.machineName)
  const own = settings.get('myhostname')
  if (own && !parseDomain(expand(own.value))?.includes('.')) {
    settings.delete('myhostname')
    draft.changed(`main.cf:${own.from.kind === 'file' ? own.from.line : 0} myhostname`, {
      en: `${JSON.stringify(expand(own.value))} is no full name; the machine’s is taken`,
      ru: `${JSON.stringify(expand(own.value))} не полное имя; берётся имя машины`,
    })
  }
  translateSettings({ draft, settings, around, example })
  services(draft, folder, around)
  const dkim = [
    posix.join(folder, '../opendkim.conf'),
    posix.join(folder, '../opendkim/opendkim.conf'),
    `${folder}/opendkim.conf`,
  ]
  if (!dkim.some((path) => translateOpenDkim(draft, around, path))) domains(draft, expand)
  return draft.finish()
}

function services(draft: Draft, folder: string, around: Surroundings) {
  const text = around.read(`${folder}/master.cf`)
  const lines = logicalLines(text ?? '').map(({ text: content, line }): MasterLine => {
    const [service, type] = content.split(/\s+/)
    const from = { kind: 'file', file: 'master.cf', line, column: 1 } as const
    return { text: content, from, name: `master.cf:${line} ${service}/${type}` }
  })
  const inet = lines.filter(({ text: content }) => content.split(/\s+/)[1] === 'inet')
  if (inet.length > 0) return translateMaster(inet, { draft, around, taken: [] })
  draft.set(['smtp', 'port'], 25, { kind: 'file', file: 'master.cf', line: 1, column: 1 })
}

/** Without OpenDKIM the domain is the one that Postfix puts behind a bare name. */
function domains(draft: Draft, expand: (text: string) => string) {
  const [origin = ''] = words(expand('$myorigin'))
  const domain = parseDomain(origin)
  if (!domain?.includes('.')) return
  draft.set(['domains', domain], {}, { kind: 'file', file: 'main.cf', line: 1, column: 1 })
  draft.changed(domain, {
    en: `its mail is signed with a key that is made at the first start; the record: posthorn dns ${domain}`,
    ru: `его письма подписываются ключом, который создаётся при первом запуске; запись: posthorn dns ${domain}`,
  })
}
