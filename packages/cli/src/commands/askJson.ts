import { describeIssues, PotluckError } from '@potluck/protocol'
import { z } from 'zod'

const refusal = z.object({ error: z.object({ code: z.string().nullish(), message: z.string() }).passthrough() })

/**
 * What a service of the network answers, checked. `what` names it for people.
 *
 * @throws PotluckError UNREACHABLE (retry) when nobody answers, REFUSED with what it said, BAD_ANSWER for something else
 */
export async function askJson<T>(
  what: string,
  url: string,
  schema: z.ZodType<T, z.ZodTypeDef, unknown>,
  options: { timeoutMs?: number; init?: RequestInit; anyStatus?: boolean } = {},
): Promise<T> {
  let response: Response
  let body: unknown
  try {
    response = await fetch(url, { ...options.init, signal: AbortSignal.timeout(options.timeoutMs ?? 5_000) })
    body = await response.json()
  } catch (cause) {
    const message = `no answer from ${what} at ${url}: is it up? \`potluck status\` shows what is, \`potluck up\` starts a network`
    throw new PotluckError('UNREACHABLE', message, { url }, { cause, remedy: 'retry' })
  }
  if (!response.ok && !options.anyStatus) {
    const said = refusal.safeParse(body)
    const message = said.success ? said.data.error.message : `status ${response.status}`
    const code = said.success ? (said.data.error.code ?? null) : null
    throw new PotluckError('REFUSED', `${what}: ${message}`, { url, status: response.status, code })
  }
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const message = `${what} at ${url} gave another answer than expected: ${describeIssues(parsed.error)}; is it the right address?`
  throw new PotluckError('BAD_ANSWER', message, { url })
}
