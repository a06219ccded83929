import { RandomStream, tensorRoot } from '@potluck/engine'
import { type Hex, toHex } from '@potluck/protocol'
import type { ClaimTruth, Lie } from '../src/index.ts'
import { type Arena, openArena } from './arena.ts'
import { equalRoots } from './equalRoots.ts'
import { baseOf, type LabJob, transformerJob, zooJob } from './labJobs.ts'
import { type Draw, inputLie, inputLies, liesOf, operatorLie, stateLie, stateLies } from './lies.ts'
import { hiddenHaltPlay, type Outcome, recklessPlay, selfChallenge, traitorChampion, wrongShape } from './oddLies.ts'
import { claimOf, honestTruth, lyingTruth, playMatch, type Table } from './playMatch.ts'

export type Dispute = {
  readonly lie: string
  readonly job: string
  readonly label: string
  readonly liar: 'worker' | 'other'
  readonly caught: boolean
  readonly ending: string
  readonly moves: number
  readonly gas: bigint
}
export type TournamentResult = {
  readonly tried: number
  readonly caught: number
  readonly disputes: readonly Dispute[]
  readonly moves: { readonly most: number; readonly mean: number }
  readonly gas: { readonly most: bigint; readonly mean: bigint }
}

type Entry = { readonly lab: number; readonly make: (lab: LabJob, draw: Draw) => Lie | undefined }

/** Every way to lie about every trace leaf of both jobs, each once. */
function program(labs: readonly LabJob[]): Entry[] {
  const entries: Entry[] = []
  labs.forEach(({ job }, lab) => {
    for (const name of inputLies) entries.push({ lab, make: ({ job: of }, draw) => inputLie(name, of, draw) })
    for (const name of stateLies) entries.push({ lab, make: ({ job: of }, draw) => stateLie(name, of, draw) })
    job.step.records.forEach((record, leaf) => {
      if (record.kind !== 'element') return
      for (const name of liesOf) entries.push({ lab, make: ({ job: of }, draw) => operatorLie(name, of, leaf, draw) })
    })
  })
  return entries
}

/**
 * Random disputes on a real chain: liars against one honest side, as workers whose claim is wrong and as challengers of a claim
 * that is right. The same seed plays the same disputes. About 0.3 s each.
 */
export async function tournament({
  seed,
  disputes,
  onDispute,
}: {
  seed: number
  disputes: number
  onDispute?: (dispute: Dispute) => void
}): Promise<TournamentResult> {
  const random = new RandomStream(Uint8Array.of(seed & 255, seed >> 8), 99, 0)
  let drawn = 0
  const draw: Draw = (limit) => random.below(drawn++, limit)
  const arena = await openArena()
  try {
    const [worker, other, traitor] = [await arena.player(1), await arena.player(2), await arena.player(3)]
    const labs = [zooJob(), transformerJob()]
    const played: Dispute[] = []
    const tables = await Promise.all(labs.map((lab) => tableOf(arena, lab, worker, other)))
    const entries = labs.map((_, lab) =>
      shuffled(
        program(labs).filter((entry) => entry.lab === lab),
        draw,
      ),
    )
    for (let next = 0; played.length < disputes; next++) {
      // The jobs take turns, and both sides lie in each of them.
      const ofLab = entries[Math.floor(next / 2) % entries.length] as Entry[]
      const entry = ofLab[Math.floor(next / (2 * entries.length)) % ofLab.length] as Entry
      const table = { ...(tables[entry.lab] as Table), number: next + 1, fromBlock: (await arena.block()) + 1n }
      const lie = entry.make(table.lab, draw)
      const liar = next % 2 === 0 ? 'worker' : 'other'
      const isOdd = next % ODD_EVERY === ODD_EVERY - 1
      const dispute = isOdd
        ? await playOdd(table, traitor, oddities[Math.floor(next / ODD_EVERY) % oddities.length] as Oddity, draw)
        : lie && (await playOne(table, lie, liar))
      // A change that rounding swallows is no lie: nothing that anybody claims differs.
      if (!dispute) continue
      played.push(dispute)
      onDispute?.(dispute)
    }
    return summary(played)
  } finally {
    await arena.close()
  }
}

