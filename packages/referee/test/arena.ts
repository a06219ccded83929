/**
 * The contracts on an embedded chain that mines a block for every transaction, with registered players. Accounts are
 * impersonated: the chain signs nothing, so that a dispute takes milliseconds.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { abis, deployContracts, embeddedAccounts, startEmbeddedChain, tokenAbi } from '@potluck/chain'
import { addressOfSecret, type Hex, PotluckError, toHex } from '@potluck/protocol'
import { type Abi, decodeErrorResult, decodeEventLog, decodeFunctionResult, encodeFunctionData } from 'viem'
import type { RefereeClient, RefereeLog } from '../src/index.ts'

const saltAbi: Abi = abis.salt
const dollarAbi: Abi = tokenAbi
const registryAbi: Abi = abis.registry
const jobsAbi: Abi = abis.jobs
const refereeAbi: Abi = abis.referee
const ZERO = toHex(new Uint8Array(32))
const ETHER = 10n ** 18n
export const CLOCK_SECONDS = 3_600
const BOND = 10n * ETHER

type Receipt = { contractAddress: Hex | null; gasUsed: Hex; blockNumber: Hex; status: Hex; logs: Log[] }
type Log = { address: Hex; data: Hex; topics: [Hex, ...Hex[]] }

/** A client that also says how long a call was. */
export type ArenaClient = Omit<RefereeClient, 'send'> & {
  send(name: string, args: readonly unknown[]): Promise<{ gasUsed: bigint; bytes: number }>
}

export type Arena = Awaited<ReturnType<typeof openArena>>

