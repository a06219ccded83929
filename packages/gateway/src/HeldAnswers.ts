import type { Hex } from '@potluck/protocol'
import { ApiError } from './ApiError.ts'

/** A whole answer, ready to be given out. For a prediction `text` is its JSON and `promptTokens` its rows. */
export type Answer = { text: string; promptTokens: number; completionTokens: number; provider: Hex; finish: string }

/**
 * Answers made and not paid yet, so that a voucher can be quoted for exactly what there is. Bounded per channel and in time; one that was
 * dropped is made again, the same, when its voucher comes (G-16).
 */
export class HeldAnswers {
  readonly #limit: number
  readonly #keepMs: number
  readonly #nowMs: () => number
  readonly #answers = new Map<string, { channel: Hex; answer: Answer | undefined; atMs: number }>()

  constructor(limit: number, keepMs: number, nowMs: () => number) {
    this.#limit = limit
    this.#keepMs = keepMs
    this.#nowMs = nowMs
  }

  get(key: string): Answer | undefined {
    this.#expire()
    return this.#answers.get(key)?.answer
  }

  /** Makes room for an answer before work on it starts. Throws ApiError `too_many_unpaid`. */
  begin(key: string, channel: Hex): void {
    this.#expire()
    let held = 0
    for (const item of this.#answers.values()) if (item.channel === channel) held++
    if (held >= this.#limit && !this.#answers.has(key)) {
      const remedy = 'pay one, wait a minute, or send a voucher with the request'
      throw new ApiError(
        'too_many_unpaid',
        `${held} answers of this channel wait for their voucher, ${this.#limit} may: ${remedy}`,
      )
    }
    this.#answers.set(key, { channel, answer: undefined, atMs: this.#nowMs() })
  }

  keep(key: string, channel: Hex, answer: Answer): void {
    this.#answers.set(key, { channel, answer, atMs: this.#nowMs() })
  }

  drop(key: string): void {
    this.#answers.delete(key)
  }

  #expire(): void {
    const before = this.#nowMs() - this.#keepMs
    for (const [key, item] of this.#answers) if (item.atMs < before) this.#answers.delete(key)
  }
}
