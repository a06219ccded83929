import { PotluckError } from '@potluck/protocol'
import type { Attack, Trigger } from './Attack.ts'

/** The names of attacks as people write them. */
export const attackNames = [
  'none',
  'sign-flip',
  'label-flip',
  'noise',
  'alie',
  'ipm',
  'mimic',
  'copy',
  'free-rider',
  'adaptive',
  'backdoor',
] as const

const idleWays = ['zeros', 'noise', 'replay'] as const

/** An attack as people write it; `parseAttack` reads it back. */
export function attackText(attack: Attack): string {
  const name = attack.kind.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  const value = (): string | number | undefined => {
    switch (attack.kind) {
      case 'signFlip':
      case 'noise':
      case 'backdoor':
        return attack.scale
      case 'alie':
        return attack.z
      case 'ipm':
        return attack.epsilon
      case 'mimic':
        return attack.target
      case 'freeRider':
        return attack.sends
      case 'adaptive':
        return attack.evaluations
      default:
        return undefined
    }
  }
  const given = value()
  return given === undefined ? name : `${name}:${given}`
}

/**
 * Reads `sign-flip`, `sign-flip:10`, `alie:1.5`, `free-rider:replay` and the like.
 *
 * @param backdoor what a backdoor aims at; without it there is none
 * @throws PotluckError BAD_ATTACK with what was seen and the forms there are
 */
export function parseAttack(
  text: string,
  backdoor?: { readonly target: number; readonly trigger: Trigger } | undefined,
): Attack {
  const [name = '', value, ...rest] = text.trim().split(':')
  const number = value !== undefined && /^(\d{1,9}(\.\d{0,9})?|\.\d{1,9})$/.test(value) ? Number(value) : Number.NaN
  const isWhole = Number.isInteger(number)
  const none = value === undefined && rest.length === 0
  const positive = rest.length === 0 && number > 0
  switch (name) {
    case 'none':
      if (none) return { kind: 'none' }
      break
    case 'label-flip':
      if (none) return { kind: 'labelFlip' }
      break
    case 'copy':
      if (none) return { kind: 'copy' }
      break
    case 'sign-flip':
      if (none) return { kind: 'signFlip' }
      if (positive) return { kind: 'signFlip', scale: number }
      break
    case 'noise':
      if (none) return { kind: 'noise' }
      if (positive) return { kind: 'noise', scale: number }
      break
    case 'alie':
      if (none) return { kind: 'alie' }
      if (positive) return { kind: 'alie', z: number }
      break
    case 'ipm':
      if (none) return { kind: 'ipm' }
      if (positive) return { kind: 'ipm', epsilon: number }
      break
    case 'mimic':
      if (none) return { kind: 'mimic' }
      if (rest.length === 0 && isWhole) return { kind: 'mimic', target: number }
      break
    case 'free-rider': {
      if (none) return { kind: 'freeRider' }
      const sends = idleWays.find((way) => way === value)
      if (sends && rest.length === 0) return { kind: 'freeRider', sends }
      break
    }
    case 'adaptive':
      if (none) return { kind: 'adaptive' }
      if (positive && isWhole && number <= 100_000) return { kind: 'adaptive', evaluations: number }
      break
    case 'backdoor':
      if (!backdoor) throw refuse(text, 'a backdoor needs rows with classes')
      if (none) return { kind: 'backdoor', ...backdoor }
      if (positive) return { kind: 'backdoor', ...backdoor, scale: number }
      break
  }
  throw refuse(
    text,
    `write one of ${attackNames.join(', ')}, some with a number (sign-flip:10, noise:1, alie:1.5, ipm:2, mimic:0, adaptive:60, backdoor:2.5) or a way (free-rider:${idleWays.join('|')})`,
  )
}

const refuse = (text: string, advice: string): PotluckError => {
  const seen = text.slice(0, 60)
  return new PotluckError('BAD_ATTACK', `no attack is called ${JSON.stringify(seen)}: ${advice}`, { seen })
}
