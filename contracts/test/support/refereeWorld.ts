/** A chain with a referee, an exact job and two nodes that dispute over its claims. */
import { type Hex, parseEther, toHex } from 'viem'
import { refereeAbi, refereeBytecode } from '../../../packages/chain/src/generated/Referee.ts'
import { scalarMachineAbi, scalarMachineBytecode } from '../../../packages/chain/src/generated/ScalarMachine.ts'
import { taskSeed } from '../../../packages/node/src/round/taskSeed.ts'
import type { Evm } from './evm.ts'
import {
  baseWeights,
  EVERY,
  type ExampleJob,
  exampleJob,
  type Lie,
  leafOf,
  type Run,
  runJob,
  SEGMENTS,
  STEPS,
  UNITS,
} from './exampleJob.ts'
import { HashTree } from './HashTree.ts'
import { entryOf, firstLevels, Game, noEntry, type Played, rowOf } from './playDispute.ts'
import { createJob } from './runJob.ts'
import { deploy, deployWorld, makeNodes, type Node, ROLE, type World } from './world.ts'

export const CLOCK_SECONDS = 600
export const BOND = parseEther('100')

export type RefereeWorld = Awaited<ReturnType<typeof makeRefereeWorld>>
export type Claim = ReturnType<typeof claimOfRun>

export async function deployReferee(world: World, clockSeconds = CLOCK_SECONDS, bond = BOND) {
  const machine = await deploy(world.evm, world.deployer, scalarMachineAbi, scalarMachineBytecode, [])
  const args = [world.jobs.address, world.judge.address, machine.address, clockSeconds, bond]
  return deploy(world.evm, world.deployer, refereeAbi, refereeBytecode, args)
}

export function claimOfRun(worker: Hex, run: Run, share = 3) {
  return {
    worker,
    share,
    units: BigInt(UNITS),
    baseRoot: toHex(leafOf(baseWeights).tree.root),
    updateDigest: toHex(new Uint8Array(32).fill(9)),
    updateRoot: toHex(run.update.tree.root),
    statesRoot: toHex(run.statesTree.root),
  }
}

/** @param padding trace leaves more than needed (see `exampleJob`) */
export async function makeRefereeWorld(evm: Evm, padding = 0) {
  const world = await deployWorld(evm)
  const referee = await deployReferee(world)
  const nodes = await makeNodes(world, 40, 4, ROLE.WORKER | ROLE.VALIDATOR | ROLE.WITNESS)
  for (const { cold } of nodes) {
    await world.registry.send(cold, 'allowLocker', [referee.address, true])
    await world.salt.send(world.deployer, 'transfer', [cold.address, parseEther('9000')])
    await world.salt.send(cold, 'approve', [world.registry.address, parseEther('9000')])
    await world.registry.send(cold, 'bond', [parseEther('9000')])
  }
  const job = exampleJob(padding)
  const [worker, auditor, friend, stranger] = nodes as [Node, Node, Node, Node]
  const terms = { judge: referee.address, programRoot: toHex(job.root), baseRoot: toHex(leafOf(baseWeights).tree.root) }
  const { jobId } = await createJob(world, terms)
  const seed = taskSeed(toHex(job.jobSeed), 0, 3, worker.cold.address.toLowerCase() as Hex)
  const honest = runJob(job, seed)
  const liars = new Map<string, Run>()
  let claimed: Claim | undefined
  return {
    ...world,
    referee,
    job,
    jobId,
    seed,
    honest,
    worker,
    auditor,
    friend,
    stranger,
    clockSeconds: CLOCK_SECONDS,
    header: toHex(job.header),
    headerProof: job.tree.proof(0, 0).map((node) => toHex(node)),
    /** The run of somebody who lies like this. */
    lying(lies: readonly Lie[]): Run {
      const key = JSON.stringify(lies)
      const run = liars.get(key) ?? runJob(job, seed, lies)
      liars.set(key, run)
      return run
    },
    /** The claim that is disputed at present. */
    claim: (): Claim => claimed ?? claimOfRun(worker.cold.address, honest),
    dispute(claim: Claim) {
      claimed = claim
    },
  }
}

