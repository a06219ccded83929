import { type Hex, PotluckError, sha256, toHex, utf8 } from '@potluck/protocol'
import { type RingWords, ringBytes, ringWords } from './ring.ts'
import type { SumSetup } from './sumPlan.ts'

/** What a member must never forget, as plain JSON: the sums it took part in and, once it masked, a print of its update. */
export type SumLedger = readonly SumEntry[]
export type SumEntry = {
  readonly job: string
  readonly round: number
  readonly attempt: number
  readonly print: Hex | null
}

/** As many words of a vector, evenly spread, as its print covers: all of a small one; of a large one enough that no two updates agree. */
const printedWords = 4096

/**
 * The ledger with one more sum, to be saved before anything is sent.
 *
 * Each round has one sum for each attempt, whatever its base, group or seed, and attempts only count up: the same update in two sums over
 * different members would show the members they differ in (L-45).
 *
 * @throws PotluckError SUM_ALREADY_BEGUN (go on from the saved state, or start a higher attempt)
 */
export function enterSum(ledger: SumLedger, { plan }: SumSetup): SumLedger {
  const latest = ledger.filter(({ job, round }) => job === plan.job && round === plan.round).at(-1)
  if (latest && latest.attempt >= plan.attempt) {
    throw new PotluckError(
      'SUM_ALREADY_BEGUN',
      `round ${plan.round} of ${plan.job} is at attempt ${latest.attempt}, asked for attempt ${plan.attempt}: go on from the saved state, or start attempt ${latest.attempt + 1}`,
      { job: plan.job, round: plan.round, attempt: plan.attempt, latest: latest.attempt },
    )
  }
  return [...ledger, { job: plan.job, round: plan.round, attempt: plan.attempt, print: null }]
}

/**
 * The ledger with the print of the update that is about to be masked.
 *
 * @throws PotluckError UPDATE_REUSED when an earlier attempt of this round sent the same words (L-45)
 */
export function enterUpdate(ledger: SumLedger, { plan }: SumSetup, words: RingWords): SumLedger {
  const stride = Math.ceil(words.length / printedWords)
  const some = ringWords(plan.bits, Math.ceil(words.length / stride))
  for (let i = 0; i < some.length; i++) some[i] = words[i * stride]!
  const print = toHex(sha256(utf8('potluck/update-print/2'), ringBytes(some)))
  const isRound = (entry: SumEntry): boolean => entry.job === plan.job && entry.round === plan.round
  const before = ledger.find((entry) => isRound(entry) && entry.attempt !== plan.attempt && entry.print === print)
  if (before) {
    throw new PotluckError(
      'UPDATE_REUSED',
      `attempt ${before.attempt} of round ${plan.round} already sent this update: train again on other rows before attempt ${plan.attempt}`,
      { round: plan.round, attempt: plan.attempt, before: before.attempt },
    )
  }
  return ledger.map((entry) => (isRound(entry) && entry.attempt === plan.attempt ? { ...entry, print } : entry))
}
