import type { LoadedModel } from '@potluck/gateway'
import { decodeLogisticModel, heartSchema, predictHeart } from '@potluck/learning'
import { decodeDocument, floatsOf, type RunningNode } from '@potluck/node'
import { type Hex, type JobDocument, jobDocument } from '@potluck/protocol'
import { DAG_CBOR, RAW } from '@potluck/store'

type Described = { digest: Hex; document: JobDocument }

/** What a model version is made by: its metadata is the document of the job it came from. */
export async function describeVersion(node: RunningNode, version: number): Promise<Described> {
  const terms = await node.ports.chain.read.assets.termsOf([BigInt(version)])
  const bytes = await node.ports.fetch(terms.metadataDigest, DAG_CBOR, node.runtime.sources())
  return { digest: terms.digest, document: decodeDocument(jobDocument, bytes) }
}

/** A model version ready to run, from chain and network alone; the bytes are those whose digest stands on chain. */
export async function loadModel(node: RunningNode, version: number): Promise<LoadedModel> {
  const { digest, document } = await describeVersion(node, version)
  const state = await node.ports.fetch(digest, RAW, node.runtime.sources())
  if (document.kind === 'language') {
    return { kind: 'language', config: document.recipe.config, parameters: floatsOf(state) }
  }
  const model = decodeLogisticModel(state)
  const inputs = heartSchema.columns
    .filter(({ kind }) => kind === 'number' || kind === 'category')
    .map(({ name }) => name)
  return {
    kind: 'tabular',
    model: { inputs, outputs: ['probability'], predict: (values) => [predictHeart(model, values)] },
  }
}

/** A name for URLs: lower case, words joined by dashes. */
export const slug = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
