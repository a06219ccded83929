import type { Hex } from '@potluck/protocol'

export type Sign = { worker: Hex; share: number; atMs: number; kind: 'beat' | 'commit' }

/** One worker at one share of a round, by this node's clock. */
export type ShareTime = {
  worker: Hex
  share: number
  /** First beat; the round's opening where none was heard before the commit. */
  startedMs: number
  /** Last beat or commit. */
  heardMs: number
  committedMs?: number
}

/**
 * What was known before, and what these signs add: the first sign of a worker for a share starts its time, its first commit ends it.
 *
 * @param before left as it is
 * @param signs of the same round, in any order; of several beats of one worker for a share the newest may stand for all
 */
export function addSigns(before: readonly ShareTime[], signs: readonly Sign[], openedMs: number): ShareTime[] {
  const times = new Map(before.map((one) => [`${one.worker}/${one.share}`, one]))
  // Beats first: a commit that came with one has not been all there was.
  for (const { worker, share, atMs, kind } of [...signs].sort((a, b) =>
    a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0,
  )) {
    const key = `${worker}/${share}`
    const known = times.get(key)
    const startedMs = known?.startedMs ?? (kind === 'beat' ? atMs : Math.min(openedMs, atMs))
    const committedMs = known?.committedMs ?? (kind === 'commit' ? atMs : undefined)
    const heardMs = Math.max(known?.heardMs ?? atMs, atMs)
    times.set(key, { worker, share, startedMs, heardMs, ...(committedMs === undefined ? {} : { committedMs }) })
  }
  return [...times.values()]
}
