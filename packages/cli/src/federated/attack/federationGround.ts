import { type Attack, attackText, checkRule, drawMembers, type FederatedOptions } from '@potluck/learning'
import { PotluckError } from '@potluck/protocol'
import type { PreparedFederation } from '../prepareFederated.ts'
import { settingHash } from '../runFile.ts'
import type { AttackGround, Cell } from './AttackGround.ts'
import { whyNoScore } from './resistanceFacts.ts'
import { runUnderAttack } from './runUnderAttack.ts'
import { triggerOf } from './triggerOf.ts'

/** The clients that lie are drawn where no round draws its members. */
const BEFORE_ROUNDS = 0

/** A federation on this machine, to be attacked. Throws BAD_USAGE where no score is defined for it. */
export function federationGround(prepared: PreparedFederation): AttackGround {
  const why = whyNoScore(prepared)
  if (why !== undefined) throw new PotluckError('BAD_USAGE', why)
  const { run, options } = prepared
  const { rule = { kind: 'weightedMean' }, compression = { kind: 'f32' } } = options
  const backdoor = triggerOf(run.data)
  const cell = (name: string, with_: FederatedOptions): Cell => ({
    name,
    rounds: with_.rounds,
    run: (engine, onRound) => runUnderAttack(engine, with_, backdoor, onRound),
  })
  const { masks: _, noise: __, ...open } = options
  return {
    lines: run.lines,
    setting: settingHash(prepared.file),
    clients: options.clients.length,
    rounds: options.rounds,
    rule,
    compression,
    backdoor,
    warning: (liars) => warningOf(options, liars),
    clean: cell('plain mean, nobody lies', {
      ...open,
      rule: { kind: 'mean' },
      compression: { kind: 'f32' },
      reference: undefined,
    }),
    unattacked: cell('this rule, nobody lies', options),
    attacked: (attack: Attack, liars) => {
      const of = drawMembers(options.seed, BEFORE_ROUNDS, options.clients.length, liars)
      return cell(attackText(attack), { ...options, attackers: { of, attack } })
    },
  }
}

function warningOf({ rule, compression, perRound, reference }: FederatedOptions, liars: number): string | null {
  try {
    const setting = { members: perRound ?? 1, compression: compression ?? { kind: 'f32' as const }, attackers: liars }
    checkRule(rule ?? { kind: 'weightedMean' }, { ...setting, hasReference: reference !== undefined })
    return null
  } catch (error) {
    // Known to fail is no reason not to try it here: that is what the command is for.
    return error instanceof Error ? error.message : String(error)
  }
}
