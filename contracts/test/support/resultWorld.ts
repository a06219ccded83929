/** A round whose result is disputed: real programs and the real players of packages/referee, on a chain in this process. */
import { type Hex, type PublicClient, parseEther } from 'viem'
import { refereeAbi } from '../../../packages/chain/src/generated/Referee.ts'
import { createReferenceEngine } from '../../../packages/engine/src/createEngine.ts'
import { tensorRoot } from '../../../packages/engine/src/program/stateRoot.ts'
import { referenceSeed, taskSeed } from '../../../packages/node/src/round/taskSeed.ts'
import { toHex } from '../../../packages/protocol/src/bytes.ts'
import {
  type Case,
  type ClaimArgument,
  type ClaimTruth,
  createAccuser,
  createChampion,
  headerOf,
  type Lie,
  liarTruth,
  programAt,
  type RefereeChain,
  recomputeClaim,
  recomputeResult,
  refereeChain,
  resultClaim,
  rootOf,
  subjectOf,
  treeOfNodes,
} from '../../../packages/referee/src/index.ts'
import { baseOf, LAB_SHARES, transformerJob } from '../../../packages/referee/test/labJobs.ts'
import type { Evm } from './evm.ts'
import { CLOCK_SECONDS, deployReferee } from './refereeWorld.ts'
import { fixSet, proposalOf, propose, revealAll, startJob } from './runJob.ts'
import { deployWorld, makeNodes, type Node, ROLE } from './world.ts'

export const SHARE_PAY = 200_000n

export type ResultWorld = Awaited<ReturnType<typeof makeResultWorld>>
export type Proposal = ReturnType<typeof proposalOf>['proposal']

/** Three of five shares are claimed in round 0; the beacon is drawn, nothing is proposed yet. */
export async function makeResultWorld(evm: Evm) {
  const world = await deployWorld(evm)
  const referee = await deployReferee(world)
  const crew = {
    workers: await makeNodes(world, 10, 3, ROLE.WORKER),
    validators: await makeNodes(world, 20, 4, ROLE.VALIDATOR),
    witnesses: await makeNodes(world, 30, 7, ROLE.WITNESS),
  }
  for (const { cold } of crew.validators) {
    await world.salt.send(world.deployer, 'transfer', [cold.address, parseEther('9000')])
    await world.salt.send(cold, 'approve', [world.registry.address, parseEther('9000')])
    await world.registry.send(cold, 'bond', [parseEther('9000')])
    await world.registry.send(cold, 'allowLocker', [referee.address, true])
  }
  const { job, jobSeed, size } = transformerJob()
  const base = baseOf(size, 1)
  const baseRoot = toHex(tensorRoot(base))
  const running = await startJob(world, crew, {
    ...{ judge: referee.address, programRoot: toHex(job.root), baseRoot },
    payPerRound: SHARE_PAY * BigInt(LAB_SHARES),
    // Tests go back and forth in time: turns must not pass meanwhile.
    turnSeconds: 1_000_000,
  })
  const engine = createReferenceEngine()
  const shares = [0, 2, 3]
  const claims: ClaimArgument[] = []
  const updates: (Float32Array | undefined)[] = new Array(LAB_SHARES).fill(undefined)
  for (const [i, { cold }] of crew.workers.entries()) {
    const worker = cold.address.toLowerCase() as Hex
    const share = shares[i] as number
    const truth = recomputeClaim({ job, engine, base, seed: taskSeed(toHex(jobSeed), 0, share, worker) })
    updates[share] = await updateOf(truth, size)
    claims.push({
      ...{ worker, share, units: BigInt(job.units), baseRoot, updateDigest: toHex(new Uint8Array(32).fill(share)) },
      updateRoot: toHex(await truth.updateRoot()),
      statesRoot: toHex(rootOf(treeOfNodes(await truth.nodes()))),
    })
  }
  await fixSet(world, running, 0, claims)
  await revealAll(world, running, 0)
  const { beacon } = await world.jobs.read('status', [running.jobId])
  const given = { job, engine, base, seed: referenceSeed(beacon, 0), updates }

  async function updateOf(truth: ClaimTruth, length: number): Promise<Float32Array> {
    const { leafBytes } = await truth.trace(job.steps)
    const last = job.finish.records.length - 1
    const bytes = Array.from({ length: Math.ceil(length / 256) }, (_, i) => [...leafBytes(last, i)]).flat()
    return new Float32Array(Uint8Array.from(bytes).buffer)
  }

  return {
    ...world,
    ...running,
    referee,
    job,
    claims,
    header: headerOf(job),
    honest: (): ClaimTruth => recomputeResult(given),
    lying(lie: Lie): ClaimTruth {
      const told = recomputeResult({ ...given, tamper: (step) => (step === lie.step ? lie.tamper : undefined) })
      return liarTruth(told, lie, programAt(job, lie.step).traced.records)
    },
    /** The result of a truth, with what the workers are rightly paid. */
    async proposalFrom(truth: ClaimTruth): Promise<Proposal> {
      const pays = claims.map(() => SHARE_PAY)
      const { proposal } = proposalOf(
        claims.map(({ worker }) => worker),
        pays,
      )
      return {
        ...proposal,
        stateRoot: toHex(await truth.updateRoot()),
        runRoot: toHex(rootOf(treeOfNodes(await truth.nodes()))),
      }
    },
    /** Proposes; gives the proposer, another validator, and the form under which the result is judged. */
    async propose(proposal: Proposal) {
      const { proposer } = await propose(world, running, 0, proposal)
      const other = crew.validators.find((node) => node !== proposer) as Node
      const { stateRoot, runRoot } = proposal
      return { proposer, other, claim: resultClaim({ proposer: proposer.cold.address, baseRoot, stateRoot, runRoot }) }
    },
    /** A case of one side, for `createAccuser` and `createChampion`. */
    caseOf(node: Node, claim: ClaimArgument, truth: ClaimTruth): Case {
      const chain = chainOf(evm, referee, node)
      return { chain, job, jobId: Number(running.jobId), round: 0, claim, seed: given.seed, truth, claims }
    },
  }
}

