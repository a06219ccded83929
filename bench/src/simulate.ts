/**
 * A thousand workers in one process, each really training 25,450 numbers for 10 steps of 32 rows a round, with real compression,
 * signatures and chunk proofs, under simulated time, links and disks: how many rounds a minute of real time, in how much memory.
 */
import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { createLocalEngine } from '@potluck/runtime'
import { runScenario } from '@potluck/sim/scenario'
import { thousandScenario } from './learning/thousandScenario.ts'
import type { Row } from './Row.ts'

/** The machine is rarely idle. */
export const tolerance = 0.3

export async function run(): Promise<Row[]> {
  const scenario = thousandScenario()
  const engine = await createLocalEngine({ executor: 'auto', threads: 1 })
  const startMs = performance.now()
  const ends: { readonly ms: number; readonly cpuMs: number }[] = []
  try {
    const report = await runScenario({
      engine,
      scenario,
      threads: availableParallelism(),
      onRound: () => {
        const { user, system } = process.cpuUsage()
        ends.push({ ms: performance.now(), cpuMs: (user + system) / 1_000 })
      },
    })
    const [first, last] = [ends[0], ends.at(-1)]
    if (!first || !last || ends.length < 2) return []
    const between = ends.length - 1
    const row = (what: string, value: number, unit: string): Row => ({
      ...{ what, value, unit, rival: null, rivalValue: null, ratio: null },
    })
    return [
      row('workers', report.workers, 'in one process, all really training'),
      row('rssMb', process.resourceUsage().maxRSS / 1_024, 'MiB at the most, measured'),
      row(
        'roundsPerMinute',
        (60_000 * between) / (last.ms - first.ms),
        'of real time, after the first round, measured',
      ),
      row('cpuPerRound', (last.cpuMs - first.cpuMs) / between / 1_000, 's of CPU time a round, measured'),
      row('setUp', (first.ms - startMs) / 1_000, 's to the end of the first round: data, keys, joining, compiling'),
      row('updatesPerRound', report.accepted / report.rounds.length, 'accepted'),
      row('signatures', report.signaturesVerified, 'verified, each once'),
      row('messages', report.messages, 'in simulated time'),
      row('accuracy', report.rounds.at(-1)?.accuracy ?? 0, 'on 2,000 drawn digits, after the last round'),
      row('broken', report.broken.length, 'findings'),
    ]
  } finally {
    await engine.close()
  }
}
