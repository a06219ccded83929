import { PotluckError } from '@potluck/protocol'
import { sizeOf, type Tensor } from '../program/Program.ts'
import { full, type ProgramBuilder } from '../program/ProgramBuilder.ts'
import { addition } from './scalar.ts'

/**
 * Writes the operations that turn the output's gradient into one gradient for each input. Where `wanted` is false the
 * gradient is not needed: a backward that leaves it out (null) saves the work.
 */
export type Backward = (gradient: Tensor, wanted: readonly boolean[]) => readonly (Tensor | null)[]

type Step = {
  readonly output: Tensor
  readonly inputs: readonly Tensor[]
  /** Where the operator was written, so that its gradient is labelled alike. */
  readonly scope: string
} & (
  | { readonly backward: Backward }
  /** Writes the operations behind `output` again and tells where they ended. */
  | { readonly again: (tape: Tape) => Tensor }
)

/**
 * Reverse-mode differentiation over a program being written: each operator records how its gradient is computed, and
 * `gradients` emits those computations as ordinary operations, last operator first.
 */
export class Tape {
  readonly builder: ProgramBuilder
  readonly #steps: Step[] = []

  constructor(builder: ProgramBuilder) {
    this.builder = builder
  }

  record(output: Tensor, inputs: readonly Tensor[], backward: Backward): Tensor {
    this.#steps.push({ output, inputs, backward, scope: this.builder.scope })
    return output
  }

  /**
   * The gradients of `loss` with respect to `wanted`, in that order. A tensor used several times gets the sum of its
   * gradients in reverse order of use: ((last + last but one) + …) (E-13).
   *
   * @param seed the gradient of the loss itself, same size as `loss`
   * @throws PotluckError NO_GRADIENT when a wanted tensor does not reach the loss
   */
  gradients(loss: Tensor, seed: Tensor, wanted: readonly Tensor[]): Tensor[] {
    const known = new Map<number, Tensor>([[loss.id, seed]])
    this.#goBack(known, new Set(wanted.map(({ id }) => id)))
    return wanted.map((tensor) => {
      const gradient = known.get(tensor.id)
      if (gradient) return gradient
      throw new PotluckError('NO_GRADIENT', `${tensor.name} does not take part in ${loss.name}`)
    })
  }

  /**
   * What `body` writes, without keeping its intermediate tensors for the gradient: only what it reads is kept, and
   * `gradients` writes the operations of `body` a second time (their labels end in `.again`) and goes back through these
   * (E-25). Same bits as without, less memory, one more forward pass of `body`.
   *
   * @param inputs every tensor that `body` reads and that may want a gradient, or lead to one that does
   * @param body   called twice; must write the same operations each time, on the tape it is given
   */
  checkpoint(label: string, inputs: readonly Tensor[], body: (tape: Tape) => Tensor): Tensor {
    const { builder } = this
    const output = builder.within(label, () => body(new Tape(builder)))
    const again = (tape: Tape): Tensor => builder.within(label, () => builder.again(() => body(tape)))
    this.#steps.push({ output, inputs, again, scope: builder.scope })
    return output
  }

  /** Goes through the steps from the last to the first and adds to `known` the gradient of every needed tensor. */
  #goBack(known: Map<number, Tensor>, wanted: ReadonlySet<number>): void {
    const needed = this.#reach(wanted)
    for (const step of this.#steps.toReversed()) {
      const gradient = known.get(step.output.id)
      if (!gradient || !needed.has(step.output.id)) continue
      this.builder.inScope(step.scope, () => {
        if ('again' in step) this.#goBackThrough(step.again, gradient, known, needed)
        else this.#collect(step.inputs, step.backward, gradient, known, needed)
      })
    }
  }

  #goBackThrough(
    again: (tape: Tape) => Tensor,
    gradient: Tensor,
    known: Map<number, Tensor>,
    needed: ReadonlySet<number>,
  ): void {
    const start = this.builder.operationCount
    const tape = new Tape(this.builder)
    known.set(again(tape).id, gradient)
    tape.#goBack(known, needed)
    this.builder.dropUnread(start, [...known.values()])
  }

  #collect(
    inputs: readonly Tensor[],
    backward: Backward,
    gradient: Tensor,
    known: Map<number, Tensor>,
    needed: ReadonlySet<number>,
  ): void {
    const isNeeded = inputs.map(({ id }) => needed.has(id))
    backward(gradient, isNeeded).forEach((part, i) => {
      const input = inputs[i]!
      if (!part || !isNeeded[i]) return
      const before = known.get(input.id)
      known.set(input.id, before ? this.#sum(input, before, part) : part)
    })
  }

  /** `wanted`, and every tensor computed from one of them. */
  #reach(wanted: ReadonlySet<number>): Set<number> {
    const reached = new Set(wanted)
    for (const { output, inputs } of this.#steps) {
      if (inputs.some((input) => reached.has(input.id))) reached.add(output.id)
    }
    return reached
  }

  #sum(of: Tensor, a: Tensor, b: Tensor): Tensor {
    return this.builder.map('gradientSum', addition, 1, sizeOf(of), [full(a), full(b)], of.shape)
  }
}
