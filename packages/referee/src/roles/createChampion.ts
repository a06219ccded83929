import { toHex } from '@potluck/protocol'
import type { ChallengeFacts } from '../chain/RefereeChain.ts'
import { rootOf, treeOfNodes } from '../trace/HashTree.ts'
import { type Case, settleIfDue, subjectOf, type TickResult } from './createAccuser.ts'
import { playGame } from './playGame.ts'
import { standUpCall } from './standUpCall.ts'

/**
 * Stands up for a claim that one's own recomputation finds right: against every challenge of it, with a game of one's own in
 * each. One `tick` looks at the chain and does what is due now; `done` when no challenge is open. A claim that is wrong by one's
 * own truth is left alone, so that nobody's bond is lost on it.
 */
export function createChampion(given: Case): { tick(): Promise<TickResult> } {
  const { chain, job, jobId, claim, truth } = given
  const subject = subjectOf(given)
  let isRight: Promise<boolean> | undefined

  async function defend(challenge: ChallengeFacts): Promise<string[]> {
    const games = await chain.gamesOf(challenge.id)
    const own = games.find(({ champion }) => champion === chain.account)
    if (own) {
      const done = await playGame(given, own, false)
      return done ? [done] : []
    }
    if ((await chain.now()) > challenge.standUpUntil) return []
    await chain.standUp({ id: challenge.id, claim, ...(await standUpCall(job, truth, challenge.segment)) })
    return [`standUp ${challenge.id}`]
  }

  /** Another champion decided the challenge first: the game that never ended gives its bond back. */
  async function release(challenge: number): Promise<string[]> {
    const own = (await chain.gamesOf(challenge)).filter(({ champion }) => champion === chain.account)
    const released: string[] = []
    for (const { game, stage } of own) {
      if (stage === 'over') continue
      await chain.releaseGame(game)
      released.push(`releaseGame ${game}`)
    }
    return released
  }

  return {
    async tick() {
      const all = await chain.challengesOf(subject)
      const open = all.filter(({ decided }) => !decided)
      const did: string[] = []
      for (const { id, decided } of all) if (decided) did.push(...(await release(id)))
      if (open.length > 0) {
        isRight ??= agrees(given)
        if (!(await isRight)) return { done: true, did, isWrong: await chain.isWrong(jobId, subject) }
      }
      for (const challenge of open) {
        const done = await defend(challenge)
        did.push(...done)
        // What ends the last game settles by itself.
        if (done.length === 0 && (await settleIfDue(chain, challenge))) did.push(`settle ${challenge.id}`)
      }
      return { done: open.length === 0, did, isWrong: await chain.isWrong(jobId, subject) }
    },
  }
}

/** Whether the claim's states and update are those of one's own truth. */
async function agrees({ truth, claim }: Case): Promise<boolean> {
  if (toHex(rootOf(treeOfNodes(await truth.nodes()))) !== claim.statesRoot) return false
  return toHex(await truth.updateRoot()) === claim.updateRoot
}
