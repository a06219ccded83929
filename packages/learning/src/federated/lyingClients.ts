import { modelOf, type TrainingData } from '@potluck/engine'
import { attackUpdates } from '../attacks/attackUpdates.ts'
import { poisonData } from '../attacks/poisonData.ts'
import { compressUpdate } from '../compression/compressUpdate.ts'
import type { FederatedOptions } from './FederatedOptions.ts'
import { federatedSeed } from './federatedSeed.ts'
import type { LocalTrainer } from './localTrainer.ts'

type Sending = {
  readonly round: number
  readonly members: readonly number[]
  readonly lying: ReadonlyMap<number, TrainingData>
  readonly trained: readonly Float32Array[]
  readonly guess: Float32Array | undefined
  readonly previous: Float32Array | undefined
}

/** What each member sends: its update, or what its attack makes of everything it sees. */
export function withAttacks(options: FederatedOptions, sending: Sending): Float32Array[] {
  const { members, lying, round, guess, previous, trained } = sending
  const { compression = { kind: 'f32' } } = options
  const places = members.flatMap((member, i) => (lying.has(member) ? [i] : []))
  const sent = [...trained]
  if (places.length === 0 || !options.attackers) return sent
  const lies = attackUpdates(options.attackers.attack, {
    honest: trained.filter((_, i) => !places.includes(i)),
    own: places.map((i) => trained[i]!),
    rule: options.rule ?? { kind: 'weightedMean' },
    guess,
    previous,
    round,
    sent: (update) => compressUpdate(update, undefined, compression).update,
    seed: federatedSeed(options.seed, round, 'attack'),
  })
  places.forEach((place, i) => {
    sent[place] = lies[i]!
  })
  return sent
}

/** The reference as an attacker can foresee it: from the same rows, with batches of its own, since the beacon comes later. */
export const guessReference = async (
  trainer: LocalTrainer,
  { reference, seed }: FederatedOptions,
  round: number,
  base: Float32Array,
): Promise<Float32Array> =>
  (await trainer.train({ base, data: reference!, seed: federatedSeed(seed, round, 'guess') })).update

/** What lying clients train on, by client number. */
export function lyingClients({ attackers, clients, config, seed }: FederatedOptions): Map<number, TrainingData> {
  if (!attackers || attackers.attack.kind === 'none') return new Map()
  const { target } = modelOf(config)
  const classes = target.kind === 'classes' ? target.classes : 0
  return new Map(
    attackers.of.map((client) => {
      const { data, id } = clients[client]!
      return [client, poisonData(attackers.attack, data, classes, federatedSeed(seed, 0, id))]
    }),
  )
}
