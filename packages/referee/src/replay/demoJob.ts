import { type ExactJob, encodeText, RandomStream } from '@potluck/engine'
import { publicJob } from '@potluck/learning'

const TEXT = 'a rolling stone gathers no moss and still waters run deep but early birds catch worms at dawn'
export const DEMO_SEED: Uint8Array = new Uint8Array(32).fill(11)

/** The job of the demo dispute: two small layers, eight steps, a state after every four. */
export function demoJob(): ExactJob {
  const vocabulary = ' abcdeghiklmnoprstuvw'
  const config = { vocabulary, context: 8, width: 8, layers: 2, heads: 2, hidden: 48 }
  const recipe = {
    ...{ config, batch: 2, steps: 8, learningRate: 0.01, weightDecay: 0.1, warmupSteps: 2 },
    ...{ beta1: 0.9, beta2: 0.95, epsilon: 1e-8, stateEverySteps: 4 },
  }
  return publicJob(recipe, encodeText(config, TEXT, 'drop'), DEMO_SEED, 1)
}

/** The model that the demo's claim starts from. */
export function demoBase(job: ExactJob): Float32Array {
  const random = new RandomStream(DEMO_SEED, 1, 0)
  return Float32Array.from({ length: job.parts[0] as number }, (_, i) => Math.fround(random.normal(i) / 4))
}
