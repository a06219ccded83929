/** Answers "why" about one thing. The subject's form says what it is. */
import type { Hex } from '@potluck/protocol'
import type { Pool } from 'pg'
import { z } from 'zod'
import type { LedgerDeployment } from '../chain/LedgerChain.ts'
import { count, hex } from '../database/columns.ts'
import { inTransaction } from '../database/inTransaction.ts'
import { firstRow, rows } from '../database/rows.ts'
import { standingStep } from './contributionSteps.ts'
import { creditStep, creditWithdrawalStep, paidStep, place, receiptStep, withdrawalStep } from './moneyCameFrom.ts'
import { inflowLeadsTo, receiptLeadsTo } from './moneyWentTo.ts'
import { proposalConvictions } from './proposalConvictions.ts'
import type { Movement } from './Records.ts'
import { nth, type Step, short, step } from './Step.ts'
import { createTeller, type Teller } from './Teller.ts'
import { nameOf, originSteps, versionFacts } from './versionFacts.ts'
import { payBecause, tokenOf, workInRound, workOverJob } from './workInRound.ts'

const account = /^0x[0-9a-f]{40}$/
const hash = /^0x[0-9a-f]{64}$/
const job = /^job\/(\d{1,10})(?:\/([1-9]\d{0,9}))?(?:\/(0x[0-9a-f]{40}))?$/
const version = /^version\/(\d{1,10})$/

export type WhyOptions = {
  /** Facts told under one; the others are summed up. Default 50. */
  most?: number
  /** Versions followed up or down a line of descent. Default 24. */
  deepest?: number
}

/**
 * The explanation of a transaction, a request hash, an account, `job/<id>[/<round>][/<worker>]` or `version/<id>`; undefined when
 * nothing is known under that name. One snapshot of the tables. Cost: a few queries a step.
 */
export async function explain(
  pool: Pool,
  deployment: LedgerDeployment,
  subject: string,
  { most = 50, deepest = 24 }: WhyOptions = {},
): Promise<Step | undefined> {
  return inTransaction(
    pool,
    (client) => tell(createTeller(client, deployment, { most, deepest }), subject.toLowerCase()),
    'REPEATABLE READ',
  )
}

/** Whether `explain` can read the subject at all. */
export const isSubject = (text: string): boolean =>
  [account, hash, job, version].some((form) => form.test(text.toLowerCase()))

async function tell(teller: Teller, subject: string): Promise<Step | undefined> {
  if (hash.test(subject))
    return (await tellTransaction(teller, subject as Hex)) ?? (await tellRequest(teller, subject as Hex))
  if (account.test(subject)) return tellAccount(teller, subject as Hex)
  const ofVersion = version.exec(subject)
  if (ofVersion) return tellVersion(teller, Number(ofVersion[1]))
  const ofJob = job.exec(subject)
  if (!ofJob) return undefined
  return tellJob(
    teller,
    Number(ofJob[1]),
    ofJob[2] === undefined ? undefined : Number(ofJob[2]) - 1,
    ofJob[3] as Hex | undefined,
  )
}

async function tellTransaction(teller: Teller, tx: Hex): Promise<Step | undefined> {
  const seen = await firstRow(
    teller.database,
    z.object({ block: count }),
    'SELECT block FROM events WHERE tx_hash = $1 LIMIT 1',
    [tx],
  )
  if (seen === undefined) return undefined
  const because: Step[] = []
  for (const movement of await teller.records.movementsIn(tx)) {
    const told = await movementStep(teller, movement)
    if (told) because.push(told)
  }
  const refs = { tx, block: seen.block }
  const text =
    because.length === 0
      ? 'This transaction moved no money of ours.'
      : `This transaction made ${because.length} payments.`
  return because.length === 1 ? because[0] : step({ id: `tx/${tx}`, kind: 'transaction', text, refs, because })
}

async function movementStep(teller: Teller, movement: Movement): Promise<Step | undefined> {
  const { kind, token, amount, account, cumulative } = movement
  const told = teller.money.text(amount, token)
  const who = account ?? '0x'
  const common = { id: `${kind}/${movement.seq}`, kind, amount, token, refs: { ...place(movement), account: who } }
  switch (kind) {
    case 'withdrawn':
      return withdrawalStep(teller, movement)
    case 'credit-withdrawn':
      return creditWithdrawalStep(teller, movement)
    case 'settled':
    case 'contributed':
    case 'pulled':
      return creditStep(teller, movement, amount)
    case 'paid': {
      const leadsTo = await inflowLeadsTo(teller, movement, movement.version ?? 0, async (part) => part, 0)
      return { ...(await paidStep(teller, movement, amount)), leadsTo }
    }
    case 'work-paid': {
      const because = await payBecause(
        teller,
        movement.job ?? 0,
        who,
        (cumulative ?? amount) - amount,
        cumulative ?? amount,
      )
      const text = `${short(who)} was paid ${told} for its work in job ${movement.job}.`
      return step({ ...common, text, refs: { ...common.refs, job: movement.job ?? 0 }, because })
    }
    case 'refunded':
      return step({ ...common, text: `${told} of job ${movement.job} went back to its builder, ${short(who)}.` })
    case 'deposited':
      return step({
        ...common,
        text: `${told} was put into channel ${short(movement.channel ?? '')} of ${short(who)}.`,
      })
    case 'deposit-returned':
      return step({
        ...common,
        text: `${told} that nobody had claimed went back to the payer of the channel, ${short(who)}.`,
      })
    default:
      return undefined
  }
}

