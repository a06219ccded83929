import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngine, createReferenceEngine, stateRoot, tensorRoot, trainLocally } from '@potluck/engine'
import { ABSENT, equalBytes, hashNode, merkleRootOfNodes, raiseRoot, sha256, toHex } from '@potluck/protocol'
import { demoBase, demoJob } from '../replay/demoJob.ts'
import { pathOf, rootOf, rowLevels, rowUnder, treeOfNodes, treeOfRow, treeOfTrees } from './HashTree.ts'
import { recomputeClaim } from './recomputeClaim.ts'
import { spacingOf } from './sums.ts'
import { bytesOfWords, treeOfWords } from './wordTrace.ts'

const nodes = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => sha256(Uint8Array.of(i, i >> 8)))
const seed = new Uint8Array(32).fill(3)

test('[D-01] [D-02] a tree of words has the tensor root, a tree of parts the state root', () => {
  const parts = [700, 700, 3].map((size, part) => Float32Array.from({ length: size }, (_, i) => i / 7 - part))
  const words = parts.map((values) => new Uint32Array(values.buffer))
  assert.deepEqual(rootOf(treeOfWords(words[0]!)), tensorRoot(parts[0]!))
  assert.equal(toHex(rootOf(treeOfWords(words))), stateRoot(parts))
})

test('[D-02] element i of part p has the position p·2^(d+8) + i, and places without a number are absent', () => {
  const trees = [treeOfNodes(nodes(3)), treeOfNodes(nodes(1))]
  const tree = treeOfTrees(trees)
  assert.equal(tree.levels, 3)
  assert.deepEqual(tree.node(0, 2), nodes(3)[2])
  assert.deepEqual(tree.node(0, 4), nodes(1)[0])
  for (const place of [3, 5, 6, 7]) assert.deepEqual(tree.node(0, place), ABSENT)
  assert.deepEqual(tree.node(2, 1), raiseRoot(nodes(1)[0]!, 2))
})

test('[D-13] rows of a tree have six levels but the first, and a row proves each of its entries', () => {
  for (const count of [1, 2, 3, 64, 65, 130, 500]) {
    const tree = treeOfNodes(nodes(count))
    const levels = rowLevels(tree.levels)
    assert.equal((tree.levels - levels) % 6, 0)
    const row = rowUnder(tree, tree.levels, 0, levels, false)
    const revealed = treeOfRow(row, levels)
    assert.deepEqual(rootOf(revealed), rootOf(tree))
    row.forEach((node, index) => {
      let [hash, at] = [node, index]
      for (const sibling of pathOf(revealed, 0, levels, index)) {
        hash = at & 1 ? hashNode(sibling, hash) : hashNode(hash, sibling)
        at >>= 1
      }
      assert.deepEqual(hash, rootOf(tree))
    })
  }
})

test('[D-13] a row at the end of a tree is as high as any other', () => {
  const tree = treeOfNodes(nodes(65))
  const last = rowUnder(tree, 6, 1, 6, false)
  assert.equal(last.length, 1)
  assert.deepEqual(rootOf(treeOfRow(last, 6)), tree.node(6, 1))
})

test('[D-15] partial sums come after every 64^i terms, i the largest with 64^i below the number of terms', () => {
  assert.deepEqual([2, 64, 65, 4096, 4097].map(spacingOf), [1, 1, 64, 64, 4096])
})

test('[D-03] all executors and the referee’s own arithmetic have one trace root', async () => {
  const job = demoJob()
  const base = demoBase(job)
  const truths = [
    recomputeClaim({ job, engine: createReferenceEngine(), base, seed }),
    recomputeClaim({ job, engine: await createEngine(), base, seed }),
    recomputeClaim({ job, engine: createReferenceEngine(), base, seed, tamper: () => () => undefined }),
  ]
  for (const step of [1, job.steps]) {
    const traces = await Promise.all(truths.map((truth) => truth.trace(step)))
    const roots = traces.map(({ tree }) => toHex(rootOf(tree)))
    assert.deepEqual(new Set(roots).size, 1, `step ${step}`)
    const [trace] = traces
    assert.ok(equalBytes(trace!.tree.node(0, 0), rootOf(trace!.leafTree(0))))
  }
})

test('[D-04] [D-12] states at the ends of segments are those that training reports, and each row ends in its node', async () => {
  const job = demoJob()
  const base = demoBase(job)
  const engine = await createEngine()
  const truth = recomputeClaim({ job, engine, base, seed, keepBytes: 0 })
  const recipe = {
    config: { vocabulary: ' abcdeghiklmnoprstuvw', context: 8, width: 8, layers: 2, heads: 2, hidden: 48 },
    ...{ batch: 2, steps: 8, learningRate: 0.01, weightDecay: 0.1, warmupSteps: 2 },
    ...{ beta1: 0.9, beta2: 0.95, epsilon: 1e-8, stateEverySteps: 4 },
  }
  const trained = await trainLocally(engine, { recipe, base, tokens: job.text, seed })
  const own = await truth.nodes()
  assert.deepEqual(own.map(toHex), trained.stateRoots)
  for (const [segment, node] of own.entries()) assert.deepEqual((await truth.statesRow(segment)).at(-1), node)
  const update = base.map((before, i) => Math.fround(before - trained.parameters[i]!))
  assert.deepEqual(await truth.updateRoot(), tensorRoot(update))
  assert.deepEqual(merkleRootOfNodes(own), rootOf(treeOfNodes(own)))
})

test('a state is read by its place in the tree, and what lies beyond a part is 0', async () => {
  const job = demoJob()
  const truth = recomputeClaim({ job, engine: createReferenceEngine(), base: demoBase(job), seed })
  const trace = await truth.trace(0)
  const before = trace.records.findIndex(({ kind }) => kind === 'before')
  assert.deepEqual(trace.leafBytes(before, 0).length, 1024)
  const word = trace.word(before, 0)
  assert.deepEqual(bytesOfWords(Uint32Array.of(word)), trace.leafBytes(before, 0).subarray(0, 4))
  assert.equal(trace.word(before, job.parts[0]!), 0)
})
