import { type AdamW, adamW } from '../operators/adamW.ts'
import { crossEntropy } from '../operators/crossEntropy.ts'
import { product } from '../operators/scalar.ts'
import { Tape } from '../operators/Tape.ts'
import type { Program, Tensor } from '../program/Program.ts'
import { full, ProgramBuilder } from '../program/ProgramBuilder.ts'
import { forward } from './forward.ts'
import { charactersOf, type LanguageConfig } from './LanguageConfig.ts'
import { rankOf } from './lossOf.ts'
import { parameterCount, parameterLayout } from './parameterLayout.ts'

/**
 * One training step.
 *
 * Inputs: `parameters`, `moment1`, `moment2` f32 [P] (carried from step to step); `tokens`, `targets` i32 [B·T];
 * `weights` f32 [B·T], the share of each row in the loss; `rates` f32 [4] = rate, rate·decay, and the two corrections
 * of `AdamWRates`. Output: `loss` f32 [1] = Σ weights·loss.
 */
export function trainingProgram(config: LanguageConfig, B: number, optimizer: AdamW): Program {
  const builder = new ProgramBuilder()
  const tape = new Tape(builder)
  const R = B * config.context
  const state = flatState(builder, config)
  const tokens = builder.input('tokens', [R], 'i32')
  const targets = builder.input('targets', [R], 'i32')
  const weights = builder.input('weights', [R])
  const rates = builder.input('rates', [4])
  const logits = forward(tape, config, B, state.parameters.views, tokens)
  const losses = crossEntropy(tape, 'crossEntropy', logits, targets)
  builder.output('loss', builder.reduce('rowSum', 'loss', product, 1, R, [full(losses), full(weights)]))
  const layout = parameterLayout(config)
  const gradients = tape.gradients(
    losses,
    weights,
    layout.map(({ name }) => state.parameters.views.get(name)!),
  )
  const [rate, decay, correction1, correction2] = ['rate', 'decay', 'correction1', 'correction2'].map((name, i) =>
    builder.view(name, rates, i, [1]),
  ) as [Tensor, Tensor, Tensor, Tensor]
  layout.forEach(({ name, decays }, i) => {
    const parts = [state.parameters, state.moment1, state.moment2]
    const [w, m, v] = parts.map((part) => part.views.get(name)!) as [Tensor, Tensor, Tensor]
    const next = parts.map((part) => part.next.get(name)!) as [Tensor, Tensor, Tensor]
    const applied = { rate, decay: decays ? decay : null, correction1, correction2 }
    adamW(builder, `adamW.${name}`, optimizer, applied, [w, gradients[i]!, m, v], next)
  })
  return builder.finish()
}

/**
 * Loss of each row, without gradients. Inputs: `parameters`, `tokens`, `targets`. Output: `losses` f32 [B·T]; with `hasRanks` also `ranks`,
 * 0 where the right token is the likeliest.
 */
export function lossProgram(config: LanguageConfig, B: number, hasRanks = false): Program {
  const builder = new ProgramBuilder()
  const tape = new Tape(builder)
  const parameters = builder.input('parameters', [parameterCount(config)])
  const tokens = builder.input('tokens', [B * config.context], 'i32')
  const targets = builder.input('targets', [B * config.context], 'i32')
  const logits = forward(tape, config, B, viewsOf(builder, config, parameters, ''), tokens)
  builder.output('losses', crossEntropy(tape, 'crossEntropy', logits, targets))
  if (hasRanks) builder.output('ranks', rankOf(tape, logits, targets))
  return builder.finish()
}

/** Logits of one window. Inputs: `parameters`, `tokens` i32 [T]. Output: `logits` f32 [T, V]. */
export function logitsProgram(config: LanguageConfig): Program {
  const builder = new ProgramBuilder()
  const parameters = builder.input('parameters', [parameterCount(config)])
  const tokens = builder.input('tokens', [config.context], 'i32')
  builder.output('logits', forward(new Tape(builder), config, 1, viewsOf(builder, config, parameters, ''), tokens))
  return builder.finish()
}

/** Size of the logits of one position. */
export const vocabularySize = (config: LanguageConfig): number => charactersOf(config).length

type Part = { readonly views: ReadonlyMap<string, Tensor>; readonly next: ReadonlyMap<string, Tensor> }

/** The three flat arrays of the state, with their successors, as views by parameter name. */
function flatState(
  builder: ProgramBuilder,
  config: LanguageConfig,
): Record<'parameters' | 'moment1' | 'moment2', Part> {
  const part = (name: string): Part => {
    const now = builder.input(name, [parameterCount(config)])
    const after = builder.tensor(`${name}.next`, [parameterCount(config)])
    builder.carry(after, now)
    return { views: viewsOf(builder, config, now, `${name}.`), next: viewsOf(builder, config, after, `${name}.next.`) }
  }
  return { parameters: part('parameters'), moment1: part('moment1'), moment2: part('moment2') }
}

function viewsOf(builder: ProgramBuilder, config: LanguageConfig, flat: Tensor, prefix: string): Map<string, Tensor> {
  return new Map(
    parameterLayout(config).map(({ name, offset, shape }) => [name, builder.view(prefix + name, flat, offset, shape)]),
  )
}
