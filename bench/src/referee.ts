/**
 * The referee: what the longest dispute costs, what honest workers pay for being judged, whether lies are caught, whether the contract's
 * floats are those of this machine. Disputes are played through the real contracts on a local chain.
 */
import { createHardhatRuntimeEnvironment } from 'hardhat/hre'
import type { EIP1193Provider } from 'viem'
import { checkSoftFloat } from '../../contracts/test/support/checkSoftFloat.ts'
import { evmOver } from '../../contracts/test/support/evm.ts'
import { syntheticDispute } from '../../packages/referee/test/syntheticDispute.ts'
import { tournament } from '../../packages/referee/test/tournament.ts'
import { inChild } from './engine/inChild.ts'
import type { OwnOverhead } from './engine/ownOverhead.ts'
import type { Row } from './Row.ts'

export const tolerance = 0.25

const START_MS = Date.UTC(2040, 0, 1)
const SEED = 1
const DISPUTES = 600
const VECTORS = 1_000_000
/** The bars that were set for it; no other system judges an f32 training step on chain. */
const MOST_MOVES = 24
const MOST_GAS = 3_000_000
const MOST_OVERHEAD = 0.02

const row = (what: string, value: number, unit: string, bar: number | null = null): Row => ({
  what,
  value,
  unit,
  rival: bar === null ? null : 'the bar: at most',
  rivalValue: bar,
  ratio: bar === null ? null : bar / value,
})

export async function run(): Promise<Row[]> {
  const rows: Row[] = []
  const dispute = await syntheticDispute()
  if (!dispute.caught) throw new Error('the liar won the synthetic dispute')
  rows.push(row('dispute.moves', dispute.moves, 'transactions of both sides', MOST_MOVES))
  rows.push(row('dispute.gas', Number(dispute.gas), 'gas of all of them', MOST_GAS))
  for (const { move, gas } of dispute.perMove) rows.push(row(`dispute.gas.${move}`, Number(gas), 'gas'))

  for (const executor of ['native', 'wasm'] as const) {
    const { overhead } = await inChild<OwnOverhead>('ownOverhead.ts', executor, 1)
    const name = executor === 'native' ? 'honest.overhead' : `honest.overhead.${executor}`
    rows.push(row(name, overhead, `of training time, a state every 25 steps, ${executor}`, MOST_OVERHEAD))
  }

  const { tried, caught } = await tournament({ seed: SEED, disputes: DISPUTES })
  rows.push(row('lies.tried', tried, 'random disputes, liars on either side'))
  rows.push(row('lies.caught', caught, 'won by the honest side'))

  const { network } = await createHardhatRuntimeEnvironment({})
  const { provider } = await network.create({ override: { initialDate: new Date(START_MS) } })
  const evm = evmOver(provider as Pick<EIP1193Provider, 'request'>, START_MS / 1000 + 10)
  const { vectors, wrong } = await checkSoftFloat(evm, { vectors: VECTORS, seed: SEED })
  rows.push(row('softfloat.vectors', vectors, 'random operands, all operations'))
  rows.push(row('softfloat.wrong', wrong, 'results that differ from this machine'))
  return rows
}
