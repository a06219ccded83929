import {
  type BudgetLedger,
  type Charge,
  decodeLedger,
  encodeLedger,
  spend,
  spentEpsilon,
  stepsLeft,
} from '@potluck/learning'
import { fromHex, type Hex, type TabularJob, toHex } from '@potluck/protocol'
import type { Disk } from '../Ports.ts'

/** What an owner allows to be learnt about any one row, over all jobs: ε, and the chance δ that the promise fails. */
export type Budget = { readonly epsilon: number; readonly delta: number }

/** The budget of one table, with what is spent of it on disk (P-59). */
export type RowBudget = {
  readonly budget: Budget
  /** ε spent by now. */
  spent(): number
  /** Why the owner takes no part in a job, with what would help; undefined when it may. */
  refuses(job: TabularJob): string | undefined
  /** Notes a release, once; called before it is sent. Throws BUDGET_SPENT. */
  charge(charge: Charge): void
}

const KEY = 'privacy-ledger'

/**
 * @param budget as the node's config has it now: an owner may change it, what is spent stays
 * @throws PotluckError BAD_LEDGER when what is on disk cannot be read: it is never taken for nothing spent
 */
export function createRowBudget(disk: Disk, owner: Hex, dataset: string, budget: Budget): RowBudget {
  const read = (): BudgetLedger => {
    const saved = disk.get(KEY)
    const spent = saved === undefined ? [] : decodeLedger(fromHex(saved as Hex)).spent
    return { owner, dataset, budget, spent }
  }
  /** Accounting takes up to a second, and is asked again with every look: the last answer stands until something is spent. */
  function remembered<A, T>(compute: (about: A) => T): (about: A) => T {
    let last: { readonly key: string; readonly answer: T } | undefined
    return (about) => {
      const key = `${disk.get(KEY) ?? ''} ${JSON.stringify(about)}`
      if (last?.key !== key) last = { key, answer: compute(about) }
      return last.answer
    }
  }
  const spent = remembered(() => spentEpsilon(read()))
  const fitting = remembered((noise: number) => stepsLeft(read(), { noise, rate: 1 }))
  return {
    budget,
    spent: () => spent(0),
    refuses(job) {
      const told = `the rows of ${dataset} allow ε = ${budget.epsilon} at δ = ${budget.delta}`
      if (!job.noise) return `P-59: ${told}, and the job adds no noise: ask its builder for \`noise\``
      const sums = job.maxSteps + 1
      const left = fitting(job.noise.multiplier)
      if (left >= sums) return undefined
      return `P-59: ${told}; ${left} of the job's ${sums} sums with noise ${job.noise.multiplier} still fit: fewer \`maxSteps\` or more noise, or a larger budget`
    },
    charge(charge) {
      disk.set(KEY, toHex(encodeLedger(spend(read(), charge))))
    },
  }
}
