import { type ExactJob, operandPlaces, RandomStream, streamPurpose } from '@potluck/engine'
import { PotluckError, toHex } from '@potluck/protocol'
import { pathOf, treeOfRow } from '../trace/HashTree.ts'
import type { StepTrace } from '../trace/StepTrace.ts'
import type { OperandArgument } from './calls.ts'
import { levelsOf, type Player } from './nextMove.ts'
import type { Position, RevealedRow } from './Position.ts'
import { textTree } from './programTree.ts'

/** Every 1 KiB leaf that the operands of one evaluation stand in, once, with its path to what was conceded (D-16, D-17). */
export function operandsOf(
  { job, seed }: Pick<Player, 'job' | 'seed'>,
  position: Position,
  trace: StepTrace,
  element: number,
  k: number,
): OperandArgument[] {
  const record = trace.records[position.traceLeaf]
  switch (record?.kind) {
    case 'uniform':
      return []
    case 'tokens':
      return [textOperand(job, seed, position.step, element, record)]
    case 'after': {
      const segment = record.segments.find(({ start, length }) => element >= start && element < start + length)
      if (!segment) throw new PotluckError('OUT_OF_RANGE', `the state has no element ${element}`, { element })
      return [tensorOperand(position, trace, segment.leaf, segment.offset + element - segment.start)]
    }
    case 'element': {
      const read = (leaf: number, index: number): number => trace.word(leaf, index)
      const found = new Map<string, OperandArgument>()
      for (const place of operandPlaces(record, element, k, read)) {
        if ('word' in place) continue
        const key = `${place.leaf}/${Math.floor(place.index / 256)}`
        if (!found.has(key)) found.set(key, tensorOperand(position, trace, place.leaf, place.index))
      }
      return [...found.values()]
    }
    default:
      throw new PotluckError('NOTHING_WRONG', `trace leaf ${position.traceLeaf} is not evaluated`)
  }
}

function tensorOperand(position: Position, trace: StepTrace, traceLeaf: number, index: number): OperandArgument {
  const leaf = Math.floor(index / 256)
  const tensor = trace.leafTree(traceLeaf)
  const frame = frameOf(position, trace, traceLeaf)
  const above = Math.floor(traceLeaf / 2 ** frame.below)
  const levels = levelsOf(frame, trace.tree)
  const row = treeOfRow(frame.nodes, levels)
  const proof = [
    ...pathOf(tensor, 0, tensor.levels, leaf),
    ...pathOf(trace.tree, 0, frame.below, traceLeaf),
    ...pathOf(row, 0, levels, above - frame.position * 2 ** levels),
  ]
  return { traceLeaf, leaf, data: toHex(trace.leafBytes(traceLeaf, leaf)), proof: proof.map(toHex) }
}

/** The deepest row of the trace whose span holds a trace leaf. */
function frameOf({ frames }: Position, trace: StepTrace, traceLeaf: number): RevealedRow {
  const holds = (frame: RevealedRow): boolean =>
    Math.floor(traceLeaf / 2 ** (frame.below + levelsOf(frame, trace.tree))) === frame.position
  return frames.findLast(holds) as RevealedRow
}

function textOperand(
  job: ExactJob,
  seed: Uint8Array,
  step: number,
  element: number,
  { context: T, length: N, shift }: { context: number; length: number; shift: number },
): OperandArgument {
  const random = new RandomStream(seed, streamPurpose.batches, step)
  const at = random.below(Math.floor(element / T), N - T) + (element % T) + shift
  const tree = textTree(job)
  const leaf = Math.floor(at / 1024)
  const data = job.text.subarray(1024 * leaf, 1024 * (leaf + 1))
  return { traceLeaf: 0, leaf, data: toHex(data), proof: pathOf(tree, 0, tree.levels, leaf).map(toHex) }
}
