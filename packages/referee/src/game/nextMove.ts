/**
 * Decides a move (D-13 … D-16). The rule is one and the same at every level: take the first thing the other side revealed that
 * is not what one's own trace has there, and reveal what one's own trace has below it. Needs nothing but one's own truth.
 */
import type { ComputedRecord, ElementRecord, ExactJob } from '@potluck/engine'
import { equalBytes, type Hex, PotluckError, toHex } from '@potluck/protocol'
import type { ClaimTruth } from '../trace/ClaimTruth.ts'
import {
  type HashTree,
  isAbsent,
  pathOf,
  rootOf,
  rowLevels,
  rowUnder,
  treeOfNodes,
  treeOfRow,
} from '../trace/HashTree.ts'
import type { StepTrace, SumRange } from '../trace/StepTrace.ts'
import { spacingOf, termsInLane, wholeLane } from '../trace/sums.ts'
import { wordsOfBytes } from '../trace/wordTrace.ts'
import type { ClaimArgument, EntryArgument, MoveCall } from './calls.ts'
import { operandsOf } from './operandsOf.ts'
import type { Position, RevealedRow } from './Position.ts'
import { programAt } from './programAt.ts'
import { programTree } from './programTree.ts'
import { bigEndianWords, wordsOfSums } from './sumWords.ts'

export type Player = {
  readonly job: ExactJob
  readonly claim: ClaimArgument
  /** The seed of the claim's task, which batches and random numbers follow from. */
  readonly seed: Uint8Array
  readonly truth: ClaimTruth
}

/**
 * The move of the side whose turn it is.
 *
 * @throws PotluckError NOTHING_WRONG when the other side has revealed nothing that differs from one's own truth: that truth is a lie, or of another claim
 */
export async function nextMove(player: Player, position: Position): Promise<MoveCall> {
  const { job, truth } = player
  if (position.stage === 'states') return pickStep(player, position)
  const trace = await truth.trace(position.step)
  switch (position.stage) {
    case 'trace':
      return pickInTrace(player, position, trace)
    case 'tensor':
      return pickInTensor(job, position, trace)
    case 'leaf':
      return pickInLeaf(player, position, trace)
    case 'lanes':
    case 'sums':
      return pickInSums(player, position, trace)
    default:
      throw new PotluckError('GAME_OVER', `game ${position.game} waits for no move`, { game: position.game })
  }
}

const hexes = (nodes: readonly Uint8Array[]): Hex[] => nodes.map(toHex)

function entryOf(tree: HashTree, index: number): EntryArgument {
  return { value: toHex(tree.node(0, index)), proof: hexes(pathOf(tree, 0, tree.levels, index)) }
}

async function pickStep({ job, truth }: Player, { states, segment, game }: Position): Promise<MoveCall> {
  const own = await truth.statesRow(segment)
  const index = differenceOf(states, own, game) - 1
  if (index < 0) throw new PotluckError('NOTHING_WRONG', `game ${game} starts from another state than ours`, { game })
  const trace = await truth.trace(firstStepOf(job, segment) + index)
  const row = treeOfNodes(states)
  const { tree } = trace
  const below = tree.levels - rowLevels(tree.levels)
  const last = trace.records.length - 1
  return {
    name: 'pickStep',
    args: [
      index,
      entryOf(row, index),
      entryOf(row, index + 1),
      hexes(rowUnder(tree, tree.levels, 0, rowLevels(tree.levels), false)),
      { value: toHex(tree.node(0, last)), proof: hexes(pathOf(tree, 0, below, last)) },
    ],
  }
}

/** The first step of a range: of a segment, of the finish (numbered after the segments), of the aggregation (after that). */
function firstStepOf({ steps, stateEverySteps }: ExactJob, segment: number): number {
  const beyond = segment - Math.ceil(steps / stateEverySteps)
  return beyond < 0 ? segment * stateEverySteps : steps + beyond
}

