import { fromHex, type Hex } from '@potluck/protocol'
import type { GameFacts, MoveEvent } from '../game/Position.ts'
import { stages } from '../game/Position.ts'
import type { ChallengeFacts, RefereeChain } from './RefereeChain.ts'

/** The contract's moves by number (`IRefereeTypes.Move`). */
export const moveNames = [
  'None',
  'StandUp',
  'PickStep',
  'PickNode',
  'PickTraceLeaf',
  'PickTensorLeaf',
  'PickElement',
  'PickSum',
  'Prove',
  'StrikeTraceLeaf',
  'StrikeAbsent',
  'CallTime',
] as const

type GameStruct = {
  champion: Hex
  challenge: number
  movedAt: number
  challengerLeft: number
  championLeft: number
  stage: number
  challengerMoves: boolean
  step: number
  traceLeaf: number
  element: number
  lane: number
  scale: number
  first: number
  end: number
  agreed: number
}
type ChallengeStruct = { challenger: Hex; openGames: number; decided: boolean; won: boolean }
export type RefereeLog = { readonly name: string; readonly args: Readonly<Record<string, unknown>> }

/** What this needs of a chain client with the referee in it. */
export type RefereeClient = {
  confirmedBlock(): Promise<bigint>
  blockNumber(): Promise<bigint>
  now(): Promise<bigint>
  /** Events of the referee alone, in order. */
  events(fromBlock: bigint, toBlock: bigint): Promise<readonly RefereeLog[]>
  gameOf(game: bigint): Promise<GameStruct>
  challengeOf(id: bigint): Promise<ChallengeStruct>
  clockSeconds(): Promise<number>
  /** `IJudge.Verdict`: 2 is wrong. */
  verdict(jobId: bigint, subject: Hex): Promise<number>
  send(name: string, args: readonly unknown[]): Promise<{ gasUsed: bigint }>
}

const WRONG = 2

type Challenged = Pick<ChallengeFacts, 'id' | 'jobId' | 'round' | 'subject' | 'segment' | 'standUpUntil'>
type Opened = { game: number; challenge: number; start: Uint8Array }

/**
 * The referee through a chain client. Events are read once and kept; those of blocks that are not final yet are read again
 * each time. A new one finds everything on the chain.
 *
 * @param account  the node that moves count for, lower case
 * @param fromBlock block of the deployment
 */
export function refereeChain(client: RefereeClient, account: Hex, fromBlock: bigint): RefereeChain {
  const kept: RefereeLog[] = []
  let next = fromBlock
  let clock: Promise<number> | undefined

  async function logs(): Promise<readonly RefereeLog[]> {
    const [confirmed, newest] = [await client.confirmedBlock(), await client.blockNumber()]
    if (confirmed >= next) {
      const from = next
      // Taken before the answer comes, so that two readers at once do not both keep it.
      next = confirmed + 1n
      try {
        kept.push(...(await client.events(from, confirmed)))
      } catch (error) {
        next = from
        throw error
      }
    }
    return newest > confirmed ? [...kept, ...(await client.events(confirmed + 1n, newest))] : kept
  }

  async function named(name: string, key: string, value: unknown): Promise<RefereeLog[]> {
    return (await logs()).filter((log) => log.name === name && String(log.args[key]) === String(value))
  }

  return {
    account,
    now: async () => Number(await client.now()),
    clockSeconds() {
      clock ??= client.clockSeconds()
      return clock
    },
    async challengesOf(subject) {
      const found: ChallengeFacts[] = []
      for (const log of await named('Challenged', 'subject', subject)) {
        const known = challengedIn(log)
        const { challenger, openGames, decided, won } = await client.challengeOf(BigInt(known.id))
        found.push({ ...known, challenger: lower(challenger), openGames, decided, won })
      }
      return found
    },
    async gamesOf(challenge) {
      const [opening] = await named('Challenged', 'id', challenge)
      const segment = opening ? challengedIn(opening).segment : 0
      const found: GameFacts[] = []
      for (const log of await named('GameOpened', 'id', challenge)) {
        const { game, start } = openedIn(log)
        found.push(factsOf(await client.gameOf(BigInt(game)), { game, challenge, segment, start }))
      }
      return found
    },
    async movesOf(game) {
      return (await named('Moved', 'game', game)).map(moveIn)
    },
    isWrong: async (jobId, subject) => (await client.verdict(BigInt(jobId), subject)) === WRONG,
    challenge: ({ jobId, round, claim, segment, header, headerProof }) =>
      client.send('challenge', [BigInt(jobId), round, claim, segment, header, headerProof]),
    standUp: ({ id, claim, start, end, states }) => client.send('standUp', [BigInt(id), claim, start, end, states]),
    move: (game, { name, args }) => client.send(name, [BigInt(game), ...args]),
    callTime: (game) => client.send('callTime', [BigInt(game)]),
    settle: (challenge) => client.send('settle', [BigInt(challenge)]),
    releaseGame: (game) => client.send('releaseGame', [BigInt(game)]),
    strikeClaim: ({ jobId, round, claim, header, headerProof }) =>
      client.send('strikeClaim', [BigInt(jobId), round, claim, header, headerProof]),
    noteUpdates: ({ jobId, round, claims, header, headerProof }) =>
      client.send('noteUpdates', [BigInt(jobId), round, claims, header, headerProof]),
    strikePayouts: ({ jobId, round, claims, before, header, headerProof }) =>
      client.send('strikePayouts', [BigInt(jobId), round, claims, before, header, headerProof]),
    strikeDigests: ({ jobId, round, found }) => client.send('strikeDigests', [BigInt(jobId), round, found]),
  }
}

const lower = (address: Hex): Hex => address.toLowerCase() as Hex

function challengedIn({ args }: RefereeLog): Challenged {
  const { id, jobId, subject, round, segment, standUpUntil } = args
  return {
    id: Number(id),
    jobId: Number(jobId),
    subject: subject as Hex,
    round: Number(round),
    segment: Number(segment),
    standUpUntil: Number(standUpUntil),
  }
}

const openedIn = ({ args }: RefereeLog): Opened => ({
  game: Number(args.game),
  challenge: Number(args.id),
  start: fromHex(args.start as Hex),
})

/** One event `Moved`, decoded. */
export function moveIn({ args }: RefereeLog): MoveEvent {
  return {
    move: moveNames[Number(args.move)] ?? 'None',
    byChallenger: args.byChallenger === true,
    stage: stages[Number(args.stage)] ?? 'none',
    position: Number(args.position),
    below: Number(args.below),
    picked: args.picked as Hex,
    revealed: fromHex(args.revealed as Hex),
    challengerLeft: Number(args.challengerLeft),
    championLeft: Number(args.championLeft),
  }
}

function factsOf(struct: GameStruct, known: Pick<GameFacts, 'game' | 'challenge' | 'segment' | 'start'>): GameFacts {
  const { challengerMoves, step, traceLeaf, element, lane, first, end, agreed } = struct
  const { scale, movedAt, challengerLeft, championLeft } = struct
  return {
    ...known,
    champion: lower(struct.champion),
    stage: stages[struct.stage] ?? 'none',
    challengerMoves,
    ...{ step, traceLeaf, element, lane, first, end, agreed, scale, movedAt, challengerLeft, championLeft },
  }
}
