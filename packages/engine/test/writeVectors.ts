/** Writes spec/vectors/engine.json anew from the reference executor. Run it only when a rule changes on purpose. */
import { writeFileSync } from 'node:fs'
import { createReferenceEngine } from '../src/createEngine.ts'
import { engineVectors } from './engineVectors.ts'

const file = new URL('../../../spec/vectors/engine.json', import.meta.url)
writeFileSync(file, `${JSON.stringify(await engineVectors(createReferenceEngine()), null, 2)}\n`)
