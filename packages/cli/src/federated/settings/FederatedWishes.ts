import { type Partition, parsePartition } from '@potluck/learning'
import { PotluckError } from '@potluck/protocol'

/** The options of `potluck train` that make it a federation, as the command line reads them. */
export type FederatedWishes = {
  readonly clients?: number | undefined
  readonly partition?: string | undefined
  readonly rounds?: number | undefined
  readonly localSteps?: number | undefined
  readonly perRound?: number | undefined
  readonly buffered?: string | undefined
  readonly rule?: string | undefined
  readonly compress?: string | undefined
  readonly outer?: string | undefined
  readonly method?: string | undefined
  readonly reference?: number | undefined
  readonly attackers?: string | undefined
  readonly noise?: string | undefined
  readonly masks?: number | undefined
  readonly delta?: number | undefined
  /** The most ε the run may spend. */
  readonly epsilon?: number | undefined
  /** The last layer stays with each client. */
  readonly personalHead?: boolean | undefined
}

const names = [
  'clients',
  'partition',
  'rounds',
  'localSteps',
  'perRound',
  'buffered',
  'rule',
  'compress',
  'outer',
  'method',
  'reference',
  'attackers',
  'noise',
  'masks',
  'delta',
  'epsilon',
  'personalHead',
] as const satisfies readonly (keyof FederatedWishes)[]

const flag = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/**
 * How the data is divided, where a federation is meant: with `--clients`, or with a column that names them. Undefined where none is.
 *
 * @throws PotluckError BAD_USAGE for an option that only a federation has; BAD_PARTITION
 */
export function partitionOf(wishes: FederatedWishes): Partition | undefined {
  const partition = wishes.partition === undefined ? undefined : parsePartition(wishes.partition)
  if (wishes.clients !== undefined || partition?.kind === 'column') return partition ?? { kind: 'iid' }
  const given = names.find((name) => wishes[name] !== undefined)
  if (given === undefined) return undefined
  const message = `${flag(given)} is about several participants: say how many with --clients N, or name a column with --partition by-column:COLUMN`
  throw new PotluckError('BAD_USAGE', message, { option: flag(given) })
}

/** Refuses what a federation does otherwise than a training of one: BAD_USAGE. */
export function checkFederatedUsage({
  steps,
  teacher,
}: {
  readonly steps?: number | undefined
  readonly teacher?: string | undefined
}): void {
  if (teacher !== undefined) {
    const message =
      '--teacher does not go with --clients: train the common model first, then its student from that folder'
    throw new PotluckError('BAD_USAGE', message, { option: '--teacher' })
  }
  if (steps === undefined) return
  const message = `--steps does not go with --clients: say --rounds, and --local-steps for the steps of a client in each`
  throw new PotluckError('BAD_USAGE', message, { option: '--steps' })
}
