import { type Hex, PotluckError, toHex } from '@potluck/protocol'
import { type Abi, createClient, encodeDeployData, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { createSender } from './createSender.ts'
import { type Deployment, deploymentSchema } from './Deployment.ts'
import { explainError } from './explainError.ts'
import { assetsAbi, assetsBytecode } from './generated/Assets.ts'
import { channelsAbi, channelsBytecode } from './generated/Channels.ts'
import { embeddedDollarAbi, embeddedDollarBytecode } from './generated/EmbeddedDollar.ts'
import { jobsAbi, jobsBytecode } from './generated/Jobs.ts'
import { refereeAbi, refereeBytecode } from './generated/Referee.ts'
import { registryAbi, registryBytecode } from './generated/Registry.ts'
import { saltAbi, saltBytecode } from './generated/Salt.ts'
import { scalarMachineAbi, scalarMachineBytecode } from './generated/ScalarMachine.ts'
import { voteJudgeAbi, voteJudgeBytecode } from './generated/VoteJudge.ts'

export type DeployOptions = {
  rpcUrl: string
  /** Pays for the deployment; gets no right over any contract but the minting of the embedded dollar. */
  secret: Uint8Array
  /** Whole supply of SALT, in wei of SALT; there is no later mint. */
  saltHolders: { address: Hex; amount: bigint }[]
  name?: string
  /** Seconds between asking for a bond back and getting it. */
  unbondingSeconds?: number
  /** Seconds each side of a dispute has for all its moves: longer than forced inclusion and rebuilding a trace take. */
  clockSeconds?: number
  /** What a challenger puts up, in wei of SALT. */
  challengeBond?: bigint
  /** Also deploys a play dollar and lists it first among the tokens. For embedded chains only. */
  embeddedDollar?: boolean
  /** Tokens that already exist on this chain. */
  tokens?: Deployment['tokens']
  settings?: Partial<Deployment['settings']>
}

const WEEK_SECONDS = 604_800
const CLOCK_SECONDS = 60
const CHALLENGE_BOND = 100n * 10n ** 18n

/**
 * Deploys all contracts on any EVM chain and says where they stand. Write it down with `writeDeployment`: it is not repeatable.
 *
 * Cost: eight transactions in five waves, each as long as a block. Throws RPC_UNREACHABLE, or REVERTED when a constructor refuses.
 */
export async function deployContracts(options: DeployOptions): Promise<Deployment> {
  const { rpcUrl, secret, saltHolders, unbondingSeconds = WEEK_SECONDS } = options
  const { clockSeconds = CLOCK_SECONDS, challengeBond = CHALLENGE_BOND } = options
  const settings = deploymentSchema.shape.settings.parse({ confirmations: 1, pollMs: 200, ...options.settings })
  const client = createClient({ transport: http(rpcUrl) })
  const chainId = Number(
    await client.request({ method: 'eth_chainId' }).catch((error) => {
      throw explainError(error, [], { contract: 'rpc', function: 'eth_chainId' })
    }),
  )
  const send = createSender(client, privateKeyToAccount(toHex(secret)), chainId, settings)
  const blocks: number[] = []

  async function deploy(contract: string, abi: Abi, bytecode: Hex, args: unknown[]): Promise<Hex> {
    const data = encodeDeployData({ abi, bytecode, args })
    const receipt = await send({ data, abi, call: { contract, function: 'constructor' } })
    if (!receipt.contractAddress)
      throw new PotluckError('NOT_DEPLOYED', `${contract}: the receipt names no address`, {})
    blocks.push(Number(receipt.blockNumber))
    return receipt.contractAddress.toLowerCase() as Hex
  }

  const holders = [saltHolders.map(({ address }) => address), saltHolders.map(({ amount }) => amount)]
  const [salt, assets, dollar] = await Promise.all([
    deploy('salt', saltAbi, saltBytecode, holders),
    deploy('assets', assetsAbi, assetsBytecode, []),
    options.embeddedDollar ? deploy('dollar', embeddedDollarAbi, embeddedDollarBytecode, []) : undefined,
  ])
  const [registry, channels, machine] = await Promise.all([
    deploy('registry', registryAbi, registryBytecode, [salt, BigInt(unbondingSeconds)]),
    deploy('channels', channelsAbi, channelsBytecode, [assets]),
    deploy('machine', scalarMachineAbi, scalarMachineBytecode, []),
  ])
  const jobs = await deploy('jobs', jobsAbi, jobsBytecode, [registry, assets])
  const judge = await deploy('judge', voteJudgeAbi, voteJudgeBytecode, [jobs])
  const terms = [jobs, judge, machine, clockSeconds, challengeBond]
  const referee = await deploy('referee', refereeAbi, refereeBytecode, terms)
  return {
    name: options.name ?? 'potluck',
    chainId,
    block: Math.min(...blocks),
    contracts: { salt, registry, assets, jobs, judge, channels, referee },
    tokens: [...(dollar ? [{ symbol: 'EUSD', address: dollar, decimals: 6 }] : []), ...(options.tokens ?? [])],
    settings,
  }
}
