/** What the contracts cost: gas of whole transactions on an in-process chain, base fee and calldata included. The same on every machine. */
import { createHardhatRuntimeEnvironment } from 'hardhat/hre'
import type { EIP1193Provider } from 'viem'
import { evmOver } from '../../contracts/test/support/evm.ts'
import { type GasNumbers, measureGas } from '../../contracts/test/support/measureGas.ts'
import type { Row } from './Row.ts'

// Block hashes draw the committees, so the clock is fixed too: nothing may change between two runs.
const START_MS = Date.UTC(2040, 0, 1)

// Per channel in multiChannelClaim with 25 channels, as published; 2.1.0 of its contracts.
const MPE_GAS_PER_CHANNEL = 42_700
const MPE = 'SingularityNET MPE multiChannelClaim, per channel at n = 25'

export const tolerance = 0

export async function run(): Promise<Row[]> {
  const { network } = await createHardhatRuntimeEnvironment({})
  const { provider } = await network.create({ override: { initialDate: new Date(START_MS) } })
  const evm = evmOver(provider as Pick<EIP1193Provider, 'request'>, START_MS / 1000 + 10)
  return rowsOf(await measureGas(evm))
}

function rowsOf(gas: GasNumbers): Row[] {
  const row = (what: keyof GasNumbers, rival: string | null = null, rivalValue: number | null = null): Row => {
    const value = Number(gas[what])
    return { what, value, unit: 'gas', rival, rivalValue, ratio: rivalValue === null ? null : rivalValue / value }
  }
  return [
    row('royalty.pay.depth1'),
    row('royalty.pay.depth1000', 'the same at depth 1', Number(gas['royalty.pay.depth1'])),
    row('royalty.pay.salt'),
    row('royalty.pay.countedApproval'),
    row('channel.claim.batch50'),
    row('channel.claim.batch50.allocation'),
    row('channel.claim.batch50.whole', MPE, MPE_GAS_PER_CHANNEL),
    row('channel.claim.batch50.whole.first', MPE, MPE_GAS_PER_CHANNEL),
    row('round.claims5'),
    row('round.claims100', 'the same with 5 claims', Number(gas['round.claims5'])),
  ]
}
