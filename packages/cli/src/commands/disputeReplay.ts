import type { ChainEvent } from '@potluck/chain'
import { publicJob } from '@potluck/learning'
import { decodeDocument } from '@potluck/node'
import { fromHex, type Hex, jobDocument, PotluckError } from '@potluck/protocol'
import { type DisputeLabels, demoJob, describeDispute, type MoveEvent, moveIn, playDemoDispute } from '@potluck/referee'
import { DAG_CBOR } from '@potluck/store'
import { fetchBlock } from './fetchBlocks.ts'
import { type Network, type NetworkOptions, nameOfNode, networkAt } from './networkAt.ts'
import type { Printed } from './printed.ts'

/** One game of a dispute: somebody stands up for the claim, the challenger answers, until one has won. */
export type ReplayedGame = {
  readonly game: number
  readonly champion: Hex | null
  readonly moves: readonly (Omit<MoveEvent, 'revealed'> & { readonly revealedBytes: number; readonly line: string })[]
  /** null while it goes on. */
  readonly winner: Hex | null
}

/** A dispute as its logs tell it. */
export type Dispute = {
  readonly id: number
  readonly jobId: number
  readonly round: number
  readonly segment: number
  readonly challenger: Hex
  readonly games: readonly {
    readonly game: number
    readonly champion: Hex
    readonly winner: Hex | null
    readonly moves: readonly MoveEvent[]
  }[]
  /** null while it is open. */
  readonly won: boolean | null
}

/** Shows a dispute move by move: that of a running network with this number, or without one a whole dispute played here. */
export async function disputeReplay(
  options: NetworkOptions & { id?: number | undefined; json: boolean },
  write: (line: string) => void = (line) => void process.stdout.write(`${line}\n`),
  play: () => AsyncIterable<MoveEvent> = playDemoDispute,
): Promise<Printed> {
  if (options.id === undefined) return playedHere(play(), options.json ? () => undefined : write)
  const network = networkAt(options)
  const toBlock = await network.chain.blockNumber()
  const fromBlock = BigInt(network.deployment.block)
  const dispute = disputeIn(await network.chain.events({ fromBlock, toBlock, contracts: ['referee'] }), options.id)
  const labels = await labelsOf(network, dispute.jobId)
  return shownDispute(dispute, labels, (node) => nameOfNode(network, node))
}

/** Plays the demonstration; each move is written as it happens. */
async function playedHere(dispute: AsyncIterable<MoveEvent>, write: (line: string) => void): Promise<Printed> {
  write(
    'A worker claims eight training steps with one number wrong in one product. An accuser has done the work again.',
  )
  write('Each line is one transaction; the contract is on a chain of its own, in a temporary folder.')
  const labels = demoJob()
  const moves: MoveEvent[] = []
  for await (const move of dispute) {
    moves.push(move)
    write(describeDispute(moves, labels).at(-1) ?? '')
  }
  const isWon = moves.at(-1)?.byChallenger === true
  write(
    `${moves.length} moves; the ${isWon ? 'challenger' : 'champion'} wins: the claim ${isWon ? 'was wrong' : 'stands'}.`,
  )
  const game = { game: 1, champion: null, moves: shownMoves(moves, labels), winner: null }
  return { value: { id: null, won: isWon, games: [game] }, lines: [] }
}

/**
 * The dispute with this number in the referee's events.
 *
 * @throws PotluckError UNKNOWN_DISPUTE with those there are
 */
export function disputeIn(events: readonly Pick<ChainEvent, 'name' | 'args'>[], id: number): Dispute {
  const named = (name: string, key: string, value: number) =>
    events.filter((event) => event.name === name && Number(event.args[key]) === value)
  const [opening] = named('Challenged', 'id', id)
  if (!opening) {
    const ids = events.filter(({ name }) => name === 'Challenged').map(({ args }) => String(args.id))
    const message = `there is no dispute ${id}: ${ids.length > 0 ? `there are ${ids.slice(-20).join(', ')}` : 'nobody has challenged a claim here'}; without a number a dispute is played here`
    throw new PotluckError('UNKNOWN_DISPUTE', message, { id })
  }
  const settled = named('ChallengeSettled', 'id', id)[0]
  const games = named('GameOpened', 'id', id).map(({ args }) => {
    const game = Number(args.game)
    const winner = named('GameEnded', 'game', game)[0]?.args.winner
    const moves = named('Moved', 'game', game).map(({ name, args }) => moveIn({ name, args }))
    return {
      game,
      champion: String(args.champion) as Hex,
      winner: winner === undefined ? null : (String(winner) as Hex),
      moves,
    }
  })
  const { jobId, round, segment, challenger } = opening.args
  return {
    id,
    jobId: Number(jobId),
    round: Number(round),
    segment: Number(segment),
    challenger: String(challenger) as Hex,
    games,
    won: settled ? settled.args.won === true : null,
  }
}

/** A dispute for programs and for people. */
export function shownDispute(
  dispute: Dispute,
  labels: DisputeLabels | undefined,
  nameOf: (node: Hex) => string,
): Printed {
  const games: ReplayedGame[] = dispute.games.map(({ moves, ...game }) => ({
    ...game,
    moves: shownMoves(moves, labels),
  }))
  const { id, jobId, round, segment, challenger, won } = dispute
  const outcome = {
    true: 'The claim was wrong.',
    false: 'The challenge failed; it proves nothing about the claim.',
    null: 'Still open.',
  }
  return {
    value: { id, jobId, round, segment, challenger, won, games },
    lines: [
      `dispute ${id}: ${nameOf(challenger)} challenges segment ${segment} of a claim in round ${round + 1} of job ${jobId}`,
      ...(labels ? [] : ['(the job document cannot be had: operators and elements are shown by number)']),
      ...games.flatMap((game) => [
        '',
        `game ${game.game}: ${game.champion ? nameOf(game.champion) : 'somebody'} stands up for the claim`,
        ...game.moves.map(({ line }) => line),
        game.winner ? `${nameOf(game.winner)} wins` : 'no winner yet',
      ]),
      '',
      outcome[`${won}`],
    ],
  }
}

function shownMoves(moves: readonly MoveEvent[], labels: DisputeLabels | undefined): ReplayedGame['moves'] {
  const lines = describeDispute(moves, labels)
  return moves.map(({ revealed, ...move }, i) => ({ ...move, revealedBytes: revealed.length, line: lines[i] ?? '' }))
}

/** Names of operators and their extents, from the job's document; undefined where no node has it. */
async function labelsOf(network: Network, jobId: number): Promise<DisputeLabels | undefined> {
  const { specDigest } = await network.chain.read.jobs.termsOf([BigInt(jobId)])
  let bytes: Uint8Array
  try {
    bytes = await fetchBlock(network, specDigest, DAG_CBOR)
  } catch (error) {
    if (error instanceof PotluckError) return undefined
    throw error
  }
  const document = decodeDocument(jobDocument, bytes)
  if (document.kind !== 'language') return undefined
  const { recipe, seed, shares, encoding } = document
  // Names and extents do not depend on the text: any of enough length will do.
  return publicJob(recipe, new Uint8Array(recipe.config.context + 2), fromHex(seed), shares, encoding)
}
