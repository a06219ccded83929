/** Invariants of work: one state, liars convicted and nobody else, nothing private in the open. */
import { fromHex, type Hex, merkleRootOfBytes, toHex } from '@potluck/protocol'
import { cidOfDigest, RAW } from '@potluck/store'
import type { Judge } from './checkMoney.ts'
import type { Faults } from './Faults.ts'
import type { Network } from './Network.ts'
import type { World } from './World.ts'

const DONE = 6

export async function checkJob(world: World, job: number, judge: Judge): Promise<void> {
  const status = await world.chain.observer.read.jobs.status([BigInt(job)])
  const { rounds } = await world.chain.observer.read.jobs.termsOf([BigInt(job)])
  judge(
    status.phase === DONE && status.finalRounds === rounds,
    `job ${job} ended in phase ${status.phase}, round ${status.round}`,
  )
  if (status.finalRounds === 0) return
  const cid = cidOfDigest(RAW, fromHex(status.finalStateDigest as Hex))
  const held = await Promise.all(world.nodes.map(({ store }) => store.get(cid)))
  const state = held.find((bytes) => bytes !== undefined)
  judge(state !== undefined, `nobody has the final state of job ${job}`)
  if (state)
    judge(toHex(merkleRootOfBytes(state)) === status.finalStateRoot, `job ${job}: root and bytes of the state differ`)
}

/** Whose claims or results are lies. */
export const guiltyOf = (network: Network, faults: Faults): Set<string> =>
  new Set([faults.liar, faults.copycat, faults.twister].flatMap((i) => network.plans[i ?? -1]?.identity.node ?? []))

/** Nobody honest is convicted or contradicted; a lie in a fixed set never stays. */
export function checkJustice(network: Network, world: World, faults: Faults, judge: Judge): void {
  const guilty = guiltyOf(network, faults)
  for (const { name, args } of world.events) {
    if (name === 'Convicted') judge(guilty.has(String(args.worker)), `honest worker ${args.worker} was convicted`)
    if (name === 'ProposalConvicted')
      judge(guilty.has(String(args.proposer)), `honest proposer ${args.proposer} was convicted`)
  }
  for (const { node, event, facts } of world.logs) {
    if (event === 'proposal differs from ours' && node !== faults.twister)
      judge(guilty.has(String(facts.proposer)), `node ${node} found another result for job ${facts.job}`)
    if (event === 'audit found a wrong claim')
      judge(guilty.has(String(facts.worker)), `node ${node} found honest work of ${facts.worker} wrong`)
  }
}

/** All private numbers as they could stand in bytes: text, and floating point in either order. */
function tracesOf(network: Network): { owner: number; bytes: Buffer }[] {
  return network.plans.flatMap(({ index, table }) =>
    (table?.rows ?? []).flatMap(({ inputs }) =>
      [...inputs]
        .filter((value) => !Number.isInteger(value))
        .flatMap((value) => {
          const big = Buffer.alloc(8)
          big.writeDoubleBE(value)
          const little = Buffer.alloc(8)
          little.writeDoubleLE(value)
          return [big, little, Buffer.from(String(value))].map((bytes) => ({ owner: index, bytes }))
        }),
    ),
  )
}

/** Looks for private numbers in everything said and in every block held, and for vectors that no mask covers. */
export async function checkPrivacy(network: Network, world: World, judge: Judge): Promise<void> {
  const open: Uint8Array[] = world.links.published.map(({ bytes }) => bytes)
  const seen = new Set<string>()
  for (const { store } of world.nodes) {
    for await (const cid of store.list()) {
      if (seen.has(cid.toString())) continue
      seen.add(cid.toString())
      const bytes = await store.get(cid)
      if (bytes) open.push(bytes)
    }
  }
  const all = Buffer.concat(open)
  // By their first four bytes, so that one pass over everything finds any of them.
  const traces = Map.groupBy(tracesOf(network), ({ bytes }) => bytes.readUInt32BE(0))
  for (let at = 0; at + 4 <= all.length; at++) {
    for (const { owner, bytes } of traces.get(all.readUInt32BE(at)) ?? []) {
      const isThere = all.subarray(at, at + bytes.length).equals(bytes)
      judge(!isThere, `a private number of node ${owner} left it: ${bytes.toString('hex')}`)
    }
  }
  for (const { node, bytes } of world.links.published) {
    const opened = world.links.read(bytes)
    if (!opened?.ok || opened.message.kind !== 'masked') continue
    const { vector } = opened.message.body
    const words = vector.length / 8
    let plain = 0
    // Fixed-point sums of so few rows leave the upper bytes of a word 00 or ff; under a mask they are any.
    for (let at = 0; at < vector.length; at += 8) {
      const isPlain = (byte: number): boolean => vector[at + byte] === 0 || vector[at + byte] === 255
      if ((isPlain(0) && isPlain(1)) || (isPlain(6) && isPlain(7))) plain++
    }
    judge(4 * plain < words, `node ${node} sent a vector with ${plain} of ${words} words bare`)
  }
}
