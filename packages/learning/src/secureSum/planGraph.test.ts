import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, sha256, toHex, utf8 } from '@potluck/protocol'
import { defaultTolerance, planGraph } from './planGraph.ts'
import { setUpSum } from './sumPlan.ts'
import { drawBelow, wordStream } from './wordStream.ts'

test('asks for more than half the neighbours, a quorum two lists cannot both have, and room for those who go [L-40]', () => {
  for (let n = 3; n <= 120; n++) {
    const { degree, threshold, quorum, colluders, dropouts } = planGraph(n, defaultTolerance(n))
    assert.ok(2 * threshold > degree && threshold > colluders, `${n}: threshold`)
    assert.ok(2 * quorum > n + colluders && quorum <= n - dropouts, `${n}: quorum`)
    assert.ok(n - dropouts >= 3)
    if (n <= 16) assert.equal(degree, n - 1)
  }
  const { degree, threshold, quorum } = planGraph(100, { colluders: 10, dropouts: 10 })
  assert.deepEqual({ degree, threshold, quorum }, { degree: 22, threshold: 12, quorum: 56 })
})

test('gives denser graphs the more may pool or go, and refuses what no graph stands [L-40]', () => {
  const degrees = [5, 10, 20, 33].map((colluders) => planGraph(100, { colluders, dropouts: 10 }).degree)
  assert.deepEqual(degrees, [22, 22, 32, 44])
  for (const [n, colluders, dropouts] of [
    [2, 0, 0],
    [4, 0, 2],
    [10, 4, 3],
    [100, 50, 30],
    [10, -1, 0],
    [10, 1.5, 0],
  ] as const) {
    assert.throws(
      () => planGraph(n, { colluders, dropouts }),
      (error) => codeOf(error) === 'BAD_TOLERANCE',
      `${n} ${colluders} ${dropouts}`,
    )
  }
})

test('draws symmetric circles of the planned degree from the seed alone [L-40]', () => {
  const plan = {
    job: 'job',
    round: 0,
    attempt: 1,
    base: toHex(new Uint8Array(32)),
    members: Array.from({ length: 60 }, (_, i) => `m${i}`),
    bits: 32,
    rounds: 8,
    length: 1,
    ...defaultTolerance(60),
  } as const
  const [one, same, other] = ['a', 'a', 'b'].map(
    (seed) => setUpSum({ ...plan, seed: toHex(sha256(utf8(seed))) }).neighbours,
  )
  assert.deepEqual(one, same)
  assert.notDeepEqual(one, other)
  const { degree } = planGraph(60, plan)
  one!.forEach((row, i) => {
    assert.equal(new Set(row).size, degree)
    assert.ok(!row.includes(i) && row.every((peer) => one![peer]!.includes(i)))
  })
})

test('keeps honest survivors together whichever neighbours a lying server calls gone, in drawn circles [L-40]', () => {
  // The worst the server can do to one member: call as many of its honest neighbours gone as the plan lets it.
  const tolerance = { colluders: 12, dropouts: 8 }
  const n = 60
  const { degree, threshold } = planGraph(n, tolerance)
  for (let trial = 0; trial < 20; trial++) {
    const next = wordStream(sha256(utf8(`trial ${trial}`)))
    const plan = {
      job: 'j',
      round: 0,
      attempt: 1,
      base: toHex(new Uint8Array(32)),
      bits: 32,
      rounds: 8,
      length: 1,
    } as const
    const members = Array.from({ length: n }, (_, i) => `m${i}`)
    const { neighbours } = setUpSum({ ...plan, ...tolerance, members, seed: toHex(sha256(utf8(`seed ${trial}`))) })
    const pooling = new Set<number>()
    while (pooling.size < tolerance.colluders) pooling.add(drawBelow(next, n))
    for (let target = 0; target < n; target++) {
      if (pooling.has(target)) continue
      const honest = neighbours[target]!.filter((peer) => !pooling.has(peer))
      assert.ok(honest.length > tolerance.dropouts && degree - honest.length < threshold)
      const bad = new Set([...pooling, ...honest.slice(0, tolerance.dropouts)])
      const reached = new Set([target])
      for (const at of reached) for (const peer of neighbours[at]!) if (!bad.has(peer)) reached.add(peer)
      assert.equal(reached.size, n - bad.size)
    }
  }
})
