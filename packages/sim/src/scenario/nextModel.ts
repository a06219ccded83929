import { applyRule, type LocalTrainer, outerStep, type Rule } from '@potluck/learning'
import { concatBytes, sha256, toHex, utf8 } from '@potluck/protocol'
import type { DeliveryReader, OpenedDelivery } from './Delivery.ts'
import type { Rows } from './digits.ts'
import { type ModelFile, modelFileOf } from './ModelFile.ts'
import type { Round } from './RoundChain.ts'
import type { Scenario } from './Scenario.ts'

/** The model after a round, a pure function of the base and the set: whoever has both gets these bits. */
export type Aggregator = (round: Round, base: ModelFile, set: readonly OpenedDelivery[]) => Promise<ModelFile>

/** Rules that weigh members by rows halve a late one there (L-68); the others see its update halved. */
const weighsRows = (rule: Rule): boolean => rule.kind === 'weightedMean'

export const seedOf = (seed: number, ...parts: readonly (string | number)[]): Uint8Array =>
  sha256(concatBytes(utf8(`potluck simulate/${seed}/${parts.join('/')}`)))

/**
 * Adds up the pieces of each share, in order of round, share and piece; one update a share goes into the rule, with the samples behind it,
 * late ones at half weight; the outer step follows. Where one computes for all, the last result is kept under what it follows from.
 */
export function createAggregator(
  scenario: Scenario,
  reader: DeliveryReader,
  trainer: LocalTrainer,
  referenceData: Rows,
): Aggregator {
  const { rule, outerRate, training, seed } = scenario
  const compute: Aggregator = async (round, base, set) => {
    const order = [...set].sort((a, b) => a.round - b.round || a.share - b.share || a.piece - b.piece)
    const updates: Float32Array[] = []
    const sizes: number[] = []
    let last = ''
    for (const delivery of order) {
      const isLate = delivery.round !== round.number
      const halved = isLate && !weighsRows(rule) ? 0.5 : 1
      const decoded = reader.decode(delivery)
      const key = `${delivery.round}/${delivery.share}`
      const sum = updates.at(-1)
      // Twice the samples, so that half of them is whole.
      const size = delivery.steps * training.batch * (isLate ? 1 : 2)
      if (key === last && sum) {
        for (let p = 0; p < sum.length; p++) sum[p] = (sum[p] ?? 0) + halved * (decoded[p] ?? 0)
        sizes[sizes.length - 1] = (sizes.at(-1) ?? 0) + size
      } else {
        // Added to only where there are pieces to add.
        const isAlone = scenario.pieces === 1 && halved === 1
        updates.push(isAlone ? decoded : decoded.map((value) => halved * value))
        sizes.push(size)
      }
      last = key
    }
    if (updates.length === 0) return base
    const reference =
      JSON.stringify(rule).includes('"reference"') &&
      (await trainer.train({ base: base.values, data: referenceData, seed: seedOf(seed, 'reference', round.number) }))
    const { update } = applyRule(rule, {
      ...{ updates, sizes, reference: reference ? reference.update : undefined },
      seed: seedOf(seed, 'rule', round.number),
    })
    return modelFileOf(outerStep({ kind: 'sgd', rate: outerRate }, base.values, update, undefined).next)
  }
  if (scenario.recompute === 'everyone') return compute
  const known = new Map<string, Promise<ModelFile>>()
  return (round, base, set) => {
    const key = `${base.root}/${round.number}/${toHex(sha256(utf8(set.map(({ id }) => id).join('/'))))}`
    // Nobody else will add these up: a thousand updates are 100 MB.
    const computeOnce = async (): Promise<ModelFile> => {
      const file = await compute(round, base, set)
      for (const delivery of set) reader.release(delivery)
      return file
    }
    const next = known.get(key) ?? computeOnce()
    known.clear()
    known.set(key, next)
    return next
  }
}
