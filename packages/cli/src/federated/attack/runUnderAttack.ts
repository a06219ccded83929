import { type Engine, modelOf } from '@potluck/engine'
import { backdoorSuccess, type FederatedOptions, federate, type Trigger } from '@potluck/learning'
import { codeOf } from '@potluck/protocol'

/** What came of one training. Rates from 0 to 1. */
export type UnderAttack = {
  readonly accuracy: number
  /** Part of the honest updates that had no weight at all. */
  readonly zeroed: number
  /** Null where there is nothing to plant a backdoor in. */
  readonly backdoorSuccess: number | null
  /** Why the training ended early: its numbers left what f32 holds. The accuracy then is 0. */
  readonly failed: 'NAN' | null
}

/** One training to its end, with the liars its options name. `onRound` hears of each round. */
export async function runUnderAttack(
  engine: Engine,
  options: FederatedOptions,
  backdoor: { readonly target: number; readonly trigger: Trigger } | undefined,
  onRound: (round: number) => void,
): Promise<UnderAttack> {
  const liars = new Set(options.attackers?.of)
  let [zeroed, honest] = [0, 0]
  const rounds = federate(engine, { ...options, evaluateEvery: options.rounds })
  try {
    for (;;) {
      const next = await rounds.next()
      if (next.done) {
        const { parameters, evaluation } = next.value
        const { validation, frozen } = options
        const success =
          backdoor && validation
            ? await backdoorSuccess(engine, modelOf(options.config), { parameters, frozen }, validation, backdoor)
            : null
        return { accuracy: evaluation?.accuracy ?? 0, zeroed: zeroed / honest, backdoorSuccess: success, failed: null }
      }
      next.value.members.forEach((member, i) => {
        if (liars.has(member)) return
        honest++
        if (next.value.weights[i] === 0) zeroed++
      })
      onRound(next.value.round)
    }
  } catch (error) {
    return endedByNumbers(error, honest > 0 ? zeroed / honest : 0, backdoor ? 0 : null)
  }
}

/** A model that an attack drove beyond all numbers is a finding; anything else is thrown on. */
export function endedByNumbers(error: unknown, zeroed: number, backdoorSuccess: number | null): UnderAttack {
  if (codeOf(error) !== 'NAN') throw error
  return { accuracy: 0, zeroed, backdoorSuccess, failed: 'NAN' }
}
