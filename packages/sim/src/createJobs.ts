/** The two jobs of the simulation: a tiny language model in two rounds, and a private table model of three owners or more. */
import { encodeText, initialParameters, type LanguageConfig, vocabularyOf } from '@potluck/engine'
import { publicJob } from '@potluck/learning'
import { bytesOfFloats } from '@potluck/node'
import { type Hex, keccak256, merkleRootOfBytes, sha256, toHex, utf8 } from '@potluck/protocol'
import { digestOf, memoryBlockStore, putObject, RAW } from '@potluck/store'
import { channelOf, DEPOSIT } from './calls.ts'
import { directClient } from './directClient.ts'
import type { Network } from './Network.ts'
import { FIRST_KEEPER, secretOf, VALIDATORS, WITNESSES, WORKERS } from './nodePlans.ts'

const SALT = 10n ** 18n
const DOLLAR = 1_000_000n
const ROUNDS = 2
const SHARES = 5
const TIMES = { fixSeconds: 20, beaconBlocks: 1, revealSeconds: 5, turnSeconds: 4, challengeSeconds: 4 }

export const TEXT = 'the pot is full of rice and luck. '.repeat(12)
export const CONFIG: LanguageConfig = {
  vocabulary: vocabularyOf(TEXT),
  context: 8,
  width: 8,
  layers: 1,
  heads: 1,
  hidden: 16,
}
export const RECIPE = {
  config: CONFIG,
  batch: 2,
  steps: 4,
  learningRate: 0.01,
  weightDecay: 0,
  warmupSteps: 0,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  stateEverySteps: 1,
}
const ENCODING = 'dense4'

export type JobsSetting = {
  /** Of the public job. */
  readonly workSeconds: number
  /** Members of the private job. */
  readonly owners: number
  /** How few of them a sum may be over; all when left out. */
  readonly leastMembers?: number | undefined
}

/** Funds both jobs and the payer's channel; what nodes have to fetch lies with the keepers. */
export async function createJobs(
  network: Network,
  token: Hex,
  { workSeconds, owners, leastMembers }: JobsSetting,
): Promise<void> {
  const { anvil, deployment } = network
  const { contracts } = deployment
  const store = memoryBlockStore()
  const text = utf8(TEXT)
  const trainCid = (await store.put(text, RAW)).toString()
  const language = {
    type: 'job',
    kind: 'language',
    name: 'Simulated language job',
    description: '',
    workSeconds,
    silenceSeconds: 3,
    trainCid,
    validCid: trainCid,
    seed: toHex(secretOf('job')),
    shares: SHARES,
    recipe: RECIPE,
    encoding: ENCODING,
    scoreWindows: 2,
    // No stake counts for anything: every claim is audited, so that a lie must come out.
    audit: { gainPpm: 1_000_000, colludingPpm: 0, auditors: 1, saltPriceE18: '0', newClaims: 0 },
  }
  const builder = directClient(anvil, deployment, network.builder.secret)
  const versions = Array.from({ length: owners }, (_, i) => BigInt(i + 1))
  const tabular = {
    type: 'job',
    kind: 'tabular',
    name: 'Simulated private job',
    description: '',
    workSeconds: 6,
    silenceSeconds: 4,
    table: 'heart',
    l2: 0.05,
    maxSteps: 2,
    members: versions.map(Number),
    ...(leastMembers !== undefined && { leastMembers }),
  }
  const common = {
    token,
    committeeSize: 5,
    quorum: 3,
    workerBond: 100n * SALT,
    validatorBond: 100n * SALT,
    witnessBond: 10n * SALT,
    ...TIMES,
    minValidators: VALIDATORS,
    minWitnesses: WITNESSES,
    modelPurposes: 24,
    modelMinShare: 0,
    modelTrainPrice: 0n,
    missingPenalty: 20n * SALT,
    modelLicenceDigest: toHex(sha256(utf8('by the call'))),
    paramsVersion: 1,
  }
  const kinds = [
    {
      document: language,
      base: bytesOfFloats(initialParameters(CONFIG, secretOf('model'))),
      judge: contracts.referee,
      programRoot: toHex(publicJob(RECIPE, encodeText(CONFIG, TEXT), secretOf('job'), SHARES, ENCODING).root),
      purpose: 0,
      trustClass: 0,
      rounds: ROUNDS,
      payPerRound: 5n * DOLLAR,
      minWorkers: WORKERS,
      contributorsShare: 300_000,
      dataVersions: [] as bigint[],
      parentShares: [] as number[],
    },
    {
      document: tabular,
      base: new Uint8Array(),
      judge: contracts.judge,
      programRoot: toHex(keccak256(utf8('simulated'))),
      purpose: 1,
      trustClass: 2,
      rounds: 1,
      payPerRound: 3n * DOLLAR,
      minWorkers: owners,
      contributorsShare: 0,
      dataVersions: versions,
      parentShares: versions.map(() => 150_000),
    },
  ]
  await builder.erc20(token).send('approve', [contracts.jobs, 1_000n * DOLLAR])
  for (const { document, base, ...terms } of kinds) {
    const specDigest = toHex(digestOf(await putObject(store, document)))
    const baseDigest = toHex(digestOf(await store.put(base, RAW)))
    const baseRoot = toHex(merkleRootOfBytes(base))
    await builder.send('jobs', 'create', [{ ...common, ...terms, specDigest, baseDigest, baseRoot }])
  }
  network.languageJob = 1
  network.privateJob = 2
  network.paidVersion = 1
  const payer = directClient(anvil, deployment, network.payer.secret)
  await payer.erc20(token).send('approve', [contracts.channels, DEPOSIT])
  await payer.send('channels', 'open', [channelOf(network), DEPOSIT])
  for (const node of [FIRST_KEEPER, FIRST_KEEPER + 1, FIRST_KEEPER + 2]) {
    for await (const cid of store.list()) {
      const bytes = (await store.get(cid)) as Uint8Array
      network.blocks.push({ node, codec: cid.code, bytes })
    }
  }
}
