import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type Hex, toHex } from 'viem'
import { type Run, STEP_LEAVES, type Trace } from '../support/exampleJob.ts'
import { bigEndian, entryOf, noEntry, rowOf } from '../support/playDispute.ts'
import { challenge, makeRefereeWorld, pickStepArgs, type RefereeWorld, standUpArgs } from '../support/refereeWorld.ts'
import { refuses } from '../support/refuses.ts'
import { startEvm } from '../support/startEvm.ts'
import { ZERO_HASH } from '../support/world.ts'

const { MIXED, PRODUCT, ROW, NEXT, FIXED } = STEP_LEAVES
const STEP = 1

let world: RefereeWorld

before(async () => {
  world = await makeRefereeWorld(await startEvm())
})

/** A game on the honest claim, whose challenger lies about one leaf. */
async function open(leaf: number, element: number) {
  const { referee, auditor, worker, honest } = world
  const lying = world.lying([
    { step: STEP, leaf, element, flip: 1 },
    { step: STEP, leaf: 10, element: 1030, flip: 1 },
  ])
  const { id, claim } = await challenge(world, auditor, honest, STEP)
  const receipt = await referee.send(worker.key, 'standUp', standUpArgs(id, claim, honest, STEP))
  return { game: referee.events(receipt, 'GameOpened')[0]?.game as bigint, lying }
}

async function openTrace(leaf: number, element: number) {
  const { game, lying } = await open(leaf, element)
  await world.referee.send(world.auditor.key, 'pickStep', pickStepArgs(game, lying, world.honest, STEP).args)
  return { game, lying }
}

const traceOf = (run: Run): Trace => run.traces[STEP] as Trace
const recordOf = (leaf: number): [Hex, Hex[]] => [
  toHex(world.job.leaves[1 + leaf] as Uint8Array),
  world.job.tree.proof(0, 1 + leaf).map((node) => toHex(node)),
]
const leafBytes = (run: Run, leaf: number, part: number): Hex =>
  toHex(traceOf(run).leaves[leaf]?.leaves[part] as Uint8Array)
const treeOf = (run: Run, leaf: number) => traceOf(run).leaves[leaf]?.tree as Trace['tree']
const take = (game: bigint, lying: Run, leaf: number) => {
  const [record, proof] = recordOf(leaf)
  return { game, index: leaf, entry: entryOf(traceOf(lying).tree, 0, leaf), record, proof }
}

test('only the side whose turn it is moves, with what the game waits for [D-13]', async () => {
  const { referee, auditor, worker, friend, honest } = world
  const { game, lying } = await open(MIXED, 3)
  const { args } = pickStepArgs(game, lying, honest, STEP)
  await refuses(referee.attempt(worker.key, 'pickStep', args), 'NotYourMove', [
    game,
    worker.key.address,
    auditor.cold.address,
  ])
  await refuses(referee.attempt(friend.key, 'pickStep', args), 'NotYourMove')
  await refuses(referee.attempt(auditor.key, 'pickNode', [game, 0, noEntry, []]), 'WrongStage', [game, 1])
  await refuses(referee.attempt(auditor.key, 'prove', [game, '0x', 0, '0x', []]), 'WrongStage')
  await refuses(referee.attempt(auditor.key, 'pickSum', [game, '0x', 0, '0x']), 'WrongStage')
  await refuses(referee.attempt(auditor.key, 'pickNode', [999n, 0, noEntry, []]), 'WrongStage', [999n, 0])
  // The cold key may move as well.
  await referee.attempt(auditor.cold, 'pickStep', args)
})

test('a step is picked within the range, with both its states, a whole row and another last leaf [D-14]', async () => {
  const { referee, auditor, honest } = world
  const { game, lying } = await open(MIXED, 3)
  const [, index, from, to, row, last] = pickStepArgs(game, lying, honest, STEP).args
  const attempt = (...args: [number, typeof from, typeof to, Hex[], typeof last]) =>
    referee.attempt(auditor.key, 'pickStep', [game, ...args])
  await refuses(attempt(2, from, to, row, last), 'IndexOutOfRange', [2n, 2n])
  await refuses(attempt(index, to, to, row, last), 'ProofInvalid')
  await refuses(attempt(index, from, from, row, last), 'ProofInvalid')
  await refuses(attempt(index, from, to, row.slice(1), last), 'RowLength', [10n, 11n])
  await refuses(attempt(index, from, to, [...row, ZERO_HASH], last), 'RowLength', [12n, 11n])
  await refuses(attempt(index, from, to, [ZERO_HASH, ...row.slice(1)], last), 'RowStartsAbsent')
  await refuses(attempt(index, from, to, row, { value: from.value, proof: [] }), 'ProofInvalid')
  await refuses(attempt(index, from, to, row, { ...last, proof: [ZERO_HASH] }), 'ProofLength', [1n, 0n])
  const own = pickStepArgs(game, honest, honest, STEP).args
  await refuses(attempt(index, from, to, own[4], own[5]), 'SameState', [to.value])
})

