import { PotluckError } from '@potluck/protocol'
import type { FederatedOptions } from './FederatedOptions.ts'

/** Refuses what has no meaning without rounds: BAD_FEDERATION. */
export function checkBuffered(options: FederatedOptions): void {
  const { rule, masks, noise, personal, attackers, method, perRound, clients } = options
  const refuse = (field: string, why: string): never => {
    throw new PotluckError('BAD_FEDERATION', `${field} has no meaning without rounds: ${why}`, { field })
  }
  if (rule?.kind !== 'mean') refuse('rule', 'deliveries are added up as they come; take mean')
  if (masks) refuse('masks', 'a masked sum needs everybody at once')
  if (noise) refuse('noise', 'what a client spends would hang on its speed')
  if (personal && personal.length > 0) refuse('personal', 'leave it out')
  if (attackers) refuse('attackers', 'they answer to the updates of a round')
  if (method?.kind === 'scaffold') refuse('method', 'take plain or proximal')
  if (perRound !== undefined && perRound < clients.length) refuse('perRound', 'everybody delivers when it is done')
}
