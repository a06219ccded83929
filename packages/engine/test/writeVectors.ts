/** Writes spec/vectors/engine.json anew from the reference executor. Run it only when a rule changes on purpose. */
import { writeFileSync } from 'node:fs'
import { engineVectors } from '../src/check/engineVectors.ts'
import { createReferenceEngine } from '../src/createEngine.ts'

const file = new URL('../../../spec/vectors/engine.json', import.meta.url)
writeFileSync(file, `${JSON.stringify(await engineVectors(createReferenceEngine()), null, 2)}\n`)
