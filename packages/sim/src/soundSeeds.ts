import assert from 'node:assert/strict'
import type { Network } from './Network.ts'
import { type SimReport, simulate } from './simulate.ts'

/** `SEED=123` replays one seed and tells its story; `SEEDS=1000` runs more than the usual 200, however long it takes. */
const only = process.env.SEED === undefined ? undefined : Number(process.env.SEED)
const count = Number(process.env.SEEDS ?? 200)
/** A hundred seeds take about 90 s of a free core. On a machine busy with other things, the rest is left out, and said so. */
const PATIENCE_MS = process.env.SEEDS === undefined ? 600_000 : Number.POSITIVE_INFINITY

export const isReplay = only !== undefined

/** Seeds of one of `parts` test files that share the work. */
export function seedsOf(part: number, parts: number): number[] {
  if (only !== undefined) return only % parts === part ? [only] : []
  return Array.from({ length: count }, (_, i) => i + 1).filter((seed) => seed % parts === part)
}

/** Throws with everything that was broken and how to see it again. */
export function assertSound({ seed, broken, faults }: SimReport): void {
  if (broken.length === 0) return
  const facts = JSON.stringify(faults)
  assert.fail(`SEED=${seed} npm test -- sim\n  ${broken.join('\n  ')}\n  faults: ${facts}`)
}

/** Runs all seeds, fails with every one that broke an invariant, and returns a line that sums them up. */
export async function keepInvariants(network: Network, seeds: readonly number[]): Promise<string> {
  const failures: string[] = []
  let lies = 0
  let convicted = 0
  let simulatedMs = 0
  let ran = 0
  const startedMs = performance.now()
  for (const seed of seeds) {
    if (performance.now() - startedMs > PATIENCE_MS) break
    const report = await simulate({ network, seed })
    ran++
    lies += report.lies
    convicted += report.convicted.length
    simulatedMs += report.simulatedMs
    if (isReplay) process.stdout.write(`${report.story.join('\n')}\n`)
    try {
      assertSound(report)
    } catch (error) {
      failures.push((error as Error).message)
    }
  }
  assert.equal(failures.length, 0, `\n${failures.join('\n')}`)
  // Faults that are never met would prove nothing.
  if (ran >= 20) assert.ok(4 * lies > ran && convicted > 0, `${lies} lies, ${convicted} convictions`)
  const minutes = Math.round(simulatedMs / 60_000)
  const cut = ran < seeds.length ? ` of ${seeds.length} (slow machine: SEEDS=${count} runs all)` : ''
  return `${ran}${cut} seeds, ${minutes} simulated minutes, ${lies} lies, ${convicted} convictions`
}
