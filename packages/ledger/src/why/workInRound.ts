/** What a worker did in a job, round by round, what the validators made of it, and why it was or was not paid. */
import { z } from 'zod'
import { amount, count, hex } from '../database/columns.ts'
import { firstRow, rows } from '../database/rows.ts'
import { contributionColumns, contributionStep, standingStep } from './contributionSteps.ts'
import { type Conviction, convictionSteps } from './convictionSteps.ts'
import { proposalConvictions } from './proposalConvictions.ts'
import { nth, type Refs, type Step, short, step } from './Step.ts'
import type { Teller } from './Teller.ts'

const claimRow = z.object({
  hash: hex,
  share: count,
  ratePpm: count,
  auditor: hex.nullable(),
  outcome: z.string(),
  weightPpm: count,
  pay: amount,
  report: hex,
  ...contributionColumns,
})
type ClaimRow = z.output<typeof claimRow>

const convictionRow = z.object({
  round: count,
  subject: hex,
  slashed: amount,
  burned: amount.nullable(),
  tx: hex,
  block: count,
})

const roundRow = z.object({
  round: count,
  final: count.nullable(),
  report: hex.nullable(),
  held: z.boolean(),
  tx: hex.nullable(),
})

function roundsOf({ database }: Teller, job: number) {
  return rows(
    database,
    roundRow,
    `SELECT r.round, r.final_seq AS final, r.report, COALESCE(d.state = 'held', false) AS held, e.tx_hash AS tx
      FROM rounds r LEFT JOIN documents d ON d.digest = r.report LEFT JOIN events e ON e.seq = r.final_seq
      WHERE r.job = $1 ORDER BY r.round`,
    [job],
  )
}

/** The claims of a node in a round, as the final audit report has them. Node key and cold key count as one. */
function claimsOf({ database }: Teller, job: number, round: number, worker: string): Promise<ClaimRow[]> {
  return rows(
    database,
    claimRow,
    `SELECT c.hash, c.share, c.rate_ppm AS "ratePpm", c.auditor, c.outcome, c.weight_ppm AS "weightPpm", c.pay, c.report,
      c.value_micro AS "valueMicro", c.counted_micro AS "countedMicro", c.finding, c.like_share AS "likeShare",
      (SELECT o.worker FROM claims o WHERE o.report = c.report AND o.share = c.like_share AND o.value_micro IS NOT NULL) AS "likeWorker"
      FROM claims c JOIN rounds r ON r.report = c.report AND r.job = c.job AND r.round = c.round
      WHERE c.job = $1 AND c.round = $2 AND (c.worker = $3 OR c.worker IN (SELECT key FROM node_changes WHERE node = $3))
      ORDER BY c.share`,
    [job, round, worker],
  )
}

function convictionsOf({ database }: Teller, job: number, worker: string): Promise<Conviction[]> {
  return rows(
    database,
    convictionRow,
    `SELECT c.round, c.subject, c.slashed, e.tx_hash AS tx, e.block, (SELECT sum(s.burned) FROM slashes s JOIN events f USING (seq)
        WHERE s.node = c.node AND f.tx_hash = e.tx_hash) AS burned
      FROM convictions c JOIN events e USING (seq) WHERE c.job = $1 AND c.node = $2 AND c.of = 'claim' ORDER BY c.seq`,
    [job, worker],
  )
}

/** Every round of a job as one worker saw it, after what it contributed over all of them. */
export async function workOverJob(teller: Teller, job: number, account: string): Promise<Step[]> {
  const worker = await teller.records.nodeOf(account)
  const standing = await standingStep(teller, job, worker)
  const steps = standing ? [standing] : []
  for (const { round } of (await roundsOf(teller, job)).slice(-teller.most))
    steps.push(await workInRound(teller, job, round, worker))
  return steps
}

