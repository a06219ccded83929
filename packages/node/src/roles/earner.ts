/** Collects what this node has earned: pay for accepted work, royalties of its assets, its part as a contributor, fees of channels. */
import { codeOf, type Hex, sumTree } from '@potluck/protocol'
import type { ChainHistory } from '../ChainHistory.ts'
import { JobRole } from '../JobFacts.ts'
import type { NodeContext } from '../JobView.ts'
import { payoutList } from '../payoutList.ts'

/** Without news from the chain it looks again this often, in case a transaction was lost. */
const LOOK_MS = 15_000
const PPM = 1_000_000n

/** A contributor list the node knows: its own dataset's, or that of a model it helped to train. */
export type ContributorList = { version: number; leaves: readonly { account: Hex; amount: bigint }[] }

/**
 * @param ownLists contributor lists of this node's own assets: it credits and pays out their contributors too
 * @param leastUnits smaller sums wait: collecting them would cost more than they are
 */
export function createEarner(options: { ownLists: () => readonly ContributorList[]; leastUnits: bigint }) {
  let seen = -1
  let lookedMs = 0
  const released = new Set<string>()

  async function attempt(context: NodeContext, what: string, send: () => Promise<unknown>): Promise<void> {
    try {
      await send()
      context.ports.log('info', what)
    } catch (error) {
      if (codeOf(error) !== 'REVERTED') throw error
      context.ports.log('debug', `${what}: refused`, { why: (error as Error).message })
    }
  }

  async function collectPay(
    context: NodeContext,
    history: ChainHistory,
    sources: string[],
  ): Promise<ContributorList[]> {
    const { ports, identity } = context
    const lists: ContributorList[] = []
    for (const facts of history.jobs.values()) {
      if (!facts.isOver) continue
      for (const role of [JobRole.worker, JobRole.validator, JobRole.witness]) {
        const members = { 1: facts.workers, 2: facts.validators, 4: facts.witnesses }[role]
        const key = `${facts.job}/${role}`
        if (!members.includes(identity.node) || facts.expelled.has(identity.node) || released.has(key)) continue
        released.add(key)
        await attempt(context, 'bond released', () =>
          ports.chain.send('jobs', 'release', [BigInt(facts.job), identity.node, role]),
        )
      }
      if (!facts.workers.includes(identity.node)) continue
      const leaves = await payoutList(ports, facts, sources)
      const index = leaves.findIndex(({ account }) => account === identity.node)
      const leaf = leaves[index]
      if (!leaf) continue
      const version = history.modelOfJob.get(facts.job)
      if (version !== undefined) lists.push({ version, leaves })
      const paid = await ports.chain.read.jobs.paidOf([BigInt(facts.job), identity.node])
      if (paid >= leaf.amount) continue
      const proof = sumTree(leaves.map((each) => ({ ...each }))).proof(index)
      await attempt(context, 'pay collected', () =>
        ports.chain.send('jobs', 'claimPay', [BigInt(facts.job), BigInt(index), identity.node, leaf.amount, proof]),
      )
    }
    return lists
  }

  async function creditContributors(
    context: NodeContext,
    list: ContributorList,
    accounts: readonly Hex[],
    token: Hex,
  ): Promise<void> {
    const { assets } = context.ports.chain.read
    const { version, leaves } = list
    const terms = await assets.termsOf([BigInt(version)])
    const gross = await assets.grossOf([BigInt(version), token])
    const pot = (gross * BigInt(terms.contributorsShare)) / PPM
    const tree = sumTree(leaves.map((each) => ({ ...each })))
    for (const [index, { account, amount }] of leaves.entries()) {
      if (!accounts.includes(account) || terms.contributorsTotal === 0n) continue
      const claimed = await assets.contributorClaimed([BigInt(version), token, BigInt(index)])
      if ((pot * amount) / terms.contributorsTotal <= claimed) continue
      await attempt(context, 'contributor credited', () =>
        context.ports.chain.send('assets', 'claimContributor', [
          BigInt(version),
          token,
          BigInt(index),
          account,
          amount,
          tree.proof(index),
        ]),
      )
    }
  }

  async function collectRoyalties(
    context: NodeContext,
    history: ChainHistory,
    models: ContributorList[],
    token: Hex,
  ): Promise<void> {
    const { ports, identity } = context
    const { assets, channels } = ports.chain.read
    for (const version of history.versionsOwnedBy(identity.node)) {
      for (const child of history.childrenOf(version)) {
        if (!history.paidIn.get(child)?.has(token)) continue
        if ((await assets.pullable([BigInt(child), BigInt(version), token])) === 0n) continue
        await attempt(context, 'royalty pulled', () =>
          ports.chain.send('assets', 'pull', [BigInt(child), BigInt(version), token]),
        )
      }
      if ((await assets.settleable([BigInt(version), token])) > 0n) {
        await attempt(context, 'own part settled', () => ports.chain.send('assets', 'settle', [BigInt(version), token]))
      }
    }
    const own = options.ownLists()
    const payees = new Set<Hex>([identity.node])
    for (const list of models) await creditContributors(context, list, [identity.node], token)
    for (const list of own) {
      const accounts = list.leaves.map(({ account }) => account)
      await creditContributors(context, list, accounts, token)
      for (const account of accounts) payees.add(account)
    }
    for (const account of payees) {
      if ((await assets.owed([token, account])) < options.leastUnits) continue
      await attempt(context, 'royalty withdrawn', () => ports.chain.send('assets', 'withdrawFor', [account, token]))
    }
    if ((await channels.creditOf([token, identity.node])) >= options.leastUnits) {
      await attempt(context, 'fee withdrawn', () =>
        ports.chain.send('channels', 'withdrawCreditFor', [identity.node, token]),
      )
    }
  }

  return {
    async tick(context: NodeContext, history: ChainHistory): Promise<void> {
      const now = context.ports.clock.nowMs()
      if (history.money === seen && now - lookedMs < LOOK_MS) return
      seen = history.money
      lookedMs = now
      const sources = context.directory.all(now).map(({ url }) => url)
      const models = await collectPay(context, history, sources)
      for (const { address } of context.ports.chain.deployment.tokens)
        await collectRoyalties(context, history, models, address)
    },
  }
}
