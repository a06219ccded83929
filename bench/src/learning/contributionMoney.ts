/**
 * Simulated economy of a public job: who trains honestly, who copies and who idles, and what each has at the end. Honest members really
 * train, each on batches of the same public rows that its identity decides; scores, findings and payments are the package's own.
 *
 * Money is counted in what an honest member spends on one round of computing: COST. The pot holds PAY a member and round. Everyone pays FEE a
 * round. Sending a copy or nothing costs nothing; `lazy` does a quarter of its steps, and `touchedUpCopy` adds as much to a copy. Audits are those of
 * L-16: a member is recomputed at the rate that deters, and whenever a finding says so; whoever is caught loses its bond and is paid nothing
 * for the run. Means are over many draws of the audits. `withoutAudits` is the same run with scores and findings alone.
 */
import {
  batchDrawer,
  type Engine,
  initialModelParameters,
  type ModelConfig,
  modelOf,
  RandomStream,
  type TrainingData,
} from '@potluck/engine'
import {
  applyRule,
  auditProbability,
  copyFlags,
  equalisedScales,
  federatedSeed,
  findCopies,
  findIdlers,
  gradientProbe,
  localTrainer,
  ownDataMatch,
  type RoundContribution,
  type RoundFlag,
  roundContribution,
  scoreContributions,
  settleContribution,
  trainsOnOwnData,
} from '@potluck/learning'
import { utf8 } from '@potluck/protocol'

export const kinds = [
  'copy',
  'copyWithNoise',
  'staleCopy',
  'touchedUpCopy',
  'nothing',
  'noise',
  'replay',
  'replayWithNoise',
  'lazy',
] as const
export type CheatKind = (typeof kinds)[number]

const [MEMBERS, ROUNDS, STEPS, BATCH] = [20, 8, 8, 16]
const [COST, PAY, FEE, BOND] = [1000n, 1500n, 20n, 20_000n]
/** Steps that a cheat does itself, where it does some. */
const OWN_STEPS = STEPS / 4
const AUDIT_DRAWS = 200
/** A quarter of the rows that a member trains on. */
const CHECKED_ROWS = (STEPS * BATCH) / 4
const config: ModelConfig = { kind: 'mlp', inputs: 784, hidden: [16], activation: 'relu', classes: 10 }
const model = modelOf(config)

export type EconomyData = {
  /** Trained on by all. */
  readonly rows: TrainingData & { readonly kind: 'rows' }
  readonly reference: TrainingData
  readonly probe: TrainingData
}

/** Profits a member and round, in COST; shares of members that something was found about. */
export type Economy = {
  readonly cheat: number
  readonly cheatWithoutAudits: number
  readonly honest: number
  readonly cheatsFound: number
  readonly copiesFound: number
  readonly honestFound: number
}

