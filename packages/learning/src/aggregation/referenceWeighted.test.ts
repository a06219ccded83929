import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngine, createReferenceEngine, RandomStream } from '@potluck/engine'
import { sha256, utf8 } from '@potluck/protocol'
import { aggregateProgram, aggregateUpdates } from './aggregateProgram.ts'
import { referenceWeighted } from './referenceWeighted.ts'

/** A round with gaps, twins, liars, giants, orthogonal and tiny updates. */
function roundOf(P: number, shares: number): { base: Float32Array; reference: Float32Array; updates: Float32Array[] } {
  const of = (step: number): Float32Array => {
    const stream = new RandomStream(sha256(utf8(`round ${P} ${shares}`)), 29, step)
    return Float32Array.from({ length: P }, (_, j) => stream.normal(j))
  }
  const direction = of(0)
  const near = (step: number, factor: number): Float32Array => of(step).map((x, j) => factor * (x + 2 * direction[j]!))
  const updates = Array.from({ length: shares }, (_, i) => near(i + 2, 1 + (i % 3)))
  const change = (share: number, of: (x: number, j: number) => number): void => {
    if (share < shares) updates[share] = updates[share]!.map(of)
  }
  change(2, (x) => -3 * x)
  change(3, () => 0)
  change(4, (x) => x * 1e30)
  change(5, (x) => x * 1e-14)
  change(6, (_, j) => updates[0]![j]!)
  change(7, (x) => x * 1e4)
  return { base: of(1), reference: near(99, 0.8), updates }
}

test('has the bits of the exact program, on either engine, for every tail and number of members [L-36]', async () => {
  const wasm = await createEngine()
  for (const [P, shares] of [
    [1, 1],
    [3, 2],
    [8, 5],
    [9, 9],
    [70, 12],
    [515, 20],
  ] as const) {
    const given = roundOf(P, shares)
    const { update, weights } = referenceWeighted(given.updates, given.reference)
    for (const engine of P < 100 ? [wasm, createReferenceEngine()] : [wasm]) {
      const exact = await aggregateUpdates(engine, aggregateProgram(P, shares), given)
      assert.deepEqual(
        given.base.map((before, j) => before - update[j]!),
        exact.next,
        `${P} ${shares}`,
      )
      // The reference's own weight is a quarter of all others together.
      const total = exact.weights.reduce((sum, weight) => sum + weight, 0) * 1.25
      exact.weights.forEach((weight, i) => {
        assert.equal(weights[i] === 0, weight === 0)
        assert.ok(total === 0 || Math.abs(weights[i]! - weight / total) < 1e-6)
      })
    }
  }
})

test('has the bits of the exact program for a reference that is huge, tiny, opposed or zero [L-36]', async () => {
  const wasm = await createEngine()
  for (const factor of [-1, 0, 1e-13, 1e5, 1e25]) {
    const given = roundOf(77, 9)
    const reference = given.reference.map((x) => x * factor)
    const { update, weights } = referenceWeighted(given.updates, reference)
    const exact = await aggregateUpdates(wasm, aggregateProgram(77, 9), { ...given, reference })
    assert.deepEqual(
      given.base.map((before, j) => before - update[j]!),
      exact.next,
      `${factor}`,
    )
    assert.equal(
      weights.every((weight) => weight === 0),
      exact.weights.every((weight) => weight === 0),
    )
  }
})

test('gives an update that holds no number no weight [L-36]', () => {
  const good = Float32Array.of(1, 2)
  const { update, weights } = referenceWeighted([Float32Array.of(Number.NaN, 2), good], good)
  assert.equal(weights[0], 0)
  assert.ok(weights[1]! > 0.5)
  assert.ok(Math.abs(update[1]! - 2) < 1e-6)
})
