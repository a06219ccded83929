import { sealDelivery } from './Delivery.ts'
import type { DeliverAnswer, DeliverRequest } from './deliver.ts'
import type { Process } from './Process.ts'
import type { ScenarioWorld, SimMachine } from './ScenarioWorld.ts'
import { REFUSED } from './ShapedLinks.ts'

/** Sends every keeper what no honest worker sends; each piece of it must be refused, with a reason. */
export async function garbageFrom(
  world: ScenarioWorld,
  machine: SimMachine,
  process: Process,
  sealed: Uint8Array,
): Promise<void> {
  const { secret } = machine
  const opened = world.deliveries.open(sealed)
  if (!opened.ok) return
  const honest = opened.delivery
  const draws = world.draws(`garbage/${machine.node}/${honest.round}/${honest.piece}`)
  const good = sealDelivery({ ...honest, fetchMs: honest.fetchMs + 1 }, secret)
  const pieces = [
    good.map((byte, i) => (i === good.length - 10 ? byte ^ 1 : byte)),
    good.subarray(0, 40),
    sealDelivery({ ...honest, base: Buffer.from(draws.bytes(32)).toString('hex') }, secret),
    sealDelivery({ ...honest, payload: honest.payload.subarray(0, honest.payload.length >> 1) }, secret),
    sealDelivery({ ...honest, payload: draws.bytes(200) }, secret),
    sealDelivery({ ...honest, share: 1_000_000 }, secret),
    sealDelivery({ ...honest, piece: 1_000_000 }, secret),
    sealDelivery({ ...honest, steps: honest.steps * 1_000 }, secret),
    sealDelivery({ ...honest, round: honest.round + 5 }, secret),
  ]
  for (const bytes of pieces) {
    const keeper = draws.pick(world.keepers).node
    const body: DeliverRequest = { kind: 'deliver', bytes }
    const what = `keeper ${keeper} to look at garbage`
    const answer = await world.links.call(process, keeper, { body, sizeBytes: bytes.length }, what, 5_000)
    world.ledger.lies++
    if (answer === undefined || answer === REFUSED) continue
    if ('receipt' in (answer as DeliverAnswer))
      world.ledger.broken.push(`keeper ${keeper} took garbage of node ${machine.node}`)
  }
  // Two different deliveries for one piece, one to each keeper: at most one may count.
  const twins = [good, sealDelivery({ ...honest, fetchMs: honest.fetchMs + 2 }, secret)]
  world.keepers.forEach((keeper, i) => {
    const bytes = twins[i % 2] ?? good
    const body: DeliverRequest = { kind: 'deliver', bytes }
    process.spawn(async () => {
      const request = { body, sizeBytes: bytes.length }
      await world.links.call(process, keeper.node, request, `keeper ${keeper.node} to look at a twin`, 5_000)
    })
  })
}
