/** One round as the log keeps it: one JSON line. */
export type RoundRecord = {
  /** From 1. */
  readonly round: number
  /** Mean training loss of the members' steps. */
  readonly loss: number
  /** On rows nobody trains on, where the round was evaluated; with personal heads each client's own model on its own such rows. */
  readonly valid?: { readonly loss: number; readonly accuracy: number | null }
  /** With personal heads, where the round was evaluated: as `valid`, with the number of rows. */
  readonly own?: { readonly loss: number; readonly accuracy: number | null; readonly n: number }
  /** Client numbers, from 0. */
  readonly members: readonly number[]
  /** Each member's part in the aggregate; all 0 where the model stayed as it was. */
  readonly weights: readonly number[]
  /** Length of each member's update. */
  readonly norms: readonly number[]
  /** Of all members together, framing and signatures included. */
  readonly bytesUp: number
  readonly bytesDown: number
  /** Since the run began, over all times it was resumed. */
  readonly seconds: number
  /** Seconds since 1970 when the round ended. */
  readonly time: number
  /** Privacy spent up to here, where updates carry noise. */
  readonly epsilon?: number
  /** Contribution of each member to the round, where it is scored. */
  readonly scores?: readonly number[]
}

export function isRoundRecord(value: unknown): value is RoundRecord {
  if (typeof value !== 'object' || value === null) return false
  const { round, loss, members, weights, bytesUp } = value as Partial<RoundRecord>
  const areNumbers = [round, loss, bytesUp].every((one) => typeof one === 'number')
  return areNumbers && Array.isArray(members) && Array.isArray(weights)
}