/** The referee for one node, as its daemon would use it. */
function chainOf(evm: Evm, referee: Awaited<ReturnType<typeof deployReferee>>, node: Node): RefereeChain {
  const client = evm.client as PublicClient
  return refereeChain(
    {
      confirmedBlock: () => client.getBlockNumber({ cacheTime: 0 }),
      blockNumber: () => client.getBlockNumber({ cacheTime: 0 }),
      now: () => evm.now(),
      async events(fromBlock, toBlock) {
        const logs = await client.getContractEvents({ abi: refereeAbi, address: referee.address, fromBlock, toBlock })
        return logs.map(({ eventName, args }) => ({ name: String(eventName), args: args as Record<string, unknown> }))
      },
      gameOf: (game) => referee.read('gameOf', [game]),
      challengeOf: (id) => referee.read('challengeOf', [id]),
      clockSeconds: () => referee.read('clockSeconds', []),
      verdict: (jobId, subject) => referee.read('verdict', [jobId, subject]),
      send: (name, args) => referee.send(node.key, name as 'settle', args as readonly [bigint]),
    },
    node.cold.address.toLowerCase() as Hex,
    0n,
  )
}

/** Both sides play until neither has anything to do and the clocks are over; whether the result was shown wrong. */
export async function playResult(
  world: ResultWorld,
  claim: ClaimArgument,
  champion: { node: Node; truth: ClaimTruth },
  challenger: { node: Node; truth: ClaimTruth },
): Promise<boolean> {
  const attack = world.caseOf(challenger.node, claim, challenger.truth)
  const nodes = (await champion.truth.nodes()).map(toHex)
  const accuser = createAccuser({ ...attack, baseRoot: claim.baseRoot, nodes })
  const sides = [accuser, createChampion(world.caseOf(champion.node, claim, champion.truth))]
  const walled = new Set<object>()
  for (let quiet = 0; quiet < 4; ) {
    let did = 0
    for (const side of sides) {
      if (walled.has(side)) continue
      // A liar that runs into a wall says nothing more.
      const tick = await side.tick().catch(() => undefined)
      if (tick) did += tick.did.length
      else walled.add(side)
    }
    if (did > 0) quiet = 0
    else {
      quiet++
      await world.evm.advance(CLOCK_SECONDS + 1)
    }
  }
  return attack.chain.isWrong(attack.jobId, subjectOf(attack))
}