/** One round as one worker saw it: what it delivered, how it was audited, what it was paid and why. */
export async function workInRound(teller: Teller, job: number, round: number, account: string): Promise<Step> {
  const worker = await teller.records.nodeOf(account)
  const id = `job/${job}/${nth(round)}/${worker}`
  const refs: Refs = { job, round, account: worker as `0x${string}` }
  const place = (await roundsOf(teller, job)).find((one) => one.round === round)
  if (place === undefined) {
    return step({ id, kind: 'round', text: `Job ${job} has not opened a round ${nth(round)}.`, refs })
  }
  const convictions = await convictionsOf(teller, job, worker)
  const token = await tokenOf(teller, job)
  const convicted = await convictionSteps(
    teller,
    job,
    convictions.filter((one) => one.round === round),
  )
  const proposals = await proposalConvictions(teller, job, { round, node: worker })
  convicted.push(...proposals.map((one) => one.step))
  if (place.report === null || !place.held) {
    const text =
      place.final === null
        ? `Round ${nth(round)} of job ${job} is not final yet: what ${short(worker)} is paid for it is still open.`
        : `The audit report of round ${nth(round)} of job ${job} has not come in yet.`
    const document: Refs = place.report === null ? {} : { document: place.report }
    return step({ id, kind: 'round', text, refs: { ...refs, ...document }, because: convicted })
  }
  const claims = await claimsOf(teller, job, round, worker)
  const pay = claims.reduce((sum, one) => sum + one.pay, 0n)
  const because = claims.map((claim) => claimStep(teller, job, round, claim, token))
  because.push(...convicted)
  const ending: Refs = { document: place.report, ...(place.tx ? { tx: place.tx } : {}) }
  if (claims.length > 0) {
    const text = `${short(worker)} is paid ${teller.money.text(pay, token)} for round ${nth(round)} of job ${job}${pay === 0n ? `, because ${zeroReason(claims, round, convictions)}` : ''}.`
    return step({ id, kind: 'round', amount: pay, token, text, refs: { ...refs, ...ending }, because })
  }
  const before = convictions.find((one) => one.round < round)
  const text = before
    ? `${short(worker)} is paid 0 for round ${nth(round)} of job ${job}, because it was expelled after round ${nth(before.round)}.`
    : `${short(worker)} is paid 0 for round ${nth(round)} of job ${job}, because it delivered no claim${proposals.length > 0 ? '; the result that it proposed was found wrong' : ''}.`
  because.push(...(await takenOver(teller, job, round, worker)))
  return step({ id, kind: 'round', amount: 0n, token, text, refs: { ...refs, ...ending }, because })
}

function zeroReason(claims: readonly ClaimRow[], round: number, convictions: readonly Conviction[]): string {
  const before = convictions.find((one) => one.round < round)
  if (claims.some((one) => one.outcome === 'wrong')) return 'its claim was recomputed and found wrong'
  if (before) return `it was expelled after round ${nth(before.round)}`
  if (claims.some((one) => one.outcome === 'expelled')) return 'it was expelled for a wrong claim'
  if (claims.some((one) => one.outcome === 'left-out')) return 'another claim stands for its share'
  return 'its update did not point the way of the reference update, so it had no weight'
}

function claimStep(teller: Teller, job: number, round: number, claim: ClaimRow, token: string): Step {
  const rate = `${claim.ratePpm / 10_000} %`
  const auditor = claim.auditor ? ` by ${short(claim.auditor)}` : ''
  const audited: Record<string, string> = {
    'not-drawn': `It was not drawn for an audit (chance ${rate}).`,
    matches: `It was drawn for an audit (chance ${rate}) and recomputed${auditor}: it is right.`,
    wrong: `It was drawn for an audit (chance ${rate}) and recomputed${auditor}: it is wrong.`,
    expelled: 'Its worker had been expelled, so it does not count.',
    'left-out': 'Another claim stands for its share, or the job has no such share, so it does not count.',
  }
  const id = `claim/${job}/${round}/${claim.hash}`
  const contributed = contributionStep(id, claim, { job, round, document: claim.report })
  const paid = claim.pay === 0n ? 'Nothing is paid for it.' : `It is paid ${teller.money.text(claim.pay, token)}.`
  return step({
    id,
    kind: 'claim',
    amount: claim.pay,
    token,
    text: `A claim for share ${claim.share} was delivered: ${short(claim.hash)}.`,
    refs: { job, round, document: claim.report },
    because: [
      step({
        id: `${id}/audit`,
        kind: `audit-${claim.outcome}`,
        text: audited[claim.outcome] ?? claim.outcome,
        refs: { job, round },
      }),
      step({
        id: `${id}/weight`,
        kind: 'weight',
        text: `Its weight in the new model is ${claim.weightPpm / 10_000} %. ${paid}`,
        refs: { job, round },
      }),
      ...(contributed ? [contributed] : []),
    ],
  })
}