/** The first entry of a row that differs from one's own tree, with its proof under the row. */
function differenceIn(
  row: RevealedRow,
  tree: HashTree,
  game: number,
): { index: number; at: number; entry: EntryArgument } {
  const levels = levelsOf(row, tree)
  const width = 2 ** levels
  const own = Array.from({ length: width }, (_, i) => tree.node(row.below, row.position * width + i))
  const index = differenceOf(row.nodes, own, game)
  return { index, at: row.position * width + index, entry: entryOf(treeOfRow(row.nodes, levels), index) }
}

/** The first row of a tree is the remainder, every other has six levels. */
export const levelsOf = (row: RevealedRow, tree: HashTree): number => {
  const first = rowLevels(tree.levels)
  return row.below === tree.levels - first ? first : 6
}

function differenceOf(theirs: readonly Uint8Array[], own: readonly Uint8Array[], game: number): number {
  const index = theirs.findIndex((node, i) => !equalBytes(node, own[i] ?? new Uint8Array(0)))
  if (index >= 0) return index
  throw new PotluckError('NOTHING_WRONG', `game ${game}: the other side revealed what we have ourselves`, { game })
}

async function pickInTrace(player: Player, position: Position, trace: StepTrace): Promise<MoveCall> {
  const { job, claim } = player
  const frame = position.frames.at(-1) as RevealedRow
  const { index, at, entry } = differenceIn(frame, trace.tree, position.game)
  if (frame.below > 0) {
    return { name: 'pickNode', args: [index, entry, hexes(rowUnder(trace.tree, frame.below, at, 6, false))] }
  }
  const { bytes, proof, record } = recordOf(job, position.step, at)
  if (isGiven(record)) {
    const { right, rightProof } = await rightOf(player, position.step, at, record)
    return { name: 'strikeTraceLeaf', args: [index, entry, bytes, proof, right, rightProof, claim] }
  }
  const tree = trace.leafTree(at)
  const row = rowUnder(tree, tree.levels, 0, rowLevels(tree.levels), record.kind === 'after')
  const isLeaf = tree.levels === 0
  const leaf = isLeaf ? toHex(trace.leafBytes(at, 0)) : '0x'
  return { name: 'pickTraceLeaf', args: [index, entry, bytes, proof, isLeaf ? [] : hexes(row), leaf] }
}

function pickInTensor(job: ExactJob, position: Position, trace: StepTrace): MoveCall {
  const row = position.row as RevealedRow
  const tree = trace.leafTree(position.traceLeaf)
  const { index, at, entry } = differenceIn(row, tree, position.game)
  const { bytes, record } = recordOf(job, position.step, position.traceLeaf)
  const isState = record.kind === 'after'
  if (isState && isAbsent(tree.node(row.below, at))) return { name: 'strikeAbsent', args: [index, entry, bytes] }
  if (row.below > 0) return { name: 'pickNode', args: [index, entry, hexes(rowUnder(tree, row.below, at, 6, isState))] }
  return { name: 'pickTensorLeaf', args: [index, entry, bytes, toHex(trace.leafBytes(position.traceLeaf, at))] }
}

function pickInLeaf(player: Player, position: Position, trace: StepTrace): MoveCall {
  const { traceLeaf, leaf, words, game } = position
  const theirs = wordsOfBytes(words)
  const index = theirs.findIndex((word, i) => word !== trace.word(traceLeaf, 256 * leaf + i))
  if (index < 0) nothingWrong(game)
  const element = 256 * leaf + index
  const { bytes, record } = recordOf(player.job, position.step, traceLeaf)
  if (record.kind === 'element' && record.reduction !== 'none' && !(record.reduction === 'sum' && record.terms < 2)) {
    const sums =
      record.reduction === 'sum'
        ? trace.sums(traceLeaf, element, wholeLane(record, 0))
        : lanesOf(record, trace, position, element)
    return { name: 'pickElement', args: [toHex(words), index, bytes, bigEndianWords(sums)] }
  }
  return { name: 'prove', args: [toHex(words), index, bytes, operandsOf(player, position, trace, element, 0)] }
}

