import { exactExp64, exactLog64, RandomStream } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import { type RocArea, rocArea } from './rocArea.ts'

/** Of `RandomStream`: which rows each model is trained on. */
const PURPOSE_MEMBERS = 60

export type MembershipAttack = {
  /** Rows the attacker asks about; each model is trained on a random half of them. */
  readonly rows: number
  /** Models the attacker trains by itself to learn how losses look with and without a row. At least 4; 0 leaves that attack out. */
  readonly shadows: number
  readonly seed: Uint8Array
  /** Trains model number `model` (0 is the one under attack) on rows `members`, as the owner would. */
  train(members: readonly number[], model: number): Promise<Float32Array>
  /** Loss of every row under a model. */
  lossesOf(parameters: Float32Array): Promise<Float64Array>
}

export type MembershipResult = {
  /** A row with a small loss is called a member (Yeom et al., arXiv:1709.01604). */
  readonly threshold: RocArea
  /** The likelihood ratio of a row's loss with and without it, from shadow models (LiRA, arXiv:2112.03570). */
  readonly ratio: RocArea | null
}

/** How well attackers tell which rows a model was trained on: the measured side of what ε promises. */
export async function inferMembership(attack: MembershipAttack): Promise<MembershipResult> {
  const { rows, shadows, seed } = attack
  if (shadows !== 0 && !(Number.isSafeInteger(shadows) && shadows >= 4)) {
    throw new PotluckError('BAD_ATTACK', `shadow models must be 0, or 4 and more, got ${shadows}`, { shadows })
  }
  const halves: boolean[][] = []
  const confidences: Float64Array[] = []
  let losses = new Float64Array()
  for (let model = 0; model <= shadows; model++) {
    const random = new RandomStream(seed, PURPOSE_MEMBERS, model)
    const isMember = Array.from({ length: rows }, (_, row) => random.word(row) >>> 31 === 1)
    const parameters = await attack.train(
      isMember.flatMap((is, row) => (is ? [row] : [])),
      model,
    )
    const now = await attack.lossesOf(parameters)
    if (model === 0) losses = Float64Array.from(now)
    halves.push(isMember)
    confidences.push(Float64Array.from(now, logit))
  }
  const truth = halves[0] ?? []
  const threshold = rocArea(
    losses.map((loss) => -loss),
    truth,
  )
  const ratio = shadows === 0 ? null : rocArea(likelihoodRatios(confidences, halves), truth)
  return { threshold, ratio }
}

/** ln(p / (1 − p)) of the true label's probability p = e^−loss: near normal over trainings. */
function logit(loss: number): number {
  const p = exactExp64(-loss)
  return -loss - exactLog64(Math.max(1e-12, 1 - p))
}

/** For each row, ln of the densities of its confidence under models with and without it; spreads are shared by all rows. */
function likelihoodRatios(confidences: readonly Float64Array[], halves: readonly boolean[][]): Float64Array {
  const [target, ...shadows] = confidences
  const rows = target?.length ?? 0
  const means = [true, false].map((inside) => {
    const overall = meanOf(
      shadows.flatMap((values, model) => [...values].filter((_, row) => halves[model + 1]![row] === inside)),
    )
    return Float64Array.from({ length: rows }, (_, row) => {
      const own = shadows.flatMap((values, model) => (halves[model + 1]![row] === inside ? [values[row]!] : []))
      // A row that was never in, or never out, is judged by all others.
      return own.length === 0 ? overall : meanOf(own)
    })
  })
  const spreads = means.map((mean, side) => {
    const off = shadows.flatMap((values, model) =>
      [...values].flatMap((value, row) => (halves[model + 1]![row] === (side === 0) ? [value - mean[row]!] : [])),
    )
    return Math.max(1e-6, Math.sqrt(meanOf(off.map((x) => x * x))))
  })
  const logDensity = (value: number, side: number, row: number): number => {
    const z = (value - means[side]![row]!) / spreads[side]!
    return -0.5 * z * z - exactLog64(spreads[side]!)
  }
  return Float64Array.from({ length: rows }, (_, row) => {
    const value = target![row]!
    return logDensity(value, 0, row) - logDensity(value, 1, row)
  })
}

const meanOf = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
