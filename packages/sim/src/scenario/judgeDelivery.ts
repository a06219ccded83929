import { judgeBase } from '@potluck/learning'
import type { OpenedDelivery } from './Delivery.ts'
import type { IntakeDesk } from './IntakeDesk.ts'
import type { Round } from './RoundChain.ts'
import type { ScenarioWorld, SimMachine } from './ScenarioWorld.ts'

/** `wait`: until the set of this round is fixed, then look again. */
export type Verdict =
  | { readonly kind: 'take' }
  | { readonly kind: 'wait'; readonly round: Round }
  | { readonly kind: 'refuse'; readonly why: string }

const take: Verdict = { kind: 'take' }
const refuse = (why: string): Verdict => ({ kind: 'refuse', why })

export const pieceKey = ({ round, share, piece }: OpenedDelivery): string => `${round}/${share}/${piece}`

/** Whether a keeper takes a delivery, in a run with rounds. */
export function judgeInRounds(
  { chain, scenario, clusters, machineOf }: ScenarioWorld,
  { node }: SimMachine,
  desk: IntakeDesk,
  delivery: OpenedDelivery,
): Verdict {
  const { id, share, piece } = delivery
  const key = pieceKey(delivery)
  const round = chain.roundAt(delivery.round)
  const current = chain.current
  if (!round || !current) return refuse(`round ${delivery.round} is not open`)
  if (chain.included.has(id)) return take
  if (chain.isDone) return refuse('the run is over')
  if (delivery.base !== round.baseRoot) return refuse(wrongBase(delivery))
  const base = judgeBase(delivery.base, { current: current.baseRoot, previous: current.previousRoot })
  if (!base.ok || delivery.round < current.number - 1) return refuse(base.ok ? 'two rounds late' : base.why)
  if (delivery.steps !== scenario.training.steps / scenario.pieces) return refuse(wrongSteps(delivery))
  if (clusters.clusterOf(share) !== desk.cluster)
    return refuse(`share ${share} is for the keepers of its own cluster (L-71)`)
  const known = desk.idOf(key) ?? chain.idOf.get(key)
  if (known !== undefined && known !== id) return refuse(twin)
  if (known === undefined && chain.workerOf(round, share, piece) !== machineOf(delivery.from)?.node)
    return refuse('the piece is not, or no longer, for this worker: others took it over (L-69)')
  const set = chain.setOf(current, node)
  if (desk.isClosed(current.number) && !set) return { kind: 'wait', round: current }
  const isLast = current.number === scenario.rounds
  if (set && (isLast || delivery.round < current.number))
    return refuse('too late: the set that it could be in is fixed')
  return take
}

/** The same without rounds: own work on any model that is not too old. A worker fills at most one model from one base. */
export function judgeBuffered(
  { chain, scenario, machineOf }: ScenarioWorld,
  desk: IntakeDesk,
  delivery: OpenedDelivery,
): Verdict {
  const { id, share, piece } = delivery
  const key = pieceKey(delivery)
  const { order } = chain
  const { buffered } = scenario
  const from = chain.roundAt(delivery.round)
  if (!from || !order || !buffered) return refuse(`the model ${delivery.round - 1} is not there yet`)
  if (order.placeOf.has(id)) return take
  if (chain.isDone) return refuse('the run is over')
  if (delivery.base !== from.baseRoot) return refuse(wrongBase(delivery))
  if (delivery.steps !== scenario.training.steps) return refuse(wrongSteps(delivery))
  if (machineOf(delivery.from)?.node !== share) return refuse('the share is not that of this worker')
  if (piece >= buffered.size) return refuse(`at most ${buffered.size} pieces of a worker start from one model`)
  const known = desk.idOf(key)
  if (known !== undefined && known !== id) return refuse(twin)
  if (order.isStale(delivery.round - 1)) {
    const age = order.filled - (delivery.round - 1)
    return refuse(`the update is ${age} models old, at most ${buffered.staleness} count (L-72)`)
  }
  return take
}

const twin = 'there is another delivery for this piece'
const wrongBase = ({ base, round }: OpenedDelivery): string =>
  `the base ${base} is not that of round ${round}: fetch the model anew`
const wrongSteps = ({ steps }: OpenedDelivery): string => `a piece has other steps than ${steps}`