test('an entry stands in the row that was revealed, within the tree, and what is revealed differs from it [D-13]', async () => {
  const { referee, worker, honest } = world
  const { game, lying } = await openTrace(MIXED, 3)
  const { entry, record, proof } = take(game, lying, MIXED)
  const row = rowOf(treeOf(honest, MIXED), 0, 2, 0)
  const attempt = (
    index: number,
    picked: typeof entry,
    recordBytes: Hex,
    recordProof: Hex[],
    nodes: Hex[],
    leaf: Hex = '0x',
  ) => referee.attempt(worker.key, 'pickTraceLeaf', [game, index, picked, recordBytes, recordProof, nodes, leaf])
  await refuses(attempt(11, entry, record, proof, row), 'IndexOutOfRange', [11n, 11n])
  await refuses(attempt(MIXED + 1, entry, record, proof, row), 'ProofInvalid')
  await refuses(attempt(MIXED, { ...entry, proof: entry.proof.slice(1) }, record, proof, row), 'ProofLength', [3n, 4n])
  const [otherRecord, otherProof] = recordOf(NEXT)
  await refuses(attempt(MIXED, entry, otherRecord, otherProof, row), 'ProofInvalid')
  await refuses(attempt(MIXED, entry, record, proof, row.slice(1)), 'RowLength', [2n, 3n])
  await refuses(attempt(MIXED, entry, record, proof, row, '0x00'), 'LeafLength', [1n, 0n])
  await refuses(attempt(MIXED, entry, record, proof, rowOf(treeOf(lying, MIXED), 0, 2, 0)), 'SameRoot', [entry.value])
  await refuses(referee.attempt(worker.key, 'pickNode', [game, MIXED, entry, row]), 'AtLeaves')
  const fixed = take(game, lying, FIXED)
  await refuses(attempt(FIXED, fixed.entry, fixed.record, fixed.proof, row), 'RecordKind', [4n])
  const claim = world.claim()
  const strike = [game, FIXED, fixed.entry, fixed.record, fixed.proof, ZERO_HASH, [], claim] as const
  await refuses(referee.attempt(worker.key, 'strikeTraceLeaf', strike), 'NothingWrong', [fixed.entry.value])
  const notDecided = [game, MIXED, entry, record, proof, ZERO_HASH, [], claim] as const
  await refuses(referee.attempt(worker.key, 'strikeTraceLeaf', notDecided), 'RecordKind', [0n])
})

