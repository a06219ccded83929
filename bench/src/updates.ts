/**
 * What fewer bits an update cost a public model: the demo's job, round by round with the daemon's own program, in each encoding. Same
 * text, seeds, batches and beacons; only the way from a worker to the others differs.
 */
import { readFileSync } from 'node:fs'
import { setImmediate as breathe } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { encodeText, evaluateLoss, initialParameters, vocabularyOf } from '@potluck/engine'
import { bytesOfFloats, floatsOf, languageProgram } from '@potluck/node'
import { type Hex, type LanguageJob, sha256, toHex, updateEncodings, utf8 } from '@potluck/protocol'
import { createLocalEngine } from '@potluck/runtime'
import type { Row } from './Row.ts'

const ROUNDS = 7
const SHARES = 5
const file = new URL('../../data/tinyshakespeare/input.txt.gz', import.meta.url)

/** Losses and bytes are exact. */
export const tolerance = 0

export async function run(): Promise<Row[]> {
  const text = gunzipSync(readFileSync(file)).toString('utf8')
  const cut = Math.floor(text.length * 0.9)
  const config = { vocabulary: vocabularyOf(text), context: 32, width: 64, layers: 2, heads: 4, hidden: 256 }
  const valid = encodeText(config, text.slice(cut))
  const seed = sha256(utf8('potluck demo language job'))
  const engine = await createLocalEngine()
  const rows: Row[] = []
  let plain: { loss: number; bytes: number } | undefined
  for (const encoding of updateEncodings) {
    const job: LanguageJob = {
      ...{ type: 'job', kind: 'language', name: encoding, description: '', workSeconds: 45, silenceSeconds: 6 },
      ...{ trainCid: '', validCid: '', seed: toHex(seed), shares: SHARES, encoding },
      recipe: {
        ...{ config, batch: 16, steps: 40, learningRate: 0.012, weightDecay: 0.05, warmupSteps: 3 },
        ...{ beta1: 0.9, beta2: 0.99, epsilon: 1e-8, stateEverySteps: 20 },
      },
      audit: { gainPpm: 0, colludingPpm: 0, auditors: 1, saltPriceE18: 0n, newClaims: 0 },
    }
    const program = languageProgram(engine, job, text.slice(0, cut), () => breathe())
    let state: Uint8Array = bytesOfFloats(initialParameters(config, seed))
    let bytes = 0
    for (let round = 0; round < ROUNDS; round++) {
      const updates: { share: number; update: Uint8Array }[] = []
      for (let share = 0; share < SHARES; share++) {
        const { update } = await program.work({ state, seed: sha256(utf8(`round ${round} share ${share}`)) })
        bytes = update.length
        updates.push({ share, update })
      }
      const beacon: Hex = toHex(sha256(utf8(`beacon ${round}`)))
      state = (await program.aggregate({ state, round, beacon, updates })).state
    }
    const loss = await evaluateLoss(engine, config, floatsOf(state), valid)
    plain ??= { loss, bytes }
    rows.push(
      row(`bytes of an update as ${encoding}`, bytes, 'bytes', plain.bytes),
      row(`validation loss after ${ROUNDS} rounds as ${encoding}`, loss, 'nats', plain.loss),
    )
  }
  return rows
}

const row = (what: string, value: number, unit: string, rivalValue: number): Row => ({
  ...{ what, value, unit, rival: 'f32', rivalValue, ratio: rivalValue / value },
})
