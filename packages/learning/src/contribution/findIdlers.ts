import { PotluckError } from '@potluck/protocol'
import { likenessOf } from './likeness.ts'
import { lowerMedian, outlierThreshold } from './outlierThreshold.ts'
import { lengthOf } from './roundContribution.ts'
import { sampledGram } from './sampledGram.ts'
import type { RoundFlag } from './scoreContributions.ts'

export type IdlerView = {
  readonly members: readonly number[]
  /** In order of `members`. */
  readonly updates: readonly Float32Array[]
  /** What everybody knew when the round began: the last aggregate, updates of earlier rounds. */
  readonly known: readonly Float32Array[]
  /** Drawn after the updates are fixed. */
  readonly seed: Uint8Array
}

/** An update shorter than this part of the lower median one is none. */
const SHORTEST = 1 / 1000
/** Honest updates of skewed data go the way of the last aggregate up to 0.78, all of them about equally. */
const [LEAST, MOST] = [0.5, 0.99]

/**
 * Members that sent nothing, or something that was known before (L-65). Whoever sends noise needs no finding: it earns what noise earns.
 *
 * A replay is found beside the others of its round: all honest updates go the way of the last aggregate to some degree.
 *
 * @throws PotluckError SHAPE when lengths or numbers differ
 */
export function findIdlers({ members, updates, known, seed }: IdlerView): Map<number, RoundFlag> {
  if (members.length !== updates.length) {
    throw new PotluckError('SHAPE', `${members.length} members and ${updates.length} updates: give one of each`)
  }
  const flags = new Map<number, RoundFlag>()
  const lengths = updates.map(lengthOf)
  const usual = lowerMedian(lengths.filter((length) => length > 0))
  const all = members.map((_, i) => i)
  const n = members.length + known.length
  const gram = sampledGram([...updates, ...known], seed)
  const likeness = likenessOf(gram, n, all)
  known.forEach((_, k) => {
    const along = all.map((i) => likeness(i, members.length + k))
    const threshold = outlierThreshold(along, LEAST, MOST)
    for (const i of all) if (along[i]! >= threshold) flags.set(members[i]!, { kind: 'replay' })
  })
  for (const i of all) if (lengths[i]! <= SHORTEST * usual) flags.set(members[i]!, { kind: 'empty' })
  return flags
}
