import { PotluckError } from '@potluck/protocol'
import { checkOuterOptimizer, type OuterOptimizer, type OuterState, outerStateNames } from './OuterOptimizer.ts'

/**
 * The next public model, and what the optimiser carries on (L-28, L-29). u is the aggregated update, base minus trained.
 *
 *   sgd         next = base − rate·u
 *   momentum    m' = μ·m + u                  next = base − rate·m'
 *   nesterov    m' = μ·m + u                  next = base − rate·(u + μ·m')
 *   adam        m' = β1·m + (1 − β1)·u        v' = β2·v + (1 − β2)·u²               next = base − rate·m' / (√v' + ε)
 *   yogi        m' as adam                    v' = v − (1 − β2)·u²·sign(v − u²)     next as adam
 *   adagrad     m' as adam                    v' = v + u²                           next as adam
 *
 * The second moment starts at ε², without bias correction, as in arXiv:2003.00295, algorithm 2. Every operation rounds to f32, in the
 * order written; 1 − β is computed in f64 and rounded once.
 *
 * @param state undefined in the first round; read only, as base and update
 * @throws PotluckError BAD_OUTER, SHAPE; NAN with the first index whose next value is not finite
 */
export function outerStep(
  how: OuterOptimizer,
  base: Float32Array,
  update: Float32Array,
  state: OuterState | undefined,
): { readonly next: Float32Array; readonly state: OuterState } {
  checkOuterOptimizer(how)
  const P = base.length
  if (update.length !== P) throw shape('update', update.length, P)
  for (const name of outerStateNames(how)) {
    const length = state?.[name]?.length
    if (state && length !== P) throw shape(`state ${name}`, length, P)
  }
  const step = how.kind === 'sgd' ? sgdStep(how, base, update, state) : adaptiveStep(how, base, update, state)
  const bad = step.next.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) {
    throw new PotluckError('NAN', `the outer step makes parameter ${bad} ${step.next[bad]}; lower outer.rate`, {
      at: bad,
    })
  }
  return step
}

const shape = (what: string, seen: number | undefined, P: number): PotluckError =>
  new PotluckError('SHAPE', `${what} has ${seen ?? 'no'} values, the model ${P}`)

const f = Math.fround

function sgdStep(
  { rate, momentum = 0, nesterov = false }: Extract<OuterOptimizer, { kind: 'sgd' }>,
  base: Float32Array,
  update: Float32Array,
  state: OuterState | undefined,
): { next: Float32Array; state: OuterState } {
  const P = base.length
  const next = new Float32Array(P)
  const eta = f(rate)
  if (momentum === 0) {
    for (let i = 0; i < P; i++) next[i] = base[i]! - f(eta * update[i]!)
    return { next, state: {} }
  }
  const mu = f(momentum)
  const before = state?.momentum ?? new Float32Array(P)
  const after = new Float32Array(P)
  for (let i = 0; i < P; i++) {
    const u = update[i]!
    const m = f(f(mu * before[i]!) + u)
    after[i] = m
    next[i] = base[i]! - f(eta * (nesterov ? f(u + f(mu * m)) : m))
  }
  return { next, state: { momentum: after } }
}

function adaptiveStep(
  { kind, rate, beta1, beta2, epsilon }: Extract<OuterOptimizer, { kind: 'adam' | 'yogi' | 'adagrad' }>,
  base: Float32Array,
  update: Float32Array,
  state: OuterState | undefined,
): { next: Float32Array; state: OuterState } {
  const P = base.length
  const next = new Float32Array(P)
  const moment1 = new Float32Array(P)
  const moment2 = new Float32Array(P)
  const [eta, b1, b2, floor] = [f(rate), f(beta1), f(beta2), f(epsilon)]
  const [rest1, rest2] = [f(1 - beta1), f(1 - beta2)]
  const start = f(floor * floor)
  for (let i = 0; i < P; i++) {
    const u = update[i]!
    const square = f(u * u)
    const m = f(f(b1 * (state ? state.moment1![i]! : 0)) + f(rest1 * u))
    const v = state ? state.moment2![i]! : start
    let w: number
    if (kind === 'adam') w = f(f(b2 * v) + f(rest2 * square))
    else if (kind === 'adagrad') w = f(v + square)
    else w = v > square ? f(v - f(rest2 * square)) : v < square ? f(v + f(rest2 * square)) : v
    moment1[i] = m
    moment2[i] = w
    next[i] = base[i]! - f(f(eta * m) / f(f(Math.sqrt(w)) + floor))
  }
  return { next, state: { moment1, moment2 } }
}
