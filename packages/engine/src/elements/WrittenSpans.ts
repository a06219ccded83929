import { PotluckError } from '@potluck/protocol'
import { type Program, sizeOf, type Tensor } from '../program/Program.ts'
import type { LeafPlace } from './operationRecords.ts'

type Place = Omit<LeafPlace, 'size'>
/** Elements from … to − 1 of a tensor stand at `place`, one after the other. */
export type Span = { readonly from: number; readonly to: number; readonly place: Place }

/** Which trace leaf last wrote each element of each tensor, views resolved to the tensor they lie in. */
export class WrittenSpans {
  readonly #tensors: readonly Tensor[]
  readonly #written = new Map<number, Span[]>()

  constructor(program: Program) {
    this.#tensors = program.tensors
  }

  write(id: number, place: Place): void {
    const { base, from, to } = this.#extent(id)
    const kept = (this.#written.get(base) ?? []).flatMap((span) => [
      ...(span.from < from ? [{ ...span, to: Math.min(span.to, from) }] : []),
      ...(span.to > to ? [tailOf(span, Math.max(span.from, to))] : []),
    ])
    this.#written.set(
      base,
      [...kept, { from, to, place }].toSorted((a, b) => a.from - b.from),
    )
  }

  /** The one leaf that holds a whole tensor. Throws NOT_REFEREED, naming the reader, when there is none. */
  find(id: number, reader: string): LeafPlace {
    const spans = this.spansOf(id, reader)
    const [only] = spans
    if (only && spans.length === 1) return { ...only.place, size: sizeOf(this.#tensors[id]!) }
    const message = `${reader} reads ${this.#tensors[id]!.name}, which ${spans.length} operations wrote: read their results one by one`
    throw new PotluckError('NOT_REFEREED', message, { reader, tensor: this.#tensors[id]!.name })
  }

  /** The leaves that a tensor's elements stand in, in order, from 0. Throws NOT_REFEREED when an element was never written. */
  spansOf(id: number, reader: string): Span[] {
    const { base, from, to } = this.#extent(id)
    const spans = (this.#written.get(base) ?? []).flatMap((span) => {
      const [start, end] = [Math.max(span.from, from), Math.min(span.to, to)]
      return start < end ? [{ ...tailOf(span, start), to: end }] : []
    })
    const covered = spans.reduce((sum, span) => sum + span.to - span.from, 0)
    if (covered !== to - from) {
      const message = `${reader} reads ${this.#tensors[id]!.name}, of which only ${covered} of ${to - from} elements were written before`
      throw new PotluckError('NOT_REFEREED', message, { reader, tensor: this.#tensors[id]!.name })
    }
    return spans.map((span) => ({ ...span, from: span.from - from, to: span.to - from }))
  }

  #extent(id: number): { base: number; from: number; to: number } {
    const tensor = this.#tensors[id]!
    const from = tensor.view?.offset ?? 0
    return { base: tensor.view?.base ?? id, from, to: from + sizeOf(tensor) }
  }
}

const tailOf = (span: Span, from: number): Span => ({
  from,
  to: span.to,
  place: { ...span.place, offset: span.place.offset + from - span.from },
})
