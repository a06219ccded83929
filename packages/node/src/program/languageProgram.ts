import { type Engine, encodeText, parameterCount, trainLocally } from '@potluck/engine'
import { aggregateStream, measureRound, publicJob, weightOfAll } from '@potluck/learning'
import { codeOf, fromHex, type LanguageJob, merkleRootOfBytes, PotluckError, toHex } from '@potluck/protocol'
import { recomputeClaim, recomputeResult } from '@potluck/referee'
import { referenceSeed, scoreSeed } from '../round/taskSeed.ts'
import type { AggregateTask, JobProgram, Task } from './JobProgram.ts'
import { bytesOfFloats, floatsOf } from './tensorBytes.ts'
import { updateForm } from './updateForm.ts'

/** One place for each share, empty where none takes part. */
export function byShare(
  { shares, tensorOf }: Pick<JobProgram, 'shares' | 'tensorOf'>,
  updates: AggregateTask['updates'],
): (Float32Array | undefined)[] {
  const rows = new Array<Float32Array | undefined>(shares).fill(undefined)
  for (const { share, update } of updates) rows[share] = floatsOf(tensorOf(update))
  return rows
}

/**
 * Public, exact training of a character transformer: a share is `recipe.steps` local steps on the worker's own batches, an update is
 * the model before minus the model after as the job's encoding can say it, and the next model weighs the updates by their cosine to a reference update that is
 * trained on batches drawn by the beacon (design 4.4).
 *
 * @param text the training text, already checked against the job's CID
 * @param pause awaited between steps, so that a daemon goes on answering
 * @param validText the text that measures the loss, checked likewise; read only where the job measures contributions (P-58)
 * @throws PotluckError UNKNOWN_CHARACTER; SHORT_TEXT when the text that measures the loss has no whole window
 */
export function languageProgram(
  engine: Engine,
  job: LanguageJob,
  text: string,
  pause: () => Promise<void>,
  validText = '',
): JobProgram {
  const { recipe } = job
  const tokens = encodeText(recipe.config, text)
  const size = parameterCount(recipe.config)
  const { encoding = 'f32' } = job
  const exact = publicJob(recipe, tokens, fromHex(job.seed), job.shares, encoding)
  const form = updateForm(size, encoding)
  const probe = probeOf(job, validText)
  const rows = (updates: AggregateTask['updates']) => byShare({ shares: job.shares, tensorOf: form.tensorOf }, updates)

  /** The updates in the order of shares, each unpacked when it is its turn. */
  function* unpacked(updates: AggregateTask['updates']): Generator<Float32Array | undefined> {
    const packed = new Map(updates.map(({ share, update }) => [share, update]))
    for (let share = 0; share < job.shares; share++) {
      const update = packed.get(share)
      yield update && floatsOf(form.tensorOf(update))
    }
  }

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
    const finish = await engine.prepare(exact.finish.program)
    finish.write('base', base)
    finish.write('parameters', result.parameters)
    finish.run()
    return { update: Float32Array.from(finish.read('update')), result }
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
          ...{ seed: referenceSeed(beacon, round), updates: rows(updates) },
        }),
    },

    async work(task) {
      const { update, result } = await trainFrom(task)
      const last = result.losses[result.losses.length - 1] ?? 0
      return { update: form.pack(update), stateRoots: [...result.stateRoots], lossMilli: Math.round(last * 1000) }
    },

    refuseUpdate(update) {
      try {
        form.tensorOf(update)
        return undefined
      } catch (error) {
        if (codeOf(error) !== 'BAD_UPDATE') throw error
        return (error as Error).message
      }
    },
    tensorOf: form.tensorOf,

    async aggregate({ state, round, beacon, updates }) {
      const { update, result } = await trainFrom({ state, seed: referenceSeed(beacon, round) })
      // The bits of the program that a referee reads, one update at a time.
      const base = floatsOf(state)
      const { next, weights } = await aggregateStream(() => unpacked(updates), base, update)
      const total = weightOfAll(weights)
      const seen = { config: recipe.config, seed: scoreSeed(beacon, round), base, next, weights, reference: update }
      const measured = probe && (await measureRound(engine, { ...seen, ...probe }, unpacked(updates), pause))
      const found = new Map(measured?.map((one) => [one.share, one]))
      return {
        state: bytesOfFloats(next),
        weightsPpm: updates.map(({ share }) => (total > 0 ? Math.round((weights[share]! / total) * 1e6) : 0)),
        run: [...result.stateRoots, toHex(merkleRootOfBytes(bytesOfFloats(update)))],
        ...(measured && { measured: updates.map(({ share }) => found.get(share)!) }),
      }
    },
  }
}

/** What a job measures contributions by; undefined where it does not. */
function probeOf({ scoreWindows, recipe }: LanguageJob, validText: string) {
  if (scoreWindows === undefined) return undefined
  const text = encodeText(recipe.config, validText)
  checkProbeText(text, recipe.config.context)
  return { text, windows: scoreWindows }
}

/** Throws SHORT_TEXT when a text has no window with a character behind it. */
export function checkProbeText(text: Uint8Array, context: number): void {
  if (text.length > context) return
  throw new PotluckError(
    'SHORT_TEXT',
    `need more than ${context} characters to measure contributions by, got ${text.length}: give a longer validation text, or measure none (scoreWindows)`,
    { characters: text.length, context },
  )
}
