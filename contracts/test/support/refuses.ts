import assert from 'node:assert/strict'
import { type Abi, decodeErrorResult, type Hex, isHex } from 'viem'

/** A call that reverted, with the custom error as the ABI names it. */
export class Refused extends Error {
  readonly errorName: string
  readonly args: readonly unknown[]

  constructor(abi: Abi, data: Hex) {
    const { errorName, args = [] } = decodeErrorResult({ abi, data })
    super(`${errorName}(${args.join(', ')})`)
    this.errorName = errorName
    this.args = args
  }
}

/** What the contract reverted with, wherever the client has wrapped it; nothing when the call failed for another reason. */
export function revertDataIn(error: unknown): Hex | undefined {
  for (let cause = error; typeof cause === 'object' && cause !== null; cause = 'cause' in cause ? cause.cause : null) {
    if ('data' in cause && isHex(cause.data) && cause.data.length >= 10) return cause.data
    // The in-process chain puts it in words when it cannot tell where in the source the call stopped.
    const words = 'message' in cause ? /return data: (0x[0-9a-f]{8,})/.exec(String(cause.message)) : null
    if (words) return words[1] as Hex
  }
  return undefined
}

/** Passes when the call reverts with this custom error, and with these values where given. */
export async function refuses(call: Promise<unknown>, errorName: string, args?: readonly unknown[]): Promise<void> {
  const outcome = await call.then(
    () => 'no refusal',
    (error: unknown) => error,
  )
  if (!(outcome instanceof Refused)) {
    if (outcome instanceof Error) throw outcome
    assert.fail(`the call went through; ${errorName} was expected`)
  }
  assert.equal(outcome.errorName, errorName)
  if (args) assert.deepEqual(outcome.args, args)
}
