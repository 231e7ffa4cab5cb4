// Why a Postfix parameter has no meaning here, by name. What is not in the table is named all the same.

import type { Text } from '../config/language.ts'

const local: Text = {
  en: 'mail is only sent here, there is no local delivery',
  ru: 'здесь почта только отправляется, местной доставки нет',
}
const inner: Text = {
  en: 'belongs to the processes and folders of Postfix',
  ru: 'относится к процессам и папкам Postfix',
}
const modern: Text = {
  en: 'TLS follows today’s defaults here: TLS 1.2 or newer, strong ciphers, own session cache',
  ru: 'TLS здесь с нынешними настройками: не старше TLS 1.2, стойкие шифры, свой кэш сессий',
}
const signs: Text = {
  en: 'Posthorn signs itself and needs no milter',
  ru: 'Posthorn подписывает сам, milter не нужен',
}
const logs: Text = {
  en: 'the log has its own options (log.format, log.level)',
  ru: 'у журнала свои опции (log.format, log.level)',
}
const logins: Text = {
  en: 'passwords are kept here, by `posthorn credential`; no saslauthd or sasldb is asked',
  ru: 'пароли хранятся здесь, см. `posthorn credential`; saslauthd и sasldb не нужны',
}
const unknown: Text = {
  en: 'has no counterpart here',
  ru: 'здесь такой настройки нет',
}

const REASONS: readonly (readonly [RegExp, Text])[] = [
  [
    new RegExp(
      `^(${[
        'mydestination|local_.*|alias_.*|mailbox_.*|home_mailbox|mail_spool_directory',
        'recipient_delimiter|virtual_(mailbox|transport|uid|gid|minimum).*|relay_domains',
        'relay_recipient_maps|mydomain|myorigin|luser_relay|biff|command_.*|forward_.*',
        'allow_mail_to_.*|owner_request_special|unknown_local_recipient_reject_code|append_.*',
        'swap_bangpath|allow_percent_hack|remote_header_rewrite_domain|local_header_rewrite_clients',
        'newaliases_path|undisclosed_recipients_header|fallback_transport.*',
        'show_user_unknown_table_name',
      ].join('|')})$`,
    ),
    local,
  ],
  [/^(smtpd?_tls_|tls_|tlsproxy_|lmtp_|smtpd?_(use|enforce)_tls)/, modern],
  [/^(smtpd_milters|non_smtpd_milters|milter_|in_flow)/, signs],
  [/^(maillog_|syslog_|debug_|smtpd?_tls_loglevel|hide_)/, logs],
  [/^(smtpd_sasl_|broken_sasl|cyrus_sasl|smtpd_tls_auth_only)/, logins],
  [
    new RegExp(
      `^(${[
        'compatibility_level|queue_directory|daemon_directory|command_directory|data_directory',
        'config_directory|mail_owner|setgid_group|default_privs|sendmail_path|mailq_path',
        'html_directory|manpage_directory|sample_directory|readme_directory|meta_directory',
        'shlib_directory|mail_name|mail_version|default_process_limit|max_use|max_idle|process_.*',
        'ipc_.*|fork_.*|daemon_.*|qmgr_.*|queue_run_delay|enable_long_queue_ids|export_environment',
        'import_environment|master_.*|inet_protocols_.*|multi_instance_.*|default_database_type',
        'mail_release_date|smtpd_delay_reject|disable_vrfy_command|smtpd_helo_required',
        'strict_rfc821_envelopes|parent_domain_matches_subdomains|smtputf8_enable|tcp_windowsize',
        'alternate_config_directories|.*_service_name',
      ].join('|')})$`,
    ),
    inner,
  ],
]

/** Why it is not applicable; every name gets an answer. */
export function reasonFor(parameter: string): Text {
  return REASONS.find(([pattern]) => pattern.test(parameter))?.[1] ?? unknown
}
