import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { heartSchema, parseTable } from '@potluck/learning'
import { decodeDocument } from '@potluck/node'
import {
  type AssetMetadata,
  assetMetadata,
  describeIssues,
  type Hex,
  jobDocument,
  PotluckError,
} from '@potluck/protocol'
import { DAG_CBOR, fileBlockStore } from '@potluck/store'
import { registerDataset } from '../actions/registerDataset.ts'
import { table } from '../demo/Screen.ts'
import { type AccountOptions, actingChain } from './account.ts'
import { formatAmount, parseAmount } from './amounts.ts'
import { fetchBlock } from './fetchBlocks.ts'
import { jobResistanceText } from './jobDocumentOf.ts'
import { type Network, type NetworkOptions, nameOfNode, networkAt, tokenOf } from './networkAt.ts'
import type { Printed } from './printed.ts'
import { parsePurposes, purposesOfBits } from './purposes.ts'

export type RegisterOptions = NetworkOptions &
  AccountOptions & {
    file?: string
    table?: string
    store?: string
    name?: string
    description: string
    licence?: string
    source: string
    purposes: string
    residency?: string
    minSharePpm: number
    trainPrice: string
  }

/** The content of a public dataset and what is said of it, checked. Throws the table's errors, BAD_INPUT with the option, FILE_MISSING. */
export function datasetOf(
  options: Pick<RegisterOptions, 'file' | 'table' | 'name' | 'description' | 'licence' | 'source' | 'residency'>,
): {
  content: Uint8Array
  metadata: AssetMetadata
} {
  const path = options.file ?? options.table
  if (path === undefined || (options.file !== undefined && options.table !== undefined)) {
    throw new PotluckError(
      'BAD_INPUT',
      'what is to be registered? name a text with --file, or a heart disease table with --table, not both',
      {},
    )
  }
  if (options.licence === undefined || options.licence.trim() === '') {
    throw new PotluckError(
      'BAD_INPUT',
      'licence: none given; say in words what others may do, such as --licence "CC BY 4.0"',
      {},
    )
  }
  const content = readInput(path)
  const isTable = options.table !== undefined
  const text = decodeText(path, content)
  const size = isTable ? parseTable(text, heartSchema, { file: path }).rows.length : [...text].length
  const parsed = assetMetadata.safeParse({
    type: 'asset',
    name: options.name ?? basename(path),
    kind: 'dataset',
    description: options.description,
    licence: options.licence,
    source: options.source,
    size,
    unit: isTable ? 'rows' : 'characters',
    columns: isTable ? heartSchema.columns.map(({ name }) => name) : [],
    private: false,
    ...(options.residency === undefined ? {} : { residency: codesOf(options.residency) }),
  })
  if (parsed.success) return { content, metadata: parsed.data }
  throw new PotluckError('BAD_INPUT', `${path}: ${describeIssues(parsed.error)}`, { file: path })
}

const codesOf = (list: string): string[] => list.split(',').map((code) => code.trim().toUpperCase())

/** The bytes of a file. Throws FILE_MISSING with the reason. */
export function readInput(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path))
  } catch (cause) {
    const message = `cannot read ${path}: ${(cause as Error).message}; name the right file`
    throw new PotluckError('FILE_MISSING', message, { file: path }, { cause })
  }
}

export function decodeText(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    const message = `${path} is no UTF-8 text: convert it, for example with \`iconv -t utf-8\``
    throw new PotluckError('BAD_TEXT', message, { file: path }, { cause })
  }
}

/** Registers public content as an asset of the account; the content goes to a node's folder, which serves it. */
export async function assetRegister(options: RegisterOptions): Promise<Printed> {
  const { content, metadata } = datasetOf(options)
  const purposes = parsePurposes(options.purposes)
  const network = networkAt(options)
  const trainPriceUnits = parseAmount(options.trainPrice, tokenOf(network.deployment).decimals)
  const owner = await actingChain(network, options)
  const folder = options.store ?? (options.as === undefined ? undefined : network.layout.node(options.as))
  if (folder === undefined) {
    throw new PotluckError(
      'BAD_INPUT',
      'store: none given; name the folder of the node that will serve the content with --store',
      {},
    )
  }
  const { minSharePpm } = options
  const made = await registerDataset(owner, fileBlockStore(folder), {
    content,
    metadata,
    purposes,
    minSharePpm,
    trainPriceUnits,
  })
  const lines = [
    `asset version ${made.version}: ${metadata.name}, ${metadata.size} ${metadata.unit}, content ${made.cid}`,
    `It grants ${purposesOfBits(purposes)} and asks for ${minSharePpm / 10_000} % of a model made with it.`,
  ]
  return { value: { ...made, owner: owner.account, purposes, metadata }, lines }
}

type Said = {
  name: string
  kind: string
  licence: string | null
  size: string | null
  residency: readonly string[] | null
  /** Of a model: what is known of its resistance to poisoning. */
  resistance: string | null
}