export const segmentOf = (step: number): number => (step === STEPS ? SEGMENTS : Math.floor(step / EVERY))

/** Challenges the claim of `run` over the segment of a step. */
export async function challenge(world: RefereeWorld, by: Node, run: Run, step: number) {
  const claim = claimOfRun(world.worker.cold.address, run)
  world.dispute(claim)
  const { referee, jobId, header, headerProof } = world
  const receipt = await referee.send(by.key, 'challenge', [jobId, 0, claim, segmentOf(step), header, headerProof])
  return { id: referee.events(receipt, 'Challenged')[0]?.id as bigint, claim, receipt }
}

/** Arguments of `standUp` for a claim of `run`. */
export function standUpArgs(id: bigint, claim: Claim, run: Run, step: number) {
  const segment = segmentOf(step)
  const nodes = run.kept.map(({ tree }) => tree.root)
  const tree = new HashTree(nodes, 2)
  const isFinish = segment === SEGMENTS
  const start = segment === 0 ? noEntry : entryOf(tree, 0, segment - 1)
  const end = isFinish ? noEntry : entryOf(tree, 0, segment)
  const states = isFinish
    ? [run.update]
    : run.states.slice(segment * EVERY + 1, Math.min((segment + 1) * EVERY, STEPS) + 1)
  return [id, claim, start, end, states.map(({ tree: { root } }) => toHex(root))] as const
}

/** Arguments of `pickStep` for the challenger's trace of `mine` against the claim of `theirs`. */
export function pickStepArgs(game: bigint, mine: Run, theirs: Run, step: number) {
  const [from, , , , states] = standUpArgs(0n, claimOfRun('0x', theirs), theirs, step)
  const first = step === STEPS ? STEPS : segmentOf(step) * EVERY
  const start = (theirs.states[first] as Run['states'][number]).tree.root
  const nodes = [start, ...states.map((root) => Buffer.from(root.slice(2), 'hex'))]
  const tree = new HashTree(nodes, Math.ceil(Math.log2(nodes.length)))
  const index = step - first
  const trace = mine.traces[step] as Run['traces'][number]
  const levels = firstLevels(trace.tree.depth)
  const below = trace.tree.depth - levels
  const last = entryOf(trace.tree, 0, trace.leaves.length - 1, below)
  return {
    from,
    args: [
      game,
      index,
      entryOf(tree, 0, index),
      entryOf(tree, 0, index + 1),
      rowOf(trace.tree, below, levels, 0),
      last,
    ] as const,
  }
}

/** Plays a whole dispute about one step: the claim is that of `claimRun`, the challenger holds `challengerRun` to be right. */
export async function playDispute(
  world: RefereeWorld,
  {
    claimRun,
    challengerRun,
    step,
    champion = world.worker,
  }: { claimRun: Run; challengerRun: Run; step: number; champion?: Node },
): Promise<Played & { id: bigint; game: bigint; challengeGas: bigint }> {
  const { referee, auditor, job, seed } = world
  const { id, claim, receipt } = await challenge(world, auditor, claimRun, step)
  const stood = await referee.send(champion.key, 'standUp', standUpArgs(id, claim, claimRun, step))
  const game = referee.events(stood, 'GameOpened')[0]?.game as bigint
  const picked = await referee.send(auditor.key, 'pickStep', pickStepArgs(game, challengerRun, claimRun, step).args)
  const played = await new Game(world, job, {
    id: game,
    step,
    seed,
    challenger: { account: auditor.key, trace: challengerRun.traces[step] as Run['traces'][number] },
    champion: { account: champion.key, trace: claimRun.traces[step] as Run['traces'][number] },
  }).play()
  return {
    ...played,
    moves: ['challenge', 'standUp', 'pickStep', ...played.moves],
    gas: [receipt.gasUsed, stood.gasUsed, picked.gasUsed, ...played.gas],
    id,
    game,
    challengeGas: receipt.gasUsed,
  }
}

export type { ExampleJob }
