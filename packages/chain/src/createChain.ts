import { type Hex, PotluckError, toHex } from '@potluck/protocol'
import {
  type Abi,
  type ContractFunctionArgs,
  type ContractFunctionName,
  createClient,
  custom,
  encodeFunctionData,
  http,
  numberToHex,
  type RpcTransactionReceipt,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { type Abis, abis, type ContractName, type TokenAbi, tokenAbi } from './abis.ts'
import { type ChainEvent, createLogDecoder, type EventName, type EventOf, isEvent } from './ChainEvent.ts'
import { type ContractReads, contractReads } from './contractReads.ts'
import { createSender, type Sender, type SendOptions } from './createSender.ts'
import type { Deployment } from './Deployment.ts'
import { explainError } from './explainError.ts'
import { wait } from './wait.ts'

type Write = 'nonpayable' | 'payable'
export type WriteName<A extends Abi> = ContractFunctionName<A, Write>
export type WriteArgs<A extends Abi, F extends WriteName<A>> = ContractFunctionArgs<A, Write, F>

export type Receipt = { hash: Hex; blockNumber: bigint; gasUsed: bigint; logs: ChainEvent[] }

export type Token = {
  address: Hex
  read: ContractReads<TokenAbi>
  send<F extends WriteName<TokenAbi>>(name: F, args: WriteArgs<TokenAbi, F>, options?: SendOptions): Promise<Receipt>
}

export type EventRange = { fromBlock: bigint; toBlock: bigint; contracts?: ContractName[] }

export type Chain = ReturnType<typeof createChain>

/** Stands in for HTTP and for timers, where a simulation has its own network and time. */
export type Wire = {
  /** Answers as a JSON-RPC endpoint does; what it throws may carry `code`, `message` and `data` as such an endpoint's errors do. */
  request(call: { method: string; params?: unknown }): Promise<unknown>
  wait(ms: number, signal?: AbortSignal): Promise<void>
}

const encodeCall = (abi: Abi, functionName: string, args: unknown): Hex =>
  encodeFunctionData({ abi, functionName, args: args as readonly unknown[] })

/**
 * A client of one deployment, with the account of `secret` when there is one. Nothing is asked of the chain before the first call.
 *
 * Everything throws RPC_UNREACHABLE (remedy retry) when the chain does not answer, after a second of trying. Addresses that come
 * back are in lower case. Close nothing: it holds no socket and no timer but those of `onBlock`.
 */
export function createChain(options: {
  rpcUrl: string
  deployment: Deployment
  secret?: Uint8Array | undefined
  wire?: Wire
}) {
  const { rpcUrl, deployment, secret, wire } = options
  const { contracts, settings } = deployment
  const client = createClient({
    transport: wire
      ? custom({ request: wire.request }, { retryCount: 0 })
      : http(rpcUrl, { retryCount: 3, retryDelay: 150, timeout: 10_000 }),
  })
  const pause = wire?.wait ?? wait
  const account = secret && privateKeyToAccount(toHex(secret))
  const sender = account && createSender(client, account, deployment.chainId, settings, pause)
  const decodeLogs = createLogDecoder(deployment)

  const read = {
    salt: contractReads(client, 'salt', abis.salt, contracts.salt),
    registry: contractReads(client, 'registry', abis.registry, contracts.registry),
    assets: contractReads(client, 'assets', abis.assets, contracts.assets),
    jobs: contractReads(client, 'jobs', abis.jobs, contracts.jobs),
    judge: contractReads(client, 'judge', abis.judge, contracts.judge),
    channels: contractReads(client, 'channels', abis.channels, contracts.channels),
    referee: contractReads(client, 'referee', abis.referee, contracts.referee),
  }

  const receiptOf = (receipt: RpcTransactionReceipt): Receipt => ({
    hash: receipt.transactionHash,
    blockNumber: BigInt(receipt.blockNumber),
    gasUsed: BigInt(receipt.gasUsed),
    logs: decodeLogs(receipt.logs),
  })

  async function sendCall(
    contract: ContractName,
    name: string,
    args: unknown,
    sendOptions?: SendOptions,
  ): Promise<Receipt> {
    const abi: Abi = abis[contract]
    const data = encodeCall(abi, name, args)
    return receiptOf(
      await senderNow()({ to: contracts[contract], data, abi, call: { contract, function: name } }, sendOptions),
    )
  }

  function senderNow(): Sender {
    if (sender) return sender
    throw new PotluckError('NO_KEY', 'sending needs a key: create the chain client with a secret', {})
  }

  /** Runs a request that has no contract, with its errors explained. */
  async function ask<T>(what: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request()
    } catch (error) {
      throw explainError(error, [], { contract: 'rpc', function: what })
    }
  }

  const blockNumber = async (): Promise<bigint> =>
    BigInt(await ask('eth_blockNumber', () => client.request({ method: 'eth_blockNumber' })))

  async function timestampOf(block: 'latest' | bigint): Promise<bigint> {
    const tag = block === 'latest' ? block : numberToHex(block)
    const method = 'eth_getBlockByNumber'
    const found = await ask(method, () => client.request({ method, params: [tag, false] }))
    if (found) return BigInt(found.timestamp)
    throw new PotluckError('RPC_REFUSED', `the endpoint does not have block ${block} yet`, {}, { remedy: 'retry' })
  }

  return {
    deployment,
    /** Lower-case address of the secret, or undefined for a client that only reads. */
    account: account?.address.toLowerCase() as Hex | undefined,
    read,

    /**
     * Sends one transaction and waits until it counts. The call is tried first: what the contract would refuse costs nothing.
     *
     * Throws REVERTED with the contract's own error in `facts.error`; TRANSACTION_LOST or TRANSACTION_PENDING (remedy retry) when it is not
     * known whether it will happen: look at the state before repeating. Sends of one client are handed in one after the other.
     */
    async send<C extends ContractName, F extends WriteName<Abis[C]>>(
      contract: C,
      name: F,
      args: WriteArgs<Abis[C], F>,
      sendOptions?: SendOptions,
    ): Promise<Receipt> {
      return sendCall(contract, name, args, sendOptions)
    },

    /** `send` for a call that is carried as a value: only the ABI says whether name and arguments fit. */
    sendCall,

    /** Sends the chain's own coin, in wei: gas money for another account. */
    async sendValue(to: Hex, wei: bigint, sendOptions?: SendOptions): Promise<Receipt> {
      const call = { contract: 'account', function: 'sendValue' }
      return receiptOf(await senderNow()({ to, data: '0x', value: wei, abi: [], call }, sendOptions))
    },

    /** Any ERC-20 with permit at `address`. */
    erc20(address: Hex): Token {
      return {
        address: address.toLowerCase() as Hex,
        read: contractReads(client, 'token', tokenAbi, address),
        async send(name, args, sendOptions) {
          const data = encodeCall(tokenAbi, name, args)
          const call = { contract: 'token', function: name }
          return receiptOf(await senderNow()({ to: address, data, abi: tokenAbi, call }, sendOptions))
        },
      }
    },

    /**
     * The events of all contracts from `fromBlock` to `toBlock`, both included, in the order of the chain, each with its block's time.
     * Asks for `settings.logBlocks` blocks at a time.
     */
    async events({ fromBlock, toBlock, contracts: wanted }: EventRange): Promise<ChainEvent[]> {
      const address = (wanted ?? (Object.keys(abis) as ContractName[])).map((name) => contracts[name])
      const found: ChainEvent[] = []
      for (let from = fromBlock; from <= toBlock; from += BigInt(settings.logBlocks)) {
        const last = from + BigInt(settings.logBlocks) - 1n
        const range = { fromBlock: numberToHex(from), toBlock: numberToHex(last < toBlock ? last : toBlock) }
        const method = 'eth_getLogs'
        found.push(...decodeLogs(await ask(method, () => client.request({ method, params: [{ address, ...range }] }))))
      }
      const times = new Map<bigint, bigint>()
      for (const event of found) {
        if (event.timestamp !== undefined) continue
        const time = times.get(event.block) ?? (await timestampOf(event.block))
        times.set(event.block, time)
        event.timestamp = time
      }
      return found
    },

    /** Number of the newest block. */
    blockNumber,

    /** Number of the newest block with enough others on top of it to be relied on (`settings.confirmations`). */
    async confirmedBlock(): Promise<bigint> {
      const confirmed = (await blockNumber()) - BigInt(settings.confirmations - 1)
      return confirmed < 0n ? 0n : confirmed
    },

    /** The chain's clock: seconds, of the newest block. */
    now: (): Promise<bigint> => timestampOf('latest'),

    /** What an account has for gas, in wei. */
    async balanceOf(address: Hex): Promise<bigint> {
      const method = 'eth_getBalance'
      return BigInt(await ask(method, () => client.request({ method, params: [address, 'latest'] })))
    },

    /** Throws WRONG_CHAIN or NOT_DEPLOYED when the endpoint does not serve this deployment. */
    async check(): Promise<void> {
      const seen = Number(await ask('eth_chainId', () => client.request({ method: 'eth_chainId' })))
      const where = `the endpoint serves chain ${seen}; the deployment says chain ${deployment.chainId}`
      if (seen !== deployment.chainId) {
        const facts = { seen, wanted: deployment.chainId }
        throw new PotluckError('WRONG_CHAIN', `${where}: use another endpoint or deployment`, facts, {
          remedy: 'fix-setup',
        })
      }
      for (const [name, address] of Object.entries(contracts)) {
        if (!address) continue
        const method = 'eth_getCode'
        const code = await ask(method, () => client.request({ method, params: [address, 'latest'] }))
        if (code && code !== '0x') continue
        const message = `no contract ${name} at ${address} on chain ${seen}: deploy again, or use the deployment of this chain`
        throw new PotluckError('NOT_DEPLOYED', message, { contract: name, address }, { remedy: 'fix-setup' })
      }
    },

    /**
     * Calls `handler` with the newest block number now and whenever it has grown, at most every `settings.pollMs`, never twice at a time.
     *
     * What it throws, and every gap in the chain's answers, goes to `onError`; polling goes on.
     * @returns stops it
     */
    onBlock(
      handler: (block: bigint) => void | Promise<void>,
      onError: (error: unknown) => void = (error) => process.emitWarning(error as Error),
    ): () => void {
      const stopped = new AbortController()
      async function poll(): Promise<void> {
        let last = -1n
        while (!stopped.signal.aborted) {
          try {
            const block = await blockNumber()
            if (block !== last && !stopped.signal.aborted) await handler(block)
            last = block
          } catch (error) {
            onError(error)
          }
          await pause(settings.pollMs)
        }
      }
      void poll()
      return () => stopped.abort()
    },
  }
}

/** The first event of this name in a receipt, typed. Throws EVENT_MISSING: the transaction did something else. */
export function eventIn<C extends ContractName, N extends EventName<C>>(
  receipt: Receipt,
  contract: C,
  name: N,
): EventOf<C, N> {
  const found = receipt.logs.find((event) => isEvent(event, contract, name))
  if (found) return found as EventOf<C, N>
  const message = `transaction ${receipt.hash} has no event ${contract}.${name}`
  throw new PotluckError('EVENT_MISSING', message, { hash: receipt.hash, contract, name }, { remedy: 'give-up' })
}
