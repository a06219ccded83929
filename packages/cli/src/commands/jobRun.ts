import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf, PotluckError } from '@potluck/protocol'
import { Screen } from '../demo/Screen.ts'
import type { AccountOptions } from './account.ts'
import { jobStep, jobWatch } from './job.ts'
import { type CreateOptions, jobCreate } from './jobCreate.ts'
import { networkAt } from './networkAt.ts'
import { DONE, ENROLLING } from './phases.ts'
import type { Printed } from './printed.ts'

type RunOptions = CreateOptions & AccountOptions & { json?: boolean; waitSeconds: number }

/**
 * A job from its file to its published model: creates it, starts it when enough nodes have enrolled, follows it, publishes the model and
 * takes back what was not earned. Progress goes to standard error with `--json`. Stopped half-way, the job goes on: `job watch` follows it.
 *
 * @throws PotluckError what `job create` throws; NOT_FILLED when too few nodes enrolled in time; JOB_FAILED when no round became final
 */
export async function jobRun(options: RunOptions): Promise<Printed> {
  const stream = options.json ? process.stderr : process.stdout
  const screen = new Screen((text) => stream.write(text), stream.isTTY === true)
  const made = await jobCreate(options)
  for (const line of made.lines.slice(0, 1)) screen.line(line)
  const { job } = made.value as { job: number }
  await startWhenFilled({ ...options, job }, screen)
  const followed = await jobWatch({ ...options, job })
  const { finalRounds, phase } = followed.value as { finalRounds: number; phase: string }
  if (finalRounds === 0) {
    const message = `job ${job} is ${phase} and no round of it became final: there is no model; \`potluck why job/${job}\` says what happened`
    throw new PotluckError('JOB_FAILED', message, { job, phase })
  }
  await takeStep({ ...options, job, step: 'publish' })
  await takeStep({ ...options, job, step: 'refund' })
  const { modelVersion } = await networkAt(options).chain.read.jobs.status([BigInt(job)])
  return {
    value: { ...(followed.value as object), job, modelVersion: Number(modelVersion) },
    lines: [
      `job ${job} is done, its model is potluck/${modelVersion}; \`potluck why job/${job}\` says who earned what`,
    ],
  }
}

async function startWhenFilled(options: RunOptions & { job: number }, screen: Screen): Promise<void> {
  const { job, waitSeconds } = options
  const { jobs } = networkAt(options).chain.read
  const terms = await jobs.termsOf([BigInt(job)])
  const untilMs = Date.now() + 1_000 * waitSeconds
  for (;;) {
    const status = await jobs.status([BigInt(job)])
    if (status.phase !== ENROLLING) return
    const rows = [
      [status.workers, terms.minWorkers, 'workers'],
      [status.validators, terms.minValidators, 'validators'],
      [status.witnesses, terms.minWitnesses, 'witnesses'],
    ] as const
    const told = rows.map(([now, least, name]) => `${now} of ${least} ${name}`).join(', ')
    screen.live(`enrolled: ${told}`)
    if (rows.every(([now, least]) => now >= least)) {
      await takeStep({ ...options, step: 'start' })
      screen.fact(`enrolled: ${told}; started`)
      return
    }
    if (Date.now() > untilMs) {
      const message = `job ${job} has ${told} after ${waitSeconds} s: the nodes' logs say why they stay out; \`potluck job cancel ${job}\` gives the money back, \`potluck job start ${job}\` starts it later`
      throw new PotluckError('NOT_FILLED', message, { job, told })
    }
    await sleep(500)
  }
}

/** A step that anybody may take: somebody else may have been first. */
async function takeStep(options: Parameters<typeof jobStep>[0]): Promise<void> {
  try {
    await jobStep(options)
  } catch (error) {
    const { phase, modelVersion, refunded } = await networkAt(options).chain.read.jobs.status([BigInt(options.job)])
    const isTaken = { start: phase > ENROLLING, publish: modelVersion > 0n, refund: refunded, cancel: phase > DONE }
    if (codeOf(error) !== 'REVERTED' || !isTaken[options.step]) throw error
  }
}
