import { roundKeys, type TrainingPlan } from '@potluck/learning'
import { fromHex, type Hex, toHex } from '@potluck/protocol'
import type { JobView } from '../JobView.ts'
import { placesOf } from '../program/tabularProgram.ts'
import type { Progress } from './sumProgress.ts'

/** Puts a masked vector under what `saySums` says, to be said again after a crash too. */
export function keepAnswer({ ports }: JobView, name: string, vector: Hex, places: readonly number[] | undefined): void {
  ports.disk.set(`said/${name}`, places ? `${vector} ${places.join()}` : vector)
}

/**
 * Says our key of the present attempt and every masked vector, of this step and the one before, that we ever said: members
 * behind us can finish only with these, whether we restarted meanwhile or are done.
 */
export async function saySums(
  view: JobView,
  plan: TrainingPlan,
  progress: Progress,
  secret: Uint8Array,
): Promise<void> {
  const { job, round, outbox, ports } = view
  const { state, sumAttempt, group, sum } = progress
  const { round: step, attempt } = state
  const keyName = `${job}/${round}/maskKey/${step}/${attempt}`
  if (!outbox.has(keyName)) {
    const publicKey = toHex(roundKeys(plan, state, secret).publicKey)
    const places = placesOf(plan, group)
    const body = { job, round, step, attempt, sumAttempt, publicKey }
    const named = places && { ...body, group: places, ...(sum && { sum }) }
    await outbox.stand(keyName, { kind: 'maskKey', body: named ?? body })
  }
  outbox.drop(`${job}/${round}/maskKey/${step - 2}/`)
  outbox.drop(`${job}/${round}/masked/${step - 2}/`)
  const prefix = `said/${job}/${round}/masked/`
  for (const key of ports.disk.keys(prefix)) {
    const [ofStep = 0, ofAttempt = 0] = key.slice(prefix.length).split('/').map(Number)
    const name = key.slice('said/'.length)
    if (ofStep < step - 1 || outbox.has(name)) continue
    const [hex = '', places] = (ports.disk.get(key) as string).split(' ')
    const body = { job, round, step: ofStep, attempt: ofAttempt, vector: new Uint8Array(fromHex(hex)) }
    const named = places === undefined ? body : { ...body, group: places.split(',').map(Number) }
    await outbox.stand(name, { kind: 'masked', body: named })
  }
}
