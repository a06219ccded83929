import type { ExactJob } from '@potluck/engine'
import { toHex } from '@potluck/protocol'
import type { EntryArgument } from '../game/calls.ts'
import type { ClaimTruth } from '../trace/ClaimTruth.ts'
import { pathOf, treeOfNodes } from '../trace/HashTree.ts'

const NOTHING: EntryArgument = { value: toHex(new Uint8Array(32)), proof: [] }

/**
 * What a champion brings for range j: start and end under the claim's states root, and the states between (D-12). What starts
 * from the base, or ends in the claim's own root, needs no proof.
 */
export async function standUpCall(
  job: Pick<ExactJob, 'steps' | 'stateEverySteps'>,
  truth: ClaimTruth,
  segment: number,
): Promise<{ start: EntryArgument; end: EntryArgument; states: `0x${string}`[] }> {
  const nodes = await truth.nodes()
  const tree = treeOfNodes(nodes)
  const row = await truth.statesRow(segment)
  const entry = (index: number): EntryArgument => ({
    value: toHex(tree.node(0, index)),
    proof: pathOf(tree, 0, tree.levels, index).map(toHex),
  })
  const isAggregation = segment > Math.ceil(job.steps / job.stateEverySteps)
  return {
    start: segment === 0 || isAggregation ? NOTHING : entry(segment - 1),
    end: segment < nodes.length ? entry(segment) : NOTHING,
    states: row.slice(1).map(toHex),
  }
}
