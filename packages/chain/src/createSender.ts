/**
 * Sends the transactions of one account: nonces in order, the same signed bytes again after a lost answer, receipts awaited.
 *
 * A transaction that an earlier life of this process sent may still be on its way: the first send waits for those, so that what the
 * caller just read of the chain's state is what its transaction meets. Repeating a step after a crash then ends in the contract's own no.
 */
import { type Hex, PotluckError } from '@potluck/protocol'
import { type Abi, BaseError, type Client, keccak256, type RpcTransactionReceipt } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import type { Deployment } from './Deployment.ts'
import { type Call, explainError, explainRevert, isUnreachable, unreachable } from './explainError.ts'
import { wait as realWait } from './wait.ts'

export type Transaction = { to?: Hex; data: Hex; value?: bigint; abi: Abi; call: Call }
export type SendOptions = { signal?: AbortSignal | undefined }
export type Sender = (transaction: Transaction, options?: SendOptions) => Promise<RpcTransactionReceipt>

/** What it takes to put one signed transaction in a block; longer means a fee too low or a chain that stands still. */
const INCLUSION_TIMEOUT_MS = 180_000
/** How long an endpoint may be away while a transaction is handed in. */
const GAP_TIMEOUT_MS = 30_000
/** Polls between two looks at whether the chain still knows the transaction. */
const POLLS_PER_REBROADCAST = 25
/** Blocks of public chains take no more from one transaction (EIP-7825). */
const MAX_GAS = 16_777_216n

type Signed = { raw: Hex; hash: Hex }