/** A call by its request hash: what was paid for it and where that went, and why its model could be called at all. */
async function tellRequest(teller: Teller, requestHash: Hex): Promise<Step | undefined> {
  const receipts = await teller.records.receipts(requestHash)
  const told: Step[] = []
  for (const receipt of receipts) {
    const sql = 'SELECT token FROM channels WHERE channel = $1 LIMIT 1'
    const token = (await firstRow(teller.database, z.object({ token: hex }), sql, [receipt.channel]))?.token ?? '0x'
    told.push({
      ...receiptStep(teller, receipt, token, receipt.to - receipt.from),
      because: [await versionStep(teller, receipt.version)],
      leadsTo: await receiptLeadsTo(teller, receipt),
    })
  }
  if (told.length <= 1) return told[0]
  const text = `There are ${told.length} receipts for this request.`
  return step({ id: `request/${requestHash}`, kind: 'request', text, refs: { requestHash }, because: told })
}

async function versionStep(teller: Teller, id: number): Promise<Step> {
  const facts = await versionFacts(teller, id)
  const refs = {
    version: id,
    ...(facts ? { asset: facts.asset, tx: facts.tx, block: facts.block, document: facts.digest } : {}),
  }
  const text = `Version ${id}${nameOf(facts?.name)} belongs to ${short(facts?.owner ?? 'nobody known')}.`
  return step({ id: `version/${id}`, kind: 'version', text, refs, because: facts ? await originSteps(teller, id) : [] })
}

async function tellVersion(teller: Teller, id: number): Promise<Step | undefined> {
  if ((await versionFacts(teller, id)) === undefined) return undefined
  const told = await versionStep(teller, id)
  const inflows = (await teller.records.intoVersion(id)).slice(-teller.most)
  for (const inflow of inflows) {
    told.because.push(
      inflow.kind === 'paid'
        ? await paidStep(teller, inflow, inflow.amount)
        : await creditStep(teller, inflow, inflow.amount),
    )
    const leadsTo = await inflowLeadsTo(teller, inflow, id, async (part) => part, 0)
    const text = `${teller.money.text(inflow.amount, inflow.token)} that came in went on.`
    told.leadsTo.push(
      step({
        id: `${inflow.kind}/${inflow.seq}`,
        kind: 'inflow',
        amount: inflow.amount,
        token: inflow.token,
        text,
        refs: place(inflow),
        leadsTo,
      }),
    )
  }
  return told
}

async function tellAccount(teller: Teller, who: Hex): Promise<Step | undefined> {
  const movements = await teller.records.movementsOf(who, ['withdrawn', 'credit-withdrawn', 'work-paid', 'refunded'])
  const because: Step[] = []
  for (const movement of movements.slice(-teller.most)) {
    const told = await movementStep(teller, movement)
    if (told) because.push(told)
  }
  const node = await teller.records.nodeOf(who)
  const jobs = await rows(
    teller.database,
    z.object({ job: count }),
    'SELECT DISTINCT job FROM enrolments WHERE node = $1 AND role = 1 ORDER BY job',
    [node],
  )
  for (const { job: id } of jobs) {
    const text = `It enrolled as a worker in job ${id}.`
    const refs = { job: id, account: who }
    because.push(
      step({ id: `job/${id}/${node}`, kind: 'work', text, refs, because: await workOverJob(teller, id, node) }),
    )
  }
  if (because.length === 0) return undefined
  const text = `${short(who)} took money out ${movements.length} times and worked in ${jobs.length} jobs.`
  return step({ id: `account/${who}`, kind: 'account', text, refs: { account: who }, because })
}

async function tellJob(
  teller: Teller,
  id: number,
  round: number | undefined,
  worker: Hex | undefined,
): Promise<Step | undefined> {
  const token = await tokenOf(teller, id)
  if (token === '0x') return undefined
  if (worker !== undefined && round !== undefined) {
    const told = await workInRound(teller, id, round, worker)
    const standing = await standingStep(teller, id, await teller.records.nodeOf(worker), round)
    return standing ? { ...told, because: [...told.because, standing] } : told
  }
  const who = worker
    ? [worker]
    : (
        await rows(
          teller.database,
          z.object({ node: hex }),
          'SELECT node FROM enrolments WHERE job = $1 AND role = 1 ORDER BY position',
          [id],
        )
      ).map((row) => row.node)
  const because: Step[] = []
  for (const node of who.slice(0, teller.most)) {
    if (round !== undefined) because.push(await workInRound(teller, id, round, node))
    else {
      const text = `${short(node)} works in job ${id}.`
      const refs = { job: id, account: node }
      because.push(
        step({ id: `job/${id}/${node}`, kind: 'work', text, refs, because: await workOverJob(teller, id, node) }),
      )
    }
  }
  // Of proposers that are no workers; the others' stand with their work.
  if (worker === undefined)
    for (const { node, step: told } of await proposalConvictions(teller, id, { round }))
      if (!who.includes(node)) because.push(told)
  const text = `Job ${id}${round === undefined ? '' : `, round ${nth(round)}`}: ${who.length} workers enrolled.`
  const refs = { job: id, ...(round === undefined ? {} : { round }) }
  return step({ id: round === undefined ? `job/${id}` : `job/${id}/${nth(round)}`, kind: 'job', text, refs, because })
}
