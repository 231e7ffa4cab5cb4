/** What Kubernetes and Docker links set for a service called `postfix` or `postfix-mail`; nobody meant a setting. */
export function isServiceLink(name: string, value: string): boolean {
  if (/^POSTFIX_MAIL_/.test(name)) return true
  if (/^(tcp|udp|sctp):\/\//.test(value)) return true
  return /^POSTFIX_(.+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP).*)?|ENV_.*)$/.test(
    name,
  )
}
