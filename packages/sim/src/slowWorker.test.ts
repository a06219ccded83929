import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { decodeDocument } from '@potluck/node'
import { auditReport, fromHex, type Hex } from '@potluck/protocol'
import { cidOfDigest, DAG_CBOR } from '@potluck/store'
import { noFaults } from './Faults.ts'
import type { Network } from './Network.ts'
import { setUpNetwork, stopNetwork } from './setUpNetwork.ts'
import { simulate } from './simulate.ts'
import { assertSound, isReplay } from './soundSeeds.ts'
import type { World } from './World.ts'

const SLOW = 2
const SHARES = 5

let network: Network
before(async () => {
  // Longer than the slow worker needs: only a take-over ends a round without it.
  network = await setUpNetwork({ workSeconds: 15 })
})
after(() => stopNetwork(network))

type Round = { round: number; openedMs: number; fixedMs: number; claims: { worker: string; share: number }[] }

/** The rounds of the public job with the claims that their reports name, as the chain has them in the end. */
async function roundsOf(world: World): Promise<Round[]> {
  const ofJob = world.events.filter(
    ({ contract, args }) => contract === 'jobs' && Number(args.jobId) === network.languageJob,
  )
  const timeOf = (name: string, round: number): number =>
    1_000 * Number(ofJob.find((event) => event.name === name && Number(event.args.round) === round)?.timestamp)
  const rounds: Round[] = []
  for (const { args } of ofJob.filter(({ name }) => name === 'RoundFinal')) {
    const round = Number(args.round)
    const cid = cidOfDigest(DAG_CBOR, fromHex((args.proposal as { auditRoot: Hex }).auditRoot))
    const held = await Promise.all(world.nodes.map(({ store }) => store.get(cid)))
    const { claims } = decodeDocument(auditReport, held.find((bytes) => bytes !== undefined) as Uint8Array)
    rounds.push({ round, openedMs: timeOf('RoundOpened', round), fixedMs: timeOf('SetFixed', round), claims })
  }
  return rounds
}

/** Plays seeds until the slow worker was the first in line for a share, and gives the rounds in which it was. */
async function withSlow(stepMs: number): Promise<{ world: World; own: (Round & { share: number })[] }> {
  const slow = network.plans[SLOW]?.identity.node as Hex
  for (let seed = 3_000; seed < 3_010; seed++) {
    let world: World | undefined
    const report = await simulate({
      network,
      seed,
      faults: { ...noFaults(), slow: { node: SLOW, stepMs } },
      prepare: (made) => {
        world = made
      },
    })
    assertSound(report)
    assert.ok(world)
    const rounds = await roundsOf(world)
    assert.equal(rounds.length, 2)
    const firstBeats = new Map<number, number>()
    for (const { node, bytes } of world.links.published) {
      const opened = world.links.read(bytes)
      if (node === SLOW && opened?.ok && opened.message.kind === 'beat' && !firstBeats.has(opened.message.body.round))
        firstBeats.set(opened.message.body.round, opened.message.body.share)
    }
    const own = rounds.flatMap((one) => {
      const share = firstBeats.get(one.round)
      return share === undefined ? [] : [{ ...one, share }]
    })
    if (own.length > 0) return { world, own }
    assert.ok(
      !world.logs.some(({ event }) => event.startsWith('taking over')),
      `${slow} had no share, yet one was taken over`,
    )
  }
  return assert.fail('the slow worker had no share in ten seeds')
}

test('a round ends with all its shares though one worker needs ten times as long and beats [P-57]', {
  skip: isReplay,
}, async () => {
  const { world, own } = await withSlow(2_500)
  const slow = network.plans[SLOW]?.identity.node
  for (const { round, share, claims, openedMs, fixedMs } of own) {
    assert.equal(claims.length, SHARES, `round ${round}`)
    assert.notEqual(claims.find((claim) => claim.share === share)?.worker, slow)
    const finished = world.logs.filter(
      ({ node, event, facts }) => node === SLOW && event === 'share done' && facts.round === round,
    )
    assert.deepEqual(finished, [], `the set of round ${round} was fixed after ${fixedMs - openedMs} ms`)
    const takers = world.logs.filter(
      ({ event, facts }) => event === 'taking over a late share' && facts.round === round,
    )
    assert.deepEqual(
      takers.map(({ facts }) => facts.share),
      [share],
    )
    assert.match(String(takers[0]?.facts.why), /at share \d sent nothing within \d\.\d s; it was last heard of at/)
    assert.ok(world.logs.some(({ node, event }) => node === SLOW && event.startsWith('late with a share')))
  }
})

test('a late worker that commits before its taker is the one that counts and is paid, and the taker stops [P-57]', {
  skip: isReplay,
}, async () => {
  const { world, own } = await withSlow(1_400)
  const slow = network.plans[SLOW]?.identity.node
  const rounds = own.map(({ round, share, claims }) => {
    assert.equal(claims.length, SHARES)
    assert.equal(claims.find((claim) => claim.share === share)?.worker, slow)
    return round
  })
  const told = (event: string): unknown[] =>
    world.logs.flatMap((line) => (line.event === event ? [line.facts.round] : []))
  assert.deepEqual(told('taking over a late share'), rounds)
  assert.deepEqual(told('share delivered by its worker meanwhile'), rounds)
})
