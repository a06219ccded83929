import { PotluckError } from '@potluck/protocol'

/** How the aggregated update moves the public model (L-28). The update is base minus trained: a step goes against it. */
export type OuterOptimizer =
  /** `momentum` in [0, 1), default 0. With rate 1 and none, the model becomes the mean of the trained ones (FedAvg). */
  | { readonly kind: 'sgd'; readonly rate: number; readonly momentum?: number; readonly nesterov?: boolean }
  /** FedAdam, FedYogi, FedAdagrad. `epsilon` is the floor under the root, τ in the paper: 1e-3 there. */
  | {
      readonly kind: 'adam' | 'yogi' | 'adagrad'
      readonly rate: number
      readonly beta1: number
      /** Not used by adagrad. */
      readonly beta2: number
      readonly epsilon: number
    }

/** What the optimiser carries from round to round, f32 [P] each: `momentum`, or `moment1` and `moment2`. */
export type OuterState = { readonly [name: string]: Float32Array }

/** Throws BAD_OUTER with the field, what it must be and the value seen. */
export function checkOuterOptimizer(how: OuterOptimizer): void {
  const refuse = (field: string, allowed: string, value: unknown): never => {
    throw new PotluckError('BAD_OUTER', `outer.${field} must be ${allowed}, got ${value}`, { field })
  }
  const below1 = (field: string, value: number): void => {
    if (!(value >= 0 && value < 1)) refuse(field, 'at least 0 and below 1', value)
  }
  const positive = (field: string, value: number): void => {
    if (!(value > 0 && Number.isFinite(value))) refuse(field, 'above 0', value)
  }
  if (!['sgd', 'adam', 'yogi', 'adagrad'].includes(how.kind)) refuse('kind', 'sgd, adam, yogi or adagrad', how.kind)
  positive('rate', how.rate)
  if (how.kind === 'sgd') {
    const { momentum = 0, nesterov = false } = how
    below1('momentum', momentum)
    if (typeof nesterov !== 'boolean') refuse('nesterov', 'true or false', nesterov)
    if (nesterov && momentum === 0) refuse('momentum', 'above 0 with nesterov', momentum)
    return
  }
  below1('beta1', how.beta1)
  below1('beta2', how.beta2)
  positive('epsilon', how.epsilon)
}

/** Names of the tensors in the state. */
export function outerStateNames(how: OuterOptimizer): readonly string[] {
  if (how.kind !== 'sgd') return ['moment1', 'moment2']
  return how.momentum ? ['momentum'] : []
}