export async function simulateEconomy(
  engine: Engine,
  data: EconomyData,
  kind: CheatKind,
  cheats: number,
  seedNumber: number,
): Promise<Economy> {
  const seed = utf8(`economy ${seedNumber}`)
  const recipe = { steps: STEPS, batch: BATCH, optimizer: { kind: 'sgd' as const }, learningRate: 0.1 }
  const trainer = await localTrainer(engine, model, recipe)
  const probe = await gradientProbe(engine, config, 32)
  const members = Array.from({ length: MEMBERS }, (_, i) => i)
  // Cheats come last: they commit after those they copy.
  const isCheat = (member: number): boolean => member >= MEMBERS - cheats
  const taskSeed = (round: number, member: number): Uint8Array => federatedSeed(seed, round, `member ${member}`)
  const rounds: RoundContribution[] = []
  const flags = new Map<string, RoundFlag>()
  const matches = members.map((): number[] => [])
  let base = initialModelParameters(model, seed)
  let before = probe(base, data.probe).gradient
  let [previous, earlier]: [Float32Array | undefined, readonly Float32Array[]] = [undefined, []]
  for (let round = 1; round <= ROUNDS; round++) {
    const updates: Float32Array[] = []
    for (const member of members.filter((member) => !isCheat(member))) {
      updates.push((await trainer.train({ base, data: data.rows, seed: taskSeed(round, member) })).update)
    }
    for (const member of members.filter(isCheat)) {
      const partly = { base, data: data.rows, seed: taskSeed(round, member), steps: OWN_STEPS }
      const own = workOf(kind) > 0n ? (await trainer.train(partly)).update : undefined
      updates.push(
        cheated(kind, {
          updates,
          earlier,
          previous,
          member,
          honest: MEMBERS - cheats,
          own,
          seed: taskSeed(round, member),
        }),
      )
    }
    const reference = (
      await trainer.train({ base, data: data.reference, seed: federatedSeed(seed, round, 'reference') })
    ).update
    const sizes = members.map(() => 1)
    const ruleSeed = federatedSeed(seed, round, 'rule')
    const { update, weights } = applyRule(
      { kind: 'reference' },
      { updates, sizes, reference, previous, seed: ruleSeed },
    )
    const next = base.map((x, j) => x - update[j]!)
    const after = probe(next, data.probe).gradient
    const scales = equalisedScales(updates, weights, reference)
    rounds.push(roundContribution({ round, members, updates, weights, scales }, before, after))

    const copies = copyFlags(findCopies({ members, updates, data: 'same', seed: ruleSeed }))
    const known = previous ? [previous, ...earlier] : []
    const idlers = findIdlers({ members, updates, known, seed: ruleSeed })
    for (const [member, flag] of [...copies, ...idlers]) flags.set(`${round}/${member}`, flag)
    const parts = members.map((member) => checkedRows(data.rows, taskSeed(round, member)))
    const slopes = parts.map((part) => probe(base, part).gradient)
    ownDataMatch(updates.map((u) => slopes.map((slope) => dotPerLength(u, slope)))).forEach((match, i) => {
      matches[i]!.push(match)
    })
    ;[base, before, previous, earlier] = [next, after, update, updates]
  }
  return settled(rounds, flags, matches, isCheat, kind, seed)
}

type Sight = {
  readonly updates: readonly Float32Array[]
  readonly earlier: readonly Float32Array[]
  readonly previous: Float32Array | undefined
  readonly member: number
  /** Members 0 to honest − 1 train. */
  readonly honest: number
  /** What a quarter of the steps gives, where the cheat does so much. */
  readonly own: Float32Array | undefined
  readonly seed: Uint8Array
}

function cheated(kind: CheatKind, { own, updates, earlier, previous, member, honest, seed }: Sight): Float32Array {
  const source = updates[member % honest]!
  const none = new Float32Array(source.length)
  switch (kind) {
    case 'copy':
      return source.slice()
    case 'copyWithNoise':
      return withNoise(source, seed)
    case 'staleCopy':
      return earlier[member % honest]?.slice() ?? none
    case 'touchedUpCopy':
      return source.map((x, j) => x + own![j]!)
    case 'lazy':
      return own!
    case 'nothing':
      return none
    case 'noise':
      return withNoise(source, seed).map((x, j) => x - source[j]!)
    case 'replay':
      return previous?.slice() ?? none
    case 'replayWithNoise':
      return previous ? withNoise(previous, seed) : none
  }
}

/** As much noise added as the vector is long. */
function withNoise(vector: Float32Array, seed: Uint8Array): Float32Array {
  const random = new RandomStream(seed, 99, 0)
  const noise = vector.map((_, j) => random.normal(j))
  const length = (x: Float32Array): number => Math.sqrt(x.reduce((sum, y) => sum + y * y, 0))
  const scale = length(vector) / length(noise)
  return vector.map((x, j) => x + scale * noise[j]!)
}

