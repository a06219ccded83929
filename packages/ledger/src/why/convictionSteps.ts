import type { Hex } from '@potluck/protocol'
import { z } from 'zod'
import { count, hex } from '../database/columns.ts'
import { rows } from '../database/rows.ts'
import { type Step, short, step } from './Step.ts'
import type { Teller } from './Teller.ts'

export type Conviction = {
  subject: Hex
  slashed: bigint
  burned: bigint | null
  tx: Hex
  block: number
  round: number
  /** What was wrong, when it was no claim. */
  what?: string
  /** What the disputes stand under, when that is not the subject. */
  disputed?: Hex | undefined
}

/** How a game ended, by the last move (`IRefereeTypes.Move`). */
const endings: Record<number, string> = {
  8: 'the contract did one operation itself and found another result',
  9: 'an input of a step was not what it had to be',
  10: 'there was something where nothing should be',
  11: 'it had no move left and ran out of time',
}

/** Why claims of a node were judged wrong: by the votes of validators, or by disputes before the referee, and what it cost. */
export async function convictionSteps(
  teller: Teller,
  job: number,
  convictions: readonly Conviction[],
): Promise<Step[]> {
  const steps: Step[] = []
  for (const { subject, slashed, burned, tx, block, round, what, disputed = subject } of convictions) {
    const votes = await voteSteps(teller, job, subject)
    const disputes = await disputeSteps(teller, job, disputed)
    const told = (units: bigint) => teller.money.text(units, teller.contracts.salt)
    const byWhom = votes.length > 0 ? `on ${votes.length} votes` : 'by the referee'
    const how =
      what === undefined
        ? `It was ${votes.length > 0 ? `convicted ${byWhom}` : 'found wrong by the referee and convicted'}`
        : `${what} was found wrong ${byWhom}`
    const who = what === undefined ? 'it' : 'its proposer'
    steps.push(
      step({
        id: `conviction/${job}/${round}/${subject}`,
        kind: 'conviction',
        text: `${how}: ${told(slashed)} of its bond slashed${burned === null ? '' : `, ${told(burned)} of that burned`}, and ${who} was expelled from the job.`,
        refs: { job, round, tx, block },
        because: [...votes, ...disputes],
      }),
    )
  }
  return steps
}

async function voteSteps({ database }: Teller, job: number, subject: Hex): Promise<Step[]> {
  const votes = await rows(
    database,
    z.object({ validator: hex, found: hex, tx: hex, block: count }),
    `SELECT v.validator, v.found, e.tx_hash AS tx, e.block FROM votes v JOIN events e USING (seq)
      WHERE v.job = $1 AND v.subject = $2 AND v.found <> v.subject ORDER BY v.seq`,
    [job, subject],
  )
  return votes.map(({ validator, found, tx, block }) =>
    step({
      id: `vote/${job}/${subject}/${validator}`,
      kind: 'vote',
      text: `Validator ${short(validator)} recomputed it and found ${short(found)} instead.`,
      refs: { job, tx, block, account: validator },
    }),
  )
}

async function disputeSteps({ database }: Teller, job: number, subject: Hex): Promise<Step[]> {
  const challenges = await rows(
    database,
    z.object({ challenge: z.string(), challenger: hex, segment: count, tx: hex, block: count }),
    `SELECT c.challenge::text AS challenge, c.challenger, c.segment, e.tx_hash AS tx, e.block
      FROM challenges c JOIN events e USING (seq) WHERE c.job = $1 AND c.subject = $2 ORDER BY c.seq`,
    [job, subject],
  )
  const steps: Step[] = []
  for (const { challenge, challenger, segment, tx, block } of challenges) {
    const games = await rows(
      database,
      z.object({ game: z.string(), champion: hex, winner: hex, move: count, moves: count, tx: hex, block: count }),
      `SELECT g.game::text AS game, g.champion, x.winner, x.move, e.tx_hash AS tx, e.block,
        (SELECT count(*) FROM moves m WHERE m.game = g.game) AS moves
        FROM games g JOIN game_ends x USING (game) JOIN events e ON e.seq = x.seq WHERE g.challenge = $1 ORDER BY g.seq`,
      [challenge],
    )
    const because = games.map(({ game, champion, winner, move, moves, tx: last, block: at }) =>
      step({
        id: `game/${game}`,
        kind: 'game',
        text: `${short(champion)} stood up for it and ${winner === challenger ? 'lost' : 'won'} after ${moves} moves: ${endings[move] ?? 'the game was decided'}.`,
        refs: { job, tx: last, block: at, account: champion },
      }),
    )
    const silence = games.length === 0 ? ' Nobody stood up for it.' : ''
    steps.push(
      step({
        id: `challenge/${challenge}`,
        kind: 'challenge',
        text: `${short(challenger)} recomputed it and challenged segment ${segment} of its steps before the referee.${silence}`,
        refs: { job, tx, block, account: challenger },
        because,
      }),
    )
  }
  return steps
}
