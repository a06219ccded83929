import { dirname, resolve } from 'node:path'
import type { Deployment } from '@potluck/chain'
import { checkRecipe, encodeText, initialParameters, type LanguageRecipe, vocabularyOf } from '@potluck/engine'
import { publicJob } from '@potluck/learning'
import { bytesOfFloats, checkProbeText, checkStateSize } from '@potluck/node'
import {
  fromHex,
  type Hex,
  type JobDocument,
  keccak256,
  PotluckError,
  type ResistanceNote,
  sha256,
  toHex,
  utf8,
} from '@potluck/protocol'
import { addFile, type BlockStore, cidOfDigest, fileBlockStore } from '@potluck/store'
import { createJob, type JobTerms } from '../actions/createJob.ts'
import { compressionOf } from '../federated/attack/jobGround.ts'
import { readResistance, resistanceNoteOf } from '../federated/attack/resistanceFile.ts'
import { type AccountOptions, actingChain } from './account.ts'
import { formatAmount, parseAmount } from './amounts.ts'
import { decodeText, readInput } from './asset.ts'
import { fetchContent } from './fetchBlocks.ts'
import { type JobFile, type LanguageJobFile, readJobFile } from './jobFile.ts'
import { jobFill } from './jobFill.ts'
import { jobGaps } from './jobGaps.ts'
import { type Network, type NetworkOptions, networkAt, tokenOf } from './networkAt.ts'
import type { Printed } from './printed.ts'
import { bitsOfPurposes, type Purpose } from './purposes.ts'

const SALT_DECIMALS = 18
const EXACT = 0
const PRIVATE = 2

type Terms = Omit<JobTerms, 'specDigest' | 'baseDigest' | 'baseRoot' | 'programRoot'>

/** The terms on chain of a job file: amounts in units, versions in the order the chain wants. */
export function termsOf(job: JobFile, deployment: Deployment): Terms {
  const token = tokenOf(deployment, job.token)
  const tokens = (text: string): bigint => parseAmount(text, token.decimals)
  const salt = (text: string): bigint => parseAmount(text, SALT_DECIMALS)
  const data = [...job.data].sort((a, b) => a.version - b.version)
  const { bonds, times, members, result } = job
  return {
    token: token.address,
    rounds: job.kind === 'language' ? job.rounds : 1,
    purpose: bitsOfPurposes(job.purposes as Purpose[]),
    trustClass: job.kind === 'language' ? EXACT : PRIVATE,
    committeeSize: members.committeeSize,
    quorum: members.quorum,
    payPerRound: tokens(job.payPerRound),
    workerBond: salt(bonds.worker),
    validatorBond: salt(bonds.validator),
    witnessBond: salt(bonds.witness),
    ...times,
    minWorkers: members.minWorkers ?? (job.kind === 'language' ? job.shares : data.length),
    minValidators: members.minValidators,
    minWitnesses: members.minWitnesses,
    judge: job.kind === 'language' ? deployment.contracts.referee : deployment.contracts.judge,
    contributorsShare: job.contributorsSharePpm,
    modelPurposes: bitsOfPurposes(result.purposes as Purpose[]),
    modelMinShare: result.minSharePpm,
    modelTrainPrice: tokens(result.trainPrice),
    missingPenalty: salt(bonds.missingPenalty),
    modelLicenceDigest: toHex(keccak256(utf8(result.licence))),
    paramsVersion: 1,
    dataVersions: data.map(({ version }) => BigInt(version)),
    parentShares: data.map(({ sharePpm }) => sharePpm),
  }
}

type Work = { document: JobDocument; base: Uint8Array; programRoot: Hex }

function tabularWork(job: Extract<JobFile, { kind: 'tabular' }>): Work {
  const { name, description, workSeconds, silenceSeconds, table, l2, noise, leastMembers } = job
  const members = job.data.map(({ version }) => version).sort((a, b) => a - b)
  const maxSteps = job.maxSteps ?? (noise ? 2 : 20)
  const numbers = {
    name,
    description,
    workSeconds,
    silenceSeconds,
    table,
    l2,
    maxSteps,
    members,
    ...(noise && { noise }),
    ...(leastMembers !== undefined && { leastMembers }),
  }
  return {
    document: { type: 'job', kind: 'tabular', ...numbers },
    base: new Uint8Array(),
    programRoot: toHex(keccak256(utf8('potluck tabular 1'))),
  }
}

