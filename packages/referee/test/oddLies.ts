/** Lies that are about behaviour rather than about one number, each against honest play on the real contracts. */

import { codeOf, type Hex, sha256, toHex } from '@potluck/protocol'
import {
  type Case,
  type ClaimTruth,
  createAccuser,
  createChampion,
  type MoveCall,
  nextMove,
  positionOf,
  type RefereeChain,
  refereeChain,
  subjectOf,
} from '../src/index.ts'
import { CLOCK_SECONDS } from './arena.ts'
import { type Draw, hiddenHalt, NAN_WORD, operatorLie } from './lies.ts'
import { claimOf, honestTruth, lyingTruth, seedOf, type Table } from './playMatch.ts'

export type Outcome = { readonly isWrong: boolean; readonly did: readonly string[] }
type Side = { tick(): Promise<{ did: readonly string[] }> }

const chainOf = (table: Table, account: Hex): RefereeChain =>
  refereeChain(table.arena.clientOf(account), account, table.fromBlock)

async function caseOf(table: Table, account: Hex, truth: ClaimTruth, claimed: ClaimTruth): Promise<Case> {
  const claim = await claimOf(table, claimed)
  const { lab, jobId } = table
  return { chain: chainOf(table, account), job: lab.job, jobId, round: 0, claim, seed: seedOf(table), truth }
}

const accuserOf = async (given: Case, claimed: ClaimTruth): Promise<Side> =>
  createAccuser({ ...given, baseRoot: given.claim.baseRoot, nodes: (await claimed.nodes()).map(toHex) })

/** Lets everybody act; when nobody does, the clock runs out. Ends when nothing happens any more. */
async function playOut(table: Table, sides: readonly Side[], given: Case): Promise<Outcome> {
  const did: string[] = []
  for (let quiet = 0; quiet < 4; ) {
    const before = did.length
    for (const side of sides) did.push(...(await side.tick()).did)
    if (did.length > before) quiet = 0
    else {
      quiet++
      await table.arena.advance(CLOCK_SECONDS + 1)
    }
  }
  return { isWrong: await given.chain.isWrong(given.jobId, subjectOf(given)), did }
}

const silenced = (side: Side): Side => ({
  async tick() {
    try {
      return await side.tick()
    } catch (error) {
      if (codeOf(error) === undefined) throw error
      return { did: [] }
    }
  },
})

const lieFor = (table: Table, draw: Draw) =>
  operatorLie('false halt', table.lab.job, table.lab.job.step.records.length - 3, draw)

/** A lying worker has a friend challenge it, who never moves; the honest challenge runs beside it. */
export async function selfChallenge(table: Table, friend: Hex, draw: Draw): Promise<Outcome> {
  const lying = lyingTruth(table, lieFor(table, draw))
  const worker = await caseOf(table, table.worker, lying, lying)
  const honest = await caseOf(table, table.other, honestTruth(table), lying)
  const sham = await accuserOf(await caseOf(table, friend, honestTruth(table), lying), lying)
  let opened = false
  const losing: Side = {
    async tick() {
      if (opened) return { did: [] }
      opened = true
      return await sham.tick()
    },
  }
  return playOut(table, [losing, silenced(createChampion(worker)), await accuserOf(honest, lying)], honest)
}

/** A liar challenges a claim that is right; a traitor stands up for it and plays badly, beside the worker. */
export async function traitorChampion(table: Table, traitor: Hex, draw: Draw): Promise<Outcome> {
  const honest = honestTruth(table)
  const lying = lyingTruth(table, lieFor(table, draw))
  const worker = await caseOf(table, table.worker, honest, honest)
  const friend = await caseOf(table, traitor, honest, honest)
  const liar = await caseOf(table, table.other, lying, honest)
  const champion = createChampion(friend)
  let stood = false
  const betrays: Side = {
    async tick() {
      // Stands up first, then never moves again.
      if (stood) return { did: [] }
      const result = await champion.tick()
      stood = result.did.length > 0
      return result
    },
  }
  const attack = silenced(await accuserOf(liar, honest))
  return playOut(table, [attack, betrays, createChampion(worker)], worker)
}

/** A claim whose states root has another shape: nobody can bring its nodes. */
export async function wrongShape(table: Table): Promise<Outcome> {
  const honest = honestTruth(table)
  const shaped: ClaimTruth = {
    ...honest,
    nodes: async () => [...(await honest.nodes()), ...(await honest.nodes()), sha256(new Uint8Array(1))],
  }
  const worker = await caseOf(table, table.worker, shaped, shaped)
  const accuser = await caseOf(table, table.other, honest, shaped)
  return playOut(table, [silenced(createChampion(worker)), await accuserOf(accuser, shaped)], accuser)
}

