import { applyFaults, vicesOf } from './applyFaults.ts'
import { startBuilder } from './builder.ts'
import { startCalls } from './calls.ts'
import { checkCalls, checkConservation, checkPay, type Judge } from './checkMoney.ts'
import { checkJob, checkJustice, checkPrivacy, guiltyOf } from './checkTruth.ts'
import { Draws } from './Draws.ts'
import { drawFaults, type Faults } from './Faults.ts'
import type { Network } from './Network.ts'
import { World } from './World.ts'
import { watchChain } from './watchChain.ts'

/** Simulated time after which a job that is not done counts as stalled; every fault has healed in a third of it. */
const LIMIT_MS = 210_000

export type SimReport = {
  seed: number
  faults: Faults
  /** What should never happen and did; empty when all is well. */
  broken: string[]
  /** Equal for two runs exactly when they were the same, event by event. */
  mark: string
  simulatedMs: number
  convicted: number[]
  /** Claims of liars that got into a fixed set. */
  lies: number
  messages: number
  /** One line an event, for reading what happened. */
  story: string[]
}

export type SimOptions = {
  network: Network
  seed: number
  /** In place of those that the seed draws. */
  faults?: Faults
  /** Called before time runs: to plant what the invariants must notice. */
  prepare?: (world: World) => void
}

/** Everything that is owed has reached its owner: both jobs closed, all pay collected, all vouchers claimed. */
function isSettled(world: World): boolean {
  const sum = (name: string, field: string): bigint =>
    world.events.filter((event) => event.name === name).reduce((all, { args }) => all + BigInt(String(args[field])), 0n)
  return sum('PayClaimed', 'amount') === sum('JobDone', 'payoutTotal')
}

/** Runs one seed from start to settled accounts and judges the end. The chain is back at the snapshot afterwards. */
export async function simulate({
  network,
  seed,
  faults = drawFaults(new Draws(seed, 'faults')),
  prepare,
}: SimOptions): Promise<SimReport> {
  const { anvil } = network
  const escapes: string[] = []
  const onEscape = (error: unknown): void => {
    escapes.push(`out of the process: ${(error as Error)?.stack ?? error}`)
  }
  process.on('unhandledRejection', onEscape)
  try {
    const world = await World.open(network, seed, { vices: vicesOf(faults), weather: faults.weather })
    applyFaults(world, faults)
    prepare?.(world)
    watchChain(world)
    const builder = startBuilder(network, world)
    const calls = startCalls(network, world)
    const startMs = world.scheduler.nowMs
    let checkedMs = 0
    const isOver = (): boolean => {
      if (world.scheduler.nowMs - checkedMs < 500) return false
      checkedMs = world.scheduler.nowMs
      return builder.isDone() && calls.isDone && isSettled(world)
    }
    await world.scheduler.run(startMs + LIMIT_MS, isOver)
    const simulatedMs = world.scheduler.nowMs - startMs
    const mark = `${world.scheduler.mark.toString(16)}/${world.links.published.length}/${world.events.length}/${world.events.at(-1)?.txHash ?? ''}`

    const broken = [...world.escaped]
    const judge: Judge = (isTrue, otherwise) => {
      if (!isTrue) broken.push(otherwise)
    }
    let lies = 0
    for (const job of [network.languageJob, network.privateJob]) {
      await checkJob(world, job, judge)
      lies += (await checkPay(world, job, guiltyOf(network, faults), judge)).lies
    }
    checkJustice(network, world, faults, judge)
    checkCalls(world, calls, judge)
    await checkConservation(network, world, judge)
    await checkPrivacy(network, world, judge)
    await new Promise((resolve) => setImmediate(resolve))
    const convicted = world.events
      .filter(({ name }) => name === 'Convicted' || name === 'ProposalConvicted')
      .map(({ args }) => network.plans.findIndex(({ identity }) => identity.node === (args.worker ?? args.proposer)))
    return {
      seed,
      faults,
      broken: [...broken, ...escapes],
      mark,
      simulatedMs,
      convicted,
      lies,
      messages: world.links.published.length,
      story: tell(world, startMs),
    }
  } finally {
    process.off('unhandledRejection', onEscape)
    await anvil.request('evm_revert', [network.snapshot])
    network.snapshot = (await anvil.request('evm_snapshot')) as string
  }
}

function tell(world: World, startMs: number): string[] {
  const seconds = (ms: number): string => ((ms - startMs) / 1000).toFixed(2).padStart(7)
  const show = (value: unknown): string =>
    JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner)).slice(0, 300)
  const lines = world.logs.map(({ atMs, node, event, facts }) => ({
    atMs,
    text: `node ${node}: ${event} ${show(facts)}`,
  }))
  const onChain = world.events.map(({ name, args, timestamp }) => ({
    atMs: Number(timestamp) * 1000,
    text: `chain: ${name} ${show(args)}`,
  }))
  return [...lines, ...onChain].sort((a, b) => a.atMs - b.atMs).map(({ atMs, text }) => `${seconds(atMs)} ${text}`)
}
