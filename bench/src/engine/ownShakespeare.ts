/** nanoGPT's small model in our own engine; `node bench/src/engine/ownShakespeare.ts [THREADS] [nanogpt]` runs it alone. */
import {
  nanoGptRecipe,
  shakespeareModel,
  shakespeareRecipe,
  type TrainingRecipe,
  train,
  vocabularyOf,
} from '@potluck/engine'
import { createLocalEngine } from '@potluck/runtime'
import { shakespeare } from './referenceStep.ts'

export type OwnShakespeare = { readonly validLoss: number; readonly seconds: number; readonly executor: string }

/** The whole recipe on the first nine tenths of the text; the loss is that of every window of the rest. Evaluation is not timed. */
export async function ownShakespeare(threads: number, recipe: TrainingRecipe): Promise<OwnShakespeare> {
  const engine = await createLocalEngine({ threads })
  const text = new TextDecoder().decode(shakespeare())
  const places = new Map([...vocabularyOf(text)].map((character, token) => [character, token]))
  const tokens = Uint8Array.from([...text], (character) => places.get(character) as number)
  const cut = Math.floor(tokens.length * 0.9)
  const run = train(engine, {
    config: shakespeareModel,
    recipe,
    data: { kind: 'tokens', tokens: tokens.slice(0, cut) },
    validation: { kind: 'tokens', tokens: tokens.slice(cut) },
    seed: new Uint8Array(32).fill(7),
  })
  let seconds = 0
  let startedMs = performance.now()
  for (let next = await run.next(); ; next = await run.next()) {
    if (next.done) {
      await engine.close()
      return { validLoss: next.value.evaluation?.loss ?? Number.NaN, seconds, executor: engine.executor }
    }
    // The last step carries the evaluation.
    if (next.value.step < recipe.steps) seconds += (performance.now() - startedMs) / 1000
    startedMs = performance.now()
  }
}

if (import.meta.main) {
  const [threads = '1', rate] = process.argv.slice(2)
  const recipe = rate === 'nanogpt' ? nanoGptRecipe : shakespeareRecipe
  console.log(JSON.stringify(await ownShakespeare(Number(threads), recipe)))
}
