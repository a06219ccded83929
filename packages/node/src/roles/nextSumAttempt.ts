/** When a member of a private job gives up an attempt at a sum, and with whom it begins the next one (P-46, P-63). */
import { leastOf, type TrainingPlan } from '@potluck/learning'
import type { Hex } from '@potluck/protocol'
import type { JobView } from '../JobView.ts'
import { LONGEST_REPEAT_MS } from '../Outbox.ts'
import { chosenGroup, isSameGroup, mayForm, presentGroup, type Standing } from '../round/sumGroup.ts'
import type { HeardSums, OfGroup } from './heardSums.ts'
import { againWith, type Progress } from './sumProgress.ts'

/** What stands is repeated this often at least: of a member silent for longer, two messages and more were lost, or it is gone. */
const ABSENT_MS = 2 * LONGEST_REPEAT_MS + 2_000
/** Members that named two groups for one attempt hear of it within a gossip hop or two; not at once again, should they not agree. */
const SPLIT_MS = 1_000

/** Longer with every attempt: on a slow day members must not keep starting over before anyone can finish. */
const patienceMs = (view: JobView, attempt: number): number =>
  1000 * view.document.silenceSeconds * Math.min(8, 1.5 ** (attempt - 1))

/** When this attempt last came forward: it began, or a member's message for it arrived. */
function lastSignMs({ keys, masked }: HeardSums, { state, sinceMs }: Progress): number {
  const signs = [...keys, ...masked].filter(({ body }) => body.step === state.round && body.attempt === state.attempt)
  return Math.max(sinceMs, ...signs.map(({ seenMs }) => seenMs))
}

/** What only this process knows, in its own time. */
export type Times = {
  /** When it began to listen. */
  readonly listenMs: number
  /** Since when the present group tries to complete the present step. */
  readonly groupMs: number
  /** Since when a member is known to be past the present step. */
  readonly aheadMs: ReadonlyMap<Hex, number>
}

/**
 * Members that we can go on with. Not so one that is silent for long; that is past our step for as long without our getting hold of the
 * sum; or whose word for this attempt does not come though the group has tried for twice as long: it may hear nobody, or keep it back.
 */
function presence(view: JobView, heard: HeardSums, progress: Progress, times: Times): (member: Hex) => boolean {
  const { identity, nowMs, document } = view
  const { state, group, sinceMs } = progress
  const longestMs = Math.max(ABSENT_MS, patienceMs(view, state.attempt))
  const of = ({ body }: OfGroup<'maskKey'> | OfGroup<'masked'>): boolean =>
    body.step === state.round && body.attempt === state.attempt
  const answered = heard.masked.filter(of).map(({ node }) => node)
  const came = answered.includes(identity.node) ? answered : heard.keys.filter(of).map(({ node }) => node)
  const isDue = nowMs - times.groupMs > 2 * longestMs && nowMs - sinceMs > 1_000 * document.silenceSeconds
  return (member) => {
    if (member === identity.node) return true
    const isSilent = nowMs - Math.max(times.listenMs, heard.lastHeardMs(member, state.round)) > longestMs
    const isAhead = nowMs - (times.aheadMs.get(member) ?? nowMs) > longestMs
    return !isSilent && !isAhead && !(isDue && group.includes(member) && !came.includes(member))
  }
}

/**
 * The next attempt, or undefined while the present one may still come about.
 *
 * Given up when it stalls, when a member of our group has gone on to a later one, when two members of it named different groups, and
 * when one of them is not there and enough others are. While a member past this step may still hand us the sum, we stay.
 */
export function nextSumAttempt(
  view: JobView,
  plan: TrainingPlan,
  progress: Progress,
  heard: HeardSums,
  standing: Standing,
  times: Times,
): Progress | undefined {
  const { round: step, attempt } = progress.state
  const isFixed = leastOf(plan) === plan.members.length
  const isWaiting = [...times.aheadMs.values()].some((ms) => isFixed || view.nowMs - ms < ABSENT_MS)
  const keys = heard.keys.filter(({ node, body }) => body.step === step && progress.group.includes(node))
  const newest = Math.max(0, ...keys.map(({ body }) => body.attempt))
  const namedAt = (at: number): OfGroup<'maskKey'>[] => keys.filter(({ body }) => body.attempt === at)

  if (newest > attempt && !isWaiting) {
    const named = namedAt(newest).map(({ group }) => group)
    const group = chosenGroup(standing, plan.members as readonly Hex[], named)
    if (group) return againWith(view, progress, newest, group)
  }
  const others = namedAt(attempt).filter(({ group }) => !isSameGroup(group, progress.group))
  if (newest <= attempt && others.length > 0 && view.nowMs - progress.sinceMs > SPLIT_MS) {
    const named = [progress.group, ...others.map(({ group }) => group)]
    const group = chosenGroup(standing, plan.members as readonly Hex[], named)
    if (group) return againWith(view, progress, attempt + 1, group)
  }
  const isPresent = presence(view, heard, progress, times)
  const isWhole = mayForm(standing, progress.group) && progress.group.every(isPresent)
  const group = isWhole ? progress.group : (presentGroup(standing, isPresent) ?? progress.group)
  const isStuck = view.nowMs - lastSignMs(heard, progress) > patienceMs(view, attempt)
  if ((isStuck && !isWaiting) || (!isFixed && !isSameGroup(group, progress.group))) {
    return againWith(view, progress, Math.max(attempt + 1, newest), group)
  }
  return undefined
}
