import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { isEvent } from '@potluck/chain'
import {
  encodeText,
  evaluateLoss,
  initialParameters,
  type LanguageRecipe,
  parameterCount,
  vocabularyOf,
} from '@potluck/engine'
import { publicJob } from '@potluck/learning'
import { bytesOfFloats, checkStateSize, floatsOf } from '@potluck/node'
import { type Hex, keccak256, type LanguageJob, sha256, toHex, utf8 } from '@potluck/protocol'
import { createLocalEngine } from '@potluck/runtime'
import { addFile, fileBlockStore, RAW } from '@potluck/store'
import { createJob, embeddedTimes } from '../actions/createJob.ts'
import { registerDataset } from '../actions/registerDataset.ts'
import { fetchBlock } from '../commands/fetchBlocks.ts'
import { participant, workers } from '../network/plan.ts'
import type { Demo } from './Demo.ts'
import { dataFolder } from './heartData.ts'
import { awaitModel, nodeUrl, type Status, startJob } from './jobProgress.ts'
import { nodeStatus } from './nodeStatus.ts'
import { dollars, sparkline } from './Screen.ts'

const SALT = 10n ** 18n
const DOLLAR = 1_000_000n
/** `IRefereeTypes.Move`: the contract did the operation itself. */
const PROVED = 8
/** Long enough that a restarted worker finds its share taken over, short enough to be seen coming back. */
const VICTIM_DOWN_MS = 15_000
/** An eighth of the bytes, and no worse a model (bench/results/updates.json). */
const ENCODING = 'dense4'
/** A tenth of the characters of one share's training, twice: under the weights of before and of after. */
const SCORE_WINDOWS = 64

/** Chosen by trials on the training text alone: loss 2.15 to 2.2 on the validation part after seven rounds (bench/results). */
function recipeFor(vocabulary: string): LanguageRecipe {
  return {
    config: { vocabulary, context: 32, width: 64, layers: 2, heads: 4, hidden: 256 },
    batch: 16,
    steps: 40,
    learningRate: 0.012,
    weightDecay: 0.05,
    warmupSteps: 3,
    beta1: 0.9,
    beta2: 0.99,
    epsilon: 1e-8,
    stateEverySteps: 20,
  }
}

