import { mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createChain, readDeployment, startEmbeddedChain } from '@potluck/chain'
import { startPostgres } from '@potluck/ledger'
import { addressOfSecret, type Hex } from '@potluck/protocol'
import type { Demo, DemoOptions } from '../demo/Demo.ts'
import { deployOnce, nodeProcess, registerEveryone } from '../demo/networkStage.ts'
import type { Report } from '../demo/Report.ts'
import { runDemo } from '../demo/runDemo.ts'
import { Screen } from '../demo/Screen.ts'
import { keyAt } from '../network/keyFile.ts'
import { type Layout, layoutOf } from '../network/layout.ts'
import { hospitals, loadPlan } from '../network/plan.ts'
import { keepPostgres } from '../supervise/keepPostgres.ts'
import { watchMemory } from '../supervise/memory.ts'
import { Supervisor } from '../supervise/Supervisor.ts'

export type UpOptions = DemoOptions & {
  dir: string
  demo: boolean
  once: boolean
  report?: string
  json: boolean
  /** A Postgres of one's own for the ledger; without it one is started here. */
  databaseUrl?: string
}

/** Into a stage, so that its work has begun. */
const KILL_AFTER_MS = 1_200

const buyers = ['caller-app', 'caller-sdk'] as const

type Database = { url: string; pid(): number | undefined; stop(): Promise<void> }

async function startDatabase(
  layout: Layout,
  given: string | undefined,
  screen: Screen,
  signal: AbortSignal,
): Promise<Database> {
  if (given) return { url: given, pid: () => undefined, stop: async () => undefined }
  return keepPostgres(
    () => startPostgres({ dir: layout.postgres }),
    (line) => screen.fact(line),
    signal,
  )
}

/** Brings up a whole network on this machine, plays the loop once when asked to, and keeps it running until Ctrl-C. */
export async function up(options: UpOptions): Promise<void> {
  const layout = layoutOf(resolve(options.dir))
  mkdirSync(layout.root, { recursive: true, mode: 0o700 })
  const screen = new Screen((text) => process.stdout.write(text), process.stdout.isTTY === true)
  const stop = new AbortController()
  const asked = new Promise<void>((done) => stop.signal.addEventListener('abort', () => done(), { once: true }))
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(name, () => stop.abort(new Error('stopped')))
  const report: Partial<Report> = { stages: [] }
  const memory = watchMemory()
  const supervisor = new Supervisor((name, event, detail) => {
    if (event === 'exited' && !stop.signal.aborted) screen.fact(`${name} exited (${detail}); it is started again`)
  })
  const stops: (() => Promise<void>)[] = [() => supervisor.stop()]
  const timed = async <T>(name: string, title: string, work: () => Promise<T>): Promise<T> => {
    screen.heading(title)
    const from = performance.now()
    for (const kill of options.kill.filter(({ stage }) => stage === name)) {
      setTimeout(() => strike(kill.process), KILL_AFTER_MS).unref()
    }
    const result = await work()
    report.stages?.push({ name, seconds: Math.round((performance.now() - from) / 100) / 10 })
    return result
  }

  let postgresPid = (): number | undefined => undefined
  const strike = (name: string): void => {
    const pid = name === 'postgres' ? postgresPid() : supervisor.pidOf(name)
    if (pid === undefined) return
    screen.fact(`drill: ${name} (pid ${pid}) gets SIGKILL`)
    process.kill(pid, 'SIGKILL')
  }

  try {
    const plan = await loadPlan(layout)
    const demo = await timed(
      'network',
      'Network: chain, database, contracts, and one process for each participant',
      async (): Promise<Demo> => {
        const [chainProcess, postgres] = await Promise.all([
          startEmbeddedChain({ dir: layout.chain, port: plan.chainPort }),
          startDatabase(layout, options.databaseUrl, screen, stop.signal),
        ])
        stops.push(
          () => chainProcess.stop(),
          () => postgres.stop(),
        )
        postgresPid = () => postgres.pid()
        const { rpcUrl } = chainProcess
        await deployOnce(layout, rpcUrl)
        const accounts = [...buyers, 'builder'].map((name) => addressOfSecret(keyAt(layout.coldKey(name))))
        await registerEveryone(layout, plan, rpcUrl, accounts)
        const investigators = new Map<string, Hex>(
          hospitals.map((name) => [name, addressOfSecret(keyAt(layout.coldKey(`${name}-investigator`)))]),
        )
        for (const one of plan.participants) {
          supervisor.start(
            nodeProcess(layout, plan, one, {
              rpcUrl,
              liar: options.demo ? options.liar : '',
              databaseUrl: postgres.url,
              investigators,
            }),
          )
        }
        const deployment = readDeployment(layout.deployment)
        screen.fact(
          `chain ${rpcUrl}, contracts of ${deployment.name} from block ${deployment.block}; ${plan.participants.length} nodes, each its own process, key and folder in ${layout.root}/nodes`,
        )
        return {
          layout,
          plan,
          options,
          screen,
          supervisor,
          chain: createChain({ rpcUrl, deployment }),
          rpcUrl,
          wallet: (name) => createChain({ rpcUrl, deployment, secret: keyAt(layout.coldKey(name)) }),
          report,
          signal: stop.signal,
        }
      },
    )
    if (options.demo) await runDemo(demo, timed)
    report.peakPssMb = memory.peakMb()
    screen.fact(`memory of all processes together (sum of PSS): ${report.peakPssMb} MB at most`)
    if (options.report) writeFileSync(options.report, `${JSON.stringify(report, null, 2)}\n`)
    if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`)
    if (!options.once) {
      screen.line()
      screen.line('The network keeps running; Ctrl-C stops every process and keeps all state for the next start.')
      await asked
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    memory.stop()
    screen.line()
    screen.line('Stopping.')
    stop.abort(new Error('stopped'))
    for (const end of stops) await end()
  }
}
