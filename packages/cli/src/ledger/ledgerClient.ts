import { describeIssues, type Hex, PotluckError } from '@potluck/protocol'
import { z } from 'zod'

const units = z
  .string()
  .regex(/^-?\d+$/)
  .transform(BigInt)
const hex = z.string().regex(/^0x[0-9a-f]*$/)

export type Why = {
  kind: string
  amount: string | null
  text: string
  refs: Record<string, unknown>
  because: Why[]
  leadsTo: Why[]
}
const why: z.ZodType<Why> = z.lazy(() =>
  z.object({
    kind: z.string(),
    amount: z.string().nullable(),
    text: z.string(),
    refs: z.record(z.unknown()),
    because: z.array(why),
    leadsTo: z.array(why),
  }),
)

const sides = { paidIn: units, withdrawn: units, owed: units, dust: units, balanced: z.boolean() }
const reconciliation = z.object({
  block: z.number(),
  balanced: z.boolean(),
  tokens: z.array(
    z
      .object({
        token: hex,
        symbol: z.string(),
        ...sides,
        contracts: z.array(z.object({ contract: z.string(), ...sides }).passthrough()),
      })
      .passthrough(),
  ),
})
export type Books = z.infer<typeof reconciliation>

const statement = z.object({
  account: hex,
  tokens: z.array(
    z.object({
      symbol: z.string(),
      earned: units,
      withdrawn: units,
      credited: units,
      waiting: units,
      lines: z.array(
        z.object({ role: z.string(), name: z.string().nullable(), earned: units, waiting: units }).passthrough(),
      ),
    }),
  ),
})
export type StatementOf = z.infer<typeof statement>

/** Questions to a ledger over HTTP. Throws LEDGER_UNREACHABLE (retry) or NOT_FOUND with what it said. */
export function ledgerClient(url: string) {
  async function ask<T>(path: string, schema: z.ZodType<T, z.ZodTypeDef, unknown>): Promise<T> {
    let response: Response
    try {
      response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(20_000) })
    } catch (cause) {
      throw new PotluckError(
        'LEDGER_UNREACHABLE',
        `no answer from the ledger at ${url}: is the network up?`,
        { url },
        { cause, remedy: 'retry' },
      )
    }
    const body: unknown = await response.json()
    if (!response.ok) {
      const said = z.object({ error: z.object({ code: z.string(), message: z.string() }) }).safeParse(body)
      throw new PotluckError(
        said.success ? said.data.error.code : 'LEDGER_REFUSED',
        said.success ? said.data.error.message : `status ${response.status}`,
        { path },
      )
    }
    const parsed = schema.safeParse(body)
    if (parsed.success) return parsed.data
    throw new PotluckError('LEDGER_REFUSED', `${path}: not the answer expected: ${describeIssues(parsed.error)}`, {
      path,
    })
  }
  return {
    why: (subject: string): Promise<Why> => ask(`/why/${subject}`, why),
    reconcile: (): Promise<Books> => ask('/reconcile', reconciliation),
    statement: (account: Hex): Promise<StatementOf> => ask(`/statement/${account}`, statement),
  }
}

/** An explanation as an indented tree; at most `depth` levels and `width` branches a level, the rest counted. */
export function whyLines(step: Why, depth = 8, width = 4): string[] {
  const lines: string[] = []
  const walk = (one: Why, level: number, mark: string): void => {
    lines.push(`${'   '.repeat(level)}${mark}${one.text}`)
    if (level >= depth) return
    for (const [arrow, branches] of [
      ['← ', one.because],
      ['→ ', one.leadsTo],
    ] as const) {
      for (const branch of branches.slice(0, width)) walk(branch, level + 1, arrow)
      if (branches.length > width) lines.push(`${'   '.repeat(level + 1)}${arrow}and ${branches.length - width} more`)
    }
  }
  walk(step, 0, '')
  return lines
}
