import { createPublicClient, createWalletClient, custom, type EIP1193Provider, type Hex } from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { hardhat } from 'viem/chains'

/** A chain under test: a block for each transaction, and a clock that can be moved. */
export type Evm = ReturnType<typeof evmOver>

// Above every single call of the suite and below the cap of 2^24 that the protocol puts on one transaction.
const GAS = 16_000_000n

/**
 * @param provider answers JSON-RPC; anvil and the in-process chain both understand the `evm_` and `hardhat_` calls used
 * @param startAt second of the first block to come, each one a second later; without it the chain goes by the wall clock
 */
export function evmOver(provider: Pick<EIP1193Provider, 'request'>, startAt?: number) {
  let second = startAt
  const transport = custom(provider, { retryCount: 0 })
  const client = createPublicClient({ chain: hardhat, transport, pollingInterval: 5, cacheTime: 0 })
  const raw = (method: string, params: unknown[]): Promise<unknown> => provider.request({ method, params } as never)

  const account = async (key: Hex): Promise<PrivateKeyAccount> => {
    const made = privateKeyToAccount(key)
    await raw('hardhat_setBalance', [made.address, '0x56bc75e2d63100000'])
    return made
  }

  const tick = async () => {
    if (second !== undefined) await raw('evm_setNextBlockTimestamp', [second++])
  }
  const mineOne = async () => {
    await tick()
    await raw('evm_mine', [])
  }

  return {
    client,
    raw,
    /** Accounts derived from a seed, with gas money; the same seed gives the same accounts. */
    accounts: (seed: number, count: number): Promise<PrivateKeyAccount[]> =>
      Promise.all(
        Array.from({ length: count }, (_, i) => account(`0x${(seed * 1000 + i + 1).toString(16).padStart(64, '0')}`)),
      ),
    wallet: (from: PrivateKeyAccount) => createWalletClient({ account: from, chain: hardhat, transport }),
    /** Signs, sends, waits; reverts throw. */
    send: async (from: PrivateKeyAccount, tx: { to?: Hex; data: Hex }) => {
      const wallet = createWalletClient({ account: from, chain: hardhat, transport })
      await tick()
      const hash = await wallet.sendTransaction({ ...tx, gas: GAS, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n })
      const receipt = await client.waitForTransactionReceipt({ hash })
      if (receipt.status !== 'success') throw new Error(`transaction ${hash} reverted: simulate it to see why`)
      return receipt
    },
    advance: async (seconds: number | bigint) => {
      if (second === undefined) await raw('evm_increaseTime', [Number(seconds)])
      else second += Number(seconds)
      await mineOne()
    },
    mine: async (blocks: number) => {
      for (let i = 0; i < blocks; i++) await mineOne()
    },
    now: async () => (await client.getBlock()).timestamp,
  }
}
