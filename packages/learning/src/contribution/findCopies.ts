import { PotluckError } from '@potluck/protocol'
import { likenessOf } from './likeness.ts'
import { outlierThreshold } from './outlierThreshold.ts'
import { sampledGram } from './sampledGram.ts'
import type { RoundFlag } from './scoreContributions.ts'

export type CopyView = {
  readonly members: readonly number[]
  /** As receivers decode them, in order of `members`. */
  readonly updates: readonly Float32Array[]
  /** Place of each member in the order of commitments, lower is earlier; their order unless given. */
  readonly order?: readonly number[]
  /**
   * `same`: all draw their batches from the same public rows, so that no two are much more alike than any others. `own`: each has
   * rows of its own; two that happen to be of one kind can be as alike as a copy with noise is, and only equal updates count as copies.
   */
  readonly data: 'same' | 'own'
  /** Drawn after the updates are fixed; chooses what is looked at in long ones. */
  readonly seed: Uint8Array
}

export type CopyFinding = {
  /** Who committed first, and whose update is the copy. */
  readonly earlier: number
  readonly later: number
  /** `direction`: what the two have in common beyond the others. `places`: the places that both hold, with the same sign, of sparse updates. */
  readonly by: 'direction' | 'places'
  readonly measured: number
  readonly threshold: number
}

/** Two honest updates of one label each reached 0.99; a copy is 1 up to the sampling, which is the same for both. */
const EQUAL = 0.999
/** On public rows honest pairs stayed below 0.35 in every setting tried; see docs. */
const LEAST = 0.45
/** Updates with fewer places than this share of all are sparse. */
const SPARSE = 0.25

/**
 * Pairs of updates that are more alike than a population of honest ones lets expect (L-64). A finding is a reason to recompute, which settles
 * it where data are public, because batches depend on the identity of the worker: it never takes a bond by itself.
 *
 * @throws PotluckError SHAPE when lengths or numbers differ
 */
export function findCopies({
  members,
  updates,
  order = members.map((_, i) => i),
  data,
  seed,
}: CopyView): CopyFinding[] {
  const n = members.length
  if (updates.length !== n || order.length !== n) {
    throw new PotluckError(
      'SHAPE',
      `${n} members, ${updates.length} updates and ${order.length} places: give one of each`,
    )
  }
  const gram = sampledGram(updates, seed)
  const there = members.flatMap((_, i) => (gram[i * n + i]! > 0 ? [i] : []))
  const likeness = likenessOf(gram, n, there)
  const pairs = there.flatMap((a) => there.filter((b) => a < b).map((b) => ({ a, b })))
  const alike = pairs.map(({ a, b }) => (gram[a * n + b]! > EQUAL ? 1 : likeness(a, b)))
  const findings = outliers('direction', pairs, alike)
  const isSparse = there.every((i) => placesIn(updates[i]!) <= SPARSE * updates[i]!.length)
  if (!isSparse) return findings
  const overlaps = pairs.map(({ a, b }) => signedOverlap(updates[a]!, updates[b]!))
  return [...findings, ...outliers('places', pairs, overlaps)]

  function outliers(by: CopyFinding['by'], pairs: readonly Pair[], values: readonly number[]): CopyFinding[] {
    // A pair stands beside all pairs that one of the two is in: whoever sends noise then makes no honest pair stand out.
    const ofMember = there.map((i) => values.filter((_, p) => pairs[p]!.a === i || pairs[p]!.b === i))
    const thresholds = ofMember.map((own) => (data === 'same' ? outlierThreshold(own, LEAST, EQUAL) : EQUAL))
    return pairs.flatMap(({ a, b }, p) => {
      const measured = values[p]!
      const threshold = Math.max(thresholds[there.indexOf(a)]!, thresholds[there.indexOf(b)]!)
      if (measured < threshold) return []
      const [first, second] = order[a]! <= order[b]! ? [a, b] : [b, a]
      return [{ earlier: members[first]!, later: members[second]!, by, measured, threshold }]
    })
  }
}

type Pair = { readonly a: number; readonly b: number }

/** The flag of each member that is the later one of a pair: a copy of the earliest that it is paired with. */
export function copyFlags(findings: readonly CopyFinding[]): Map<number, RoundFlag> {
  const flags = new Map<number, RoundFlag>()
  for (const { earlier, later } of findings) {
    const known = flags.get(later)
    if (known?.kind !== 'copy' || earlier < known.of) flags.set(later, { kind: 'copy', of: earlier })
  }
  return flags
}

/** Of the places that the smaller of two sparse updates holds, the share that the other holds with the same sign; 0 when one holds none. */
export function signedOverlap(a: Float32Array, b: Float32Array): number {
  let common = 0
  for (let j = 0; j < a.length; j++) if (a[j]! * b[j]! > 0) common++
  const smaller = Math.min(placesIn(a), placesIn(b))
  return smaller > 0 ? common / smaller : 0
}

function placesIn(update: Float32Array): number {
  let places = 0
  for (let j = 0; j < update.length; j++) if (update[j] !== 0) places++
  return places
}
