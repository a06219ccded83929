import type { WasmKernel } from './webAssembly.ts'

/** One operation, ready to be called: nothing but numbers, so that it can be sent to a thread. */
export type Step = {
  readonly kernel: number
  /** Address arguments, before and after carried tensors have traded places. */
  readonly addresses: readonly [readonly number[], readonly number[]]
  readonly units: number
  /** All threads take part; else thread 0 does it alone. */
  readonly isShared: boolean
}

/** Where a thread stands in a team, and how the team keeps step. */
export type Seat = {
  readonly thread: number
  readonly threads: number
  /** Returns when all threads have called it as often as this one. */
  meet(): void
  /** Tells the team that step number `at` made a NaN. */
  halt(at: number): void
  /** The lowest step number so told; certain as far as the last meeting. */
  haltedAt(): number
}

/** What one thread needs to run a program. */
export type Part = {
  readonly steps: readonly Step[]
  readonly kernels: readonly WasmKernel[]
  /** Address of this thread's scratch memory. */
  readonly scratch: number
}

/**
 * Runs this thread's part of the steps before `end`; `turned` says which addresses hold. The threads meet around every
 * shared step and once at the end; what is not shared thread 0 does alone in between.
 *
 * @returns the step that made a NaN, at which all threads stop, or `end`
 */
export function runSteps(part: Part, turned: 0 | 1, end: number, seat: Seat): number {
  const stopped = walk(part, turned, end, seat)
  seat.meet()
  return stopped
}

function walk({ steps, kernels, scratch }: Part, turned: 0 | 1, end: number, seat: Seat): number {
  const { thread, threads } = seat
  // Thread 0 has done something alone since the last meeting.
  let isBehind = false
  for (let i = 0; i < end; i++) {
    const { kernel, addresses, units, isShared } = steps[i]!
    if (!isShared) {
      isBehind = true
      if (thread > 0 || kernels[kernel]!(...addresses[turned], scratch, 0, units) === 0) continue
      seat.halt(i)
      // The others wait before their next shared step.
      if (steps.slice(i + 1, end).some((later) => later.isShared)) seat.meet()
      return i
    }
    if (isBehind) {
      seat.meet()
      if (seat.haltedAt() < i) return seat.haltedAt()
    }
    isBehind = false
    const [first, last] = [Math.floor((units * thread) / threads), Math.floor((units * (thread + 1)) / threads)]
    if (first < last && kernels[kernel]!(...addresses[turned], scratch, first, last) !== 0) seat.halt(i)
    seat.meet()
    if (seat.haltedAt() <= i) return i
  }
  return end
}

/** A team of one keeps step with nobody. */
export const alone: Seat = {
  thread: 0,
  threads: 1,
  meet: () => undefined,
  halt: () => undefined,
  haltedAt: () => Number.POSITIVE_INFINITY,
}
