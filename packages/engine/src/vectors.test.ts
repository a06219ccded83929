import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { engineVectors } from './check/engineVectors.ts'
import { createEngine, createReferenceEngine } from './createEngine.ts'

const file = new URL('../../../spec/vectors/engine.json', import.meta.url)
const golden: Record<string, unknown> = JSON.parse(readFileSync(file, 'utf8'))

for (const engine of [await createEngine(), createReferenceEngine()]) {
  test(`the ${engine.executor} executor reproduces every committed vector [E-02] [E-14] [E-15] [E-16] [E-17] [E-18] [E-19]`, async () => {
    assert.deepEqual(await engineVectors(engine), golden)
  })
}
