import { attackText, type Client, drawMembers, type FederatedOptions, parseAttack } from '@potluck/learning'
import { PotluckError } from '@potluck/protocol'
import type { LoadedData } from '../training/LoadedData.ts'
import { triggerOf } from './attack/triggerOf.ts'
import { parseAttackers } from './settings/parseAttackers.ts'

export type ChosenAttackers = {
  readonly attackers: FederatedOptions['attackers']
  readonly attack: { readonly name: string; readonly count: number } | null
}

/** Rounds count from 1: the clients that lie are drawn where no round draws its members. */
const BEFORE_ROUNDS = 0

/**
 * Which clients lie, and how: a share of all, drawn by the seed.
 *
 * @throws PotluckError BAD_SETTING, BAD_ATTACK; BAD_USAGE where the share is less than one client or leaves none honest, or the data has no
 * ground for the attack
 */
export function chooseAttackers(
  text: string | undefined,
  clients: readonly Client[],
  data: LoadedData,
  seed: Uint8Array,
): ChosenAttackers {
  if (text === undefined) return { attackers: undefined, attack: null }
  const wish = parseAttackers(text)
  const attack = parseAttack(wish.attack, triggerOf(data))
  const count = Math.floor(wish.share * clients.length)
  if (count === 0 || count === clients.length) {
    throw usage(
      `--attackers ${wish.share} of ${clients.length} clients are ${count}: take a share that leaves liars and honest ones`,
    )
  }
  if (attack.kind === 'labelFlip' && triggerOf(data) === undefined) {
    throw usage('--attackers: label-flip lies about classes, and the data has none; take sign-flip')
  }
  const of = drawMembers(seed, BEFORE_ROUNDS, clients.length, count)
  return { attackers: { of, attack }, attack: { name: attackText(attack), count } }
}

const usage = (message: string): PotluckError => new PotluckError('BAD_USAGE', message)
