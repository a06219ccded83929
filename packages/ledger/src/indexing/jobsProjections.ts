import type { Hex } from '@potluck/protocol'
import { z } from 'zod'
import { hex } from '../database/columns.ts'
import { firstRow, type Queryable } from '../database/rows.ts'
import { insertPayment, insertRow, type Project, type Projections, wantDocument } from './projection.ts'

async function jobToken(database: Queryable, job: string): Promise<Hex> {
  const found = await firstRow(database, z.object({ token: hex }), 'SELECT token FROM jobs WHERE job = $1', [job])
  return found?.token ?? '0x'
}

const round =
  (step: string, actor: string | undefined, subject: string | undefined, struct?: string): Project =>
  (database, { seq, args }) =>
    insertRow(database, 'round_steps', {
      seq,
      job: args.whole('jobId'),
      round: 'round' in args.args ? args.whole('round') : null,
      step,
      actor: actor === undefined ? null : args.hex(actor),
      subject: subject === undefined ? null : args.hex(subject),
      detail: JSON.stringify(struct === undefined ? args.args : args.struct(struct).args),
    })

const conviction =
  (of: 'claim' | 'proposal', node: string): Project =>
  (database, { seq, args }) =>
    insertRow(database, 'convictions', {
      seq,
      job: args.whole('jobId'),
      round: args.whole('round'),
      node: args.hex(node),
      of,
      subject: args.hex('subject'),
      slashed: args.whole('slashed'),
    })

const proposal =
  (step: string, actor: string | undefined): Project =>
  async (database, event, contracts) => {
    await round(step, actor, undefined, 'proposal')(database, event, contracts)
    await wantDocument(database, event.args.struct('proposal').hex('auditRoot'))
  }

/** Jobs, their rounds, the votes on claims, and the pay. */
export const jobsProjections: Projections = {
  'jobs.JobCreated': async (database, { seq, args }) => {
    const terms = args.struct('terms')
    await insertRow(database, 'jobs', {
      seq,
      job: args.whole('jobId'),
      builder: args.hex('builder'),
      token: terms.hex('token'),
      pay_per_round: terms.whole('payPerRound'),
      rounds: terms.whole('rounds'),
      trust_class: terms.whole('trustClass'),
      spec_digest: terms.hex('specDigest'),
      terms: JSON.stringify(terms.args),
    })
    await wantDocument(database, terms.hex('specDigest'))
  },
  'jobs.Enrolled': (database, { seq, args }) =>
    insertRow(database, 'enrolments', {
      seq,
      job: args.whole('jobId'),
      node: args.hex('node'),
      role: args.whole('role'),
      position: args.whole('index'),
    }),
  'jobs.RoundOpened': round('opened', undefined, undefined),
  'jobs.ClaimPosted': round('posted', 'worker', 'commitHash'),
  'jobs.SetFixed': round('fixed', undefined, 'setRoot'),
  'jobs.Revealed': round('revealed', 'validator', undefined),
  'jobs.RevealMissing': round('missing', 'validator', undefined),
  'jobs.BeaconDrawn': round('beacon', undefined, undefined),
  'jobs.Proposed': proposal('proposed', 'proposer'),
  'jobs.RoundFinal': proposal('final', undefined),
  'jobs.JobDone': round('done', undefined, undefined),
  'jobs.JobCancelled': round('cancelled', undefined, undefined),
  'jobs.ModelPublished': round('published', undefined, undefined),
  'jobs.Convicted': conviction('claim', 'worker'),
  'jobs.ProposalConvicted': conviction('proposal', 'proposer'),
  'jobs.PayClaimed': async (database, event) => {
    const job = event.args.whole('jobId')
    await insertPayment(database, event, {
      kind: 'work-paid',
      token: await jobToken(database, job),
      amount: event.args.whole('amount'),
      account: event.args.hex('account'),
      job,
      cumulative: event.args.whole('cumulative'),
    })
  },
  'jobs.Refunded': async (database, event) => {
    const job = event.args.whole('jobId')
    const token = await jobToken(database, job)
    await insertPayment(database, event, {
      kind: 'refunded',
      token,
      amount: event.args.whole('amount'),
      account: event.args.hex('builder'),
      job,
    })
  },
  'judge.Voted': (database, { seq, args }) =>
    insertRow(database, 'votes', {
      seq,
      job: args.whole('jobId'),
      subject: args.hex('subject'),
      validator: args.hex('validator'),
      found: args.hex('found'),
    }),
}