async function languageWork(
  network: Network,
  job: LanguageJobFile,
  file: string,
  store: BlockStore,
  resistance: ResistanceNote | undefined,
): Promise<Work> {
  const validPath = resolve(dirname(file), job.valid)
  const validBytes = readInput(validPath)
  const valid = decodeText(validPath, validBytes)
  const [dataset] = job.data
  const terms = await network.chain.read.assets.termsOf([BigInt(dataset?.version ?? 0)])
  const train = decodeText(
    `the content of version ${dataset?.version}`,
    await fetchContent(network, { digest: terms.digest, codec: terms.codec }, store),
  )
  const { vocabulary = vocabularyOf(train + valid), ...shape } = job.network
  const { encoding, ...training } = job.training
  const recipe: LanguageRecipe = { config: { vocabulary, ...shape }, ...training }
  checkRecipe(recipe)
  const tokens = encodeText(recipe.config, train)
  const validTokens = encodeText(recipe.config, valid)
  if (job.scoreWindows > 0) checkProbeText(validTokens, shape.context)
  const seed = sha256(utf8(job.seed))
  const base = bytesOfFloats(initialParameters(recipe.config, seed))
  checkStateSize(base.length)
  const { name, description, workSeconds, silenceSeconds, shares, audit } = job
  const validCid = String((await addFile(store, validBytes)).cid)
  return {
    document: {
      ...{
        type: 'job',
        kind: 'language',
        name,
        description,
        workSeconds,
        silenceSeconds,
        shares,
        recipe,
        encoding,
        validCid,
      },
      trainCid: String(cidOfDigest(terms.codec, fromHex(terms.digest))),
      seed: toHex(seed),
      ...(job.scoreWindows > 0 && { scoreWindows: job.scoreWindows }),
      audit: { ...audit, saltPriceE18: parseAmount(audit.saltPriceE18, 0) },
      ...(resistance ? { resistance } : {}),
    },
    base,
    programRoot: toHex(publicJob(recipe, tokens, seed, shares, encoding).root),
  }
}

/**
 * What a job file says of its model's resistance, from the record it names.
 *
 * @throws PotluckError FILE_MISSING, BAD_RESISTANCE; BAD_JOB_FILE for a record of another rule or encoding than the job's
 */
export function resistanceOf({ result, training }: LanguageJobFile, file: string): ResistanceNote | undefined {
  if (result.resistance === undefined) return undefined
  const record = readResistance(resolve(dirname(file), result.resistance))
  const [rule, compression] = [JSON.stringify({ kind: 'reference' }), JSON.stringify(compressionOf(training.encoding))]
  if (record.rule !== rule || record.compression !== compression) {
    const message = `${file}: result.resistance: ${result.resistance} was measured with rule ${record.rule} and updates ${record.compression}, the job has ${rule} and ${compression}; measure this job with \`potluck attack ${file} --text FILE --out ${result.resistance}\``
    throw new PotluckError('BAD_JOB_FILE', message, { file })
  }
  return resistanceNoteOf(record)
}

export type CreateOptions = NetworkOptions & AccountOptions & { file: string; store?: string; unfilled?: boolean }

/** Refuses a job that the contract would, or that too few nodes could take part in, with what would help (JOB_GAPS). */
async function checkFill(
  network: Network,
  job: JobFile,
  terms: Terms,
  builder: Hex,
  isUnfilled: boolean,
): Promise<void> {
  const token = tokenOf(network.deployment, job.token)
  const gaps = jobGaps(await jobFill(network, job.kind, terms, builder), {
    money: (units) => `${formatAmount(units, token.decimals)} ${token.symbol}`,
    salt: (wei) => formatAmount(wei, SALT_DECIMALS),
  })
  const all = isUnfilled ? gaps.terms : [...gaps.terms, ...gaps.members]
  if (all.length === 0) return
  const way = gaps.terms.length === 0 ? '\nTo fund it all the same and wait for nodes to come: --unfilled' : ''
  const message = `nobody could fill this job:\n${all.map((gap) => `- ${gap}`).join('\n')}${way}`
  throw new PotluckError('JOB_GAPS', message, { gaps: all.length })
}

/** Funds the job of a file. What nodes need of it goes into the folder of a node that serves it. */
export async function jobCreate(options: CreateOptions): Promise<Printed> {
  const job = readJobFile(options.file)
  const resistance = job.kind === 'language' ? resistanceOf(job, options.file) : undefined
  const network = networkAt(options)
  const terms = termsOf(job, network.deployment)
  const builder = await actingChain(network, options)
  const folder = options.store ?? (options.as === undefined ? undefined : network.layout.node(options.as))
  if (folder === undefined) {
    throw new PotluckError(
      'BAD_INPUT',
      'store: none given; name the folder of the node that will serve the job with --store',
      {},
    )
  }
  await checkFill(network, job, terms, builder.account as Hex, options.unfilled === true)
  const store = fileBlockStore(folder)
  const work =
    job.kind === 'language' ? await languageWork(network, job, options.file, store, resistance) : tabularWork(job)
  const id = await createJob(builder, store, { ...work, terms })
  const token = tokenOf(network.deployment, job.token)
  const paid = terms.payPerRound * BigInt(terms.rounds)
  return {
    value: {
      job: id,
      kind: job.kind,
      builder: builder.account,
      rounds: terms.rounds,
      escrow: paid,
      token: token.symbol,
    },
    lines: [
      `job ${id}: ${job.name}, ${terms.rounds} round${terms.rounds === 1 ? '' : 's'}, ${formatAmount(paid, token.decimals)} ${token.symbol} in escrow`,
      `Nodes enrol now; then: potluck job start ${id}, and potluck job watch ${id}`,
    ],
  }
}
