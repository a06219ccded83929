import { evaluateLogistic, heartL2 } from '@potluck/learning'
import { decodeDocument } from '@potluck/node'
import { fromHex, keccak256, toHex, transcript, utf8 } from '@potluck/protocol'
import { cidOfDigest, fileBlockStore, RAW } from '@potluck/store'
import { createJob, embeddedTimes } from '../actions/createJob.ts'
import { hospitals, participant } from '../network/plan.ts'
import { centralHeartModel, mean, pooled } from './centralHeart.ts'
import type { Demo } from './Demo.ts'
import { heartTables } from './heartData.ts'
import { awaitModel, nodeUrl, startJob } from './jobProgress.ts'
import { nodeStatus } from './nodeStatus.ts'
import { dollars, table } from './Screen.ts'
import { waitFor } from './waitFor.ts'

const SALT = 10n ** 18n
const DOLLAR = 1_000_000n

/** Purposes: TRAIN 1, DERIVE 4, SERVE 8, COMMERCIAL 16. */
const TRAIN_TO_SELL = 29

/** The four datasets as the chain shows them, in the order of the hospitals. */
export async function awaitDatasets(demo: Demo): Promise<number[]> {
  const { screen, chain, plan, signal } = demo
  const versions = await waitFor(
    "the hospitals' datasets",
    async () => {
      const events = await chain.events({
        fromBlock: BigInt(chain.deployment.block),
        toBlock: await chain.blockNumber(),
        contracts: ['assets'],
      })
      const owners = new Map(
        events
          .filter(({ name }) => name === 'AssetCreated')
          .map(({ args }) => [String(args.assetId), String(args.owner)]),
      )
      const byOwner = new Map(
        events
          .filter(({ name }) => name === 'VersionAdded')
          .map(({ args }) => [owners.get(String(args.assetId)), Number(args.version)]),
      )
      const found = hospitals.map((name) => byOwner.get(participant(plan, name).node))
      screen.live(`${found.filter(Boolean).length} of ${hospitals.length} datasets registered`)
      return found.every((version) => version !== undefined) ? (found as number[]) : undefined
    },
    { timeoutMs: 90_000, signal },
  )
  for (const [i, name] of hospitals.entries()) {
    const terms = await chain.read.assets.termsOf([BigInt(versions[i] as number)])
    screen.fact(
      `${name}: version ${versions[i]}, row commitment ${terms.root.slice(0, 18)}…, asks ${terms.minShare / 10_000} % of a model and ${dollars(terms.trainPrice)} a training`,
    )
  }
  return versions
}

/** Funds the private job, starts it when its members are there, and waits for the model and the hospitals' own measurements of it. */
export async function heartStage(demo: Demo, datasets: number[]): Promise<{ job: number; version: number }> {
  // The chain wants parents in increasing order.
  const members = [...datasets].sort((a, b) => a - b)
  const { screen, chain, layout, signal, report } = demo
  const builder = demo.wallet('builder')
  const store = fileBlockStore(layout.node('builder'))
  const [token] = chain.deployment.tokens
  const job = await createJob(builder, store, {
    document: {
      type: 'job',
      kind: 'tabular',
      name: 'Heart disease, four hospitals',
      description: 'Logistic regression over 13 inputs; every sum is over all four hospitals and masked.',
      workSeconds: 60,
      silenceSeconds: 4,
      table: 'heart',
      l2: heartL2,
      maxSteps: 20,
      members,
    },
    base: new Uint8Array(),
    programRoot: toHex(keccak256(utf8('potluck tabular 1'))),
    terms: {
      token: (token as { address: `0x${string}` }).address,
      rounds: 1,
      purpose: TRAIN_TO_SELL,
      trustClass: 2,
      committeeSize: 7,
      quorum: 5,
      payPerRound: 8n * DOLLAR,
      workerBond: 10n * SALT,
      validatorBond: 100n * SALT,
      witnessBond: 10n * SALT,
      ...embeddedTimes,
      minWorkers: members.length,
      minValidators: 3,
      minWitnesses: 7,
      judge: chain.deployment.contracts.judge,
      contributorsShare: 0,
      modelPurposes: 26,
      modelMinShare: 0,
      modelTrainPrice: 0n,
      missingPenalty: 50n * SALT,
      modelLicenceDigest: toHex(keccak256(utf8('by the call'))),
      paramsVersion: 1,
      dataVersions: members.map(BigInt),
      parentShares: members.map(() => 200_000),
    },
  })
  screen.fact(
    `job ${job}: funded with ${dollars(8n * DOLLAR)}; each hospital's licence grants training and asks at least 15 % of the model, the job gives 20 %`,
  )
  await startJob(demo, job, 4)
  const version = await awaitModel(demo, job, () => 'masked sums under way')
  const evaluations = await waitFor(
    "the hospitals' evaluations",
    async () => {
      const found = await Promise.all(hospitals.map((name) => nodeStatus(nodeUrl(demo, name))))
      const each = found.map(({ evaluations: all }) => all.find((one) => one.version === version))
      return each.every((one) => one !== undefined) ? (each as { correct: number; rows: number }[]) : undefined
    },
    { timeoutMs: 60_000, signal },
  )
  const tables = hospitals.map((name) => heartTables(name))
  const central = centralHeartModel(tables.flatMap(({ train }) => train))
  const centralEach = tables.map(({ test }) => evaluateLogistic(central, test))
  const rounds = await maskedSums(demo, job)
  report.heart = {
    federated: { mean: mean(evaluations.map(({ correct, rows }) => correct / rows)), pooled: pooled(evaluations) },
    central: { mean: mean(centralEach.map(({ accuracy }) => accuracy)), pooled: pooled(centralEach) },
    rounds,
  }
  const percent = (value: number): string => value.toFixed(3)
  for (const line of table([
    ['accuracy on held-out rows', ...hospitals, 'mean', 'pooled'],
    [
      'federated, masks on',
      ...evaluations.map(({ correct, rows }) => percent(correct / rows)),
      percent(report.heart.federated.mean),
      percent(report.heart.federated.pooled),
    ],
    [
      'all rows in one place',
      ...centralEach.map(({ accuracy }) => percent(accuracy)),
      percent(report.heart.central.mean),
      percent(report.heart.central.pooled),
    ],
  ]))
    screen.fact(line)
  screen.fact(
    `${rounds} masked sums of all four; each hospital measured the model on its own rows and told only the counts`,
  )
  return { job, version }
}

/** Steps of the transcript that the job's claims point to, from the builder's own node, which is one of the witnesses. */
async function maskedSums(demo: Demo, job: number): Promise<number> {
  const status = await nodeStatus(nodeUrl(demo, 'builder'))
  const claim = status.jobs.find((one) => one.job === job)?.claims[0]
  if (!claim) return 0
  const store = fileBlockStore(demo.layout.node('builder'))
  const bytes = await store.get(cidOfDigest(RAW, fromHex(claim.update)))
  return bytes ? decodeDocument(transcript, bytes).steps.length : 0
}
