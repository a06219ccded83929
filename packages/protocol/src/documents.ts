/**
 * The structured blocks that messages and contracts point to by digest (P-10 …). All are dag-cbor of at most 1 MiB; each has a `type`
 * and one schema. A reader checks the digest first, then the schema: a document is exactly what its digest says, or nothing.
 */
import { z } from 'zod'
import * as f from './fields.ts'
import { residency } from './regions.ts'

const positive = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER)
const ppm = z.number().int().min(0).max(1_000_000)
const text = z.string().max(2_000)

/** What people are told about an asset; its digest stands in the version's `metadataDigest`. */
export const assetMetadata = z
  .object({
    type: z.literal('asset'),
    name: z.string().max(100),
    kind: z.enum(['dataset', 'model']),
    description: text,
    licence: text,
    source: text,
    /** Rows, characters or parameters, by `unit`. */
    size: positive,
    unit: z.enum(['rows', 'characters', 'parameters']),
    columns: z.array(z.string().max(100)).max(1_000),
    /** True when the content stays with its owner: the version's root is then a commitment to salted rows and nothing can be fetched. */
    private: z.boolean(),
    /** Where it may be worked on: countries and groups; anywhere when left out (P-55). */
    residency: residency.optional(),
  })
  .strict()
export type AssetMetadata = z.infer<typeof assetMetadata>

/** The numbers of design 4.3 from which the audit rate follows; the bond itself stands in the job's terms. */
export const auditPolicy = z
  .object({
    gainPpm: ppm,
    colludingPpm: ppm,
    auditors: z.number().int().min(1).max(16),
    /** Worth of one SALT wei in units of the payment token, times 10^18: makes bond and reward comparable. */
    saltPriceE18: f.amount,
    /** A worker counts as new, and is audited at twice the rate, until this many of its claims were paid. */
    newClaims: z.number().int().min(0).max(1_000),
  })
  .strict()
export type AuditPolicy = z.infer<typeof auditPolicy>

/** How one share of a round is trained; the fields and their limits are those of the engine's `LanguageRecipe`. */
export const languageRecipe = z
  .object({
    config: z
      .object({
        vocabulary: z.string().min(2).max(512),
        context: positive.max(4_096),
        width: positive.max(4_096),
        layers: positive.max(64),
        heads: positive.max(64),
        hidden: positive.max(16_384),
      })
      .strict(),
    batch: positive.max(4_096),
    steps: positive.max(100_000),
    learningRate: z.number().positive().max(1),
    weightDecay: z.number().min(0).lt(1),
    warmupSteps: z.number().int().min(0).max(100_000),
    beta1: z.number().min(0).lt(1),
    beta2: z.number().min(0).lt(1),
    epsilon: z.number().positive().max(1),
    stateEverySteps: positive.max(100_000),
  })
  .strict()

/** How the update of a claim travels: whole f32 numbers, or so many bits for each with a scale for each block (P-52). */
export const updateEncodings = ['f32', 'dense8', 'dense4', 'dense2'] as const
export type UpdateEncoding = (typeof updateEncodings)[number]

/**
 * What a test against lying participants found about the settings of a job before it began (L-39). The builder states it and nobody
 * recomputes it; whoever doubts it repeats the test.
 */
export const resistanceNote = z
  .object({
    scorePpm: ppm,
    /** The attack that decided the score. */
    worst: z.string().min(1).max(80),
    /** Share of the participants that lied in the test. */
    attackersPpm: ppm,
    /** Right answers with nobody lying, and in the worst cell. */
    cleanPpm: ppm,
    worstAccuracyPpm: ppm,
    /** Triggered rows that went where a backdoor wanted; left out where none was tried. */
    backdoorPpm: ppm.optional(),
  })
  .strict()
export type ResistanceNote = z.infer<typeof resistanceNote>

const jobCommon = {
  name: z.string().max(100),
  description: text,
  /** Seconds the work of one share may take before another worker takes it over. */
  workSeconds: positive,
  /** Seconds without a sign of life after which a share is taken over. */
  silenceSeconds: positive,
}

/** Public, exact: a causal character transformer trained in low-communication rounds. */
export const languageJob = z
  .object({
    type: z.literal('job'),
    kind: z.literal('language'),
    ...jobCommon,
    /** CID of the training text (UTF-8); of the part that measures the loss. */
    trainCid: z.string().max(100),
    validCid: z.string().max(100),
    seed: f.hash,
    shares: z.number().int().min(1).max(512),
    recipe: languageRecipe,
    /** `f32` when left out. */
    encoding: z.enum(updateEncodings).optional(),
    /** Windows of the validation text by which the contributions of a round are measured (P-58); when left out they are not. */
    scoreWindows: z.number().int().min(1).max(1_024).optional(),
    audit: auditPolicy,
    /** Left out where nothing was measured. */
    resistance: resistanceNote.optional(),
  })
  .strict()
export type LanguageJob = z.infer<typeof languageJob>

/** Private: logistic regression over tables that stay at home; everything that leaves is a masked sum of a group of members. */
export const tabularJob = z
  .object({
    type: z.literal('job'),
    kind: z.literal('tabular'),
    ...jobCommon,
    /** Name of the preprocessing in packages/learning, with its columns. */
    table: z.literal('heart'),
    l2: z.number().min(0).max(1e6),
    maxSteps: z.number().int().min(1).max(100),
    /** Hides single rows in every sum (L-87): deviation over what one row can change, and how many members may tell their part of it. */
    noise: z
      .object({ multiplier: z.number().min(0.05).max(1_000), dishonest: z.number().int().min(0).max(63) })
      .strict()
      .optional(),
    /** Asset versions whose owners form the group. */
    members: z.array(positive).min(3).max(64),
    /** How few of them a sum may be over when others stay away: more than half (P-63). When left out, every sum is over all. */
    leastMembers: z.number().int().min(3).max(64).optional(),
  })
  .strict()
