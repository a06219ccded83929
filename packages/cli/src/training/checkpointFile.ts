import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import {
  type Checkpoint,
  float32Tensor,
  readSafetensors,
  type SafetensorsFile,
  stateRoot,
  toFloat32,
  writeSafetensors,
} from '@potluck/engine'
import { type Hex, PotluckError } from '@potluck/protocol'

/** What a run must have in common with the checkpoint it goes on from, by name: settings, and a hash of the data. */
export type RunIdentity = Readonly<Record<string, string>>

const FORMAT = 'potluck-checkpoint-1'
const STATE = 'state.'
const BEST = 'best.parameters'

/** A checkpoint as a safetensors file: the state, the best parameters, and all the rest as texts. Equal checkpoints give equal bytes. */
export function encodeCheckpoint(checkpoint: Checkpoint, identity: RunIdentity): Uint8Array {
  const { programRoot, seedHash, step, state, best } = checkpoint
  const tensors = Object.entries(state).map(([name, values]) => float32Tensor(STATE + name, [values.length], values))
  if (best) tensors.push(float32Tensor(BEST, [best.parameters.length], best.parameters))
  return writeSafetensors(tensors, {
    format: FORMAT,
    programRoot,
    seedHash,
    step: String(step),
    stateHash: hashOf(checkpoint),
    ...(best ? { bestStep: String(best.step), bestLoss: String(best.loss) } : {}),
    run: JSON.stringify(identity),
  })
}

const byName = (a: string, b: string): number => (a < b ? -1 : 1)

/** A root over the state and the best parameters, by name: tells a damaged file from a good one. */
const hashOf = ({ state, best }: Pick<Checkpoint, 'state' | 'best'>): Hex =>
  stateRoot([
    ...Object.keys(state)
      .sort(byName)
      .map((name) => state[name]!),
    ...(best ? [best.parameters] : []),
  ])

/**
 * Reads what `encodeCheckpoint` wrote.
 *
 * @throws PotluckError BAD_CHECKPOINT with what was wrong; FORMAT_* for a file that is no sound safetensors file
 */
export function decodeCheckpoint(bytes: Uint8Array, file: string): { checkpoint: Checkpoint; identity: RunIdentity } {
  const { tensors, metadata } = readSound(bytes, file)
  if (metadata.format !== FORMAT) {
    throw bad(
      file,
      `its format is ${JSON.stringify(metadata.format ?? null)}, expected "${FORMAT}": it is no checkpoint`,
    )
  }
  const whole = (label: string): number => {
    const text = metadata[label] ?? ''
    if (!/^\d{1,15}$/.test(text)) throw bad(file, `${label} is ${JSON.stringify(text)}, expected a whole number`)
    return Number(text)
  }
  const hash = (label: string): Hex => {
    const text = metadata[label] ?? ''
    if (!/^0x[0-9a-f]{64}$/.test(text)) throw bad(file, `${label} is ${JSON.stringify(text)}, expected a hash`)
    return text as Hex
  }
  const state: Record<string, Float32Array> = {}
  for (const [name, tensor] of tensors) if (name.startsWith(STATE)) state[name.slice(STATE.length)] = toFloat32(tensor)
  const bestTensor = tensors.get(BEST)
  const best = bestTensor
    ? { step: whole('bestStep'), loss: Number(metadata.bestLoss ?? 'NaN'), parameters: toFloat32(bestTensor) }
    : null
  if (best && Number.isNaN(best.loss)) throw bad(file, `bestLoss is ${JSON.stringify(metadata.bestLoss ?? null)}`)
  const checkpoint: Checkpoint = {
    version: 1,
    programRoot: hash('programRoot'),
    seedHash: hash('seedHash'),
    step: whole('step'),
    state,
    best,
  }
  if (hashOf(checkpoint) !== hash('stateHash'))
    throw bad(file, 'its numbers do not have the hash it states: it is damaged')
  return { checkpoint, identity: identityIn(metadata.run, file) }
}

function readSound(bytes: Uint8Array, file: string): SafetensorsFile {
  try {
    return readSafetensors(bytes)
  } catch (cause) {
    if (!(cause instanceof PotluckError)) throw cause
    throw new PotluckError(cause.code, `${file} is no sound checkpoint. ${cause.message}; ${ADVICE}`, cause.facts, {
      cause,
    })
  }
}

function identityIn(text: string | undefined, file: string): RunIdentity {
  let value: unknown
  try {
    value = JSON.parse(text ?? 'null')
  } catch (cause) {
    throw bad(file, `what it says about its run is no JSON (${(cause as Error).message})`)
  }
  const isIdentity = (one: unknown): one is RunIdentity =>
    typeof one === 'object' && one !== null && Object.values(one).every((item) => typeof item === 'string')
  if (isIdentity(value)) return value
  throw bad(file, 'it does not say which run it belongs to')
}

const ADVICE = 'take another checkpoint, or start anew without --resume'
const bad = (file: string, why: string): PotluckError =>
  new PotluckError('BAD_CHECKPOINT', `${file}: ${why}; ${ADVICE}`, { file })

/** Refuses to go on with another run's state: BAD_CHECKPOINT with what differs, then and now. */
export function checkSameRun(before: RunIdentity, now: RunIdentity, file: string): void {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])]
  const name = names.find((one) => before[one] !== now[one])
  if (name === undefined) return
  const why = `it belongs to a run with ${name} ${before[name] ?? 'not set'}, this one has ${now[name] ?? 'not set'}`
  throw new PotluckError(
    'BAD_CHECKPOINT',
    `${file}: ${why}. Use the same settings and data, or start anew without --resume`,
    {
      file,
      differs: name,
    },
  )
}

/** Writes a file so that a crash leaves the old one or the new one, never half of it. Throws CANNOT_WRITE. */
export function replaceFile(file: string, bytes: Uint8Array | string): void {
  try {
    writeFileSync(`${file}.new`, bytes)
    renameSync(`${file}.new`, file)
  } catch (cause) {
    const message = `cannot write ${file}: ${(cause as Error).message}; make room, or name another folder with --out`
    throw new PotluckError('CANNOT_WRITE', message, { file }, { cause, remedy: 'fix-setup' })
  }
}

/** The checkpoint in a file. Throws NO_CHECKPOINT, and what `decodeCheckpoint` throws. */
export function readCheckpoint(file: string): { checkpoint: Checkpoint; identity: RunIdentity } {
  let bytes: Uint8Array
  try {
    bytes = new Uint8Array(readFileSync(file))
  } catch (cause) {
    const message = `no checkpoint to go on from: ${(cause as Error).message}; name the folder of the run with --out, or start anew without --resume`
    throw new PotluckError('NO_CHECKPOINT', message, { file }, { cause })
  }
  return decodeCheckpoint(bytes, file)
}
