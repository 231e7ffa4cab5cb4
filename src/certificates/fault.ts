// What can be wrong with a certificate: which file, what, and what to do. The log says it in
// English, the command line also in Russian; the texts are in fault-texts.ts.

import { type FaultCode, type FaultDetails, faultTexts } from './fault-texts.ts'

export type { FaultCode }

export type Text = { readonly en: string; readonly ru: string }

export type CertificateFault = {
  readonly code: FaultCode
  /** `error`: it cannot be used; `warning`: it is used, and some client will complain. */
  readonly level: 'error' | 'warning'
  readonly file: string
  readonly says: Text
  readonly mend: Text
}

/** Faults with which a certificate works all the same, for most clients. */
const WARNINGS: ReadonlySet<FaultCode> = new Set<FaultCode>([
  'CHAIN_EXPIRED',
  'CHAIN_FOREIGN',
  'CHAIN_INCOMPLETE',
  'CHAIN_ORDER',
  'EXPIRES_SOON',
  'KEY_EXPOSED',
  'KEY_UNUSUAL',
  'NOT_FOR_HOST',
  'NOT_FOR_SERVERS',
])

/** Makes one, with its texts in both languages. */
export function fault<C extends FaultCode>(
  code: C,
  file: string,
  details: FaultDetails[C],
): CertificateFault {
  const [en, ru] = faultTexts[code](details as never)
  return {
    code,
    level: WARNINGS.has(code) ? 'warning' : 'error',
    file,
    says: { en: en[0], ru: ru[0] },
    mend: { en: en[1], ru: ru[1] },
  }
}

/** For the log: the file, what is wrong, what to do. */
export function describeFault({ file, says, mend }: CertificateFault): string {
  return `${file}: ${says.en}. ${mend.en}.`
}