/** What is known of a share that a worker began and another delivered. */
async function takenOver(teller: Teller, job: number, round: number, worker: string): Promise<Step[]> {
  const begun = await rows(
    teller.database,
    z.object({ share: count, step: count, steps: count, atMs: count }),
    'SELECT share, step, steps, at_ms AS "atMs" FROM beats WHERE job = $1 AND round = $2 AND worker = $3 ORDER BY share',
    [job, round, worker],
  )
  const delivered = await rows(
    teller.database,
    z.object({ share: count, worker: hex, hash: hex }),
    `SELECT c.share, c.worker, c.hash FROM claims c JOIN rounds r ON r.report = c.report AND r.job = c.job AND r.round = c.round
      WHERE c.job = $1 AND c.round = $2 ORDER BY c.share`,
    [job, round],
  )
  const steps = begun.map(({ share, step: done, steps: all }) => {
    const by = delivered.find((one) => one.share === share)
    const after = by ? `${short(by.worker)} took the share over and delivered it.` : 'Nobody delivered that share.'
    return step({
      id: `takeover/${job}/${round}/${share}`,
      kind: 'takeover',
      text: `It was last seen at step ${done} of ${all} of share ${share}. ${after}`,
      refs: { job, round, ...(by ? { account: by.worker } : {}) },
    })
  })
  if (steps.length > 0) return steps
  // Nothing was heard of it: all that can be said is who did more than one share.
  const byWorker = Map.groupBy(delivered, (one) => one.worker)
  return [...byWorker].flatMap(([who, shares]) => {
    if (shares.length < 2) return []
    const numbers = shares.map((one) => one.share).join(' and ')
    const text = `${short(who)} delivered shares ${numbers}: its own and what others left.`
    return [
      step({ id: `takeover/${job}/${round}/by/${who}`, kind: 'takeover', text, refs: { job, round, account: who } }),
    ]
  })
}

export async function tokenOf({ database }: Teller, job: number): Promise<string> {
  return (
    (await firstRow(database, z.object({ token: hex }), 'SELECT token FROM jobs WHERE job = $1', [job]))?.token ?? '0x'
  )
}

/** Pay taken out of a job: the rounds between the last time and this one, each with its part of the amount. */
export async function payBecause(
  teller: Teller,
  job: number,
  account: string,
  from: bigint,
  to: bigint,
): Promise<Step[]> {
  const leaves = await rows(
    teller.database,
    z.object({ round: count, total: amount }),
    `SELECT r.round, sum(p.amount) AS total FROM rounds r JOIN documents d ON d.digest = r.report AND d.type = 'audit'
      JOIN payouts p ON p.document = d.body ->> 'payout' AND p.account = $2
      WHERE r.job = $1 AND r.final_seq IS NOT NULL GROUP BY r.round ORDER BY r.round`,
    [job, account],
  )
  const steps: Step[] = []
  let at = from
  for (const { round, total } of leaves) {
    const end = total < to ? total : to
    if (end <= at) continue
    const told = await workInRound(teller, job, round, account)
    steps.push({ ...told, amount: (end - at).toString(), token: (await tokenOf(teller, job)) as `0x${string}` })
    at = end
  }
  if (at < to) {
    const text = `For ${teller.money.text(to - at, await tokenOf(teller, job))} the payout document has not come in yet.`
    steps.push(step({ id: `pay/${job}/${account}/unknown`, kind: 'no-document', amount: to - at, text, refs: { job } }))
  }
  return steps
}