/** Registers the text, funds and follows the exact training job, kills a worker in the middle of it, and measures the result. */
export async function languageStage(demo: Demo): Promise<{ job: number; version: number }> {
  const { screen, chain, layout, options, report, plan } = demo
  const text = gunzipSync(readFileSync(join(dataFolder, 'tinyshakespeare', 'input.txt.gz'))).toString('utf8')
  const cut = Math.floor(text.length * 0.9)
  const [train, valid] = [text.slice(0, cut), text.slice(cut)]
  const dataset = await registerDataset(demo.wallet('archive'), fileBlockStore(layout.node('archive')), {
    content: utf8(train),
    metadata: {
      type: 'asset',
      name: 'Tiny Shakespeare, training part',
      kind: 'dataset',
      description: 'The first 90 % of 40,000 lines of Shakespeare.',
      licence: 'public domain',
      source: 'github.com/karpathy/char-rnn',
      size: train.length,
      unit: 'characters',
      columns: [],
      private: false,
    },
    purposes: 31,
    minSharePpm: 50_000,
    trainPriceUnits: DOLLAR / 2n,
  })
  screen.fact(
    `archive: the text is version ${dataset.version}, ${train.length.toLocaleString('en')} characters, ${dataset.cid}`,
  )

  const recipe = recipeFor(vocabularyOf(text))
  const { config } = recipe
  const seed = sha256(utf8('potluck demo language job'))
  const base = bytesOfFloats(initialParameters(config, seed))
  checkStateSize(base.length)
  const store = fileBlockStore(layout.node('builder'))
  const validCid = String((await addFile(store, utf8(valid))).cid)
  const [token] = chain.deployment.tokens
  const document: LanguageJob = {
    type: 'job',
    kind: 'language',
    name: 'A small Shakespeare',
    description: 'A causal character transformer, trained exactly, in low-communication rounds.',
    workSeconds: 45,
    silenceSeconds: 6,
    trainCid: dataset.cid,
    validCid,
    seed: toHex(seed),
    shares: workers.length,
    recipe,
    encoding: ENCODING,
    scoreWindows: SCORE_WINDOWS,
    audit: { gainPpm: 800_000, colludingPpm: 300_000, auditors: 1, saltPriceE18: 100_000n, newClaims: 4 },
  }
  const rounds = options.rounds
  const job = await createJob(demo.wallet('builder'), store, {
    document,
    base,
    programRoot: toHex(publicJob(recipe, encodeText(config, train), seed, workers.length, ENCODING).root),
    terms: {
      token: (token as { address: Hex }).address,
      rounds,
      purpose: 29,
      trustClass: 0,
      committeeSize: 7,
      quorum: 5,
      payPerRound: 5n * DOLLAR,
      workerBond: 60n * SALT,
      validatorBond: 400n * SALT,
      witnessBond: 10n * SALT,
      ...embeddedTimes,
      minWorkers: workers.length,
      minValidators: 3,
      minWitnesses: 7,
      judge: chain.deployment.contracts.referee,
      contributorsShare: 400_000,
      modelPurposes: 26,
      modelMinShare: 0,
      modelTrainPrice: 0n,
      missingPenalty: 60n * SALT,
      modelLicenceDigest: toHex(keccak256(utf8('by the call'))),
      paramsVersion: 1,
      dataVersions: [BigInt(dataset.version)],
      parentShares: [100_000],
    },
  })
  screen.fact(
    `job ${job}: ${rounds} rounds of ${workers.length} shares, ${recipe.steps} steps of ${recipe.batch} × ${config.context} characters each, ${parameterCount(config).toLocaleString('en')} parameters, ${dollars(5n * DOLLAR)} a round`,
  )

  const engine = await createLocalEngine()
  const validTokens = encodeText(config, valid)
  const firstLoss = await evaluateLoss(engine, config, floatsOf(base), validTokens)
  screen.fact(
    `loss on the whole validation part before training: ${firstLoss.toFixed(3)} (uniform guess: ${Math.log(config.vocabulary.length).toFixed(3)})`,
  )
  await startJob(demo, job, workers.length)
  const follow = followRounds(demo, job)
  const version = await awaitModel(demo, job, follow.describe)
  follow.finish()

  const status = await chain.read.jobs.status([BigInt(job)])
  // From whichever node has it: on a busy machine some are a block behind.
  const final = await fetchBlock(plan, status.finalStateDigest, RAW)
  const lastLoss = await evaluateLoss(engine, config, floatsOf(final), validTokens)
  screen.fact(
    `training loss by round: ${sparkline(follow.losses.map(({ trainLoss }) => trainLoss))}  ${follow.losses.map(({ trainLoss }) => trainLoss.toFixed(2)).join(' ')}`,
  )
  screen.fact(
    `loss on the whole validation part: ${firstLoss.toFixed(3)} → ${lastLoss.toFixed(3)} (a bigram table: 2.48)`,
  )
  report.language = {
    firstLoss,
    lastLoss,
    tokens: rounds * workers.length * recipe.steps * recipe.batch * config.context,
    modelParams: parameterCount(config),
    rounds: follow.losses,
  }
  report.liar = follow.liar ?? { claim: '', audit: '', slashed: '0' }
  report.killed = { worker: participant(plan, options.victim).node, reassigned: follow.takenOverBy ?? '' }
  return { job, version }
}

