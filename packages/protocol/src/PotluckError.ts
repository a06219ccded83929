/** What the caller can do about an error: try again, mend the input, mend the set-up, or give up on this piece of work. */
export type Remedy = 'retry' | 'fix-input' | 'fix-setup' | 'give-up'

export type Facts = Readonly<Record<string, string | number | bigint | boolean | null>>

/**
 * A broken promise, with what a program and a person need to act on it.
 *
 * `code` is public and stable; `message` is for people: what was wrong, the value seen, what to do.
 * Compare codes, never classes: errors cross packages and threads.
 */
export class PotluckError extends Error {
  readonly code: string
  readonly facts: Facts
  readonly remedy: Remedy

  constructor(code: string, message: string, facts: Facts = {}, options: { cause?: unknown; remedy?: Remedy } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'PotluckError'
    this.code = code
    this.facts = facts
    this.remedy = options.remedy ?? 'fix-input'
  }
}

/** The code of a PotluckError, or undefined for anything else that was thrown. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
