import { concatBytes, equalBytes, fromHex, PotluckError, toHex, utf8 } from '@potluck/protocol'
import { type BudgetLedger, type Charge, checkLedger } from './BudgetLedger.ts'

// 'PLBL' and the version of the layout.
const magic = Uint8Array.of(0x50, 0x4c, 0x42, 0x4c, 1)

/**
 * The ledger as bytes, one form for each ledger (L-59): magic and version, owner, dataset, ε, δ, count of charges (u32), then for each
 * job, round (u32), attempt (u32), release (32 bytes), noise, rate, steps (u32). Names are a length byte and UTF-8; numbers f64,
 * all big-endian.
 *
 * @throws PotluckError BAD_LEDGER, BAD_PRIVACY
 */
export function encodeLedger(ledger: BudgetLedger): Uint8Array {
  checkLedger(ledger)
  const { owner, dataset, budget, spent } = ledger
  return concatBytes(
    magic,
    text(owner),
    text(dataset),
    f64(budget.epsilon),
    f64(budget.delta),
    u32(spent.length),
    ...spent.flatMap(({ job, round, attempt, release, step }) => [
      text(job),
      u32(round),
      u32(attempt),
      fromHex(release),
      f64(step.noise),
      f64(step.rate),
      u32(step.steps),
    ]),
  )
}

/**
 * The ledger these bytes hold.
 *
 * @throws PotluckError BAD_LEDGER for anything `encodeLedger` would not have written; a ledger that cannot be read must not be
 * taken for an empty one
 */
export function decodeLedger(bytes: Uint8Array): BudgetLedger {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0
  const take = (length: number): number => {
    if (at + length > bytes.length) throw broken(`the ledger ends at byte ${bytes.length}, needed ${at + length}`)
    at += length
    return at - length
  }
  const takeU32 = (): number => view.getUint32(take(4))
  const takeF64 = (): number => view.getFloat64(take(8))
  const takeText = (): string => {
    const length = view.getUint8(take(1))
    const start = take(length)
    return new TextDecoder().decode(bytes.subarray(start, start + length))
  }
  if (!equalBytes(bytes.subarray(take(magic.length), at), magic)) throw broken('these bytes are no ledger of version 1')
  const [owner, dataset] = [takeText(), takeText()]
  const budget = { epsilon: takeF64(), delta: takeF64() }
  const count = takeU32()
  const spent: Charge[] = []
  for (let i = 0; i < count; i++) {
    const [job, round, attempt] = [takeText(), takeU32(), takeU32()]
    const start = take(32)
    const release = toHex(bytes.subarray(start, start + 32))
    spent.push({ job, round, attempt, release, step: { noise: takeF64(), rate: takeF64(), steps: takeU32() } })
  }
  const ledger = { owner, dataset, budget, spent }
  if (at !== bytes.length) throw broken(`${bytes.length - at} bytes follow the ledger`)
  // Text that is not UTF-8, among others, would be written differently.
  if (!equalBytes(encodeLedger(ledger), bytes)) throw broken('these bytes are not the one form of their ledger')
  return ledger
}

const broken = (what: string): PotluckError =>
  new PotluckError('BAD_LEDGER', `${what}: restore it from a copy; without it nothing may be released from these rows`)

function text(name: string): Uint8Array {
  const bytes = utf8(name)
  return concatBytes(Uint8Array.of(bytes.length), bytes)
}

function u32(value: number): Uint8Array {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, value)
  return out
}

function f64(value: number): Uint8Array {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setFloat64(0, value)
  return out
}
