import { existsSync, mkdirSync } from 'node:fs'
import { isEvent } from '@potluck/chain'
import { type Evaluation, encodeText, evaluateCharacters, parameterCount } from '@potluck/engine'
import { decodeDocument, floatsOf } from '@potluck/node'
import {
  auditReport,
  type Hex,
  type JobDocument,
  type LanguageJob,
  PotluckError,
  payoutDocument,
  toHex,
} from '@potluck/protocol'
import { DAG_CBOR, digestOf, parseCid, RAW } from '@potluck/store'
import { nodeStatus } from '../demo/nodeStatus.ts'
import { shortNumber } from '../federated/report/markup.ts'
import { EventFile } from '../federated/tensorboard/EventFile.ts'
import type { JobConviction, JobFacts, JobHistory, JobHistoryRound } from '../jobReport/JobHistory.ts'
import { jobEventOf, jobFacts } from '../jobReport/jobFacts.ts'
import { jobReportHtml } from '../jobReport/jobReportHtml.ts'
import { replaceFile } from '../training/checkpointFile.ts'
import { openEngine } from '../training/openEngine.ts'
import { layoutOfRun } from '../training/trainingFolder.ts'
import { fetchBlock, fetchContent } from './fetchBlocks.ts'
import { updatesHandedIn } from './handedIn.ts'
import { onChain } from './job.ts'
import { jobDocumentOf } from './jobDocumentOf.ts'
import { type Network, type NetworkOptions, nameOfNode, networkAt, tokenOf } from './networkAt.ts'
import { phaseName } from './phases.ts'
import type { Printed } from './printed.ts'
import { urlOf } from './status.ts'

type JobReportOptions = NetworkOptions & { job: number; out: string; threads?: number }

/**
 * A report of a network's job in a folder: `report.html`, `log.jsonl` and TensorBoard's events. Whoever is down is missing from it; the
 * same command later writes it anew.
 *
 * @throws PotluckError NOT_FOUND for a job that is not there, RUN_EXISTS for a folder with something else in it, CANNOT_WRITE
 */
export async function jobReport(options: JobReportOptions): Promise<Printed> {
  const network = networkAt(options)
  const { job, out } = options
  const layout = layoutOfRun(out)
  if (existsSync(layout.checkpoint)) {
    const message = `${out} holds a run of \`potluck train\`, whose report would be lost: name another folder with --out`
    throw new PotluckError('RUN_EXISTS', message, { folder: out })
  }
  const history = await historyOf(network, job, options.threads)
  const facts = jobFacts(history, (node) => nameOfNode(network, node))
  try {
    mkdirSync(out, { recursive: true })
  } catch (cause) {
    const message = `cannot make the folder ${out}: ${(cause as Error).message}; name another with --out`
    throw new PotluckError('CANNOT_WRITE', message, { folder: out }, { cause, remedy: 'fix-setup' })
  }
  const report = layout.in('report.html')
  replaceFile(report, jobReportHtml(facts))
  replaceFile(layout.log, facts.rounds.map((round) => `${JSON.stringify(round)}\n`).join(''))
  new EventFile(layout.in('tensorboard'), facts.rounds.map(jobEventOf), Date.now() / 1000)
  const files = [report, layout.log, layout.in('tensorboard')]
  return { value: { job, files, ...facts }, lines: [...linesOf(facts), ...files.map((file) => `wrote ${file}`)] }
}

function linesOf({ title, summary, rounds, convictions, resistance }: JobFacts): string[] {
  const missing = rounds.filter(({ claims }) => claims === null).length
  return [
    `${title}. ${summary}`,
    ...rounds.map(({ round, valid, claims, bytesUp }) => {
      const bytes = Object.values(bytesUp).reduce((sum, one) => sum + one, 0)
      const loss = valid ? `, loss ${shortNumber(valid.loss)}` : ''
      const size = bytes > 0 ? `, ${bytes.toLocaleString('en')} bytes up` : ''
      return `  round ${round}: ${claims ? `${claims.length} claim${claims.length === 1 ? '' : 's'}` : 'claims not known'}${loss}${size}`
    }),
    ...convictions.map(
      ({ node, round, slashedSalt }) => `  ${node} convicted in round ${round + 1}, ${slashedSalt} SALT slashed`,
    ),
    `poisoning resistance: ${resistance}`,
    ...(missing > 0
      ? [`the audit reports of ${missing} of the rounds are with nobody who is up; the same command later adds them`]
      : []),
  ]
}

