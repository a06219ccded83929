import { applyRule, type LocalTrainer, outerStep } from '@potluck/learning'
import { concatBytes, sha256, toHex, utf8 } from '@potluck/protocol'
import { bufferedStep } from './bufferedStep.ts'
import type { DeliveryReader, OpenedDelivery } from './Delivery.ts'
import type { Rows } from './digits.ts'
import { gatherUpdates } from './gatherUpdates.ts'
import { type ModelFile, modelFileOf } from './ModelFile.ts'
import type { Round } from './RoundChain.ts'
import type { Scenario } from './Scenario.ts'

/** The model after a round, a pure function of the base and the set: whoever has both gets these bits. */
export type Aggregator = (round: Round, base: ModelFile, set: readonly OpenedDelivery[]) => Promise<ModelFile>

export const seedOf = (seed: number, ...parts: readonly (string | number)[]): Uint8Array =>
  sha256(concatBytes(utf8(`potluck simulate/${seed}/${parts.join('/')}`)))

/**
 * One update a share goes into the rule, with the samples behind it, late ones at half weight; the outer step follows. Where one computes
 * for all, the last result is kept under what it follows from.
 */
export function createAggregator(
  scenario: Scenario,
  reader: DeliveryReader,
  trainer: LocalTrainer,
  referenceData: Rows,
): Aggregator {
  const { rule, outerRate, seed, buffered } = scenario
  const moved = (base: ModelFile, update: Float32Array): ModelFile =>
    modelFileOf(outerStep({ kind: 'sgd', rate: outerRate }, base.values, update, undefined).next)
  const compute: Aggregator = async (round, base, set) => {
    if (buffered) return moved(base, bufferedStep(buffered, reader, round.number, set))
    const { updates, sizes } = gatherUpdates(scenario, reader, round.number, set)
    if (updates.length === 0) return base
    const reference =
      JSON.stringify(rule).includes('"reference"') &&
      (await trainer.train({ base: base.values, data: referenceData, seed: seedOf(seed, 'reference', round.number) }))
    const { update } = applyRule(rule, {
      ...{ updates, sizes, reference: reference ? reference.update : undefined },
      seed: seedOf(seed, 'rule', round.number),
    })
    return moved(base, update)
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
