import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Hex, PotluckError, toHex } from '@potluck/protocol'
import { demoJob, type MoveEvent, moveNames, playDemoDispute, stages } from '@potluck/referee'
import { disputeIn, disputeReplay, type ReplayedGame, shownDispute } from './disputeReplay.ts'

const moves: MoveEvent[] = []

test('without a number a dispute is played here, and its last line names operator and numbers', async () => {
  const written: string[] = []
  async function* play() {
    for await (const move of playDemoDispute()) {
      moves.push(move)
      yield move
    }
  }
  const options = { dir: '.potluck', json: false }
  const { value, lines } = await disputeReplay(options, (line) => void written.push(line), play)
  assert.deepEqual(lines, [])
  const { won, games } = value as { won: boolean; games: ReplayedGame[] }
  assert.equal(won, true)
  assert.equal(games[0]?.moves.length, moves.length)
  assert.match(written.at(-2) ?? '', /has the contract do .*matmul.*the other side said/)
  assert.match(written.at(-1) ?? '', /the challenger wins: the claim was wrong/)
})

const names: readonly string[] = moveNames
const at = (n: number): Hex => `0x${n.toString(16).padStart(40, '0')}`

/** The events of a referee in which those moves are game 3 of dispute 2. */
const events = (isOver: boolean) => [
  { name: 'Challenged', args: { id: 1n, jobId: 9n, round: 1, segment: 0, challenger: at(7) } },
  { name: 'Challenged', args: { id: 2n, jobId: 4n, round: 1, segment: 5, challenger: at(1) } },
  { name: 'GameOpened', args: { game: 3n, id: 2n, champion: at(2) } },
  ...moves.map((move) => ({
    name: 'Moved',
    args: {
      ...{ ...move, game: 3n, position: BigInt(move.position), revealed: toHex(move.revealed) },
      ...{ move: names.indexOf(move.move), stage: stages.indexOf(move.stage) },
    },
  })),
  { name: 'Moved', args: { ...moves[0], game: 8n, revealed: '0x', move: 1, stage: 1 } },
  ...(isOver
    ? [
        { name: 'GameEnded', args: { game: 3n, id: 2n, winner: at(1) } },
        { name: 'ChallengeSettled', args: { id: 2n, won: true, winner: at(1) } },
      ]
    : []),
]

test('a dispute of a network is shown from its logs alone, with names where the job is known', () => {
  const dispute = disputeIn(events(true), 2)
  assert.deepEqual(dispute.games[0]?.moves, moves)
  assert.equal(dispute.won, true)
  const nameOf = (node: Hex): string => (node === at(1) ? 'validator-1' : 'worker-4')
  const named = shownDispute(dispute, demoJob(), nameOf).lines.join('\n')
  assert.match(named, /dispute 2: validator-1 challenges segment 5 of a claim in round 2 of job 4/)
  assert.match(named, /game 3: worker-4 stands up/)
  assert.match(named, /layer1\.mlp\.down \(matmul\)/)
  assert.match(named, /validator-1 wins\n\nThe claim was wrong\./)
  const bare = shownDispute(dispute, undefined, nameOf).lines.join('\n')
  assert.match(bare, /shown by number/)
  assert.match(bare, /trace leaf \d+/)
})

test('an open dispute says so, and one that is none is refused with those there are', () => {
  const open = shownDispute(disputeIn(events(false), 2), undefined, String)
  assert.match(open.lines.join('\n'), /no winner yet\n\nStill open\./)
  assert.deepEqual(disputeIn(events(false), 1).games, [])
  assert.throws(
    () => disputeIn(events(false), 5),
    (thrown) => thrown instanceof PotluckError && thrown.code === 'UNKNOWN_DISPUTE' && thrown.message.includes('1, 2'),
  )
  assert.throws(
    () => disputeIn([], 5),
    (thrown) => thrown instanceof PotluckError && thrown.message.includes('nobody has challenged'),
  )
})
