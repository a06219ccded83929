import type { Engine } from '@potluck/engine'
import type { Attack, FederatedOptions, Trigger } from '@potluck/learning'
import type { UnderAttack } from './runUnderAttack.ts'

/** One training of the grid. */
export type Cell = {
  readonly name: string
  readonly rounds: number
  /** Trains to the end; `onRound` hears of each round. */
  run(engine: Engine, onRound: (round: number) => void): Promise<UnderAttack>
}

/** One setting with one seed, on which attacks are tried. */
export type AttackGround = {
  /** What will be trained, for a person. */
  readonly lines: readonly string[]
  /** SHA-256 of the setting's `run.json`; null for a job. */
  readonly setting: string | null
  readonly clients: number
  readonly rounds: number
  readonly rule: NonNullable<FederatedOptions['rule']>
  readonly compression: NonNullable<FederatedOptions['compression']>
  /** What a backdoor aims at; undefined where rows have no classes. */
  readonly backdoor: { readonly target: number; readonly trigger: Trigger } | undefined
  /** Why the rule is known to fail against so many; null where it is not. */
  warning(liars: number): string | null
  /** The plain mean of the same members with nobody lying, whole updates sent. */
  readonly clean: Cell
  /** The setting itself with nobody lying. */
  readonly unattacked: Cell
  attacked(attack: Attack, liars: number): Cell
}
