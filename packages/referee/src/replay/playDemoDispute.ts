/**
 * A whole dispute on a chain of its own: a worker claims eight training steps with one number wrong in one product, an accuser
 * that did the work again shows it. For people who want to see one.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Chain,
  createChain,
  type Deployment,
  deployContracts,
  embeddedAccounts,
  eventIn,
  startEmbeddedChain,
} from '@potluck/chain'
import { createEngine, type ExactJob, tensorRoot } from '@potluck/engine'
import { addressOfSecret, type Hex, toHex } from '@potluck/protocol'
import { refereeOfChain } from '../chain/refereeOfChain.ts'
import type { ClaimArgument } from '../game/calls.ts'
import type { MoveEvent } from '../game/Position.ts'
import { type Lie, liarTruth, wrongElement } from '../liars/Lie.ts'
import { type Case, createAccuser, subjectOf } from '../roles/createAccuser.ts'
import { createChampion } from '../roles/createChampion.ts'
import type { ClaimTruth } from '../trace/ClaimTruth.ts'
import { claimSeed } from '../trace/claimSeed.ts'
import { rootOf, treeOfNodes } from '../trace/HashTree.ts'
import { recomputeClaim } from '../trace/recomputeClaim.ts'
import { DEMO_SEED, demoBase, demoJob } from './demoJob.ts'

/** A move of a dispute, as the chain tells it. */
export type DisputeEvent = MoveEvent

const ETHER = 10n ** 18n
const ROUND = 0
const WRONG_STEP = 5
const WRONG_ELEMENT = 101
const WRONG_TERM = 30

/**
 * Plays the dispute and yields its moves as they happen; about ten seconds. Describe them with `describeDispute(moves, demoJob())`.
 *
 * Writes to a temporary folder only. Ends the chain it started when it is done, or when the caller stops listening.
 */
export async function* playDemoDispute(): AsyncGenerator<DisputeEvent> {
  const dir = mkdtempSync(join(tmpdir(), 'potluck-dispute-'))
  const embedded = await startEmbeddedChain({ dir, blockSeconds: 0.1 })
  try {
    yield* play(embedded.rpcUrl)
  } finally {
    await embedded.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function* play(rpcUrl: string): AsyncGenerator<DisputeEvent> {
  const [deployer, workerSecret, accuserSecret] = embeddedAccounts as [Uint8Array, Uint8Array, Uint8Array]
  const holders = [deployer, workerSecret, accuserSecret].map((secret) => ({
    address: addressOfSecret(secret),
    amount: 10_000n * ETHER,
  }))
  const deployment = await deployContracts({
    ...{ rpcUrl, secret: deployer, saltHolders: holders, embeddedDollar: true, clockSeconds: 3_600 },
    settings: { pollMs: 20 },
  })
  const [builder, worker, accuser] = [deployer, workerSecret, accuserSecret].map((secret) =>
    createChain({ rpcUrl, deployment, secret }),
  ) as [Chain, Chain, Chain]
  await Promise.all([worker, accuser].map((chain) => enrol(chain, deployment)))
  const job = demoJob()
  const base = demoBase(job)
  const jobId = await createJob(builder, deployment, job, toHex(tensorRoot(base)))

  const address = worker.account as Hex
  const seed = claimSeed(DEMO_SEED, ROUND, { share: 0, worker: address })
  const engine = await createEngine()
  const lie = demoLie(job)
  const honest = recomputeClaim({ job, engine, base, seed })
  const told = recomputeClaim({
    ...{ job, engine, base, seed },
    tamper: (step) => (step === lie.step ? lie.tamper : undefined),
  })
  const lying = liarTruth(told, lie, job.step.records)
  const claim = await claimOf(job, base, address, lying)
  const common = { job, jobId, round: ROUND, claim, seed }
  const defence: Case = { ...common, chain: refereeOfChain(worker, address), truth: lying }
  const chain = refereeOfChain(accuser, accuser.account as Hex)
  const nodes = (await lying.nodes()).map(toHex)
  const attack = { ...common, chain, truth: honest, nodes, baseRoot: claim.baseRoot }
  yield* movesOf(attack, createChampion(defence), createAccuser(attack))
  await engine.close()
}

type Side = { tick(): Promise<unknown> }

/** Lets both sides act until the game is over, and yields what they did. */
async function* movesOf(given: Case, champion: Side, accuser: Side): AsyncGenerator<DisputeEvent> {
  let seen = 0
  for (;;) {
    await accuser.tick()
    const [challenge] = await given.chain.challengesOf(subjectOf(given))
    const [game] = challenge ? await given.chain.gamesOf(challenge.id) : []
    const moves = game ? await given.chain.movesOf(game.game) : []
    for (; seen < moves.length; seen++) yield moves[seen] as DisputeEvent
    if (game?.stage === 'over') return
    await champion.tick()
  }
}

function demoLie(job: ExactJob): Lie {
  const leaf = job.step.labels.findIndex((label) => label.startsWith('layer1.mlp.down (matmul'))
  return {
    ...{ name: 'wrong element', step: WRONG_STEP, leaf, flip: 1 << 16 },
    tamper: wrongElement(leaf, WRONG_ELEMENT, 1 << 16),
    wrongFrom: () => WRONG_TERM,
  }
}

async function claimOf(job: ExactJob, base: Float32Array, worker: Hex, truth: ClaimTruth): Promise<ClaimArgument> {
  return {
    ...{ worker, share: 0, units: BigInt(job.units), baseRoot: toHex(tensorRoot(base)) },
    updateDigest: toHex(new Uint8Array(32)),
    updateRoot: toHex(await truth.updateRoot()),
    statesRoot: toHex(rootOf(treeOfNodes(await truth.nodes()))),
  }
}

/** Registers a node with a bond that the referee may lock. */
async function enrol(chain: Chain, { contracts }: Deployment): Promise<void> {
  const amount = 1_000n * ETHER
  await chain.send('salt', 'approve', [contracts.registry, amount])
  await chain.send('registry', 'register', [chain.account as Hex, 1, 'http://127.0.0.1:1', '0x'])
  await chain.send('registry', 'bond', [amount])
  await chain.send('registry', 'allowLocker', [contracts.referee, true])
}

async function createJob(
  chain: Chain,
  { contracts, tokens }: Deployment,
  job: ExactJob,
  baseRoot: Hex,
): Promise<number> {
  const dollar = tokens[0]?.address as Hex
  const token = chain.erc20(dollar)
  await token.send('mint', [chain.account as Hex, 1_000_000n])
  await token.send('approve', [contracts.jobs, 1_000_000n])
  const root = toHex(job.root)
  const terms = {
    ...{ token: dollar, rounds: 1, purpose: 1, trustClass: 0, committeeSize: 3, quorum: 2, payPerRound: 1_000n },
    ...{ workerBond: ETHER, validatorBond: ETHER, witnessBond: ETHER, fixSeconds: 60, beaconBlocks: 2 },
    ...{ revealSeconds: 30, turnSeconds: 10, challengeSeconds: 20, minWorkers: 1, minValidators: 1, minWitnesses: 3 },
    ...{ judge: contracts.referee, contributorsShare: 0, modelPurposes: 8, modelMinShare: 0, modelTrainPrice: 0n },
    ...{ missingPenalty: ETHER, modelLicenceDigest: root, paramsVersion: 1, programRoot: root, specDigest: root },
    ...{ baseDigest: root, baseRoot, dataVersions: [], parentShares: [] },
  }
  const receipt = await chain.send('jobs', 'create', [terms])
  return Number(eventIn(receipt, 'jobs', 'JobCreated').args.jobId)
}
