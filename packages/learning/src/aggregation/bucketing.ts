import { RandomStream } from '@potluck/engine'
import { mean } from './mean.ts'
import type { Aggregate, RuleInput } from './Rule.ts'

/** Streams of rules (E-14). */
const rulePurpose = { buckets: 20 } as const

/**
 * Another rule over the means of buckets of `size` members, drawn by the seed; the last bucket may be smaller. Means of random buckets
 * differ less than their members, so a rule that dislikes difference does less harm; but a bucket with one attacker is an attacker.
 *
 * A bucket's rows are those of its members, its weight is theirs in equal parts. Order: members are shuffled by Fisher and Yates from the
 * last place down with `RandomStream(seed, 20, 0)`, the mean is that of the rule `mean` in shuffled order (L-35). Source: arXiv:2006.09365.
 */
export function bucketing(input: RuleInput, size: number, then: (input: RuleInput) => Aggregate): Aggregate {
  const buckets = bucketsOf(input.updates.length, size, input.seed)
  const inner = then({
    ...input,
    updates: buckets.map((members) => mean(members.map((i) => input.updates[i]!)).update),
    sizes: buckets.map((members) => members.reduce((rows, i) => rows + input.sizes[i]!, 0)),
  })
  const weights = new Float32Array(input.updates.length)
  buckets.forEach((members, b) => {
    for (const i of members) weights[i] = inner.weights[b]! / members.length
  })
  return { update: inner.update, weights }
}

function bucketsOf(members: number, size: number, seed: Uint8Array): number[][] {
  const stream = new RandomStream(seed, rulePurpose.buckets, 0)
  const order = Array.from({ length: members }, (_, i) => i)
  for (let last = members - 1; last > 0; last--) {
    const other = stream.below(last, last + 1)
    const kept = order[last]!
    order[last] = order[other]!
    order[other] = kept
  }
  const buckets: number[][] = []
  for (let start = 0; start < members; start += size) buckets.push(order.slice(start, start + size))
  return buckets
}
