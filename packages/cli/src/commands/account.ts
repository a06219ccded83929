import { type Chain, createChain, EMBEDDED_CHAIN_ID, setEmbeddedBalance } from '@potluck/chain'
import { readKey } from '@potluck/node'
import { addressOfSecret, type Hex, PotluckError } from '@potluck/protocol'
import { createWallet, type Wallet } from '@potluck/sdk'
import { checkKeyFile } from './checkKeyFile.ts'
import { coldKeyFile, type Network } from './networkAt.ts'

const COIN = 10n ** 18n
const GAS_WEI = COIN / 10n

export type AccountOptions = { key?: string | undefined; as?: string | undefined }

/** The key file of whoever acts. Throws NO_ACCOUNT when nobody is named, KEY_MISSING, BAD_KEY or KEY_EXPOSED. */
export function accountFile(network: Network, { key, as: name }: AccountOptions): string {
  if (key === undefined && name === undefined) {
    throw new PotluckError(
      'NO_ACCOUNT',
      'whose account? name a key file with --key, or somebody of the network folder with --as',
      {},
    )
  }
  const file = key ?? coldKeyFile(network, name ?? '')
  checkKeyFile(file)
  return file
}

/** Whether this is a chain of one's own, where coins are free. */
export const isEmbedded = ({ deployment }: Pick<Network, 'deployment'>): boolean =>
  deployment.name === 'embedded' && deployment.chainId === EMBEDDED_CHAIN_ID

/** Gas for an account where gas is free; elsewhere nothing. @returns whether the account can pay for gas now */
export async function refuel(network: Network, account: Hex): Promise<boolean> {
  if ((await network.chain.balanceOf(account)) >= GAS_WEI) return true
  if (!isEmbedded(network)) return false
  await setEmbeddedBalance(network.rpcUrl, account, 100n * COIN)
  return true
}

/** A chain client of whoever acts, able to pay for gas where gas is free. */
export async function actingChain(network: Network, options: AccountOptions): Promise<Chain> {
  const secret = readKey(accountFile(network, options))
  const chain = createChain({ rpcUrl: network.rpcUrl, deployment: network.deployment, secret })
  await refuel(network, addressOfSecret(secret))
  return chain
}

/** The same as a wallet with channels. */
export async function actingWallet(network: Network, options: AccountOptions): Promise<Wallet> {
  const { rpcUrl, deployment } = network
  const wallet = createWallet({ keyFile: accountFile(network, options), rpcUrl, deployment })
  await refuel(network, wallet.address)
  return wallet
}
