// Credentials as the API and the command line see them. Their secrets never come back: a key exists
// only in the answer that made it.

export type Stream = 'transactional' | 'broadcast'

/** What a credential may do; empty lists and null mean without limit. */
export type CredentialTerms = {
  readonly domains: readonly string[]
  readonly addresses: readonly string[]
  /** Where its clients are. */
  readonly networks: readonly string[]
  /** Names in client certificates that stand for it. */
  readonly certificates: readonly string[]
  /** Recipients in any minute, hour and day. */
  readonly perMinute: number | null
  readonly perHour: number | null
  readonly perDay: number | null
  readonly stream: Stream | null
  /** How urgent its mail may be, 1 to 9 (MT-PRIORITY). */
  readonly priority: number | null
}

export type CredentialView = CredentialTerms & {
  readonly name: string
  /** `config` ones come from the configuration and can be changed only there. */
  readonly source: 'config' | 'store'
  /** A key of ours, a password that somebody chose, or only certificates. */
  readonly secret: 'key' | 'password' | 'none'
  /** What AUTH can do for it, when the configuration offers it. */
  readonly mechanisms: readonly string[]
  /** Recipients so far in the windows of its limits. */
  readonly used: { readonly perMinute: number; readonly perHour: number; readonly perDay: number }
  readonly createdAt: number
}

export type NewCredential = Partial<CredentialTerms> & {
  readonly name: string
  /** One that somebody chose; absent: a random key. */
  readonly password?: string
  /** No password at all: only certificates. */
  readonly certificateOnly?: boolean
  /** Keep the password so that CRAM-MD5 can be used. */
  readonly cramMd5?: boolean
}

/** The password exists only in this answer; null when there is none. */
export type MadeCredential = {
  readonly credential: CredentialView
  readonly password: string | null
}

export type CredentialImport = {
  readonly text: string
  /** `passwd`: a line a user; `list`: `user:password,user2:password2`. */
  readonly format: 'passwd' | 'list'
  /** Those that are here already get the new password; without it they are a fault. */
  readonly replace: boolean
  readonly terms: Partial<CredentialTerms>
}

export type ImportFault = {
  readonly line: number
  readonly reason: string
  readonly about: string
}

/** With faults nothing was imported. */
export type ImportedCredentials = {
  readonly imported: readonly string[]
  readonly faults: readonly ImportFault[]
}

export type CredentialControl = {
  credentials(): Promise<readonly CredentialView[]>
  credential(name: string): Promise<CredentialView | undefined>
  /** Throws ControlFault CREDENTIAL_EXISTS, NOT_A_DOMAIN, BAD_TERMS, WEAK_PASSWORD. */
  addCredential(request: NewCredential): Promise<MadeCredential>
  /** Changes the terms that are named. Undefined: there is none. Throws as addCredential, and CREDENTIAL_IN_CONFIG. */
  changeCredential(
    name: string,
    change: Partial<CredentialTerms>,
  ): Promise<CredentialView | undefined>
  /** A new key; the old one is worthless at once. Throws CREDENTIAL_IN_CONFIG. */
  rotateCredential(name: string): Promise<MadeCredential | undefined>
  /** Also ends its sessions. Throws CREDENTIAL_IN_CONFIG. */
  revokeCredential(name: string): Promise<boolean>
  importCredentials(request: CredentialImport): Promise<ImportedCredentials>
}
