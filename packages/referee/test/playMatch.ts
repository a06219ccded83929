import { createReferenceEngine, tensorRoot } from '@potluck/engine'
import { codeOf, type Hex, sha256, toHex, utf8 } from '@potluck/protocol'
import {
  type Case,
  type ClaimArgument,
  type ClaimTruth,
  claimSeed,
  createAccuser,
  createChampion,
  type Lie,
  liarTruth,
  recomputeClaim,
  refereeChain,
  rootOf,
  subjectOf,
  treeOfNodes,
} from '../src/index.ts'
import { type Arena, CLOCK_SECONDS } from './arena.ts'
import type { LabJob } from './labJobs.ts'

export type Table = {
  readonly arena: Arena
  readonly lab: LabJob
  readonly jobId: number
  readonly fromBlock: bigint
  readonly worker: Hex
  readonly other: Hex
  /** Makes every claim another subject: its share is taken from it, and what it says its bytes are. */
  readonly number: number
  readonly base: Float32Array
}

export type MatchResult = {
  /** Whether the claim was shown wrong. */
  readonly isWrong: boolean
  /** Moves of both sides, calls of time and settling left out. */
  readonly moves: readonly string[]
  readonly sent: readonly { readonly move: string; readonly gas: bigint; readonly bytes: number }[]
  readonly gas: bigint
  /** What ended the game. */
  readonly ending: string
}

/** What a claim of this truth says. */
export async function claimOf(table: Table, truth: ClaimTruth): Promise<ClaimArgument> {
  return {
    worker: table.worker,
    share: shareOf(table),
    units: BigInt(table.lab.job.units),
    baseRoot: toHex(tensorRoot(table.base)),
    updateDigest: toHex(sha256(utf8(`update ${table.number}`))),
    updateRoot: toHex(await truth.updateRoot()),
    statesRoot: toHex(rootOf(treeOfNodes(await truth.nodes()))),
  }
}

const shareOf = ({ lab, number }: Table): number => number % lab.job.shares

export const seedOf = (table: Table): Uint8Array =>
  claimSeed(table.lab.jobSeed, 0, { share: shareOf(table), worker: table.worker })

/** The honest truth of the claim of a table. */
export const honestTruth = (table: Table): ClaimTruth =>
  recomputeClaim({ job: table.lab.job, engine: createReferenceEngine(), base: table.base, seed: seedOf(table) })

/** The truth of somebody who tells this lie. */
export function lyingTruth(table: Table, lie: Lie): ClaimTruth {
  const { job } = table.lab
  const told = recomputeClaim({
    ...{ job, engine: createReferenceEngine(), base: table.base, seed: seedOf(table) },
    tamper: (step) => (step === lie.step ? lie.tamper : undefined),
  })
  return liarTruth(told, lie, (lie.step === job.steps ? job.finish : job.step).records)
}

type Side = { tick(): Promise<{ did: readonly string[] }> }

/**
 * Plays until the challenge is decided. The worker stands up for its claim; `other` challenges it. The side that lies may do
 * what it likes: what the contract refuses it, and what it finds no answer to, is its silence.
 */
export async function playMatch(
  table: Table,
  worker: ClaimTruth,
  other: ClaimTruth,
  claim: ClaimArgument,
  liar: 'worker' | 'other',
): Promise<MatchResult> {
  const { arena, lab, jobId } = table
  let gas = 0n
  const sentCalls: MatchResult['sent'][number][] = []
  const chainOf = (account: Hex, label: string) => {
    const client = arena.clientOf(account)
    return refereeChain(
      {
        ...client,
        async send(name, args) {
          const sent = await client.send(name, args)
          gas += sent.gasUsed
          sentCalls.push({ move: `${label}.${name}`, gas: sent.gasUsed, bytes: sent.bytes })
          return sent
        },
      },
      account,
      table.fromBlock,
    )
  }
  const common = { job: lab.job, jobId, round: 0, claim, seed: seedOf(table) }
  const defence: Case = { ...common, chain: chainOf(table.worker, 'worker'), truth: worker }
  const attack = {
    ...{ ...common, chain: chainOf(table.other, 'other'), truth: other },
    ...{ baseRoot: claim.baseRoot, nodes: (await worker.nodes()).map(toHex) },
  }
  const champion: Side = createChampion(defence)
  const accuser: Side = createAccuser(attack)
  const sides = [liar === 'other' ? silent(accuser) : accuser, liar === 'worker' ? silent(champion) : champion]
  for (let quiet = 0; quiet < 4; ) {
    let did = 0
    for (const side of sides) did += (await side.tick()).did.length
    if (did > 0) quiet = 0
    else {
      quiet++
      await arena.advance(CLOCK_SECONDS + 1)
    }
  }
  const moves = sentCalls.map(({ move }) => move)
  return {
    sent: sentCalls,
    isWrong: await attack.chain.isWrong(jobId, subjectOf(attack)),
    moves,
    gas,
    ending: moves.at(-1) ?? 'nothing',
  }
}

const SILENCE = new Set(['REVERTED', 'NOTHING_WRONG', 'OUT_OF_RANGE', 'NOT_A_SUM', 'RPC_REFUSED'])

/** A liar that runs into a wall says nothing. */
function silent(side: Side): Side {
  let why: string | undefined
  return {
    async tick() {
      if (why) return { did: [] }
      try {
        return await side.tick()
      } catch (error) {
        why = codeOf(error)
        if (!why || !SILENCE.has(why)) throw error
        return { did: [] }
      }
    },
  }
}
