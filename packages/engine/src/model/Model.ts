import type { Tape } from '../operators/Tape.ts'
import type { Tensor } from '../program/Program.ts'
import type { ModelConfig } from './ModelConfig.ts'
import type { Parameter } from './parameterLayout.ts'

/** What a model's forward pass is written with: where its weights are, and what happens between its parts. */
export type ForwardScope = {
  readonly tape: Tape
  /** Samples: rows of a table, images, or windows of a text. */
  readonly B: number
  /** A parameter by name, trained or frozen, in its shape. */
  weight(name: string): Tensor
  /** A fixed table of the model by name, in its shape. */
  constant(name: string): Tensor
  /**
   * Dropout in training; elsewhere `x` itself.
   *
   * @param site unique in the model; sites take their noise one after the other in order of first writing (E-33)
   */
  drop(tape: Tape, site: string, x: Tensor, rate: number): Tensor
  /** Layer `name`, which reads `x` and the parameters `name.…`; checkpointed, its inside is computed twice. */
  layer(name: string, x: Tensor, body: (tape: Tape, x: Tensor) => Tensor): Tensor
}

/** What one sample holds. A text model sees `context` tokens, each row of logits being one position. */
export type SampleForm =
  | { readonly kind: 'tokens'; readonly context: number; readonly vocabulary: number }
  | { readonly kind: 'rows'; readonly inputs: number }

export type TargetForm =
  | { readonly kind: 'classes'; readonly classes: number }
  | { readonly kind: 'numbers'; readonly count: number }

/** A table that every program of the model takes as an input: the cosines of rotary positions, for one. */
export type Constant = { readonly name: string; readonly shape: readonly number[]; values(): Float32Array }

/** A model built from its config: parameters and how its programs are written. */
export type Model = {
  readonly config: ModelConfig
  /** What is trained, in the order it lies in one flat f32 array. */
  readonly parameters: readonly Parameter[]
  /** What is held fixed, in a flat array of its own: the base below adapters. Else empty. */
  readonly frozen: readonly Parameter[]
  readonly constants: readonly Constant[]
  readonly sample: SampleForm
  readonly target: TargetForm
  /**
   * Writes the forward pass.
   *
   * @param inputs i32 [B·T] tokens, or f32 [B, inputs]
   * @returns logits [B·T, V] or [B, classes], or predictions [B, count]
   */
  forward(scope: ForwardScope, inputs: Tensor): Tensor
}
