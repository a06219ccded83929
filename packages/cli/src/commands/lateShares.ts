import { z } from 'zod'

/** What a worker's node says of the last round in which it found others late: one line each, accounts in full. */
export const lateShares = z.object({ round: z.number().int().min(0), why: z.array(z.string().max(500)).max(600) })
type Job = { job: number; late?: z.infer<typeof lateShares> | null | undefined }

const MOST = 5
const ACCOUNT = /0x[0-9a-f]{40}/g

/**
 * `job 3, round 2: worker-4 at share 1 was 4.5 s late: …`, by job. Nodes hear at different times and their numbers differ: told is
 * what the first of those with the latest round says, its first five.
 */
export function lateLines(said: readonly (readonly Job[])[], nameOf: (node: string) => string): string[] {
  const latest = new Map<number, z.infer<typeof lateShares>>()
  for (const { job, late } of said.flat())
    if (late && late.round > (latest.get(job)?.round ?? -1)) latest.set(job, late)
  return [...latest]
    .sort(([a], [b]) => a - b)
    .flatMap(([job, { round, why }]) => {
      const head = `job ${job}, round ${round + 1}:`
      const rest = why.length > MOST ? [`${head} and ${why.length - MOST} more`] : []
      return [...why.slice(0, MOST).map((line) => `${head} ${line.replace(ACCOUNT, nameOf)}`), ...rest]
    })
}