test('a leaf has the length that its record says, and hides nothing that was not revealed [D-14] [D-15]', async () => {
  const { referee, auditor, worker, honest } = world
  const { game, lying } = await openTrace(MIXED, 599)
  const { entry, record, proof } = take(game, lying, MIXED)
  const row = rowOf(treeOf(honest, MIXED), 0, 2, 0)
  await referee.send(worker.key, 'pickTraceLeaf', [game, MIXED, entry, record, proof, row, '0x'])
  const picked = entryOf(treeOf(honest, MIXED), 0, 2)
  const attempt = (index: number, recordBytes: Hex, leaf: Hex) =>
    referee.attempt(auditor.key, 'pickTensorLeaf', [game, index, picked, recordBytes, leaf])
  const mine = leafBytes(lying, MIXED, 2)
  await refuses(attempt(3, record, mine), 'IndexOutOfRange', [3n, 3n])
  await refuses(attempt(2, recordOf(NEXT)[0], mine), 'RevealedDiffers')
  await refuses(attempt(2, record, leafBytes(lying, MIXED, 0)), 'LeafLength', [1024n, 352n])
  await refuses(attempt(2, record, leafBytes(honest, MIXED, 2)), 'SameRoot', [picked.value])
  await refuses(referee.attempt(auditor.key, 'strikeAbsent', [game, 2, picked, record]), 'RecordKind', [0n])
  await referee.send(auditor.key, 'pickTensorLeaf', [game, 2, picked, record, mine])

  const element = (theirs: Hex, index: number, recordBytes: Hex) =>
    referee.attempt(worker.key, 'pickElement', [game, theirs, index, recordBytes, '0x'])
  await refuses(element(leafBytes(honest, MIXED, 2), 87, record), 'RevealedDiffers')
  await refuses(element(mine, 88, record), 'IndexOutOfRange', [88n, 88n])
  await refuses(element(mine, 87, record), 'OneEvaluation', [1n])
  const prove = (index: number, operands: Parameters<typeof operandOf>[]) =>
    referee.attempt(worker.key, 'prove', [game, mine, index, record, operands.map((one) => operandOf(...one))])
  // Operands: the state before (leaf 0), the fixed input (1), the uniforms (3); all in their third KiB.
  const good: Parameters<typeof operandOf>[] = [
    [lying, 0, 2],
    [lying, 1, 2],
    [lying, 3, 2],
  ]
  await refuses(prove(87, good.slice(1)), 'OperandMissing', [0n, 2n])
  await refuses(prove(87, [...good, [lying, MIXED, 2]]), 'OperandNotConceded', [BigInt(MIXED), BigInt(MIXED)])
  await refuses(prove(87, [...good, [lying, NEXT, 2]]), 'OperandNotConceded', [BigInt(NEXT), BigInt(MIXED)])
  await refuses(
    prove(87, [
      [lying, 0, 2],
      [lying, 3, 2, 1],
      [lying, 3, 2],
    ]),
    'ProofInvalid',
  )
  // Where they agree nothing can be won.
  await refuses(prove(86, good), 'SameWord')
  await referee.send(worker.key, 'prove', [game, mine, 87, record, good.map((one) => operandOf(...one))])
})

/** A leaf with its path to the root of the trace; as another trace leaf's if told so. */
function operandOf(run: Run, leaf: number, part: number, as = leaf) {
  const trace = traceOf(run)
  const proof = [...treeOf(run, leaf).proof(0, part), ...trace.tree.proof(0, leaf)].map((node) => toHex(node))
  return { traceLeaf: as, leaf: part, data: leafBytes(run, leaf, part), proof }
}

test('partial sums are as many as the terms ask for, and the last differs [D-15]', async () => {
  const { referee, auditor, worker, honest } = world
  const { game, lying } = await openTrace(PRODUCT, 7)
  const { entry, record, proof } = take(game, lying, PRODUCT)
  await referee.send(worker.key, 'pickTraceLeaf', [
    game,
    PRODUCT,
    entry,
    record,
    proof,
    [],
    leafBytes(honest, PRODUCT, 0),
  ])
  const theirs = leafBytes(honest, PRODUCT, 0)
  const attempt = (sums: number[]) =>
    referee.attempt(auditor.key, 'pickElement', [game, theirs, 7, record, bigEndian(sums)])
  const right = traceOf(honest).leaves[PRODUCT]?.words[7] as number
  const sums = (last: number) => [...new Array<number>(9).fill(5), last]
  await refuses(attempt(sums(1).slice(1)), 'SumsLength', [36n, 40n])
  await refuses(attempt(sums(right)), 'SameWord', [right])
  await refuses(referee.attempt(auditor.key, 'prove', [game, theirs, 7, record, []]), 'NotOneEvaluation', [600n])
  await referee.send(auditor.key, 'pickElement', [game, theirs, 7, record, bigEndian(sums(right ^ 1))])

  const list = bigEndian(sums(right ^ 1))
  const sum = (words: Hex, index: number, own: number[]) =>
    referee.attempt(worker.key, 'pickSum', [game, words, index, bigEndian(own)])
  const own = (count: number, last: number) => [...new Array<number>(count - 1).fill(6), last]
  await refuses(sum('0x00000005', 0, own(64, 7)), 'RevealedDiffers')
  await refuses(sum(list, 10, own(64, 7)), 'IndexOutOfRange', [10n, 10n])
  await refuses(sum(list, 0, own(63, 7)), 'SumsLength', [252n, 256n])
  await refuses(sum(list, 9, own(64, 7)), 'SumsLength', [256n, 96n])
  await refuses(sum(list, 0, own(64, 5)), 'SameWord', [5])
  await refuses(referee.attempt(worker.key, 'prove', [game, list, 0, record, []]), 'NotOneEvaluation', [64n])
  await referee.send(worker.key, 'pickSum', [game, list, 0, bigEndian(own(64, 7))])
  const mine = bigEndian(own(64, 7))
  await refuses(referee.attempt(auditor.key, 'pickSum', [game, mine, 3, '0x']), 'OneEvaluation', [1n])
})

