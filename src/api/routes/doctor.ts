import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Language } from '../../config/language.ts'
import { catalogue } from '../../doctor/catalogue.ts'
import type { RouteContext } from '../app.ts'
import type { DoctorReport } from '../control.ts'
import { languageOf } from '../page.ts'
import { notFound } from '../problem.ts'
import { inWords } from '../words.ts'

const doctorQuery = z.strictObject({ domain: z.string().min(1).max(300).optional() })

/** Findings with their texts in the caller's language; codes and facts are the same in every one. */
export function doctorRoutes(app: FastifyInstance, { control, guard }: RouteContext): void {
  app.get('/api/v1/doctor', async (request, reply) => {
    guard.admin(request)
    const { domain } = doctorQuery.parse(request.query)
    const report = await control.doctor(domain)
    if (!report) throw notFound('domain', domain ?? '')
    const language = languageOf(request.headers['accept-language'])
    reply.header('vary', 'Accept-Language').header('content-language', language)
    return reportInWords(report, language)
  })

  app.get<{ Params: { code: string } }>('/api/v1/doctor/codes/:code', async (request, reply) => {
    guard.admin(request)
    const { code } = request.params
    const texts = catalogue.get(code)
    if (!texts) throw notFound('code', code)
    const language = languageOf(request.headers['accept-language'])
    reply.header('vary', 'Accept-Language').header('content-language', language)
    const { severity, paste } = texts
    return { code, severity, ...texts[language], ...(paste !== undefined && { paste }) }
  })
}

function reportInWords(report: DoctorReport, language: Language) {
  return {
    ...report,
    host: inWords(report.host, language),
    domains: report.domains.map((one) => ({ ...one, checks: inWords(one.checks, language) })),
  }
}