/** Starts the chain and deploys; `close` ends it. About a second. */
export async function openArena() {
  const dir = mkdtempSync(join(tmpdir(), 'potluck-referee-'))
  const chain = await startEmbeddedChain({ dir, blockSeconds: 100_000, saveSeconds: 100_000 })
  const [deployer] = embeddedAccounts.map(addressOfSecret) as [Hex]
  let ids = 0

  async function rpc<T>(method: string, ...params: unknown[]): Promise<T> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: ++ids, method, params })
    const response = await fetch(chain.rpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    const { result, error } = (await response.json()) as { result: T; error?: { message: string; data?: Hex } }
    if (!error) return result
    throw refusal(method, error)
  }

  function refusal(method: string, { message, data }: { message: string; data?: Hex }): PotluckError {
    const name = typeof data === 'string' && data.length >= 10 ? nameOf(data) : undefined
    return new PotluckError(name ? 'REVERTED' : 'RPC_REFUSED', `${method}: ${name ?? message}`, { error: name ?? '' })
  }

  function nameOf(data: Hex): string {
    for (const abi of [refereeAbi, registryAbi, jobsAbi]) {
      try {
        const { errorName, args } = decodeErrorResult({ abi, data })
        return `${errorName}(${(args ?? []).join(', ')})`
      } catch (error) {
        // Another contract's error: the next ABI may know it.
        if (!(error instanceof Error)) throw error
      }
    }
    return data
  }

  async function transact(from: Hex, to: Hex | undefined, data: Hex): Promise<Receipt> {
    const hash = await rpc<Hex>('eth_sendTransaction', { from, ...(to && { to }), data, gas: '0xf00000' })
    let receipt = await rpc<Receipt | null>('eth_getTransactionReceipt', hash)
    // The block is made beside the answer: it is there one or two questions later.
    while (!receipt) receipt = await rpc<Receipt | null>('eth_getTransactionReceipt', hash)
    if (receipt.status === '0x1') return receipt
    await rpc('eth_call', { from, ...(to && { to }), data, gas: '0xf00000' }, 'latest')
    throw new PotluckError('REVERTED', 'a transaction was refused')
  }

  const call = (from: Hex, to: Hex, abi: Abi, functionName: string, args: readonly unknown[]): Promise<Receipt> =>
    transact(from, to, encodeFunctionData({ abi, functionName, args }))

  async function read<T>(to: Hex, abi: Abi, functionName: string, args: readonly unknown[]): Promise<T> {
    const data = await rpc<Hex>('eth_call', { to, data: encodeFunctionData({ abi, functionName, args }) }, 'latest')
    return decodeFunctionResult({ abi, functionName, data }) as T
  }

  await rpc('evm_setAutomine', true)
  await rpc('anvil_autoImpersonateAccount', true)
  const { contracts, tokens } = await deployContracts({
    ...{ rpcUrl: chain.rpcUrl, secret: embeddedAccounts[0] as Uint8Array, embeddedDollar: true },
    ...{ clockSeconds: CLOCK_SECONDS, challengeBond: BOND, settings: { pollMs: 20 } },
    saltHolders: [{ address: deployer, amount: 10n ** 9n * ETHER }],
  })
  const { salt, registry, jobs, referee: address } = contracts
  const dollar = tokens[0]?.address as Hex
  await call(deployer, dollar, dollarAbi, 'mint', [deployer, 10n ** 15n])
  await call(deployer, dollar, dollarAbi, 'approve', [jobs, 10n ** 15n])

  /** A registered node with 1,000,000 SALT of bond that the referee may lock. */
  async function player(number: number): Promise<Hex> {
    const node = `0x${(0xc0ffee0000 + number).toString(16).padStart(40, '0')}` as Hex
    const amount = 10n ** 6n * ETHER
    await rpc('anvil_setBalance', node, `0x${(10n ** 24n).toString(16)}`)
    await call(deployer, salt, saltAbi, 'transfer', [node, amount])
    await call(node, salt, saltAbi, 'approve', [registry, amount])
    await call(node, registry, registryAbi, 'register', [node, 1, 'http://127.0.0.1:1', '0x'])
    await call(node, registry, registryAbi, 'bond', [amount])
    for (const locker of [address, jobs]) await call(node, registry, registryAbi, 'allowLocker', [locker, true])
    return node
  }

  /** A job that is judged by the referee; its number. */
  async function createJob(programRoot: Hex, baseRoot: Hex): Promise<number> {
    const terms = {
      token: dollar,
      rounds: 2,
      purpose: 1,
      trustClass: 0,
      committeeSize: 7,
      quorum: 5,
      payPerRound: 1n,
      workerBond: 100n * ETHER,
      validatorBond: ETHER,
      witnessBond: ETHER,
      fixSeconds: 60,
      beaconBlocks: 2,
      revealSeconds: 30,
      turnSeconds: 10,
      challengeSeconds: 20,
      minWorkers: 1,
      minValidators: 3,
      minWitnesses: 7,
      judge: address,
      contributorsShare: 0,
      modelPurposes: 8,
      modelMinShare: 0,
      modelTrainPrice: 0n,
      missingPenalty: ETHER,
      modelLicenceDigest: ZERO,
      paramsVersion: 1,
      programRoot,
      specDigest: programRoot,
      baseDigest: baseRoot,
      baseRoot,
      dataVersions: [],
      parentShares: [],
    }
    const receipt = await call(deployer, jobs, jobsAbi, 'create', [terms])
    const [created] = eventsOf(receipt.logs, jobs, jobsAbi)
    return Number(created?.args.jobId)
  }

  function clientOf(from: Hex): ArenaClient {
    const view = <T>(name: string, args: readonly unknown[]): Promise<T> => read<T>(address, refereeAbi, name, args)
    const block = async (): Promise<bigint> => BigInt(await rpc<Hex>('eth_blockNumber'))
    return {
      confirmedBlock: block,
      blockNumber: block,
      now: async () => BigInt((await rpc<{ timestamp: Hex }>('eth_getBlockByNumber', 'latest', false)).timestamp),
      async events(fromBlock, toBlock) {
        const range = { address, fromBlock: `0x${fromBlock.toString(16)}`, toBlock: `0x${toBlock.toString(16)}` }
        return eventsOf(await rpc<Log[]>('eth_getLogs', range), address, refereeAbi)
      },
      gameOf: (game) => view('gameOf', [game]),
      challengeOf: (id) => view('challengeOf', [id]),
      clockSeconds: () => view('clockSeconds', []),
      verdict: (jobId, subject) => view('verdict', [jobId, subject]),
      async send(name, args) {
        const receipt = await call(from, address, refereeAbi, name, args)
        const bytes = (encodeFunctionData({ abi: refereeAbi, functionName: name, args }).length - 2) / 2
        return { gasUsed: BigInt(receipt.gasUsed), bytes }
      },
    }
  }

  return {
    rpc,
    player,
    createJob,
    clientOf,
    referee: address,
    jobs,
    registry,
    deployer,
    call,
    read,
    async advance(seconds: number): Promise<void> {
      await rpc('evm_increaseTime', seconds)
      await rpc('evm_mine')
    },
    block: async (): Promise<bigint> => BigInt(await rpc<Hex>('eth_blockNumber')),
    async close(): Promise<void> {
      await chain.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function eventsOf(logs: readonly Log[], address: Hex, abi: Abi): RefereeLog[] {
  return logs
    .filter((log) => log.address.toLowerCase() === address.toLowerCase())
    .map((log) => {
      const { eventName, args } = decodeEventLog({ abi, data: log.data, topics: log.topics })
      return { name: String(eventName), args: Object.fromEntries(Object.entries(args ?? {})) }
    })
}
