import type { Hex } from '@potluck/protocol'

export type Sign = { worker: Hex; share: number; atMs: number; kind: 'beat' | 'commit' }

/**
 * The share this worker should do now, or undefined (P-41): its own first; then one whose workers before it in line have all
 * been silent for `silenceMs`. A share that has a commit, or a fresh beat of somebody else, is taken.
 *
 * @param signs beats and commits seen in this round
 * @param openedMs when the round opened; silence counts from there
 * @param mine shares this worker has committed already
 */
export function dueShare(
  self: Hex,
  assignment: readonly Hex[][],
  signs: readonly Sign[],
  openedMs: number,
  nowMs: number,
  silenceMs: number,
  mine: ReadonlySet<number>,
): number | undefined {
  let takeover: number | undefined
  for (const [share, order] of assignment.entries()) {
    const place = order.indexOf(self)
    if (place < 0 || mine.has(share)) continue
    const ofShare = signs.filter((sign) => sign.share === share)
    if (ofShare.some((sign) => sign.kind === 'commit' && sign.worker !== self)) continue
    // Somebody is at it, perhaps because we were away: doing it twice would be paid once.
    if (ofShare.some((sign) => sign.worker !== self && nowMs - sign.atMs < silenceMs)) continue
    if (place === 0) return share
    const lastSign = Math.max(openedMs, ...ofShare.filter((sign) => sign.worker !== self).map((sign) => sign.atMs))
    // Each place in line waits once more, so that two workers do not take over at the same moment.
    if (takeover === undefined && nowMs - lastSign > silenceMs * place) takeover = share
  }
  return takeover
}
