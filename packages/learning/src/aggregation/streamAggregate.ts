import { PotluckError } from '@potluck/protocol'
import type { UpdateKernels } from './streamAggregateKernels.ts'
import { wasmUpdateKernels } from './streamAggregateWasm.ts'
import { boundedTo, isOutside, type Measured, weighUpdates } from './streamAggregateWeights.ts'

/** Updates in the order of their shares, undefined where a share has none. What has been handed out must not be written to again. */
export type UpdateStream = Iterable<Float32Array | undefined> | AsyncIterable<Float32Array | undefined>

/**
 * The next public model and the weights, in the bits of `aggregateUpdates`, from updates that come one after the other: no matrix of
 * all of them is ever held, so a round of a hundred needs the memory of a few.
 *
 * The rule is that of `aggregateProgram` (L-13 … L-15). Its sums over elements go past each update once, its weighted sum once more;
 * what lies between has one number for each share. An update of weight 0 adds +0 or −0 to sums that are never −0, so it is left out.
 *
 * @param updates   called twice, and must give the same updates both times
 * @param base      [P] f32; read only
 * @param reference [P] f32; read only
 * @param kernels   who makes the two passes; WebAssembly unless given, the runtime has some in C
 * @throws PotluckError SHAPE when a length differs or the second pass finds other shares; NAN when a number is none
 *
 * Cost: 2 passes over the updates; memory for 2 vectors of P and for as many updates as the kernels take together.
 */
export async function aggregateStream(
  updates: () => UpdateStream,
  base: Float32Array,
  reference: Float32Array,
  kernels: UpdateKernels = wasmUpdateKernels(),
): Promise<{ readonly next: Float32Array; readonly weights: Float32Array }> {
  const P = base.length
  checkLength(reference, P, 'the reference')
  const target = measured([reference], ['the reference'], reference, kernels)[0]!
  const inside = target.isOutside ? boundedTo(reference) : reference
  const square = target.isOutside ? measured([inside], ['the reference'], inside, kernels)[0]!.square : target.square

  const found: (Measured | undefined)[] = []
  const shares = await inGroups(
    updates(),
    kernels.together,
    P,
    () => true,
    (group, places) => {
      const names = places.map((share) => `the update of share ${share}`)
      measured(group, names, inside, kernels).forEach((one, i) => {
        found[places[i]!] = one
      })
    },
  )
  const { weights, factors, referenceFactor, total } = weighUpdates(
    Array.from({ length: shares }, (_, share) => found[share]),
    square,
  )
  const moved = new Float32Array(P)
  if (referenceFactor > 0) {
    const isWeighed = (share: number): boolean => (weights[share] ?? 0) > 0
    const again = await inGroups(updates(), kernels.together, P, isWeighed, (group, places) => {
      kernels.add(
        group,
        Float32Array.from(places, (share) => factors[share]!),
        moved,
      )
    })
    if (again !== shares)
      refuse('SHAPE', `the second pass gave ${again} shares, the first ${shares}: give the same twice`)
    kernels.add([inside], Float32Array.of(referenceFactor), moved)
  }
  return { next: stepFrom(base, moved, total), weights }
}

/** Hands the wanted updates to `work`, up to `size` at a time, with their shares; returns how many shares there were. */
async function inGroups(
  updates: UpdateStream,
  size: number,
  P: number,
  isWanted: (share: number) => boolean,
  work: (group: readonly Float32Array[], shares: readonly number[]) => void,
): Promise<number> {
  let [group, shares]: [Float32Array[], number[]] = [[], []]
  let share = 0
  const hand = (): void => {
    if (group.length > 0) work(group, shares)
    ;[group, shares] = [[], []]
  }
  for await (const update of updates) {
    if (update && isWanted(share)) {
      checkLength(update, P, `the update of share ${share}`)
      group.push(update)
      shares.push(share)
      if (group.length >= size) hand()
    }
    share++
  }
  hand()
  return share
}

/** Sums of each, and whether it has an element outside ±2^20 (L-15). */
function measured(
  group: readonly Float32Array[],
  names: readonly string[],
  reference: Float32Array,
  kernels: UpdateKernels,
): Measured[] {
  const [squares, dots] = [new Float32Array(group.length), new Float32Array(group.length)]
  kernels.measure(group, reference, squares, dots)
  return group.map((update, i) => ({
    square: squares[i]!,
    dot: dots[i]!,
    isOutside: isOutside(update, squares[i]!, names[i]!),
  }))
}

/** base − moved/total in the place of `moved`. */
function stepFrom(base: Float32Array, moved: Float32Array, total: number): Float32Array {
  let hasNaN = false
  for (let j = 0; j < base.length; j++) {
    const before = base[j]!
    hasNaN ||= Number.isNaN(before)
    moved[j] = before - Math.fround(moved[j]! / total)
  }
  if (hasNaN) refuse('NAN', `the base holds NaN at element ${base.findIndex(Number.isNaN)}`)
  return moved
}

function checkLength(vector: Float32Array, P: number, name: string): void {
  if (vector.length !== P)
    refuse('SHAPE', `${name} has ${vector.length} numbers, the base ${P}: give one for each parameter`)
}

function refuse(code: string, message: string): never {
  throw new PotluckError(code, message)
}
