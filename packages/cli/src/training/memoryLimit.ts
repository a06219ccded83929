import { readFileSync } from 'node:fs'
import { freemem } from 'node:os'
import { PotluckError } from '@potluck/protocol'

const firstNumber = (file: string): number | undefined => {
  try {
    const text = readFileSync(file, 'utf8').trim()
    return /^\d+$/.test(text) ? Number(text) : undefined
  } catch {
    // Not Linux, or no such control group: there is no limit to know of.
    return undefined
  }
}

/** Bytes this machine can still give: what the system calls available, and no more than a control group leaves. */
export function availableBytes(): number {
  const [limit, used] = [firstNumber('/sys/fs/cgroup/memory.max'), firstNumber('/sys/fs/cgroup/memory.current')]
  if (limit === undefined || used === undefined) return systemBytes()
  return Math.min(systemBytes(), Math.max(0, limit - used + cachedBytes()))
}

/** What the control group holds of files it can let go of at once. */
function cachedBytes(): number {
  try {
    return Number(/^inactive_file (\d+)$/m.exec(readFileSync('/sys/fs/cgroup/memory.stat', 'utf8'))?.[1] ?? 0)
  } catch {
    // No such file: nothing is known to be free to go.
    return 0
  }
}

function systemBytes(): number {
  try {
    const kb = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]
    if (kb) return Number(kb) * 1024
    return freemem()
  } catch {
    // Not Linux: the free memory is the next best.
    return freemem()
  }
}

export type MemoryNeed = {
  /** Of the step's program, by its memory plan. */
  readonly planBytes: number
  /** Of the data and of copies of the state. */
  readonly otherBytes: number
}

/** A size as people read it. */
export function shownBytes(bytes: number): string {
  if (bytes < 2 ** 20) return `${Math.ceil(bytes / 2 ** 10)} KiB`
  return bytes < 2 ** 30
    ? `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 24 ? 1 : 0)} MiB`
    : `${(bytes / 2 ** 30).toFixed(1)} GiB`
}

/**
 * Refuses a run that would not fit, before it starts.
 *
 * @param needOf what a batch of another size would need, to tell which fits
 * @throws PotluckError OUT_OF_MEMORY with what is needed, what there is and what to change
 */
export function checkMemory(
  need: MemoryNeed,
  available: number,
  change: { batch: number; recompute: boolean; needOf(batch: number): MemoryNeed },
): void {
  const total = ({ planBytes, otherBytes }: MemoryNeed): number => planBytes + otherBytes
  if (total(need) <= available) return
  let batch = change.batch
  while (batch > 1 && total(change.needOf(batch)) > available) batch = Math.floor(batch / 2)
  const isEnough = batch < change.batch && total(change.needOf(batch)) <= available
  const hints = [
    ...(isEnough ? [`--batch ${batch} fits`] : []),
    ...(change.recompute ? [] : ['--recompute keeps less of each layer']),
    ...(isEnough ? [] : ['a smaller model (--model)', 'less data']),
  ]
  const message = `the run needs ${shownBytes(total(need))} (one step ${shownBytes(need.planBytes)}, data and state ${shownBytes(need.otherBytes)}), ${shownBytes(available)} are free: ${hints.join(', or ')}`
  throw new PotluckError('OUT_OF_MEMORY', message, { neededBytes: total(need), availableBytes: available })
}
