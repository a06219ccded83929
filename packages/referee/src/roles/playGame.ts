import { codeOf } from '@potluck/protocol'
import type { MoveCall } from '../game/calls.ts'
import { nextMove } from '../game/nextMove.ts'
import type { GameFacts } from '../game/Position.ts'
import { positionOf } from '../game/Position.ts'
import { headerOf } from '../game/programTree.ts'
import type { Case } from './createAccuser.ts'

/**
 * Does what is due in one game: one's own move, or calling time on the other side. What was done, or undefined.
 *
 * A move that the contract refuses because the game went on meanwhile is no error: the next look decides again.
 */
export async function playGame(given: Case, facts: GameFacts, isChallenger: boolean): Promise<string | undefined> {
  const { chain } = given
  if (facts.stage === 'over') return undefined
  const usedSeconds = (await chain.now()) - facts.movedAt
  const left = facts.challengerMoves ? facts.challengerLeft : facts.championLeft
  if (facts.challengerMoves !== isChallenger) {
    if (usedSeconds <= left) return undefined
    await chain.callTime(facts.game)
    return `callTime ${facts.game}`
  }
  if (usedSeconds > left) return undefined
  const move = await decide(given, facts)
  if (!move) return undefined
  try {
    await noteUpdates(given, facts, move)
    await chain.move(facts.game, move)
  } catch (error) {
    if (codeOf(error) !== 'REVERTED' || !(await hasMoved(given, facts))) throw error
    return undefined
  }
  return `${move.name} ${facts.game}`
}

/** The next move, or nothing where the other side says what we say: such a game is lost by silence, rightly. */
async function decide(given: Case, facts: GameFacts): Promise<MoveCall | undefined> {
  try {
    return await nextMove(given, positionOf(facts, await given.chain.movesOf(facts.game)))
  } catch (error) {
    if (codeOf(error) !== 'NOTHING_WRONG') throw error
    return undefined
  }
}

/** What takes part in a result must stand on chain before a wrong account of it can be struck (D-24). */
async function noteUpdates(given: Case, { step }: GameFacts, { name }: MoveCall): Promise<void> {
  const { chain, job, jobId, round, claims } = given
  if (!claims || name !== 'strikeTraceLeaf' || step <= job.steps) return
  await chain.noteUpdates({ jobId, round, claims, ...headerOf(job) })
}

async function hasMoved({ chain }: Case, facts: GameFacts): Promise<boolean> {
  const now = (await chain.gamesOf(facts.challenge)).find(({ game }) => game === facts.game)
  return now?.movedAt !== facts.movedAt || now.stage !== facts.stage || now.challengerMoves !== facts.challengerMoves
}
