import type { ExactJob } from '@potluck/engine'
import { type Hex, hashLeaf, toHex } from '@potluck/protocol'
import { type HashTree, pathOf, treeOfBytes, treeOfNodes } from '../trace/HashTree.ts'

const programs = new WeakMap<object, HashTree>()
const texts = new WeakMap<object, HashTree>()

/** The tree under a job's program root (D-06). */
export function programTree(job: Pick<ExactJob, 'leaves'>): HashTree {
  const known = programs.get(job.leaves) ?? treeOfNodes(job.leaves.map(hashLeaf))
  programs.set(job.leaves, known)
  return known
}

/** The tree over a job's text, 1,024 tokens a leaf. */
export function textTree(job: Pick<ExactJob, 'text'>): HashTree {
  const known = texts.get(job.text) ?? treeOfBytes(job.text)
  texts.set(job.text, known)
  return known
}

/** A job's header with its path, which the first call about a job brings. */
export const headerOf = (job: ExactJob): { header: Hex; headerProof: Hex[] } => {
  const tree = programTree(job)
  return { header: toHex(job.leaves[0] as Uint8Array), headerProof: pathOf(tree, 0, tree.levels, 0).map(toHex) }
}