/** Rows that a member has to train on in a round: the first of each of its batches. */
function checkedRows(data: TrainingData, seed: Uint8Array): TrainingData {
  const draw = batchDrawer(model, data, seed, BATCH)
  const inputs = new Float32Array(CHECKED_ROWS * 784)
  const targets = new Int32Array(CHECKED_ROWS)
  const each = CHECKED_ROWS / STEPS
  for (let step = 0; step < STEPS; step++) {
    const batch = draw(step)
    inputs.set(Float32Array.from(batch.inputs.subarray(0, each * 784)), step * each * 784)
    targets.set(Int32Array.from(batch.targets.subarray(0, each)), step * each)
  }
  return { kind: 'rows', inputs, targets }
}

function dotPerLength(update: Float32Array, slope: Float64Array): number {
  let [dot, square] = [0, 0]
  for (let j = 0; j < update.length; j++) {
    dot += update[j]! * slope[j]!
    square += update[j]! * update[j]!
  }
  return square > 0 ? dot / Math.sqrt(square) : 0
}

function settled(
  rounds: readonly RoundContribution[],
  flags: ReadonlyMap<string, RoundFlag>,
  matches: readonly (readonly number[])[],
  isCheat: (member: number) => boolean,
  kind: CheatKind,
  seed: Uint8Array,
): Economy {
  const members = matches.map((_, member) => member)
  const foreign = new Set(members.filter((member) => trainsOnOwnData(matches[member]!) === false))
  const flagOf = (round: number, member: number): RoundFlag | undefined =>
    flags.get(`${round}/${member}`) ?? (foreign.has(member) ? { kind: 'notOwnData' } : undefined)
  const scores = scoreContributions(rounds, MEMBERS, flagOf).map(({ score }) => score)
  const [many, rate] = [BigInt(ROUNDS), auditRate()]
  const terms = { pot: PAY * BigInt(MEMBERS) * many, fee: FEE * many, bond: BOND }
  const isFound = (member: number): boolean => rounds.some(({ round }) => flagOf(round, member) !== undefined)
  const isAudited = (member: number, draw: number): boolean =>
    isFound(member) ||
    rounds.some(({ round }) => new RandomStream(seed, 98, draw * 100 + round).below(member, 1_000_000) < rate)
  const profitOf = (gained: readonly bigint[], who: readonly number[]): number => {
    const worked = who.reduce((sum, member) => sum + (isCheat(member) ? workOf(kind) : COST) * many, 0n)
    const total = who.reduce((sum, member) => sum + gained[member]!, 0n) - worked
    return Number(total) / Number(COST) / ROUNDS / who.length
  }
  const [cheats, honest] = [members.filter(isCheat), members.filter((member) => !isCheat(member))]
  const audited = Array.from({ length: AUDIT_DRAWS }, (_, draw) => {
    const caught = new Set(cheats.filter((member) => isAudited(member, draw)))
    return settleContribution(scores, terms, caught).gained
  })
  const meanOf = (who: readonly number[]): number =>
    audited.reduce((sum, gained) => sum + profitOf(gained, who), 0) / AUDIT_DRAWS
  const part = (who: readonly number[], is: (member: number) => boolean): number => who.filter(is).length / who.length
  const unaudited = settleContribution(scores, terms, new Set()).gained
  return {
    cheat: meanOf(cheats),
    cheatWithoutAudits: profitOf(unaudited, cheats),
    honest: meanOf(honest),
    cheatsFound: part(cheats, isFound),
    copiesFound: part(cheats, (member) => rounds.some(({ round }) => flags.get(`${round}/${member}`)?.kind === 'copy')),
    honestFound: part(honest, isFound),
  }
}

/** What a cheat spends on computing in a round. */
const workOf = (kind: CheatKind): bigint =>
  kind === 'lazy' || kind === 'touchedUpCopy' ? (COST * BigInt(OWN_STEPS)) / BigInt(STEPS) : 0n

const auditRate = (): number =>
  auditProbability({ reward: PAY, gain: COST, burnedStake: BOND, colludingSharePpm: 0, auditors: 1 }, { isNew: false })
