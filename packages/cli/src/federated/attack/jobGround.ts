import { parameterCount } from '@potluck/engine'
import { type Attack, attackText, type Compression, drawMembers } from '@potluck/learning'
import type { UpdateEncoding } from '@potluck/protocol'
import type { AttackGround, Cell } from './AttackGround.ts'
import { type JobLiars, type JobSetting, runJobUnderAttack } from './jobUnderAttack.ts'

/** A language job, to be attacked: its shares are the members. */
export function jobGround(setting: JobSetting): AttackGround {
  const { recipe, encoding, shares, rounds, train, valid, seed } = setting
  const { config, steps, batch } = recipe
  const cell = (name: string, how: { liars?: JobLiars; isPlain: boolean }): Cell => ({
    name,
    rounds,
    run: (engine, onRound) => runJobUnderAttack(engine, setting, how, onRound),
  })
  return {
    lines: [
      `text of ${train.length} characters to train on, ${valid.length} to measure on`,
      `a job of ${rounds} rounds of ${shares} shares, ${steps} steps of ${batch} × ${config.context} characters; ${parameterCount(config)} parameters`,
      `rule reference · updates ${encoding}: the programs of the network; who works and the beacons are drawn`,
    ],
    setting: null,
    clients: shares,
    rounds,
    rule: { kind: 'reference' },
    compression: compressionOf(encoding),
    backdoor: undefined,
    warning: () => null,
    clean: cell('plain mean, nobody lies', { isPlain: true }),
    unattacked: cell('this job, nobody lies', { isPlain: false }),
    attacked: (attack: Attack, liars) =>
      cell(attackText(attack), { isPlain: false, liars: { of: drawMembers(seed, 0, shares, liars), attack } }),
  }
}

/** A job's encoding as records of attacks name it. */
export const compressionOf = (encoding: UpdateEncoding): Compression =>
  encoding === 'f32'
    ? { kind: 'f32' }
    : { kind: 'dense', bits: encoding === 'dense8' ? 8 : encoding === 'dense4' ? 4 : 2 }
