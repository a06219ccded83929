import { codeOf, type Facts, PotluckError } from '@potluck/protocol'
import {
  type Abi,
  AbiErrorSignatureNotFoundError,
  BaseError,
  decodeErrorResult,
  type Hex,
  HttpRequestError,
  TimeoutError,
} from 'viem'
import { lowerCaseAddresses } from './lowerCaseAddresses.ts'

export type Call = { contract: string; function: string }

/** Whether the chain did not answer, as opposed to answering no. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof BaseError)) return false
  const isGap = (cause: unknown): boolean =>
    cause instanceof HttpRequestError || cause instanceof TimeoutError || codeOf(cause) === 'RPC_UNREACHABLE'
  return error.walk(isGap) !== null
}

/** What viem threw, as the caller can act on it: RPC_UNREACHABLE, REVERTED with the contract's own error, or RPC_REFUSED. */
export function explainError(error: unknown, abi: Abi, call: Call): PotluckError {
  if (error instanceof PotluckError) return error
  const where = `${call.contract}.${call.function}`
  if (isUnreachable(error)) return unreachable(where, error)
  const data = revertDataOf(error)
  if (data !== undefined) return explainRevert(data, abi, call, error)
  const reason = error instanceof BaseError ? error.details || error.shortMessage : String(error)
  if (/revert/i.test(reason)) return explainRevert('0x', abi, call, error)
  return new PotluckError('RPC_REFUSED', `${where}: ${reason}`, { ...call }, { cause: error })
}

export function unreachable(where: string, cause: unknown): PotluckError {
  const reason = cause instanceof BaseError ? cause.shortMessage : String(cause)
  const message = `no answer from the chain to ${where}: ${reason} Try again; is the RPC endpoint up?`
  return new PotluckError('RPC_UNREACHABLE', message, { where }, { cause, remedy: 'retry' })
}

/** REVERTED from the bytes a call reverted with; `facts.error` is the name of the contract's error. */
export function explainRevert(data: Hex, abi: Abi, call: Call, cause?: unknown): PotluckError {
  const where = `${call.contract}.${call.function}`
  if (data === '0x') {
    const message = `${where} was refused without a reason: a call into an address without that function, or out of gas`
    return new PotluckError('REVERTED', message, { ...call, error: null }, { cause })
  }
  try {
    const { errorName, args = [], abiItem } = decodeErrorResult({ abi, data })
    const inputs = 'inputs' in abiItem ? abiItem.inputs : []
    const values: readonly unknown[] = lowerCaseAddresses(args)
    const shown = values.map((value, i) => `${inputs[i]?.name || i}: ${show(value)}`).join(', ')
    const facts: Facts = { ...call, error: errorName, args: shown }
    return new PotluckError('REVERTED', `${where} was refused: ${errorName}(${shown})`, facts, { cause })
  } catch (notDecoded) {
    if (!(notDecoded instanceof AbiErrorSignatureNotFoundError)) throw notDecoded
    const message = `${where} was refused with an error that is not in its ABI: ${data.slice(0, 138)}`
    return new PotluckError('REVERTED', message, { ...call, error: data.slice(0, 10) }, { cause })
  }
}

const show = (value: unknown): string =>
  typeof value === 'object'
    ? JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}` : inner))
    : String(value)

/** The bytes of a revert anywhere in the chain of causes; endpoints put them in different places. */
function revertDataOf(error: unknown): Hex | undefined {
  for (let at = error; at !== null && typeof at === 'object'; at = 'cause' in at ? at.cause : null) {
    if (!('data' in at)) continue
    const { data } = at
    const found = typeof data === 'object' && data !== null && 'data' in data ? data.data : data
    if (typeof found === 'string' && /^0x([0-9a-f]{2})*$/i.test(found)) return found as Hex
  }
  return undefined
}
