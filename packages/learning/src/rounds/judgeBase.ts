/**
 * Whether an update computed from `base` may take part in the round that starts from `current` (L-68): in full from the current
 * model, at half weight from the one before, else not at all.
 *
 * A value, not an error: being late is part of normal work. `why` is written for the worker's owner.
 *
 * @param base     hash of the model that the update was computed from
 * @param current  hash of the model that the round starts from
 * @param previous hash of the model before that; absent in the first round
 */
export function judgeBase(base: string, { current, previous }: RoundBases): BaseVerdict {
  if (base === current) return { ok: true, weight: 1, staleness: 0 }
  if (previous !== undefined && base === previous) return { ok: true, weight: 0.5, staleness: 1 }
  const known = previous === undefined ? `${current} counts` : `${current} and, at half weight, ${previous} count`
  return {
    ok: false,
    rule: 'L-68',
    why: `the update was computed from the model ${base}, but only ${known} in this round: fetch the newest model and train again`,
  }
}

export type RoundBases = { readonly current: string; readonly previous?: string | undefined }

export type BaseVerdict =
  | { readonly ok: true; readonly weight: 1 | 0.5; readonly staleness: 0 | 1 }
  | { readonly ok: false; readonly rule: 'L-68'; readonly why: string }
