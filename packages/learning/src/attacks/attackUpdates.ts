import { RandomStream } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'
import type { Attack } from './Attack.ts'
import type { AttackerView } from './AttackerView.ts'
import { adaptiveUpdate } from './adaptiveUpdate.ts'
import { alieDeviations } from './alieDeviations.ts'
import { honestStatistics, lengthOf } from './honestStatistics.ts'

/** Streams of attackers (E-14). */
export const attackPurpose = { noise: 30, idle: 31, search: 32, poison: 33 } as const

/**
 * The update of each attacker, in their order: a pure function of the view (L-38).
 *
 * With no honest update in sight, attackers build on what they trained themselves.
 *
 * @throws PotluckError BAD_ATTACK
 */
export function attackUpdates(attack: Attack, view: AttackerView): Float32Array[] {
  const { own, round, seed } = view
  const seen = view.honest.length > 0 ? view.honest : own
  const each = (of: (own: Float32Array, attacker: number) => Float32Array): Float32Array[] => own.map(of)
  switch (attack.kind) {
    case 'none':
    case 'labelFlip':
      return [...own]
    case 'signFlip':
      return each((update) => scaled(update, -positive('scale', attack.scale, 10)))
    case 'backdoor':
      return each((update) =>
        scaled(update, positive('scale', attack.scale, (view.honest.length + own.length) / own.length)),
      )
    case 'noise': {
      const length = positive('scale', attack.scale, 1) * honestStatistics(seen).length
      return each((update, i) => noise(update.length, length, new RandomStream(seed, attackPurpose.noise, round), i))
    }
    case 'alie': {
      const { mean, deviation } = honestStatistics(seen)
      const z = attack.z ?? alieDeviations(view.honest.length + own.length, own.length)
      return each(() => Float32Array.from(mean, (x, j) => x - z * deviation[j]!))
    }
    case 'ipm': {
      const { mean } = honestStatistics(seen)
      const epsilon = positive('epsilon', attack.epsilon, 2)
      return each(() => Float32Array.from(mean, (x) => -epsilon * x))
    }
    case 'mimic':
      return each(() => seen[(attack.target ?? 0) % seen.length]!.slice())
    case 'copy':
      return each((_, i) => seen[i % seen.length]!.slice())
    case 'freeRider':
      return each((update, i) => idle(attack.sends ?? 'zeros', update.length, view, i))
    case 'adaptive': {
      const update = own.length > 0 ? adaptiveUpdate(view, attack.evaluations ?? 60) : undefined
      return each(() => update!.slice())
    }
  }
}

function positive(field: string, value: number | undefined, usual: number): number {
  const given = value ?? usual
  if (given > 0 && Number.isFinite(given)) return given
  throw new PotluckError('BAD_ATTACK', `${field} of an attack must be above 0, got ${given}`, { field })
}

/** In f64, to f32 at the end; never beyond what f32 holds. */
const scaled = (update: Float32Array, by: number): Float32Array => update.map((x) => x * by)

/** @param member whose numbers of the stream: no two share one */
function noise(P: number, length: number, stream: RandomStream, member: number): Float32Array {
  const drawn = Float32Array.from({ length: P }, (_, j) => stream.normal(member * P + j))
  return scaled(drawn, length / Math.max(lengthOf(drawn), 1e-30))
}

function idle(sends: 'zeros' | 'noise' | 'replay', P: number, view: AttackerView, member: number): Float32Array {
  if (sends === 'replay' && view.previous) return view.previous.slice()
  if (sends !== 'noise') return new Float32Array(P)
  // A thousandth of an honest update: enough not to be caught as zeros, too little to help or harm.
  const length = honestStatistics(view.honest).length / 1000
  return noise(P, length, new RandomStream(view.seed, attackPurpose.idle, view.round), member)
}
