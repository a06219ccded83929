import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { tensorRoot } from '@potluck/engine'
import { type Hex, toHex, type UpdateEncoding } from '@potluck/protocol'
import { wrongElement } from '../src/index.ts'
import { type Arena, openArena } from './arena.ts'
import { baseOf, transformerJob } from './labJobs.ts'
import type { Table } from './playMatch.ts'
import { playOne } from './tournament.ts'

let arena: Arena
let players: [Hex, Hex]
let claims = 0

before(async () => {
  arena = await openArena()
  players = [await arena.player(1), await arena.player(2)]
})
after(() => arena.close())

async function tableOf(encoding: UpdateEncoding): Promise<Table> {
  const lab = transformerJob(encoding, 8)
  const base = baseOf(lab.size, 3)
  const jobId = await arena.createJob(toHex(lab.job.root), toHex(tensorRoot(base)))
  const [worker, other] = players
  return { arena, lab, jobId, fromBlock: (await arena.block()) + 1n, worker, other, number: ++claims, base }
}

/** High bits of the exponent and of the fraction: a change that no rounding to a level swallows. */
const FLIP = 0x00c00000

for (const encoding of ['dense8', 'dense4', 'dense2'] as const) {
  test(`[P-52] the contract judges a wrong difference, magnitude, scale or level of ${encoding}, whoever lies`, async () => {
    const labels: string[] = []
    const { job } = transformerJob(encoding, 8)
    for (const [leaf, record] of job.finish.records.entries()) {
      if (record.kind !== 'element') continue
      for (const liar of ['worker', 'other'] as const) {
        const tamper = wrongElement(leaf, 3, FLIP)
        const lie = { name: 'wrong encoding', step: job.steps, leaf, tamper, flip: FLIP }
        const dispute = await playOne(await tableOf(encoding), lie, liar)
        assert.ok(dispute, `a lie in leaf ${leaf} of the finish changes nothing`)
        assert.ok(dispute.caught, `${dispute.label} by the ${liar}, ended by ${dispute.ending}`)
        labels.push(dispute.label)
      }
    }
    assert.equal(new Set(labels).size, 4, labels.join(', '))
  })
}