/** Picks and reveals at random, in rows of the right length: most of it is nonsense that the contract cannot see through. */
export async function recklessPlay(table: Table, draw: Draw, liar: 'worker' | 'other'): Promise<Outcome> {
  const honest = honestTruth(table)
  const lying = lyingTruth(table, lieFor(table, draw))
  const claimed = liar === 'worker' ? lying : honest
  const worker = await caseOf(table, table.worker, claimed, claimed)
  const other = await caseOf(table, table.other, liar === 'worker' ? honest : lying, claimed)
  const [champion, accuser] = [createChampion(worker), await accuserOf(other, claimed)]
  const sides =
    liar === 'worker'
      ? [reckless(worker, champion, false, draw), accuser]
      : [reckless(other, accuser, true, draw), champion]
  return playOut(table, sides, liar === 'worker' ? other : worker)
}

/** Opens or stands up as it should, then makes garbled moves. */
function reckless(given: Case, side: Side, isChallenger: boolean, draw: Draw): Side {
  return silenced({
    async tick() {
      const challenges = await given.chain.challengesOf(subjectOf(given))
      for (const { id, decided } of challenges) {
        for (const facts of decided ? [] : await given.chain.gamesOf(id)) {
          if (facts.stage === 'over' || facts.challengerMoves !== isChallenger) continue
          const move = await nextMove(given, positionOf(facts, await given.chain.movesOf(facts.game)))
          await given.chain.move(facts.game, garbled(move, draw))
          return { did: [`garbled ${move.name}`] }
        }
      }
      return await side.tick()
    },
  })
}

/** The same move with one node of the revealed row, or one word of the revealed bytes, replaced. */
function garbled(move: MoveCall, draw: Draw): MoveCall {
  const node = (row: Hex[]): Hex[] => row.with(draw(row.length), toHex(sha256(Uint8Array.of(draw(256)))))
  const word = (bytes: Hex): Hex => {
    const at = 2 + 8 * draw((bytes.length - 2) / 8)
    return `${bytes.slice(0, at)}${(draw(2 ** 31) + 2 ** 31).toString(16)}${bytes.slice(at + 8)}` as Hex
  }
  switch (move.name) {
    case 'pickNode':
      return { ...move, args: [move.args[0], move.args[1], node(move.args[2])] }
    case 'pickTraceLeaf': {
      const [index, entry, record, proof, row, leaf] = move.args
      return {
        ...move,
        args: [index, entry, record, proof, row.length > 0 ? node(row) : row, leaf === '0x' ? leaf : word(leaf)],
      }
    }
    case 'pickTensorLeaf':
      return { ...move, args: [move.args[0], move.args[1], move.args[2], word(move.args[3])] }
    case 'pickElement':
      return { ...move, args: [move.args[0], move.args[1], move.args[2], word(move.args[3])] }
    case 'pickSum':
      return { ...move, args: [move.args[0], move.args[1], word(move.args[2])] }
    default:
      return move
  }
}

/** The worker hides that a step stops: NaN becomes a number where it first arises. `base` must make the step stop. */
export async function hiddenHaltPlay(table: Table, liar: 'worker' | 'other'): Promise<Outcome> {
  const honest = honestTruth(table)
  // The last step: what is hidden earlier comes back by itself, since NaN spreads.
  const step = table.lab.job.steps - 1
  const trace = await honest.trace(step)
  const leaf = trace.records.findIndex(
    (record, at) =>
      record.kind === 'element' && Array.from({ length: record.size }, (_, e) => trace.word(at, e)).includes(NAN_WORD),
  )
  if (leaf < 0) throw new Error('the base makes no step stop')
  const lying = lyingTruth(table, hiddenHalt(step, leaf))
  const claimed = liar === 'worker' ? lying : honest
  const worker = await caseOf(table, table.worker, claimed, claimed)
  const other = await caseOf(table, table.other, liar === 'worker' ? honest : lying, claimed)
  const [champion, accuser] = [createChampion(worker), await accuserOf(other, claimed)]
  const sides = liar === 'worker' ? [silenced(champion), accuser] : [silenced(accuser), champion]
  return playOut(table, sides, liar === 'worker' ? other : worker)
}