export function createSender(
  client: Client,
  account: PrivateKeyAccount,
  chainId: number,
  { confirmations, pollMs }: Deployment['settings'],
  wait: typeof realWait = realWait,
): Sender {
  let queue: Promise<unknown> = Promise.resolve()
  let inFlight = 0
  let lastNonce = -1
  let settled = false

  const send: Sender = async (transaction, { signal } = {}) => {
    const turn = queue.then(() => submit(transaction, signal))
    queue = turn.catch(() => undefined)
    const signed = await turn
    try {
      return await awaitReceipt(signed, transaction, signal)
    } finally {
      inFlight -= 1
    }
  }

  /** One at a time: what is signed next must know the nonce of the one before. Counts as in flight from here on. */
  async function submit(transaction: Transaction, signal: AbortSignal | undefined): Promise<Signed> {
    signal?.throwIfAborted()
    if (!settled) await settle(transaction, signal)
    for (let attempt = 1; ; attempt++) {
      const signed = await sign(transaction)
      inFlight += 1
      const accepted = await broadcast(signed, transaction, signal).catch((error) => {
        inFlight -= 1
        throw error
      })
      if (accepted) return signed
      inFlight -= 1
      if (attempt === 5) {
        const message = `another process keeps sending from ${account.address}; give each process its own key`
        throw new PotluckError('NONCE_CONTESTED', message, { ...transaction.call }, { remedy: 'fix-setup' })
      }
      await wait(pollMs, signal)
    }
  }

  async function settle({ call, abi }: Transaction, signal: AbortSignal | undefined): Promise<void> {
    try {
      const seen = Number(await client.request({ method: 'eth_chainId' }))
      if (seen !== chainId) {
        const message = `the endpoint serves chain ${seen}, the deployment is on chain ${chainId}: use another endpoint or deployment`
        throw new PotluckError('WRONG_CHAIN', message, { seen, wanted: chainId }, { remedy: 'fix-setup' })
      }
      for (let waitedMs = 0; waitedMs < GAP_TIMEOUT_MS; waitedMs += pollMs) {
        if ((await nonceAt('pending')) === (await nonceAt('latest'))) break
        await wait(pollMs, signal)
      }
    } catch (error) {
      throw explainError(error, abi, call)
    }
    settled = true
  }

  async function nonceAt(block: 'latest' | 'pending'): Promise<number> {
    return Number(await client.request({ method: 'eth_getTransactionCount', params: [account.address, block] }))
  }

  async function sign({ to, data, value = 0n, abi, call }: Transaction): Promise<Signed> {
    try {
      const request = { from: account.address, data, value: `0x${value.toString(16)}`, ...(to && { to }) } as const
      const estimated = BigInt(await client.request({ method: 'eth_estimateGas', params: [request, 'latest'] }))
      // Others' transactions may come first and make ours dearer: the last reveal also draws the beacon, for one.
      const roomy = (estimated * 3n) / 2n + 100_000n
      const gas = roomy <= MAX_GAS ? roomy : estimated > MAX_GAS ? estimated : MAX_GAS
      const pending = await nonceAt('pending')
      const nonce = inFlight > 0 ? Math.max(pending, lastNonce + 1) : pending
      const base = { chainId, nonce, gas, data, value, ...(to && { to }) }
      const raw = await account.signTransaction({ ...base, ...(await feesNow()) })
      lastNonce = nonce
      return { raw, hash: keccak256(raw) }
    } catch (error) {
      throw explainError(error, abi, call)
    }
  }

  async function feesNow() {
    const block = await client.request({ method: 'eth_getBlockByNumber', params: ['latest', false] })
    if (block?.baseFeePerGas == null) {
      return { type: 'legacy', gasPrice: BigInt(await client.request({ method: 'eth_gasPrice' })) } as const
    }
    const tip = BigInt(await client.request({ method: 'eth_maxPriorityFeePerGas' }))
    // Twice the base fee outlasts six full blocks in a row.
    return { type: 'eip1559', maxPriorityFeePerGas: tip, maxFeePerGas: 2n * BigInt(block.baseFeePerGas) + tip } as const
  }

  /** Whether the chain took it; false when its nonce belongs to another transaction. */
  async function broadcast({ raw, hash }: Signed, { abi, call }: Transaction, signal: AbortSignal | undefined) {
    for (let waitedMs = 0; ; waitedMs += pollMs) {
      try {
        await client.request({ method: 'eth_sendRawTransaction', params: [raw] })
        return true
      } catch (error) {
        const reason = error instanceof BaseError ? error.details : String(error)
        if (/already (known|imported)/i.test(reason)) return true
        if (/nonce too low/i.test(reason)) return (await receiptOf(hash)) !== null
        if (/underpriced/i.test(reason)) return false
        if (!isUnreachable(error)) throw explainError(error, abi, call)
        if (waitedMs >= GAP_TIMEOUT_MS) throw unreachable(`${call.contract}.${call.function}`, error)
      }
      await wait(pollMs, signal)
    }
  }

  const receiptOf = (hash: Hex) => client.request({ method: 'eth_getTransactionReceipt', params: [hash] })

  async function awaitReceipt(signed: Signed, transaction: Transaction, signal: AbortSignal | undefined) {
    const { hash } = signed
    let gap: unknown
    for (let polls = 1; polls * pollMs < INCLUSION_TIMEOUT_MS; polls++) {
      try {
        const receipt = await receiptOf(hash)
        if (receipt && (await isDeepEnough(receipt))) return await checked(receipt, transaction)
        if (!receipt && polls % POLLS_PER_REBROADCAST === 0) await rebroadcast(signed, transaction, signal)
        gap = undefined
      } catch (error) {
        if (!isUnreachable(error)) throw error
        gap = error
      }
      await wait(pollMs, signal)
    }
    const where = `${transaction.call.contract}.${transaction.call.function}`
    if (gap) throw unreachable(where, gap)
    const message = `${where}: transaction ${hash} is in no block after ${INCLUSION_TIMEOUT_MS / 1000} s; look at the state again before repeating`
    throw new PotluckError('TRANSACTION_PENDING', message, { ...transaction.call, hash }, { remedy: 'retry' })
  }

  /** A chain that lost its pool, or went back to an older state, is told again. */
  async function rebroadcast(signed: Signed, transaction: Transaction, signal: AbortSignal | undefined): Promise<void> {
    const known = await client.request({ method: 'eth_getTransactionByHash', params: [signed.hash] })
    if (known || (await broadcast(signed, transaction, signal))) return
    const where = `${transaction.call.contract}.${transaction.call.function}`
    const message = `${where}: another transaction took the nonce of ${signed.hash}; look at the state again before repeating`
    throw new PotluckError('TRANSACTION_LOST', message, { ...transaction.call, hash: signed.hash }, { remedy: 'retry' })
  }

  async function isDeepEnough(receipt: RpcTransactionReceipt): Promise<boolean> {
    if (confirmations === 1) return true
    const newest = BigInt(await client.request({ method: 'eth_blockNumber' }))
    return newest - BigInt(receipt.blockNumber) + 1n >= BigInt(confirmations)
  }

  async function checked(receipt: RpcTransactionReceipt, { to, data, value = 0n, abi, call }: Transaction) {
    if (receipt.status !== '0x0') return receipt
    const request = { from: account.address, data, value: `0x${value.toString(16)}`, ...(to && { to }) } as const
    // The block that holds it knows best why; an endpoint that keeps no old states can still try the newest.
    for (const block of [receipt.blockNumber, 'latest'] as const) {
      try {
        await client.request({ method: 'eth_call', params: [request, block] })
      } catch (error) {
        const explained = explainError(error, abi, call)
        if (explained.code === 'REVERTED') throw explained
      }
    }
    throw explainRevert('0x', abi, call)
  }

  return send
}
