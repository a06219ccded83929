import { type Hex, PotluckError } from '@potluck/protocol'
import { checkDelta, checkEpsilon, checkPrivacySteps, type PrivacyStep } from './PrivacyStep.ts'
import { pldEpsilon } from './pldEpsilon.ts'
import { rdpEpsilon } from './rdpEpsilon.ts'

/** One release made from the rows, or about to be made. */
export type Charge = {
  /** Name of the job; whatever its job, every charge on the same rows counts. */
  readonly job: string
  readonly round: number
  /** From 1. */
  readonly attempt: number
  /** Hash of everything that decides what is released: plan, base model, members, key of the noise. */
  readonly release: Hex
  readonly step: PrivacyStep
}

/**
 * What one owner allows to be learnt from one dataset, and what has been.
 *
 * How to use it and survive a crash at any point: (1) decide everything that the release depends on, its noise key included, and hash
 * it; (2) `spend`; (3) write the new ledger (`encodeLedger`) to disk and make sure it is there; (4) only then send. After a crash
 * between 3 and 4 the same charge is free, and the same bits go out; before 3 nothing had gone out.
 */
export type BudgetLedger = {
  readonly owner: string
  readonly dataset: string
  readonly budget: { readonly epsilon: number; readonly delta: number }
  readonly spent: readonly Charge[]
}

/** Longest name, and most charges, of a ledger: what a node can store and compose in seconds. */
export const LONGEST_NAME = 255
export const MOST_CHARGES = 100_000

/** Throws BAD_LEDGER for names, numbers or hashes that are none. */
export function checkLedger({ owner, dataset, budget, spent }: BudgetLedger): void {
  checkEpsilon(budget.epsilon)
  checkDelta(budget.delta)
  checkName('owner', owner)
  checkName('dataset', dataset)
  if (spent.length > MOST_CHARGES) refuse('spent', `at most ${MOST_CHARGES} charges`, spent.length)
  for (const charge of spent) checkCharge(charge)
}

function checkCharge({ job, round, attempt, release, step }: Charge): void {
  checkName('job', job)
  for (const [field, value, least] of [
    ['round', round, 0],
    ['attempt', attempt, 1],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least || value > 4_294_967_295) {
      refuse(field, `whole and from ${least} to 4,294,967,295`, value)
    }
  }
  if (!/^0x[0-9a-f]{64}$/.test(release)) refuse('release', '0x and 64 lower-case hex digits', release)
  checkPrivacySteps([step])
}

function checkName(field: string, name: string): void {
  const isGood = name.length > 0 && new TextEncoder().encode(name).length <= LONGEST_NAME && name.isWellFormed()
  if (!isGood) refuse(field, `text of 1 to ${LONGEST_NAME} bytes`, name.slice(0, 80))
}

function refuse(field: string, allowed: string, value: unknown): never {
  throw new PotluckError('BAD_LEDGER', `${field} must be ${allowed}, got ${String(value)}`, { field })
}

/** ε of everything that was spent, for the ledger's δ; 0 when nothing was. */
export function spentEpsilon({ budget, spent }: BudgetLedger): number {
  return spent.length === 0
    ? 0
    : epsilonOfCharges(
        spent.map(({ step }) => step),
        budget.delta,
      )
}

/**
 * The ledger with the charge in it; the same one when this very charge is in it already (L-58).
 *
 * A charge is the same when job, round, attempt, release and step are: a message that is sent again costs nothing. With anything
 * changed it is another release and is paid for.
 *
 * @throws PotluckError BUDGET_SPENT when the budget would be exceeded: what was asked, what is left, what can be done; BAD_LEDGER,
 * BAD_PRIVACY
 */
export function spend(ledger: BudgetLedger, charge: Charge): BudgetLedger {
  checkLedger(ledger)
  checkCharge(charge)
  if (ledger.spent.some((old) => isSame(old, charge))) return ledger
  if (ledger.spent.length >= MOST_CHARGES) refuse('spent', `at most ${MOST_CHARGES} charges`, MOST_CHARGES + 1)
  const after = { ...ledger, spent: [...ledger.spent, charge] }
  const wouldBe = spentEpsilon(after)
  const { epsilon, delta } = ledger.budget
  if (wouldBe <= epsilon) return after
  const now = spentEpsilon(ledger)
  const left = stepsLeft(ledger, charge.step)
  const { noise, rate, steps } = charge.step
  const asked = `${steps} release${steps === 1 ? '' : 's'} with noise ${noise} at rate ${rate}`
  throw new PotluckError(
    'BUDGET_SPENT',
    `${ledger.owner} allows ε = ${epsilon} at δ = ${delta} on ${ledger.dataset}; ε = ${shown(now)} is spent, and ${asked} would make it ${shown(wouldBe)}. ${left === 0 ? 'None of these fits' : `At most ${left} of these fit`}: use more noise or fewer rounds, leave these rows out, or ask the owner for a larger budget`,
    { owner: ledger.owner, dataset: ledger.dataset, epsilon, delta, spent: now, wouldBe, stepsLeft: left },
  )
}

/** How many more releases of this kind the budget allows. */
export function stepsLeft(ledger: BudgetLedger, { noise, rate }: Pick<PrivacyStep, 'noise' | 'rate'>): number {
  const before = ledger.spent.map(({ step }) => step)
  const fits = (steps: number): boolean =>
    epsilonOfCharges([...before, { noise, rate, steps }], ledger.budget.delta) <= ledger.budget.epsilon
  if (!fits(1)) return 0
  let [low, high] = [1, 2]
  while (high <= MOST_STEPS && fits(high)) [low, high] = [high, high * 2]
  high = Math.min(high, MOST_STEPS + 1)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (fits(middle)) low = middle
    else high = middle
  }
  return low
}

const MOST_STEPS = 1_000_000

/** Both accountants prove an upper bound: the lower one counts. Equal mechanisms are added up first, in order of first use. */
function epsilonOfCharges(steps: readonly PrivacyStep[], delta: number): number {
  const kinds = new Map<string, PrivacyStep>()
  for (const step of steps) {
    const key = `${step.noise}/${step.rate}`
    kinds.set(key, { ...step, steps: step.steps + (kinds.get(key)?.steps ?? 0) })
  }
  const all = [...kinds.values()]
  const rdp = rdpEpsilon(all, delta).epsilon
  // Further kinds of one step cost a transform each; where there are many, the looser bound must do.
  if (all.length > 64) return rdp
  try {
    return Math.min(rdp, pldEpsilon(all, delta))
  } catch (error) {
    if (error instanceof PotluckError && error.code === 'DELTA_TOO_SMALL') return rdp
    throw error
  }
}

const isSame = (a: Charge, b: Charge): boolean =>
  a.job === b.job &&
  a.round === b.round &&
  a.attempt === b.attempt &&
  a.release === b.release &&
  a.step.noise === b.step.noise &&
  a.step.rate === b.step.rate &&
  a.step.steps === b.step.steps

const shown = (epsilon: number): string => epsilon.toPrecision(4)