/** Watches a job through a validator's public status: progress, losses, the kill, who takes over, the liar's end. */
function followRounds(demo: Demo, job: number) {
  const { screen, options, plan, supervisor, chain } = demo
  const victim = participant(plan, options.victim)
  const nameOf = (node: string): string => plan.participants.find((one) => one.node === node)?.name ?? node.slice(0, 10)
  const losses: { round: number; trainLoss: number }[] = []
  let victimShare: number | undefined
  let killedRound: number | undefined
  const state: { takenOverBy?: string; liar?: { claim: string; audit: string; slashed: string } } = {}

  async function look(status: Status): Promise<string> {
    const seen = (await nodeStatus(nodeUrl(demo, 'validator-1'))).jobs.find((one) => one.job === job)
    if (!seen) return 'waiting for the validators'
    if (seen.round === status.round && seen.claims.length > 0) {
      const trainLoss = seen.claims.reduce((sum, { loss }) => sum + loss, 0) / seen.claims.length
      losses[seen.round] = { round: seen.round, trainLoss }
    }
    const beat = seen.beats.find(({ worker }) => worker === victim.node)
    // It finished before the signal reached it: try again when it is back at work.
    if (killedRound !== undefined && killedRound < status.round && state.takenOverBy === undefined)
      killedRound = undefined
    // Not in the first round, so that it is seen working before; and only while it works.
    if (
      killedRound === undefined &&
      status.round >= 1 &&
      beat &&
      !seen.commits.some(({ worker }) => worker === victim.node)
    ) {
      supervisor.kill(victim.name, VICTIM_DOWN_MS)
      killedRound = status.round
      victimShare = beat.share
      screen.fact(
        `round ${status.round + 1}: ${victim.name} killed (SIGKILL) at step ${beat.step} of ${beat.steps} of share ${beat.share}`,
      )
    }
    if (killedRound === status.round && state.takenOverBy === undefined) {
      const other = [...seen.beats, ...seen.commits].find(
        ({ worker, share }) => share === victimShare && worker !== victim.node,
      )
      if (other) {
        state.takenOverBy = other.worker
        screen.fact(`round ${status.round + 1}: ${nameOf(other.worker)} takes over share ${victimShare}`)
      }
    }
    if (!state.liar && seen.expelled.length > 0) await tellConviction()
    const doing =
      ['', 'enrolling', 'training', 'drawing the beacon', 'auditing', 'challenge window', 'done'][status.phase] ?? ''
    const steps = seen.beats.map(({ step, steps: all }) => `${Math.round((100 * step) / all)}%`).join(' ')
    return `round ${status.round + 1} of ${options.rounds}: ${doing}${status.phase === 2 ? ` ${steps}` : ''}`
  }

  async function tellConviction(): Promise<void> {
    const events = await chain.events({
      fromBlock: BigInt(chain.deployment.block),
      toBlock: await chain.blockNumber(),
      contracts: ['jobs', 'referee', 'registry'],
    })
    const convicted = events.find((event) => isEvent(event, 'jobs', 'Convicted') && Number(event.args.jobId) === job)
    if (!convicted || !isEvent(convicted, 'jobs', 'Convicted')) return
    const { subject, worker, slashed, round } = convicted.args
    // Of this claim alone: others may be disputed at the same time.
    const ids = events.flatMap((event) =>
      isEvent(event, 'referee', 'Challenged') && event.args.subject === subject ? [event.args.id] : [],
    )
    const games = events.flatMap((event) =>
      isEvent(event, 'referee', 'GameOpened') && ids.includes(event.args.id) ? [event.args.game] : [],
    )
    const moves = events.filter((event) => isEvent(event, 'referee', 'Moved') && games.includes(event.args.game)).length
    const isComputed = events.some(
      (event) => isEvent(event, 'referee', 'GameEnded') && games.includes(event.args.game) && event.args.by === PROVED,
    )
    const how = isComputed
      ? `after ${moves} moves the contract computed one operation and found it wrong`
      : `it defended the lie for ${moves} moves, had none left and ran out of time`
    const slash = events.find((event) => isEvent(event, 'registry', 'Slashed') && event.txHash === convicted.txHash)
    const burned = slash && isEvent(slash, 'registry', 'Slashed') ? slash.args.burned : 0n
    state.liar = { claim: subject, audit: convicted.txHash, slashed: slashed.toString() }
    screen.fact(
      `round ${round + 1}: ${nameOf(worker)} lied: ${how}; ${slashed / SALT} SALT slashed, ${burned / SALT} of it burned`,
    )
  }

  return {
    losses,
    get liar() {
      return state.liar
    },
    get takenOverBy() {
      return state.takenOverBy
    },
    describe: look,
    finish: () => {
      for (let i = losses.length - 1; i >= 0; i--) if (!losses[i]) losses.splice(i, 1)
    },
  }
}