/** What a version's metadata says, or null when no node has it. */
async function saidOf(network: Network, digest: Hex): Promise<Said | null> {
  let bytes: Uint8Array
  try {
    bytes = await fetchBlock(network, digest, DAG_CBOR)
  } catch {
    // Whoever has it is down: the chain's part is shown all the same.
    return null
  }
  try {
    const { name, kind, licence, size, unit, residency = null } = decodeDocument(assetMetadata, bytes)
    return { name, kind, licence, size: `${size} ${unit}`, residency, resistance: null }
  } catch {
    // A model's metadata is the document of its job.
    const document = decodeDocument(jobDocument, bytes)
    const { name, kind } = document
    const resistance = jobResistanceText(document)
    return { name, kind: `${kind} model`, licence: null, size: null, residency: null, resistance }
  }
}

async function ownersOf(network: Network): Promise<Map<string, Hex>> {
  const { chain } = network
  const toBlock = await chain.blockNumber()
  const events = await chain.events({ fromBlock: BigInt(chain.deployment.block), toBlock, contracts: ['assets'] })
  const created = events.filter(({ name }) => name === 'AssetCreated')
  return new Map(created.map(({ args }) => [String(args.assetId), String(args.owner) as Hex]))
}

export async function assetList(options: NetworkOptions): Promise<Printed> {
  const network = networkAt(options)
  const { assets } = network.chain.read
  const [latest, owners] = await Promise.all([assets.latestVersion(), ownersOf(network)])
  const list = await Promise.all(
    Array.from({ length: Number(latest) }, async (_, i) => {
      const version = BigInt(i + 1)
      const [terms, asset] = await Promise.all([assets.termsOf([version]), assets.assetOf([version])])
      const said = await saidOf(network, terms.metadataDigest)
      const owner = owners.get(String(asset)) ?? null
      return {
        version: i + 1,
        asset,
        owner,
        name: said?.name ?? null,
        kind: said?.kind ?? null,
        purposes: terms.purposes,
      }
    }),
  )
  const rows = list.map((one) => [
    String(one.version),
    one.kind ?? '?',
    one.name ?? '(nobody who has its description is up)',
    one.owner ? nameOfNode(network, one.owner) : '?',
    purposesOfBits(one.purposes),
  ])
  return {
    value: { assets: list },
    lines: rows.length > 0 ? table([['version', 'kind', 'name', 'owner', 'grants'], ...rows]) : ['no assets yet'],
  }
}

/** Everything the chain and its own description say of a version. Throws NOT_FOUND. */
export async function assetShow(options: NetworkOptions & { version: number }): Promise<Printed> {
  const network = networkAt(options)
  const { assets } = network.chain.read
  const version = BigInt(options.version)
  const latest = await assets.latestVersion()
  if (version > latest) {
    const message = `there is no asset version ${version}: the newest is ${latest}; \`potluck asset list\` shows all`
    throw new PotluckError('NOT_FOUND', message, { version, latest })
  }
  const [terms, asset, ownerSharePpm, owners] = await Promise.all([
    assets.termsOf([version]),
    assets.assetOf([version]),
    assets.ownerShareOf([version]),
    ownersOf(network),
  ])
  const said = await saidOf(network, terms.metadataDigest)
  const earnings = await Promise.all(
    network.deployment.tokens.map(async ({ symbol, address, decimals }) => {
      const [gross, settled, settleable] = await Promise.all([
        assets.grossOf([version, address]),
        assets.settledOf([version, address]),
        assets.settleable([version, address]),
      ])
      return { token: symbol, decimals, gross, settled, settleable }
    }),
  )
  const parents = terms.parents.map((parent, i) => ({ version: Number(parent), sharePpm: terms.shares[i] ?? 0 }))
  const owner = owners.get(String(asset)) ?? null
  const value = { version: options.version, asset, owner, said, terms, parents, ownerSharePpm, earnings }
  const { decimals, symbol } = tokenOf(network.deployment)
  const percent = (ppm: number): string => `${ppm / 10_000} %`
  return {
    value,
    lines: [
      `version ${options.version} of asset ${asset}: ${said ? `${said.name} (${said.kind}${said.size ? `, ${said.size}` : ''})` : 'its description is with nobody who is up'}`,
      `owner         ${owner ? `${nameOfNode(network, owner)} ${owner}` : 'not known'}, keeps ${percent(ownerSharePpm)}`,
      `licence       ${said?.licence ?? `text with digest ${terms.licenceDigest}`}`,
      `grants        ${purposesOfBits(terms.purposes)}, for ${percent(terms.minShare)} of a model at least and ${formatAmount(terms.trainPrice, decimals)} ${symbol} a training`,
      ...(said?.residency ? [`worked on in  ${said.residency.join(', ')} only`] : []),
      ...(said?.resistance ? [`poisoning resistance: ${said.resistance}`] : []),
      `content       digest ${terms.digest}, root ${terms.root}`,
      `contributors  ${terms.contributorsShare === 0 ? 'none' : `${percent(terms.contributorsShare)} to those under root ${terms.contributorsRoot}`}`,
      `parents       ${parents.map((one) => `version ${one.version} (${percent(one.sharePpm)})`).join(', ') || 'none'}`,
      ...earnings.map(
        (one) =>
          `earned        ${formatAmount(one.gross, one.decimals)} ${one.token}, of which ${formatAmount(one.settleable, one.decimals)} not yet passed to the owner`,
      ),
    ],
  }
}
