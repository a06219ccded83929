/**
 * Gas of a whole dispute over 1,000 steps of 2,000 operators on tensors of 2²² elements, each a sum of 4,096 products. Only what is shown
 * is made: rows of a tree are any bytes, since each side reveals its own, and paths of operands are built from the leaf up.
 */
import { type Hex, parseEther, toHex } from 'viem'
import { encodeRecord, wordBytes } from '../../../packages/engine/src/elements/encodeRecord.ts'
import { hashLeaf, hashNode, treeDepth } from '../../../packages/protocol/src/merkle.ts'
import { randomWords } from './checkSoftFloat.ts'
import type { Evm } from './evm.ts'
import { HashTree } from './HashTree.ts'
import { bigEndian, entryOf } from './playDispute.ts'
import { deployReferee } from './refereeWorld.ts'
import { createJob } from './runJob.ts'
import { deployWorld, makeNodes, type Node, ROLE } from './world.ts'

const [STEPS, EVERY, SEGMENT, STEP] = [1000, 25, 17, 11]
const [TRACE, PICKED, NEAR, FAR] = [2004, 1510, 1490, 0]
const [SIZE, TERMS, DEPTH, STATE_DEPTH] = [2 ** 22, 4096, 14, 18]
/** Block of 64 trace leaves that the picked one is in. */
const BLOCK = PICKED >> 6

export type DisputeGas = Record<string, number>

