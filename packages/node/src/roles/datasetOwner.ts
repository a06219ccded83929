import { encode } from '@ipld/dag-cbor'
import { decodeLogisticModel, evaluateLogistic, rowCommitments, rowSalts, type TableRow } from '@potluck/learning'
import { fromHex, type Hex, sha256, sumTree, toHex, utf8 } from '@potluck/protocol'
import { DAG_CBOR, RAW } from '@potluck/store'
import type { ChainHistory } from '../ChainHistory.ts'
import type { DatasetConfig } from '../edge/nodeConfig.ts'
import type { NodeContext } from '../JobView.ts'
import type { ContributorList } from './earner.ts'

const ZERO: Hex = `0x${'00'.repeat(32)}`

export type Evaluation = { version: number; correct: number; rows: number }

/**
 * Registers the node's private table as an asset, once, and measures every model made with it on the rows kept out of training.
 * What leaves: the number of rows, the columns' names, the commitment to all rows under secret salts, and counts of right answers.
 */
export function createDatasetOwner(
  dataset: DatasetConfig,
  rows: { all: readonly TableRow[]; test: readonly TableRow[] },
) {
  const evaluations = new Map<number, Evaluation>()
  const leaves = dataset.contributors.map(({ account, weight }) => ({ account, amount: weight }))

  function saltSecret(context: NodeContext): Uint8Array {
    const saved = context.ports.disk.get('row-salts')
    if (saved) return fromHex(saved)
    const secret = context.ports.random(32)
    context.ports.disk.set('row-salts', toHex(secret))
    return secret
  }

  async function register(context: NodeContext): Promise<void> {
    const { ports, identity } = context
    const metadata = encode({
      type: 'asset',
      name: dataset.name,
      kind: 'dataset',
      description: dataset.description,
      licence: dataset.licence,
      source: dataset.source,
      size: rows.all.length,
      unit: 'rows',
      columns: ['age', 'sex', 'cp', 'trestbps', 'chol', 'fbs', 'restecg', 'thalach', 'exang', 'oldpeak', 'disease'],
      private: true,
    })
    await ports.store.put(metadata, DAG_CBOR)
    const commitment = rowCommitments(rows.all, rowSalts(saltSecret(context), rows.all.length)).root
    const tree = leaves.length > 0 ? sumTree(leaves) : { root: ZERO, total: 0n }
    const metadataDigest = toHex(sha256(metadata))
    await ports.chain.send('assets', 'create', [
      identity.node,
      ports.chain.deployment.tokens.map(({ address }) => address),
      {
        codec: DAG_CBOR,
        // The content itself has no address anybody could fetch: the version is known by what is said about it.
        digest: metadataDigest,
        root: toHex(commitment),
        licenceDigest: toHex(sha256(utf8(dataset.licence))),
        purposes: dataset.purposes,
        minShare: dataset.minSharePpm,
        trainPrice: dataset.trainPriceUnits,
        parents: [],
        shares: [],
        contributorsRoot: tree.root,
        contributorsTotal: tree.total,
        contributorsShare: leaves.length > 0 ? dataset.contributorsSharePpm : 0,
        metadataDigest,
      },
    ])
    ports.log('info', 'dataset registered', { name: dataset.name, rows: rows.all.length })
  }

  return {
    evaluations,
    /** Contributor lists of this node's versions, for the earner. */
    ownLists: (history: ChainHistory, node: Hex) => (): ContributorList[] =>
      leaves.length > 0 ? history.versionsOwnedBy(node).map((version) => ({ version, leaves })) : [],

    async tick(context: NodeContext, history: ChainHistory): Promise<void> {
      const { ports, identity, directory } = context
      const own = history.versionsOwnedBy(identity.node)
      if (own.length === 0 && !ports.disk.get('dataset-registered')) {
        await register(context)
        ports.disk.set('dataset-registered', dataset.name)
        return
      }
      for (const version of own.flatMap((mine) => history.childrenOf(mine))) {
        if (evaluations.has(version)) continue
        const terms = await ports.chain.read.assets.termsOf([BigInt(version)])
        const urls = directory.all(ports.clock.nowMs()).map(({ url }) => url)
        const model = decodeLogisticModel(await ports.fetch(terms.digest, RAW, urls))
        const { correct, rows: count } = evaluateLogistic(model, rows.test)
        evaluations.set(version, { version, correct, rows: count })
        ports.log('info', 'model evaluated on held-out rows', { version, correct, rows: count })
      }
    },
  }
}