export type TabularJob = z.infer<typeof tabularJob>

export const jobDocument = z.discriminatedUnion('kind', [languageJob, tabularJob]).superRefine((job, context) => {
  if (job.kind !== 'tabular' || job.leastMembers === undefined) return
  const [least, count] = [job.leastMembers, job.members.length]
  if (least <= count && 2 * least > count && least > (job.noise?.dishonest ?? 0)) return
  const message = `more than half of the ${count} members, more than noise.dishonest, and not more than there are; got ${least}`
  context.addIssue({ code: 'custom', path: ['leastMembers'], message })
})
export type JobDocument = z.infer<typeof jobDocument>

/** Who is paid what, over all rounds so far: the leaves of a proposal's Merkle-sum tree, in index order. */
export const payoutDocument = z
  .object({
    type: z.literal('payout'),
    job: f.jobId,
    round: f.round,
    leaves: z.array(z.object({ account: f.address, amount: f.amount }).strict()).max(10_000),
  })
  .strict()
export type PayoutDocument = z.infer<typeof payoutDocument>

/** Millionths of a nat, signed; what is larger is cut. */
export const MOST_MICRO = 1_000_000_000_000
const micro = z.number().int().min(-MOST_MICRO).max(MOST_MICRO)

/** What the update of a claim took off the loss in its round (P-58). It informs: no pay follows from it. */
export const contribution = z
  .object({
    /** As measured; below 0 where it added some. */
    valueMicro: micro,
    /** What counts of it: cut to the most of a round, and nothing positive under a finding that takes it for a copy or empty (L-61). */
    countedMicro: micro,
    /** `copy`: too much like the update of a share whose claim was recomputed and is right. `alike`: the same, where neither was recomputed. */
    finding: z
      .discriminatedUnion('kind', [
        z.object({ kind: z.literal('copy'), share: f.share }).strict(),
        z.object({ kind: z.literal('alike'), share: f.share }).strict(),
        z.object({ kind: z.literal('empty') }).strict(),
      ])
      .nullable(),
  })
  .strict()
export type Contribution = z.infer<typeof contribution>

/** What became of every claim of a round; the answer to "why was I paid this, or not". */
export const auditReport = z
  .object({
    type: z.literal('audit'),
    job: f.jobId,
    round: f.round,
    beacon: f.hash,
    claims: z
      .array(
        z
          .object({
            hash: f.hash,
            worker: f.address,
            share: f.share,
            /** Chance of an audit, in millionths. */
            ratePpm: ppm,
            auditor: f.address.nullable(),
            /** `left-out`: of a share that the job does not have, or that an earlier claim of the set stands for. */
            outcome: z.enum(['not-drawn', 'matches', 'wrong', 'expelled', 'left-out']),
            /** Weight in the aggregate, in millionths of the sum; in a public job the rest is the reference's (L-14). */
            weightPpm: ppm,
            pay: f.amount,
            /** Of a claim that takes part, in a job that measures contributions, unless the model has diverged. */
            contribution: contribution.optional(),
          })
          .strict(),
      )
      .max(512),
    /** State roots of the reference run, then its update root: what the proposal's `runRoot` stands over. Empty without a run. */
    run: z.array(f.hash).max(65),
    payout: f.hash,
  })
  .strict()
export type AuditReport = z.infer<typeof auditReport>

const sumFields = {
  attempt: z.number().int().min(1).max(1_000),
  /** Whose vectors follow, in this order; all members when left out. */
  group: f.memberPlaces.optional(),
  vectors: z
    .array(z.instanceof(Uint8Array).refine((v) => v.length % 8 === 0 && v.length <= 32_768, 'words of 8 bytes'))
    .max(64),
}

/** Every masked vector of a private job, member by member: anyone can add them up and follow the training. */
export const transcript = z
  .object({
    type: z.literal('transcript'),
    job: f.jobId,
    members: z.array(f.address).min(3).max(64),
    steps: z.array(z.object(sumFields).strict()).max(101),
  })
  .strict()
export type Transcript = z.infer<typeof transcript>

/** The vectors of one sum that came about, for members of its group that missed one of them (P-63). */
export const sumRecord = z
  .object({ type: z.literal('sum'), job: f.jobId, step: z.number().int().min(0).max(1_000), ...sumFields })
  .strict()
export type SumRecord = z.infer<typeof sumRecord>

/** One paid call as the gateway signed it. `requestHash` is what the voucher was signed over. */
export const callReceipt = z
  .object({
    type: z.literal('receipt'),
    requestHash: f.hash,
    responseHash: f.hash,
    version: positive,
    modelDigest: f.hash,
    gateway: f.address,
    provider: f.address,
    channel: f.hash,
    lane: z.number().int().min(0).max(4_294_967_295),
    /** Cumulative amounts of the lane before and after this call. */
    from: f.amount,
    to: f.amount,
    promptTokens: z.number().int().min(0),
    completionTokens: z.number().int().min(0),
    atMs: z.number().int().min(0),
    /** By the gateway's node key over the digest of all the rest (see `receiptDigest`). */
    signature: f.signature,
  })
  .strict()
export type CallReceipt = z.infer<typeof callReceipt>

export const receiptBatch = z
  .object({ type: z.literal('receipts'), receipts: z.array(callReceipt).min(1).max(1_000) })
  .strict()
export type ReceiptBatch = z.infer<typeof receiptBatch>
