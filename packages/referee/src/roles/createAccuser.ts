import type { ExactJob } from '@potluck/engine'
import { claimLeafHash, equalBytes, fromHex, type Hex, toHex } from '@potluck/protocol'
import type { ChallengeFacts, RefereeChain } from '../chain/RefereeChain.ts'
import type { ClaimArgument } from '../game/calls.ts'
import { headerOf } from '../game/programTree.ts'
import { RESULT_SHARE } from '../game/resultClaim.ts'
import type { ClaimTruth } from '../trace/ClaimTruth.ts'
import { rootOf, treeOfNodes } from '../trace/HashTree.ts'
import { playGame } from './playGame.ts'

export type Case = {
  readonly chain: RefereeChain
  readonly job: ExactJob
  readonly jobId: number
  readonly round: number
  readonly claim: ClaimArgument
  /** The seed of the claim's task; see `claimSeed`. */
  readonly seed: Uint8Array
  readonly truth: ClaimTruth
  /** Of a round's result: the claims of its set, in order. */
  readonly claims?: readonly ClaimArgument[]
}

/** What a tick left behind: `done` means that there is nothing more to do for this claim, ever. */
export type TickResult = { readonly done: boolean; readonly did: readonly string[]; readonly isWrong: boolean }

export type AccuserCase = Case & {
  /** The state roots that the worker says it has, in order, as published with its claim; checked against the states root here. */
  readonly nodes?: readonly Hex[]
  /** What the round starts from; another base root in the claim is struck at once (D-20). */
  readonly baseRoot: Hex
}

/** The subject that a claim is judged under. */
export const subjectOf = ({ jobId, round, claim }: Pick<Case, 'jobId' | 'round' | 'claim'>): Hex =>
  claimLeafHash(jobId, round, { ...claim, units: Number(claim.units) })

/**
 * Shows that a claim is wrong: challenges the first range that does not follow, plays every game to its end, calls time,
 * settles. A claim that is right is left alone. One `tick` looks at the chain and does what is due now; call it until `done`.
 *
 * Without the worker's state roots nobody can say which range is wrong: all are challenged, and those that turn out right cost a
 * bond each.
 */
export function createAccuser(given: AccuserCase): { tick(): Promise<TickResult> } {
  const { chain, job, jobId, round, claim, truth } = given
  const subject = subjectOf(given)
  let targets: Promise<readonly number[]> | undefined

  return {
    async tick() {
      const did: string[] = []
      if (await chain.isWrong(jobId, subject)) return { done: true, did, isWrong: true }
      const known = { jobId, round, claim, ...headerOf(job) }
      if (isStruck(given)) {
        await chain.strikeClaim(known)
        return { done: true, did: ['strikeClaim'], isWrong: true }
      }
      targets ??= wrongSegments(truth, claim, given.nodes)
      const mine = (await chain.challengesOf(subject)).filter(({ challenger }) => challenger === chain.account)
      for (const segment of await targets) {
        if (mine.some((challenge) => challenge.segment === segment)) continue
        await chain.challenge({ ...known, segment })
        did.push(`challenge ${segment}`)
        // Can be established while the result is proposed only: another challenger may end that before this game comes to it.
        if (given.claims && segment === (await truth.nodes()).length)
          await chain.noteUpdates({ jobId, round, claims: given.claims, ...headerOf(job) })
      }
      for (const challenge of mine) {
        if (challenge.decided) continue
        const before = did.length
        for (const facts of await chain.gamesOf(challenge.id)) {
          const done = await playGame(given, facts, true)
          if (done) did.push(done)
        }
        // What ends the last game settles by itself.
        if (did.length === before && (await settleIfDue(chain, challenge))) did.push(`settle ${challenge.id}`)
      }
      const isOver = mine.length >= (await targets).length && mine.every(({ decided }) => decided)
      return { done: isOver && did.length === 0, did, isWrong: await chain.isWrong(jobId, subject) }
    },
  }
}

/** Whether a claim is wrong without a game (D-20); a result has neither units nor a share. */
const isStruck = ({ claim, job, baseRoot }: AccuserCase): boolean =>
  claim.share !== RESULT_SHARE &&
  (claim.baseRoot !== baseRoot || claim.units !== BigInt(job.units) || claim.share >= job.shares)

/** Settles a challenge whose time to stand up is over with no game open. */
export async function settleIfDue(chain: RefereeChain, { id, standUpUntil }: ChallengeFacts): Promise<boolean> {
  const games = await chain.gamesOf(id)
  if ((await chain.now()) <= standUpUntil || games.some(({ stage }) => stage !== 'over')) return false
  await chain.settle(id)
  return true
}

/** The ranges to challenge: none when the claim is right, the first wrong one when the worker's states are known, else all. */
async function wrongSegments(
  truth: ClaimTruth,
  claim: ClaimArgument,
  given: readonly Hex[] | undefined,
): Promise<readonly number[]> {
  const own = await truth.nodes()
  // Of a result the last node is the reference update, which the finish makes: ranges and nodes have the same numbers.
  const segments = own.length
  if (toHex(rootOf(treeOfNodes(own))) === claim.statesRoot) {
    return toHex(await truth.updateRoot()) === claim.updateRoot ? [] : [segments]
  }
  const nodes = given?.map(fromHex)
  const isTheirs = nodes?.length === segments && toHex(rootOf(treeOfNodes(nodes))) === claim.statesRoot
  if (!isTheirs) return own.map((_, segment) => segment)
  return [nodes.findIndex((node, i) => !equalBytes(node, own[i] as Uint8Array))]
}