test('row reductions reveal eight partials first, whose tree differs [D-15]', async () => {
  const { referee, auditor, worker, honest } = world
  const { game, lying } = await openTrace(ROW, 0)
  const { entry, record, proof } = take(game, lying, ROW)
  const theirs = leafBytes(honest, ROW, 0)
  await referee.send(worker.key, 'pickTraceLeaf', [game, ROW, entry, record, proof, [], theirs])
  const attempt = (sums: number[]) =>
    referee.attempt(auditor.key, 'pickElement', [game, theirs, 0, record, bigEndian(sums)])
  await refuses(attempt([1, 2, 3]), 'SumsLength', [12n, 32n])
  const right = traceOf(honest).leaves[ROW]?.words[0] as number
  await refuses(attempt([right, 0, 0, 0, 0, 0, 0, 0]), 'SameWord', [right])
  await refuses(referee.attempt(auditor.key, 'prove', [game, theirs, 0, record, []]), 'NotOneEvaluation', [8n])
  const eight = [right ^ 1, 0, 0, 0, 0, 0, 0, 0]
  await referee.send(auditor.key, 'pickElement', [game, theirs, 0, record, bigEndian(eight)])
  await refuses(referee.attempt(worker.key, 'pickSum', [game, bigEndian(eight), 8, '0x']), 'IndexOutOfRange', [8n, 8n])
  // 75 terms in a lane: two sums, after 64 and after all.
  await refuses(referee.attempt(worker.key, 'pickSum', [game, bigEndian(eight), 0, bigEndian([1])]), 'SumsLength', [
    4n,
    8n,
  ])
  await referee.send(worker.key, 'pickSum', [game, bigEndian(eight), 0, bigEndian([1, 2])])
  const state = await referee.read('gameOf', [game])
  assert.deepEqual([state.stage, state.lane, state.first, state.end, state.scale], [6, 0, 0, 75, 1])
})

test('what a state has no part for is absent: whoever says otherwise is struck [D-13]', async () => {
  const { referee, auditor, worker, honest } = world
  const { game, lying } = await openTrace(NEXT, 4)
  const leaf = 10
  const { entry, record, proof } = take(game, lying, leaf)
  // The worker, lying in its turn, puts something where the first part has ended.
  const row = rowOf(treeOf(honest, leaf), 0, 3, 0, true)
  const forged = [...row.slice(0, 3), toHex(new Uint8Array(32).fill(3)), ...row.slice(4)]
  await refuses(
    referee.attempt(worker.key, 'pickTraceLeaf', [game, leaf, entry, record, proof, row.slice(0, 7), '0x']),
    'RowLength',
    [7n, 8n],
  )
  await referee.send(worker.key, 'pickTraceLeaf', [game, leaf, entry, record, proof, forged, '0x'])
  const { HashTree } = await import('../support/HashTree.ts')
  const tree = new HashTree(
    forged.map((node) => Buffer.from(node.slice(2), 'hex')),
    3,
  )
  for (const index of [0, 7]) {
    await refuses(
      referee.attempt(auditor.key, 'strikeAbsent', [game, index, entryOf(tree, 0, index), record]),
      'NothingWrong',
    )
  }
  const absent = [game, 3, entryOf(tree, 0, 3), record, '0x00000000'] as const
  await refuses(referee.attempt(auditor.key, 'pickTensorLeaf', absent), 'LeafLength', [4n, 0n])
  const receipt = await referee.send(auditor.key, 'strikeAbsent', [game, 3, entryOf(tree, 0, 3), record])
  assert.equal(referee.events(receipt, 'GameEnded')[0]?.winner, auditor.cold.address)
})

test('every move is told with its side, its place, what was picked and revealed, and both clocks', async () => {
  const { referee, auditor, honest } = world
  const { game, lying } = await open(MIXED, 3)
  const { args } = pickStepArgs(game, lying, honest, STEP)
  const receipt = await referee.send(auditor.key, 'pickStep', args)
  const [moved] = referee.events(receipt, 'Moved')
  assert.equal(moved?.move, 2)
  assert.equal(moved?.byChallenger, true)
  assert.equal(moved?.stage, 2)
  assert.equal(moved?.position, BigInt(STEP))
  assert.equal(moved?.picked, args[3].value)
  assert.equal(moved?.revealed, `0x${args[4].map((node) => node.slice(2)).join('')}`)
  assert.ok(Number(moved?.challengerLeft) <= Number(moved?.championLeft))
})
