import { equalBytes } from '@potluck/protocol'
import { type ClaimTruth, rootOf, treeOfNodes } from '../src/index.ts'

/** Whether two truths make the same claim. */
export async function equalRoots(a: ClaimTruth, b: ClaimTruth): Promise<boolean> {
  const [one, two] = [rootOf(treeOfNodes(await a.nodes())), rootOf(treeOfNodes(await b.nodes()))]
  return equalBytes(one, two) && equalBytes(await a.updateRoot(), await b.updateRoot())
}