/** One's own eight partials of an element. */
export function lanesOf(
  record: ComputedRecord,
  trace: StepTrace,
  position: Pick<Position, 'traceLeaf'>,
  element: number,
): number[] {
  return Array.from({ length: 8 }, (_, lane) => {
    const range = { ...wholeLane(record, lane), every: Math.max(1, termsInLane(record, lane)) }
    return range.end === 0 ? range.agreed : (trace.sums(position.traceLeaf, element, range)[0] as number)
  })
}

function pickInSums(player: Player, position: Position, trace: StepTrace): MoveCall {
  const { traceLeaf, element, words, game, stage } = position
  const { bytes, record } = recordOf(player.job, position.step, traceLeaf)
  if (record.kind !== 'element') nothingWrong(game)
  const theirs = wordsOfSums(words)
  const own = stage === 'lanes' ? lanesOf(record, trace, position, element) : trace.sums(traceLeaf, element, position)
  const index = theirs.findIndex((word, i) => word !== own[i])
  if (index < 0) nothingWrong(game)
  const range = stage === 'lanes' ? wholeLane(record, index) : within(position, index, theirs)
  if (range.end - range.first >= 2) {
    const sums = trace.sums(traceLeaf, element, range)
    return { name: 'pickSum', args: [toHex(words), index, bigEndianWords(sums)] }
  }
  const hasTerm = range.end > range.first
  const operands = hasTerm ? operandsOf(player, position, trace, element, kOf(record, range)) : []
  return { name: 'prove', args: [toHex(words), index, bytes, operands] }
}

const kOf = (record: ComputedRecord, { lane, first }: SumRange): number =>
  record.reduction === 'sum' ? first : lane + 8 * first

/** The terms that partial `index` of a list covers, from the partial before it, which picking concedes. */
function within(list: SumRange, index: number, theirs: readonly number[]): SumRange {
  const first = list.first + index * list.every
  const end = Math.min(first + list.every, list.end)
  const agreed = index === 0 ? list.agreed : (theirs[index - 1] as number)
  return { lane: list.lane, first, end, agreed, every: spacingOf(end - first) }
}

export function recordOf(
  job: ExactJob,
  step: number,
  leaf: number,
): { record: ElementRecord; bytes: Hex; proof: Hex[] } {
  const { traced, firstLeaf } = programAt(job, step)
  const number = firstLeaf + leaf
  const tree = programTree(job)
  return {
    record: traced.records[leaf] as ElementRecord,
    bytes: toHex(job.leaves[number] as Uint8Array),
    proof: hexes(pathOf(tree, 0, tree.levels, number)),
  }
}

const NOTHING = toHex(new Uint8Array(32))

/** Kinds of trace leaves that are decided at once, by comparing roots. */
const given = new Set<ElementRecord['kind']>(['before', 'fixed', 'schedule', 'base', 'reference', 'updates'])
const isGiven = (record: ElementRecord): boolean => given.has(record.kind)

async function rightOf(
  { job, truth }: Player,
  step: number,
  leaf: number,
  record: ElementRecord,
): Promise<{ right: Hex; rightProof: Hex[] }> {
  if (record.kind === 'reference') {
    // The last node of a result's run: agreed, for who disputes it challenges another range.
    const nodes = await truth.nodes()
    const { value, proof } = entryOf(treeOfNodes(nodes), nodes.length - 1)
    return { right: value, rightProof: [...proof] }
  }
  if (record.kind !== 'schedule') return { right: NOTHING, rightProof: [] }
  const found = Object.entries(job.step.program.inputs).find(([, id]) => id === job.step.tensors[leaf])
  const roots = job.schedules[found?.[0] ?? '']
  if (!roots) throw new PotluckError('UNKNOWN_TENSOR', `the job has no schedule of trace leaf ${leaf}`, { leaf })
  const tree = treeOfNodes(roots)
  if (!equalBytes(rootOf(tree), record.root))
    throw new PotluckError('WRONG_SCHEDULE', `the schedule of ${found?.[0]} is not the one of the program root`)
  const { value, proof } = entryOf(tree, step)
  return { right: value, rightProof: [...proof] }
}

function nothingWrong(game: number): never {
  throw new PotluckError('NOTHING_WRONG', `game ${game}: the other side revealed what we have ourselves`, { game })
}
