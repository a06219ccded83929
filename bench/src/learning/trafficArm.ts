import type { Engine } from '@potluck/engine'
import { type Compression, encodeFeedback, type FederatedOptions, federate } from '@potluck/learning'

/** One way to train: what is chosen for it, beside what all ways have in common. */
export type Arm = Pick<FederatedOptions, 'local' | 'method' | 'outer' | 'compression'>

export type ArmResult = {
  /** Of the last model on data that nobody trained on. */
  readonly loss: number
  readonly accuracy: number
  /** Sent by one client over the run: updates with frame and signature. */
  readonly sentBytes: number
  /** Published by one client over the run because it was picked, on average. */
  readonly auditBytes: number
}

/** The floor of the audit rate (L-16): one round in twenty a worker is picked, and publishes the feedback that it started from. */
export const AUDIT_RATE = 0.05

const feedbackBytes = (how: Compression, length: number): number =>
  how.kind === 'topk' && how.feedback > 0
    ? encodeFeedback(new Float32Array(length), how.feedback as 4 | 8 | 32).length
    : 0

/** Trains to the end with every client in every round, by the plain mean, and counts. */
export async function runArm(
  engine: Engine,
  { local, method, outer, compression }: Arm,
  common: Common,
): Promise<ArmResult> {
  const { clients, steps } = common
  const rounds = steps / local.steps
  const chosen = {
    local,
    ...(method ? { method } : {}),
    ...(outer ? { outer } : {}),
    ...(compression ? { compression } : {}),
  }
  const run = federate(engine, { ...common, ...chosen, rounds, rule: { kind: 'mean' }, evaluateEvery: rounds })
  for (;;) {
    const { done, value } = await run.next()
    if (!done) continue
    const { evaluation, bytesUp, parameters } = value
    return {
      loss: evaluation?.loss ?? Number.NaN,
      accuracy: evaluation?.accuracy ?? Number.NaN,
      sentBytes: bytesUp / clients.length,
      auditBytes: AUDIT_RATE * rounds * feedbackBytes(compression ?? { kind: 'f32' }, parameters.length),
    }
  }
}

/** What both arms of a comparison share. `steps`: local steps of each client over the whole run. */
export type Common = Pick<FederatedOptions, 'config' | 'clients' | 'seed' | 'validation'> & { readonly steps: number }

/** Mean of differences and its standard error. */
export function pairedDifference(differences: readonly number[]): { mean: number; error: number } {
  const n = differences.length
  const mean = differences.reduce((sum, x) => sum + x, 0) / n
  const variance = differences.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / (n - 1)
  return { mean, error: Math.sqrt(variance / n) }
}
