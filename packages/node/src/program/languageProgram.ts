import { type Engine, encodeText, parameterCount, trainLocally } from '@potluck/engine'
import { aggregateUpdates, publicJob } from '@potluck/learning'
import { fromHex, type LanguageJob, merkleRootOfBytes, PotluckError, toHex } from '@potluck/protocol'
import { recomputeClaim, recomputeResult } from '@potluck/referee'
import { referenceSeed } from '../round/taskSeed.ts'
import type { AggregateTask, JobProgram, Task } from './JobProgram.ts'

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

/** f32 little-endian, the form of every tensor in a block. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  if (bytes.length % 4 !== 0) throw new PotluckError('BAD_TENSOR', `${bytes.length} bytes are not whole f32 numbers`)
  const floats = new Float32Array(bytes.length / 4)
  if (isLittleEndian) {
    new Uint8Array(floats.buffer).set(bytes)
    return floats
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let i = 0; i < floats.length; i++) floats[i] = view.getFloat32(4 * i, true)
  return floats
}

export function bytesOfFloats(floats: Float32Array): Uint8Array {
  const bytes = new Uint8Array(4 * floats.length)
  if (isLittleEndian) {
    bytes.set(new Uint8Array(floats.buffer, floats.byteOffset, bytes.length))
    return bytes
  }
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < floats.length; i++) view.setFloat32(4 * i, floats[i] as number, true)
  return bytes
}

/** One place for each share, empty where none takes part. */
export function byShare(updates: AggregateTask['updates'], shares: number): (Float32Array | undefined)[] {
  const rows = new Array<Float32Array | undefined>(shares).fill(undefined)
  for (const { share, update } of updates) rows[share] = floatsOf(update)
  return rows
}

/**
 * Public, exact training of a character transformer: a share is `recipe.steps` local steps on the worker's own batches, an update is
 * the model before minus the model after, and the next model weighs the updates by their cosine to a reference update that is
 * trained on batches drawn by the beacon (design 4.4).
 *
 * @param text the training text, already checked against the job's CID
 * @param pause awaited between steps, so that a daemon goes on answering
 */
export function languageProgram(
  engine: Engine,
  job: LanguageJob,
  text: string,
  pause: () => Promise<void>,
): JobProgram {
  const { recipe } = job
  const tokens = encodeText(recipe.config, text)
  const size = parameterCount(recipe.config)
  const exact = publicJob(recipe, tokens, fromHex(job.seed), job.shares)

  async function trainFrom({ state, seed, signal, onStep }: Task) {
    const base = floatsOf(state)
    const result = await trainLocally(engine, {
      recipe,
      base,
      tokens,
      seed,
      pause,
      ...(signal ? { signal } : {}),
      onStep: (step, loss) => onStep?.(step, Math.round(loss * 1000)),
    })
    const update = base.map((before, i) => Math.fround(before - (result.parameters[i] as number)))
    return { update, result }
  }

  return {
    shares: job.shares,
    units: recipe.steps * recipe.batch * recipe.config.context,
    steps: recipe.steps,
    states: Math.ceil(recipe.steps / recipe.stateEverySteps),
    isExact: true,
    exact: {
      job: exact,
      truthOf: ({ state, seed }) => recomputeClaim({ job: exact, engine, base: floatsOf(state), seed }),
      resultOf: ({ state, round, beacon, updates }) =>
        recomputeResult({
          ...{ job: exact, engine, base: floatsOf(state) },
          ...{ seed: referenceSeed(beacon, round), updates: byShare(updates, job.shares) },
        }),
    },

    async work(task) {
      const { update, result } = await trainFrom(task)
      const last = result.losses[result.losses.length - 1] ?? 0
      return { update: bytesOfFloats(update), stateRoots: [...result.stateRoots], lossMilli: Math.round(last * 1000) }
    },

    refuseUpdate(update) {
      if (update.length !== 4 * size) return `${update.length} bytes, expected ${4 * size}: one f32 for each parameter`
      return floatsOf(update).every(Number.isFinite) ? undefined : 'a number in it is not finite'
    },

    async aggregate({ state, round, beacon, updates }) {
      const { update, result } = await trainFrom({ state, seed: referenceSeed(beacon, round) })
      const { next, weights } = await aggregateUpdates(engine, exact.aggregate.program, {
        base: floatsOf(state),
        reference: update,
        updates: byShare(updates, job.shares),
      })
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      return {
        state: bytesOfFloats(next),
        weightsPpm: updates.map(({ share }) => (total > 0 ? Math.round((weights[share]! / total) * 1e6) : 0)),
        run: [...result.stateRoots, toHex(merkleRootOfBytes(bytesOfFloats(update)))],
      }
    },
  }
}
