import { bufferUpdate, emptyBuffer, type UpdateBuffer } from '@potluck/learning'
import type { DeliveryReader, OpenedDelivery } from './Delivery.ts'
import type { Buffering } from './DeliveryOrder.ts'

/**
 * The step that deliveries in their order lead to, each weighed by the models made since its base (L-72).
 *
 * @param model number of the model that the step leads to
 * @param set   as many as a model is made of
 * @returns [P] f32
 */
export function bufferedStep(
  { size, staleness }: Buffering,
  reader: DeliveryReader,
  model: number,
  set: readonly OpenedDelivery[],
): Float32Array {
  let buffer: UpdateBuffer | undefined
  for (const delivery of set) {
    const update = reader.decode(delivery)
    buffer ??= { ...emptyBuffer(update.length), version: model - 1 }
    // The model of round n is number n − 1: so many were made before it.
    const outcome = bufferUpdate(buffer, { size, mostStaleness: staleness }, update, delivery.round - 1)
    if (!outcome.ok) throw new Error(`the order holds a delivery that does not count: ${outcome.why}`)
    if (outcome.step) return outcome.step
    buffer = outcome.buffer
  }
  throw new Error(`${set.length} deliveries make no model, which takes ${size}`)
}