/** One in so many disputes is about behaviour. */
const ODD_EVERY = 9
type Oddity = (typeof oddities)[number]
const oddities = [
  'self-challenge',
  'traitor champion',
  'wrong shape',
  'reckless worker',
  'reckless challenger',
  'hidden halt by the worker',
  'hidden halt by the challenger',
] as const

async function playOdd(table: Table, traitor: Hex, name: Oddity, draw: Draw): Promise<Dispute> {
  const huge = { ...table, base: table.base.map((x) => Math.fround(x * 3e38)) }
  const play: Record<Oddity, () => Promise<Outcome>> = {
    'self-challenge': () => selfChallenge(table, traitor, draw),
    'traitor champion': () => traitorChampion(table, traitor, draw),
    'wrong shape': () => wrongShape(table),
    'reckless worker': () => recklessPlay(table, draw, 'worker'),
    'reckless challenger': () => recklessPlay(table, draw, 'other'),
    'hidden halt by the worker': () => hiddenHaltPlay(huge, 'worker'),
    'hidden halt by the challenger': () => hiddenHaltPlay(huge, 'other'),
  }
  const { isWrong, did } = await play[name]()
  const liar = name.endsWith('challenger') || name === 'traitor champion' ? 'other' : 'worker'
  return {
    ...{ lie: name, job: table.lab.name, label: 'behaviour', liar, caught: isWrong === (liar === 'worker') },
    ...{ ending: did.at(-1) ?? 'nothing', moves: did.length, gas: 0n },
  }
}

async function tableOf(arena: Arena, lab: LabJob, worker: Hex, other: Hex): Promise<Table> {
  const base = baseOf(lab.size, 3)
  const jobId = await arena.createJob(toHex(lab.job.root), toHex(tensorRoot(base)))
  return { arena, lab, jobId, fromBlock: 0n, worker, other, number: 0, base }
}

/** One dispute; undefined when the lie changes nothing that is claimed. */
export async function playOne(table: Table, lie: Lie, liar: 'worker' | 'other'): Promise<Dispute | undefined> {
  const [honest, lying] = [honestTruth(table), lyingTruth(table, lie)]
  if (await equalRoots(honest, lying)) return undefined
  const [worker, other]: [ClaimTruth, ClaimTruth] = liar === 'worker' ? [lying, honest] : [honest, lying]
  const { isWrong, moves, gas, ending } = await playMatch(table, worker, other, await claimOf(table, worker), liar)
  const { job } = table.lab
  const label = (lie.step === job.steps ? job.finish : job.step).labels[lie.leaf] as string
  return {
    ...{ lie: lie.name, job: table.lab.name, label, liar },
    ...{ caught: isWrong === (liar === 'worker'), ending, moves: moves.length, gas },
  }
}

function shuffled<T>(items: readonly T[], draw: Draw): T[] {
  const out = [...items]
  for (let i = out.length - 1; i > 0; i--) {
    const j = draw(i + 1)
    ;[out[i], out[j]] = [out[j] as T, out[i] as T]
  }
  return out
}

function summary(disputes: readonly Dispute[]): TournamentResult {
  // What is about behaviour has several games at once: it counts, but not among moves and gas of one.
  const single = disputes.filter(({ gas }) => gas > 0n)
  const count = Math.max(1, single.length)
  return {
    tried: disputes.length,
    caught: disputes.filter(({ caught }) => caught).length,
    disputes,
    moves: {
      most: Math.max(0, ...single.map(({ moves }) => moves)),
      mean: single.reduce((sum, { moves }) => sum + moves, 0) / count,
    },
    gas: {
      most: single.reduce((most, { gas }) => (gas > most ? gas : most), 0n),
      mean: single.reduce((sum, { gas }) => sum + gas, 0n) / BigInt(count),
    },
  }
}
