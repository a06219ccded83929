import { PotluckError } from '@potluck/protocol'
import { sizeOf, type Tensor } from '../program/Program.ts'
import { full, type ProgramBuilder } from '../program/ProgramBuilder.ts'
import { ScalarBuilder } from '../scalar/ScalarBuilder.ts'

type Step = {
  readonly output: Tensor
  readonly inputs: readonly Tensor[]
  /** Writes the operations that turn the output's gradient into one gradient for each input. */
  readonly backward: (gradient: Tensor) => readonly Tensor[]
}

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

  record(output: Tensor, inputs: readonly Tensor[], backward: Step['backward']): Tensor {
    this.#steps.push({ output, inputs, backward })
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
    const needed = this.#reach(wanted)
    for (const { output, inputs, backward } of this.#steps.toReversed()) {
      const gradient = known.get(output.id)
      if (!gradient || !needed.has(output.id)) continue
      backward(gradient).forEach((part, i) => {
        const input = inputs[i]!
        const before = known.get(input.id)
        known.set(input.id, before ? this.#sum(input, before, part) : part)
      })
    }
    return wanted.map((tensor) => {
      const gradient = known.get(tensor.id)
      if (gradient) return gradient
      throw new PotluckError('NO_GRADIENT', `${tensor.name} does not take part in ${loss.name}`)
    })
  }

  /** Every tensor computed from one of `wanted`. */
  #reach(wanted: readonly Tensor[]): Set<number> {
    const reached = new Set(wanted.map((tensor) => tensor.id))
    for (const { output, inputs } of this.#steps) {
      if (inputs.some((input) => reached.has(input.id))) reached.add(output.id)
    }
    return reached
  }

  #sum(of: Tensor, a: Tensor, b: Tensor): Tensor {
    const s = new ScalarBuilder('add')
    const scalar = s.finish(s.add(s.input(), s.input()))
    return this.builder.map(`${of.name}.gradient`, scalar, 1, sizeOf(of), [full(a), full(b)], of.shape)
  }
}
