import { network } from 'hardhat'
import type { EIP1193Provider } from 'viem'
import { type Evm, evmOver } from './evm.ts'

// Far enough ahead that no wall clock is past it while this code lives; the chain only moves forward.
const FIXED_START_MS = Date.UTC(2040, 0, 1)

/** A fresh in-process chain on the wall clock. */
export async function startEvm(): Promise<Evm> {
  const { provider } = await network.create()
  return evmOver(provider as Pick<EIP1193Provider, 'request'>)
}

/** A fresh in-process chain with the same blocks, hashes included, on every run. */
export async function startFixedEvm(): Promise<Evm> {
  const { provider } = await network.create({ override: { initialDate: new Date(FIXED_START_MS) } })
  return evmOver(provider as Pick<EIP1193Provider, 'request'>, FIXED_START_MS / 1000 + 10)
}
