/** Walks a job through its phases the way honest nodes do, step by step, so that a test can stop anywhere. */
import { concatHex, type Hex, keccak256, toHex } from 'viem'
import { onion } from './onion.ts'
import { setTree, sumTree } from './trees.ts'
import { compactSignature } from './voucher.ts'
import { type JobTerms, type Node, plainJob, ROLE, type World, ZERO_HASH } from './world.ts'

export type Crew = { workers: Node[]; validators: Node[]; witnesses: Node[] }
export type Claim = ReturnType<typeof claimOf>
export type RunningJob = { jobId: bigint; terms: JobTerms; crew: Crew }

export async function createJob(
  world: World,
  changes: Partial<JobTerms> = {},
): Promise<{ jobId: bigint; terms: JobTerms }> {
  const terms = { ...plainJob(world), ...changes }
  const receipt = await world.jobs.send(world.builder, 'create', [terms])
  return { jobId: world.jobs.events(receipt, 'JobCreated')[0]?.jobId as bigint, terms }
}

/** Creates a job, enrols the crew and starts it. Node keys call, as daemons do. */
export async function startJob(world: World, crew: Crew, changes: Partial<JobTerms> = {}): Promise<RunningJob> {
  const { jobId, terms } = await createJob(world, changes)
  for (const { key } of crew.workers) await world.jobs.send(key, 'enrol', [jobId, ROLE.WORKER, ZERO_HASH])
  for (const [i, { key }] of crew.validators.entries()) {
    await world.jobs.send(key, 'enrol', [jobId, ROLE.VALIDATOR, onion(i, terms.rounds).head])
  }
  for (const { key } of crew.witnesses) await world.jobs.send(key, 'enrol', [jobId, ROLE.WITNESS, ZERO_HASH])
  await world.jobs.send(world.operator, 'start', [jobId])
  return { jobId, terms, crew }
}

export function claimOf(worker: Hex, share: number) {
  return {
    worker,
    share,
    units: 1000n,
    baseRoot: keccak256('0x09'),
    updateDigest: keccak256(concatHex([worker, '0x01'])),
    updateRoot: keccak256(concatHex([worker, '0x02'])),
    statesRoot: keccak256(concatHex([worker, '0x03'])),
  }
}

/** The set of one round: each worker's claim and the tree over them. */
export async function setOf(world: World, { jobId }: Pick<RunningJob, 'jobId'>, round: number, claims: Claim[]) {
  const leaves: Hex[] = []
  for (const claim of claims) leaves.push(await world.jobs.read('claimHash', [jobId, round, claim]))
  const tree = setTree(leaves)
  return { claims, leaves, root: tree.root, proof: tree.proof, count: claims.length }
}

/** Compact (64-byte) signatures of the committee members at these positions, joined in bit order. */
export async function attest(
  world: World,
  { jobId, crew }: Pick<RunningJob, 'jobId' | 'crew'>,
  message: { round: number; setRoot: Hex; count: number; directHash: Hex },
  positions: number[],
): Promise<{ bits: bigint; signatures: Hex }> {
  const committee = await world.jobs.read('committeeOf', [jobId])
  const signed: Hex[] = []
  for (const position of positions) {
    const node = crew.witnesses.find(({ cold }) => cold.address === committee[position]) as Node
    signed.push(compactSignature(await signAttestation(world, node, { jobId, ...message })))
  }
  return { bits: positions.reduce((bits, i) => bits | (1n << BigInt(i)), 0n), signatures: concatHex(signed) }
}

export function signAttestation(
  { jobs, evm }: World,
  node: Node,
  message: { jobId: bigint; round: number; setRoot: Hex; count: number; directHash: Hex },
): Promise<Hex> {
  return node.key.signTypedData({
    domain: { name: 'Potluck Jobs', version: '1', chainId: evm.client.chain.id, verifyingContract: jobs.address },
    types: {
      SetAttestation: [
        { name: 'jobId', type: 'uint256' },
        { name: 'round', type: 'uint32' },
        { name: 'setRoot', type: 'bytes32' },
        { name: 'count', type: 'uint32' },
        { name: 'directHash', type: 'bytes32' },
      ],
    },
    primaryType: 'SetAttestation',
    message,
  })
}

/** What fixing a set needs to know of a job. */
type Fixable = Pick<RunningJob, 'jobId' | 'crew'> & { terms: Pick<JobTerms, 'quorum'> }

export async function fixSet(world: World, job: Fixable, round: number, claims: Claim[]) {
  const set = await setOf(world, job, round, claims)
  const { directHash } = await world.jobs.read('status', [job.jobId])
  const message = { round, setRoot: set.root, count: set.count, directHash }
  const { bits, signatures } = await attest(world, job, message, [...Array(job.terms.quorum).keys()])
  const args = [job.jobId, round, set.root, set.count, directHash, bits, signatures] as const
  return { set, receipt: await world.jobs.send(world.operator, 'fixSet', args) }
}

/** All validators reveal; the beacon is drawn with the last one. */
export async function revealAll(world: World, { jobId, terms, crew }: RunningJob, round: number) {
  await world.evm.mine(terms.beaconBlocks)
  const receipts = []
  for (const [i, { key }] of crew.validators.entries()) {
    receipts.push(await world.jobs.send(key, 'reveal', [jobId, round, onion(i, terms.rounds).layer(round)]))
  }
  return receipts
}

export function proposalOf(accounts: Hex[], pays: bigint[], convictions = 0) {
  const tree = sumTree(accounts.map((account, i) => ({ account, weight: pays[i] as bigint })))
  const proposal = {
    stateDigest: keccak256(toHex('state digest')),
    stateRoot: keccak256(toHex('state root')),
    payoutRoot: tree.root,
    auditRoot: keccak256(toHex('audit')),
    runRoot: keccak256(toHex('run')),
    payoutTotal: tree.total,
    convictions,
  }
  return { tree, proposal }
}

/** The validator whose turn it is proposes. */
export async function propose(
  world: World,
  { jobId, crew }: RunningJob,
  round: number,
  proposal: ReturnType<typeof proposalOf>['proposal'],
) {
  const turn = await world.jobs.read('proposerNow', [jobId])
  const proposer = crew.validators.find(({ cold }) => cold.address === turn) as Node
  return { proposer, receipt: await world.jobs.send(proposer.key, 'propose', [jobId, round, proposal]) }
}

export async function finalise(world: World, { jobId, terms }: RunningJob, round: number) {
  await world.evm.advance(terms.challengeSeconds)
  return world.jobs.send(world.operator, 'finalise', [jobId, round])
}
