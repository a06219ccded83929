import { readdirSync, readFileSync } from 'node:fs'

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // The process ended between listing and reading.
    return ''
  }
}

/** Ids of this process and of everything it started, however deep. Linux only; elsewhere just this process. */
function processTree(): number[] {
  const parents = new Map<number, number>()
  let entries: string[] = []
  try {
    entries = readdirSync('/proc')
  } catch {
    return [process.pid]
  }
  for (const entry of entries) {
    if (!/^\d+$/.test(entry)) continue
    // The name in parentheses may itself hold spaces and parentheses.
    const fields = read(`/proc/${entry}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ')
    if (fields[1]) parents.set(Number(entry), Number(fields[1]))
  }
  const tree = [process.pid]
  for (let i = 0; i < tree.length; i++) for (const [pid, parent] of parents) if (parent === tree[i]) tree.push(pid)
  return tree
}

/** Proportional set size of the whole process tree in MB: shared pages are counted once over all who share them. 0 where /proc is absent. */
export function treePssMb(): number {
  const kb = processTree()
    .map((pid) => Number(/^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0))
    .reduce((sum, each) => sum + each, 0)
  return Math.round(kb / 1024)
}

/** Samples until stopped; `peakMb()` is the largest sum seen. */
export function watchMemory(everyMs = 3_000): { peakMb(): number; stop(): void } {
  let peak = 0
  const sample = (): void => {
    peak = Math.max(peak, treePssMb())
  }
  const timer = setInterval(sample, everyMs)
  timer.unref()
  return {
    peakMb: () => {
      sample()
      return peak
    },
    stop: () => clearInterval(timer),
  }
}
