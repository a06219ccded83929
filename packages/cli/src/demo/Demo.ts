import type { Chain } from '@potluck/chain'
import type { Layout } from '../network/layout.ts'
import type { Plan } from '../network/plan.ts'
import type { Supervisor } from '../supervise/Supervisor.ts'
import type { Report } from './Report.ts'
import type { Screen } from './Screen.ts'

/** A process to be killed in the middle of a stage: a participant's name, or `postgres`. */
export type Kill = { process: string; stage: string }

export type DemoOptions = {
  /** Which worker lies, and which is killed in the middle of a round. */
  liar: string
  victim: string
  /** Rounds of the language job. */
  rounds: number
  kill: Kill[]
}

/** What the stages of the demo share: the command's own view of the network, which is that of any user. */
export type Demo = {
  layout: Layout
  plan: Plan
  options: DemoOptions
  screen: Screen
  supervisor: Supervisor
  /** Reads only. */
  chain: Chain
  rpcUrl: string
  /** Client of a participant's cold key, for what its owner would type. */
  wallet(name: string): Chain
  report: Partial<Report>
  signal: AbortSignal
}