export async function measureDispute(evm: Evm): Promise<DisputeGas> {
  const world = await deployWorld(evm)
  const referee = await deployReferee(world, 600, parseEther('100'))
  const [worker, auditor] = (await makeNodes(world, 40, 2, ROLE.WORKER)) as [Node, Node]
  for (const { cold } of [worker, auditor]) await world.registry.send(cold, 'allowLocker', [referee.address, true])
  const next = randomWords(1)
  const random = (bytes: number) => wordBytes(Array.from({ length: bytes / 4 }, next))
  const nodes = (count: number) => Array.from({ length: count }, () => random(32))
  const hex = (list: Uint8Array[]): Hex[] => list.map((node) => toHex(node))

  // The job: a header and the one record that matters.
  const operand = (leaf: number, depth: number, offset: number) => ({
    source: 'tensor' as const,
    leaf,
    depth,
    offset,
    indirect: 0,
    indirectCoefficient: 0,
    indirectLimit: 0,
    axes: [
      {
        constant: 0,
        divisor: 1,
        limit: 0,
        coefficient: 1,
        terms: [
          { variable: 'element' as const, divide: 2048, modulo: 0, coefficient: 256 },
          { variable: 'summation' as const, divide: 1, modulo: 256, coefficient: 1 },
        ],
      },
    ],
  })
  const line = (operation: 'input' | 'multiply', from: number[], immediate = 0) => ({
    operation,
    arguments: from,
    immediate,
  })
  const record = encodeRecord({
    kind: 'element',
    size: SIZE,
    reduction: 'sum',
    terms: TERMS,
    operands: [operand(NEAR, DEPTH, 0), operand(FAR, STATE_DEPTH, 2 ** 22)],
    instructions: [line('input', [], 0), line('input', [], 1), line('multiply', [0, 1])],
    output: 2,
  })
  // The program ends with 3 records of the finish and 18 of the aggregation.
  const count = 1 + TRACE + 3 + 18
  const shape = [0x504c4b31, count, 1, STEPS, EVERY, 0, 1000, 8, 3, 16, 1, TRACE, 1 + TRACE, 3, 4 + TRACE, 18]
  const header = wordBytes([...shape, random(64)])
  const records = nodes(count)
  records[0] = hashLeaf(header)
  records[1 + PICKED] = hashLeaf(record)
  const program = new HashTree(records, treeDepth(count))
  const job = await createJob(world, { judge: referee.address, programRoot: toHex(program.root) })

  const states = nodes(EVERY)
  const kept = nodes(STEPS / EVERY)
  kept[SEGMENT] = states[EVERY - 1] as Uint8Array
  const keptTree = new HashTree(kept, 6)
  const claim = {
    worker: worker.cold.address,
    share: 3,
    units: 1000n,
    baseRoot: toHex(random(32)),
    updateDigest: toHex(random(32)),
    updateRoot: toHex(random(32)),
    statesRoot: toHex(keptTree.root),
  }

  // One operand beside the picked leaf, one in the state before the step, in the first frame.
  const element = 1_234_567
  const at = (k: number) => Math.floor(element / 2048) * 256 + (k % 256)
  const term = 3000
  const [nearLeaf, farLeaf] = [random(1024), random(1024)]
  const climb = (leaf: Uint8Array, place: number, siblings: Uint8Array[]) =>
    siblings.reduce(
      (hash, sibling, i) => ((place >> i) & 1 ? hashNode(sibling, hash) : hashNode(hash, sibling)),
      hashLeaf(leaf),
    )
  const [nearPart, farPart] = [at(term) >> 8, (2 ** 22 + at(term)) >> 8]
  const nearPath = nodes(DEPTH)
  const farPath = nodes(STATE_DEPTH + 6)
  const tail = new HashTree(nodes(TRACE % 64), 6)
  const first = nodes(Math.ceil(TRACE / 64))
  first[0] = climb(farLeaf, farPart, farPath)
  first[first.length - 1] = tail.root
  const block = nodes(64)
  block[NEAR & 63] = climb(nearLeaf, nearPart, nearPath)
  const firstTree = new HashTree(first, 5)
  const blockTree = new HashTree(block, 6)
  const tensorRows = [nodes(4), nodes(64), nodes(64)] as const
  const leaf = element >> 8
  const champions = random(1024)
  const sums = [0, 1].map(() => Array.from({ length: 64 }, next)) as [number[], number[]]

  const gas: DisputeGas = {}
  const note = async (name: string, sent: Promise<{ gasUsed: bigint }>) => {
    gas[`dispute.${Object.keys(gas).length + 1}.${name}`] = Number((await sent).gasUsed)
  }
  // The first challenge of a job opens its program for all; what is measured then is a dispute as any other.
  const opening = [job.jobId, 0, { ...claim, share: 4 }, SEGMENT, toHex(header), hex(program.proof(0, 0))] as const
  const opened = Number((await referee.send(worker.key, 'challenge', opening)).gasUsed)
  const challengeArgs = [job.jobId, 0, claim, SEGMENT, '0x', []] as const
  await note('challenge', referee.send(auditor.key, 'challenge', challengeArgs))
  const [start, end] = [entryOf(keptTree, 0, SEGMENT - 1), entryOf(keptTree, 0, SEGMENT)]
  await note('standUp', referee.send(worker.key, 'standUp', [2n, claim, start, end, hex(states)]))
  const statesTree = new HashTree([kept[SEGMENT - 1] as Uint8Array, ...states], 5)
  const [before, afterwards] = [entryOf(statesTree, 0, STEP), entryOf(statesTree, 0, STEP + 1)]
  const last = entryOf(tail, 0, (TRACE % 64) - 1)
  await note('pickStep', referee.send(auditor.key, 'pickStep', [1n, STEP, before, afterwards, hex(first), last]))
  await note('pickNode', referee.send(worker.key, 'pickNode', [1n, BLOCK, entryOf(firstTree, 0, BLOCK), hex(block)]))
  const recordProof = hex(program.proof(0, 1 + PICKED))
  const picked = entryOf(blockTree, 0, PICKED & 63)
  const traceLeafArgs = [1n, PICKED & 63, picked, toHex(record), recordProof, hex(tensorRows[0]), '0x'] as const
  await note('pickTraceLeaf', referee.send(auditor.key, 'pickTraceLeaf', traceLeafArgs))
  const rows = tensorRows.map((row, i) => new HashTree(row, i === 0 ? 2 : 6))
  const entry = (i: number) => {
    const index = i === 0 ? leaf >> 12 : (leaf >> (12 - 6 * i)) & 63
    return [index, entryOf(rows[i] as HashTree, 0, index)] as const
  }
  await note('pickNode', referee.send(worker.key, 'pickNode', [1n, ...entry(0), hex(tensorRows[1])]))
  await note('pickNode', referee.send(auditor.key, 'pickNode', [1n, ...entry(1), hex(tensorRows[2])]))
  await note(
    'pickTensorLeaf',
    referee.send(worker.key, 'pickTensorLeaf', [1n, ...entry(2), toHex(record), toHex(champions)]),
  )
  const elementArgs = [1n, toHex(champions), element & 255, toHex(record), bigEndian(sums[0])] as const
  await note('pickElement', referee.send(auditor.key, 'pickElement', elementArgs))
  await note('pickSum', referee.send(worker.key, 'pickSum', [1n, bigEndian(sums[0]), term >> 6, bigEndian(sums[1])]))
  const inBlock = hex([...nearPath, ...blockTree.proof(0, NEAR & 63)])
  const inFirst = hex([...farPath, ...firstTree.proof(0, 0)])
  const operands = [
    { traceLeaf: NEAR, leaf: nearPart, data: toHex(nearLeaf), proof: inBlock },
    { traceLeaf: FAR, leaf: farPart, data: toHex(farLeaf), proof: inFirst },
  ]
  await note('prove', referee.send(auditor.key, 'prove', [1n, bigEndian(sums[1]), term & 63, toHex(record), operands]))
  await evm.advance(601)
  await note('settle', referee.send(auditor.key, 'settle', [2n]))
  const [challenged] = Object.values(gas) as [number]
  gas['dispute.whole'] = Object.values(gas).reduce((sum, used) => sum + used, 0)
  return { 'job.firstChallenge.more': opened - challenged, ...gas }
}
