import { nodeStatus } from '../demo/nodeStatus.ts'
import type { Network } from './networkAt.ts'
import { urlOf } from './status.ts'

/** One update that a worker handed in: its bytes as they travel, once to each node that fetches it. */
export type HandedIn = { worker: string; round: number; share: number; bytes: number }

/** What the workers of a job say they handed in; those that are down say nothing. */
export async function updatesHandedIn(
  { participants }: Pick<Network, 'participants'>,
  job: number,
): Promise<HandedIn[]> {
  const WORKER = 1
  const all = await Promise.all(
    participants
      .filter(({ roles }) => (roles & WORKER) !== 0)
      .map(async (one) => {
        try {
          const found = (await nodeStatus(urlOf(one))).jobs.find((each) => each.job === job)
          return (found?.handedIn ?? []).map((update) => ({ worker: one.node, ...update }))
        } catch {
          // It is down: the others' part is shown all the same.
          return []
        }
      }),
  )
  return all.flat()
}

/** `updates   round 1: 5, 54,889 bytes each; …`: what a round's updates took on their way. */
export function handedInLines(all: readonly HandedIn[]): string[] {
  const rounds = [...new Set(all.map(({ round }) => round))].toSorted((a, b) => a - b)
  if (rounds.length === 0) return []
  const number = (value: number): string => value.toLocaleString('en')
  const told = rounds.map((round) => {
    const sizes = all.filter((one) => one.round === round).map(({ bytes }) => bytes)
    const [least, most] = [Math.min(...sizes), Math.max(...sizes)]
    const each = least === most ? number(most) : `${number(least)} to ${number(most)}`
    return `round ${round + 1}: ${sizes.length} of ${each} bytes`
  })
  return [`updates   ${told.join('; ')}`]
}