/** All that chain and nodes hold of a job. Whatever cannot be fetched now is null in it. */
async function historyOf(network: Network, job: number, threads: number | undefined): Promise<JobHistory> {
  const { chain, deployment } = network
  const status = await onChain(network, job)
  const terms = await chain.read.jobs.termsOf([BigInt(job)])
  const document = await jobDocumentOf(network, terms.specDigest)
  const toBlock = await chain.blockNumber()
  const events = await chain.events({ fromBlock: BigInt(deployment.block), toBlock, contracts: ['jobs'] })
  const measure = await measureOf(network, document, threads)
  const { symbol, decimals } = tokenOf(deployment, terms.token)
  const final: JobHistoryRound[] = []
  try {
    const before = await measure.of(terms.baseDigest)
    for (const event of events) {
      if (!isEvent(event, 'jobs', 'RoundFinal') || Number(event.args.jobId) !== job) continue
      const { round, proposal } = event.args
      const report = await fetched(async () =>
        decodeDocument(auditReport, await fetchBlock(network, proposal.auditRoot, DAG_CBOR)),
      )
      final.push({
        round,
        time: Number(event.timestamp ?? 0),
        stateDigest: proposal.stateDigest,
        payoutTotal: proposal.payoutTotal,
        report,
        payout:
          report &&
          (await fetched(async () =>
            decodeDocument(payoutDocument, await fetchBlock(network, report.payout, DAG_CBOR)),
          )),
        valid: await measure.of(proposal.stateDigest),
      })
    }
    return {
      job,
      phase: phaseName(status.phase),
      document,
      rounds: terms.rounds,
      payPerRound: terms.payPerRound,
      token: { symbol, decimals },
      parameters: document?.kind === 'language' ? parameterCount(document.recipe.config) : null,
      before,
      final,
      handedIn: await updatesHandedIn(network, job),
      convictions: convictionsIn(events, job),
      evaluations: document?.kind === 'tabular' ? await evaluationsOf(network, Number(status.modelVersion)) : [],
    }
  } finally {
    await measure.close()
  }
}

/** What somebody serves, asked for twice; null where nobody does: a report without it is better than none. */
async function fetched<T>(work: () => Promise<T>): Promise<T | null> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      return await work()
    } catch {
      // Whoever has it is down, or too busy to answer in time.
    }
  }
  return null
}

type Events = Awaited<ReturnType<Network['chain']['events']>>

function convictionsIn(events: Events, job: number): JobConviction[] {
  return events.flatMap((event): JobConviction[] => {
    const tx = event.txHash
    if (isEvent(event, 'jobs', 'Convicted') && Number(event.args.jobId) === job) {
      const { round, worker, slashed } = event.args
      return [{ round, node: worker, of: 'claim', slashed, tx }]
    }
    if (isEvent(event, 'jobs', 'ProposalConvicted') && Number(event.args.jobId) === job) {
      const { round, proposer, slashed } = event.args
      return [{ round, node: proposer, of: 'proposal', slashed, tx }]
    }
    return []
  })
}

type Measure = { of(stateDigest: Hex): Promise<Evaluation | null>; close(): Promise<void> }

const nothingToMeasure: Measure = { of: async () => null, close: async () => undefined }

/** The loss of a state on the job's validation text, computed here; null where text or state is with nobody who is up. */
async function measureOf(
  network: Network,
  document: JobDocument | null,
  threads: number | undefined,
): Promise<Measure> {
  if (document?.kind !== 'language') return nothingToMeasure
  const valid = await fetched(() => validationText(network, document))
  if (valid === null) return nothingToMeasure
  const engine = await openEngine('auto', threads)
  const { config } = document.recipe
  return {
    of: async (digest) => {
      const bytes = await fetched(() => fetchBlock(network, digest, RAW))
      return bytes && evaluateCharacters(engine, config, floatsOf(bytes), valid)
    },
    close: () => engine.close(),
  }
}

async function validationText(network: Network, { validCid, recipe }: LanguageJob): Promise<Uint8Array> {
  const cid = parseCid(validCid)
  const bytes = await fetchContent(network, { digest: toHex(digestOf(cid)), codec: cid.code })
  return encodeText(recipe.config, new TextDecoder('utf-8', { fatal: true }).decode(bytes))
}

/** What the owners of private tables say of a model on their own rows; those that are down say nothing. */
async function evaluationsOf(
  network: Network,
  version: number,
): Promise<{ owner: string; correct: number; rows: number }[]> {
  const all = await Promise.all(
    network.participants.map(async (one) => {
      const status = await fetched(() => nodeStatus(urlOf(one)))
      const found = status?.evaluations.filter((each) => each.version === version) ?? []
      return found.map(({ correct, rows }) => ({ owner: one.name, correct, rows }))
    }),
  )
  return all.flat()
}
