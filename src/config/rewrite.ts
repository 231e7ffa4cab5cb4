// How addresses and headers are rewritten before mail is signed.

import {
  aliasEntry,
  domainName,
  fieldName,
  listOf,
  mailAddress,
  masked,
  orNothing,
  text,
  yesNo,
} from './kinds.ts'
import { option, section } from './option.ts'

const tableText = {
  en: 'lines of `key value`, as Postfix’s texthash; with regexp: before the path, of `/pattern/ value`.',
  ru: 'строки «ключ значение», как texthash в Postfix; с regexp: перед путём строки «/образец/ значение».',
}

export const rewrite = section(
  {
    local_domain: option(
      orNothing(domainName),
      {
        en: 'Senders at names of this machine (root@web1) leave under this domain.',
        ru: 'Отправители с именами этой машины (root@web1) получают этот домен.',
      },
      { default: null, example: 'example.com' },
    ),
    local_names: option(
      listOf(domainName),
      {
        en: 'Further names of this machine; hostname, names without a dot and below localdomain count anyway.',
        ru: 'Другие имена этой машины; hostname, имена без точки и из localdomain и так считаются её именами.',
      },
      { default: [], example: '[web1.internal]' },
    ),
    masquerade: option(
      listOf(masked),
      {
        en: 'Senders below these domains lose their host: app@web1.example.com becomes app@example.com. `!` before a name excepts it.',
        ru: 'Отправители из поддоменов теряют хост: app@web1.example.com станет app@example.com. «!» перед именем: исключение.',
      },
      { default: [], example: '["!shop.example.com", example.com]' },
    ),
    masquerade_exceptions: option(
      listOf(text),
      { en: 'Users that keep their host.', ru: 'Пользователи, которые сохраняют имя хоста.' },
      { default: [], example: '[root]' },
    ),
    keep_original: option(
      yesNo,
      {
        en: 'Keep a changed From in X-Original-From.',
        ru: 'Сохранять изменённое поле From в X-Original-From.',
      },
      { default: true, example: 'false' },
    ),
    sender_canonical: option(
      orNothing(text),
      {
        en: `File that maps senders: ${tableText.en}`,
        ru: `Файл замен отправителей: ${tableText.ru}`,
      },
      { default: null, example: '/etc/postfix/sender_canonical' },
    ),
    recipient_canonical: option(
      orNothing(text),
      { en: 'The same for recipients.', ru: 'То же для получателей.' },
      { default: null, example: 'regexp:/etc/postfix/recipient_canonical' },
    ),
    canonical: option(
      orNothing(text),
      { en: 'The same for both, after those.', ru: 'То же для тех и других, после них.' },
      { default: null, example: '/etc/postfix/canonical' },
    ),
    aliases: option(
      listOf(text),
      {
        en: 'Alias files such as /etc/aliases: where mail for users of this machine goes.',
        ru: 'Файлы вида /etc/aliases: куда идёт почта пользователей этой машины.',
      },
      { default: [], example: '[/etc/aliases]' },
    ),
    alias_entries: option(
      listOf(aliasEntry),
      {
        en: 'Entries of an alias file, written here; they count before those of the files.',
        ru: 'Записи файла псевдонимов прямо здесь; они важнее записей в файлах.',
      },
      { default: [], example: '["root: admin@example.com"]' },
    ),
    virtual_aliases: option(
      orNothing(text),
      {
        en: 'File that sends mail for any address elsewhere, written like recipient_canonical but with several targets; the header stays.',
        ru: 'Файл, направляющий почту любого адреса в другое место: как recipient_canonical, но без правки заголовка и на много адресов.',
      },
      { default: null, example: '/etc/postfix/virtual' },
    ),
    always_bcc: option(
      listOf(mailAddress),
      {
        en: 'These get a copy of every message, unseen by the others.',
        ru: 'Эти адреса получают копию каждого письма, незаметно для остальных.',
      },
      { default: [], example: '[archive@example.com]' },
    ),
    remove_headers: option(
      listOf(fieldName),
      {
        en: 'Header fields that do not leave; Received is told without its client instead.',
        ru: 'Поля заголовка, которые не уходят; Received остаётся, но без сведений о клиенте.',
      },
      { default: [], example: '[Received, X-Originating-IP, X-Mailer, User-Agent, "X-PHP-*"]' },
    ),
    header_rules: option(
      orNothing(text),
      {
        en: 'File of `/pattern/ ACTION text` lines, as Postfix’s header_checks: IGNORE, REPLACE, PREPEND, REJECT, HOLD, WARN, DUNNO.',
        ru: 'Файл строк «/образец/ ДЕЙСТВИЕ текст», как header_checks в Postfix: IGNORE, REPLACE, PREPEND, REJECT, HOLD, WARN, DUNNO.',
      },
      { default: null, example: '/etc/posthorn/header_rules' },
    ),
  },
  {
    en: 'How addresses and headers are rewritten, in this order, before mail is signed. All off at first.',
    ru: 'Как адреса и заголовки переписываются перед подписью. Сначала всё выключено.',
  },
)
