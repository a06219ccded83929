/**
 * Secure sums: what they cost a member and the server for 100 members and a million parameters, and training on the heart tables through
 * them beside plain sums. Every sum is checked against the plain ring sum to the bit.
 *
 * CPU time of one process, the lowest of a few runs, Node's own X25519 and Ed25519; the server's work and members' are told apart by
 * timing each call, after a small sum to warm up. `POTLUCK_RUNS` sets the number of runs of the first setting.
 */
import { defaultMaskRounds, loadAddMasks, type MaskRounds, type RingBits } from '@potluck/learning'
import { heartData, heartOptimizers, trainHeart } from './learning/secureHeart.ts'
import { type SumCost, secureSumCost } from './learning/secureSumCost.ts'
import type { Row } from './Row.ts'

/** CPU times on a shared machine vary by half. */
export const tolerance = 0.6

const sizes = { members: 100, gone: 10, length: 1_000_000 }

/** The first is the default for a group of 100. */
const settings: readonly { name: string; bits: RingBits; colluders: number; rounds: MaskRounds }[] = [
  { name: '', bits: 32, colluders: 10, rounds: defaultMaskRounds },
  { name: '.chacha12', bits: 32, colluders: 10, rounds: 12 },
  { name: '.chacha12.16bit', bits: 16, colluders: 10, rounds: 12 },
  { name: '.fifth', bits: 32, colluders: 20, rounds: defaultMaskRounds },
  { name: '.third', bits: 32, colluders: 33, rounds: defaultMaskRounds },
]

export async function run(): Promise<Row[]> {
  const addMasks = await loadAddMasks()
  // A node runs for days: what compiling costs once is no part of a sum.
  secureSumCost({ ...sizes, length: 1000, bits: 32, colluders: 10, rounds: defaultMaskRounds, addMasks })
  const row = (what: string, value: number, unit: string, rival?: [string, number, number]): Row => ({
    what,
    value,
    unit,
    rival: rival?.[0] ?? null,
    rivalValue: rival?.[1] ?? null,
    ratio: rival?.[2] ?? null,
  })
  const runs = Number(process.env.POTLUCK_RUNS ?? 2)
  const rows: Row[] = []
  for (const { name, bits, colluders, rounds } of settings) {
    const costs: SumCost[] = []
    for (let i = 0; i < (name === '' ? runs : 1); i++) {
      costs.push(secureSumCost({ ...sizes, bits, colluders, rounds, addMasks }))
    }
    const client = Math.min(...costs.map(({ clientMs }) => clientMs))
    const server = Math.min(...costs.map(({ serverMs }) => serverMs))
    const { setup, sentRatio, totalRatio } = costs[0]!
    const group = `${bits} bits, ChaCha${rounds}, ${setup.graph.degree} neighbours, ${colluders} may pool`
    rows.push(
      row(`client.ms${name}`, client, `ms of CPU; ${group}`, ['bar', 60, 60 / client]),
      row(`server.ms${name}`, server, `ms of CPU; ${group}`, ['bar', 1200, 1200 / server]),
      row(`bytes.ratio${name}`, sentRatio, 'bytes sent by bytes of plain words', ['bar', 1.1, 1.1 / sentRatio]),
      row(`bytes.both.ratio${name}`, totalRatio, 'bytes sent and received by bytes of plain words'),
    )
  }
  let sums = 0
  let exact = 0
  for (const [group, data, gone] of [
    ['', heartData(3), 4],
    ['.hospitals', heartData(1), 0],
  ] as const) {
    for (const [name, how] of Object.entries(heartOptimizers)) {
      const { masked, float, ...counts } = trainHeart(data, how, gone, addMasks)
      sums += counts.sums
      exact += counts.exact
      const gap = Math.max(Math.abs(masked.mean - float.mean), Math.abs(masked.pooled - float.pooled))
      const members = `${data.members.length} members, ${gone} gone each round`
      rows.push(
        row(`heart${group}.${name}.accuracy`, masked.mean, `mean accuracy of four hospitals; ${members}`, [
          'plain f64 sums',
          float.mean,
          masked.mean / float.mean,
        ]),
        row(`heart${group}.${name}.gap`, gap, 'accuracy, mean or pooled, the larger; bar 0.002'),
      )
    }
  }
  rows.push(row('heart.exact', exact / sums, `of ${sums} secure sums equal the ring sum to the bit`))
  return rows
}
