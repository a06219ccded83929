import { createHash } from 'node:crypto'
import { type BestState, type Checkpoint, seedHashOf } from '@potluck/engine'
import type { FederatedCheckpoint } from '@potluck/learning'
import { type Hex, PotluckError } from '@potluck/protocol'
import type { RunIdentity } from '../training/checkpointFile.ts'

/** Names of the state's tensors in the file: what a number or a name follows ends in a dot. */
const PARAMETERS = 'parameters'
const PREVIOUS = 'previous'
const CONTROL = 'control'
const OUTER = 'outer.'
const RESIDUAL = 'residual.'
const CONTROLS = 'controls.'
const PERSONAL = 'personal.'
const BASE = 'base.'

/** The state of a federation as a training's checkpoint, whose file and hash it shares; a step is a round. */
export function asCheckpoint(
  state: FederatedCheckpoint,
  best: BestState | null,
  seed: Uint8Array,
  identity: RunIdentity,
): Checkpoint {
  const named = (prefix: string, all: ReadonlyMap<number, Float32Array>): [string, Float32Array][] =>
    [...all].sort(([a], [b]) => a - b).map(([client, values]) => [prefix + client, values])
  return {
    version: 1,
    programRoot: hashOf(identity),
    seedHash: seedHashOf(seed),
    step: state.round,
    state: Object.fromEntries([
      [PARAMETERS, state.parameters],
      ...Object.entries(state.outer).map(([name, values]) => [OUTER + name, values]),
      ...(state.previous ? [[PREVIOUS, state.previous]] : []),
      ...(state.control ? [[CONTROL, state.control]] : []),
      ...named(RESIDUAL, state.residuals),
      ...named(CONTROLS, state.controls),
      ...named(PERSONAL, state.personal ?? new Map()),
      ...named(BASE, state.bases ?? new Map()),
    ]),
    best,
  }
}

/** Reads back what `asCheckpoint` made. Throws BAD_CHECKPOINT for a tensor that has no place, or another size than the model. */
export function fromCheckpoint({ step, state }: Checkpoint, parameters: number, file: string): FederatedCheckpoint {
  const outer: Record<string, Float32Array> = {}
  const [residuals, controls] = [new Map<number, Float32Array>(), new Map<number, Float32Array>()]
  const [personal, bases] = [new Map<number, Float32Array>(), new Map<number, Float32Array>()]
  const clientIn = (name: string, prefix: string): number | undefined => {
    const text = name.startsWith(prefix) ? name.slice(prefix.length) : ''
    return /^\d{1,9}$/.test(text) ? Number(text) : undefined
  }
  for (const [name, values] of Object.entries(state)) {
    const [residual, control, own, base] = [RESIDUAL, CONTROLS, PERSONAL, BASE].map((prefix) => clientIn(name, prefix))
    if (values.length !== parameters) throw bad(file, `${name} has ${values.length} numbers, the model ${parameters}`)
    if (residual !== undefined) residuals.set(residual, values)
    else if (control !== undefined) controls.set(control, values)
    else if (own !== undefined) personal.set(own, values)
    else if (base !== undefined) bases.set(base, values)
    else if (name.startsWith(OUTER)) outer[name.slice(OUTER.length)] = values
    else if (![PARAMETERS, PREVIOUS, CONTROL].includes(name)) throw bad(file, `${name.slice(0, 40)} has no place in it`)
  }
  const model = state[PARAMETERS]
  if (!model) throw bad(file, 'it holds no parameters')
  return {
    version: 1,
    round: step,
    parameters: model,
    outer,
    residuals,
    controls,
    ...(state[PREVIOUS] ? { previous: state[PREVIOUS] } : {}),
    ...(personal.size > 0 ? { personal } : {}),
    ...(bases.size > 0 ? { bases } : {}),
    ...(state[CONTROL] ? { control: state[CONTROL] } : {}),
  }
}

const hashOf = (identity: RunIdentity): Hex =>
  `0x${createHash('sha256').update(JSON.stringify(identity)).digest('hex')}`

const bad = (file: string, why: string): PotluckError =>
  new PotluckError('BAD_CHECKPOINT', `${file}: ${why}; take another checkpoint, or start anew without --resume`, {
    file,
  })
