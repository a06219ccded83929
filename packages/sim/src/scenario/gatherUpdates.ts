import type { Rule } from '@potluck/learning'
import type { DeliveryReader, OpenedDelivery } from './Delivery.ts'
import type { Scenario } from './Scenario.ts'

/** Rules that weigh members by rows halve a late one there (L-68); the others see its update halved. */
const weighsRows = (rule: Rule): boolean => rule.kind === 'weightedMean'

/**
 * One update a share: its pieces added up, in order of round, share and piece, and the samples behind it, twice, so that half of them is
 * whole.
 *
 * @param round number of the round that they go into: those of another are late
 */
export function gatherUpdates(
  { rule, training, pieces }: Scenario,
  reader: DeliveryReader,
  round: number,
  set: readonly OpenedDelivery[],
): { updates: Float32Array[]; sizes: number[] } {
  const order = [...set].sort((a, b) => a.round - b.round || a.share - b.share || a.piece - b.piece)
  const updates: Float32Array[] = []
  const sizes: number[] = []
  let last = ''
  for (const delivery of order) {
    const isLate = delivery.round !== round
    const halved = isLate && !weighsRows(rule) ? 0.5 : 1
    const decoded = reader.decode(delivery)
    const key = `${delivery.round}/${delivery.share}`
    const sum = updates.at(-1)
    const size = delivery.steps * training.batch * (isLate ? 1 : 2)
    if (key === last && sum) {
      for (let p = 0; p < sum.length; p++) sum[p] = (sum[p] ?? 0) + halved * (decoded[p] ?? 0)
      sizes[sizes.length - 1] = (sizes.at(-1) ?? 0) + size
    } else {
      // Added to only where there are pieces to add.
      const isAlone = pieces === 1 && halved === 1
      updates.push(isAlone ? decoded : decoded.map((value) => halved * value))
      sizes.push(size)
    }
    last = key
  }
  return { updates, sizes }
}
