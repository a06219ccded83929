import { type Engine, type Evaluation, evaluateModel, stateRoot } from '@potluck/engine'
import { replaceFile } from '../training/checkpointFile.ts'
import { exportModel } from '../training/exportModel.ts'
import type { TrainReport } from '../training/finishRun.ts'
import type { RunLayout } from '../training/trainingFolder.ts'
import { measureBackdoor } from './attack/measureBackdoor.ts'
import { resistanceFacts } from './attack/resistanceFacts.ts'
import { asCheckpoint } from './federatedCheckpoint.ts'
import { comparePersonal, headsFile, type PersonalFacts, withMeanHead } from './personalHeads.ts'
import { type PreparedFederation, unitOf } from './prepareFederated.ts'
import type { RoundRecord } from './RoundRecord.ts'
import { partsOf } from './report/clientFigures.ts'
import { totals } from './report/curveFigures.ts'
import type { AttackFacts, FederatedFacts } from './report/FederatedFacts.ts'
import { reportHtml } from './report/reportHtml.ts'
import type { FederatedRun } from './runFederated.ts'

/** What a federation gave, for programs: a training's report and what is particular to many. `steps` are those of each client. */
export type FederatedReport = TrainReport & {
  readonly clients: number
  readonly rounds: number
  readonly localSteps: number
  /** Round whose model was kept. */
  readonly bestRound: number
  readonly bytes: {
    readonly up: number
    readonly down: number
    /** What a gradient in f32 a client and step would have been. */
    readonly synchronousUp: number
    readonly ratio: number
  }
  readonly settings: Readonly<Record<string, string>>
  readonly privacy: FederatedFacts['privacy']
  readonly attack: FederatedFacts['attack']
  readonly resistance: FederatedFacts['resistance']
  /** With heads of the clients' own. */
  readonly personal?: PersonalFacts
  readonly contribution: readonly {
    readonly client: string
    readonly size: number
    readonly rounds: number
    readonly weight: number
    /** What it took off the validation loss over the run; null where nothing was measured. */
    readonly score: number | null
    /** Its part of the pay that follows. */
    readonly share: number | null
    readonly isAttacker: boolean
  }[]
}

/** How many last rounds the training loss is a mean over. */
const LAST = 5

/** Evaluates the model with the lowest validation loss, writes it as files, and the report beside it. */
export async function finishFederated(
  engine: Engine,
  prepared: PreparedFederation,
  layout: RunLayout,
  { best, state }: FederatedRun,
  rounds: readonly RoundRecord[],
  privacy: FederatedFacts['privacy'],
): Promise<FederatedReport> {
  const { run, options, clients, settings } = prepared
  const { model, data, recipe, config, plan, seed, identity } = run
  // Noise covers what is sent: a mean of heads, which are not, would tell more than was promised.
  const parameters =
    options.personal && !options.noise
      ? withMeanHead(model, options.personal, state, options.clients)
      : (best?.parameters ?? state.parameters)
  const evaluate = (on: typeof data.train): Promise<Evaluation> =>
    evaluateModel(engine, model, { parameters, frozen: run.start.frozen }, on)
  const { loss, accuracy } = await evaluate(data.valid)
  const test = data.test ? await evaluate(data.test) : null
  const own = rounds.at(-1)?.own
  const flops = plan.flopsPerStep * recipe.steps * options.rounds * (options.perRound ?? clients.length)
  const personal = own && (await comparePersonal(engine, model, options, { own, parameters, flops }))
  const bestRound = best?.step ?? state.round
  const attack = await withBackdoor(engine, prepared, parameters)
  const resistance = resistanceFacts(layout, prepared)
  const facts: FederatedFacts = {
    title: `Federated training of a ${config.kind} model`,
    settings: [['model', `${config.kind}, ${plan.parameters} numbers`], ...settings, ['executor', engine.executor]],
    rounds,
    clients,
    unit: unitOf(data.shape),
    classes: data.classes ?? [],
    parameters: plan.parameters,
    localSteps: recipe.steps,
    valid: { loss, accuracy },
    test,
    bestRound,
    attack,
    resistance,
    privacy,
  }
  const files = exportModel(run, parameters, layout)
  if (options.personal) {
    files.push(layout.in('heads.safetensors'))
    replaceFile(layout.in('heads.safetensors'), headsFile(model, options.personal, state, options.clients))
  }
  const report = layout.in('report.html')
  replaceFile(report, reportHtml(facts))
  const last = rounds.slice(-LAST)
  const { up, down, synchronous } = totals(facts, rounds)
  const checkpoint = asCheckpoint(state, null, seed, identity)
  return {
    kind: config.kind,
    params: plan.parameters,
    steps: recipe.steps * options.rounds,
    seconds: rounds.at(-1)?.seconds ?? 0,
    executor: engine.executor,
    threads: engine.threads,
    train: { loss: last.reduce((sum, round) => sum + round.loss, 0) / Math.max(1, last.length) },
    valid: { loss, accuracy },
    test,
    stateHash: stateRoot(
      Object.keys(checkpoint.state)
        .sort()
        .map((name) => checkpoint.state[name]!),
    ),
    files: [...files, report],
    clients: clients.length,
    rounds: options.rounds,
    localSteps: recipe.steps,
    bestRound,
    bytes: { up, down, synchronousUp: synchronous, ratio: synchronous / Math.max(1, up) },
    settings: Object.fromEntries(settings),
    privacy,
    attack,
    resistance,
    ...(personal ? { personal } : {}),
    contribution: partsOf(facts).map(({ mean, rounds: count, score, share }, c) => ({
      client: clients[c]!.id,
      size: clients[c]!.size,
      rounds: count,
      weight: mean,
      score,
      share,
      isAttacker: clients[c]!.isAttacker,
    })),
  }
}

/** Who lied; of a backdoor with its own success in the model that is written. */
async function withBackdoor(
  engine: Engine,
  { run, options, attack }: PreparedFederation,
  parameters: Float32Array,
): Promise<AttackFacts | null> {
  const how = options.attackers?.attack
  if (!attack || how?.kind !== 'backdoor') return attack
  const { model, data, start } = run
  const weights = { parameters, frozen: start.frozen }
  return { ...attack, backdoor: await measureBackdoor(engine, model, weights, data.valid, how, data.classes) }
}
