/**
 * What nodes say to each other (P-40 …). Each kind has one schema; anything else is refused at the edge.
 *
 * A message only ever *claims*; what it claims is checked against the chain, a block or a recomputation before anyone acts on it.
 */
import { z } from 'zod'
import * as f from './fields.ts'
import { country } from './regions.ts'

const place = { job: f.jobId, round: f.round }

/** A worker's signed commitment for one share of a round; the leaf of the round's set (C-…). */
export const claimSchema = z
  .object({
    worker: f.address,
    share: f.share,
    baseRoot: f.hash,
    updateDigest: f.hash,
    updateRoot: f.hash,
    statesRoot: f.hash,
    units: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  })
  .strict()
export type Claim = z.infer<typeof claimSchema>

/** State roots behind a claim's `statesRoot`, in order; none in private jobs. A disputed one is looked up here (D-11). */
const states = z.array(f.hash).max(64)

export const messageSchemas = {
  /** I am here: where my blocks can be fetched, which roles I have, and which model versions I run, at which address. */
  hello: z
    .object({
      url: f.httpUrl,
      roles: z.number().int().min(0).max(0xffff_ffff),
      peer: z.string().max(100),
      serves: z
        .object({ url: f.httpUrl, versions: z.array(z.number().int().min(1).max(Number.MAX_SAFE_INTEGER)).max(1_000) })
        .strict()
        .nullable(),
      /** The country I say I am in. */
      region: country.optional(),
    })
    .strict(),
  /** I am still working on this share; `step` of `steps` done, `loss` of the last step in thousandths. */
  beat: z
    .object({
      ...place,
      share: f.share,
      step: z.number().int().min(0).max(1_000_000),
      steps: z.number().int().min(1).max(1_000_000),
      lossMilli: z.number().int().min(0).max(1_000_000_000),
    })
    .strict(),
  /** I have a result for this share; its hash binds me before I show it. */
  commit: z.object({ ...place, share: f.share, commit: f.hash }).strict(),
  /** The commits that may now be published: one for each share that was delivered. */
  close: z
    .object({
      ...place,
      commits: z.array(z.object({ worker: f.address, share: f.share, commit: f.hash }).strict()).max(512),
    })
    .strict(),
  /** The opened commit. The update itself is fetched as a block from `url`. */
  claim: z
    .object({
      ...place,
      claim: claimSchema,
      states,
      url: f.httpUrl,
      lossMilli: z.number().int().min(0).max(1_000_000_000),
    })
    .strict(),
  /** The set that the leader asks the committee to attest; `states` has one list for each claim. */
  set: z
    .object({ ...place, claims: z.array(claimSchema).max(512), states: z.array(states).max(512), directHash: f.hash })
    .strict(),
  /** I hold every update of this set. `signature` is the EIP-712 attestation that the contract checks. */
  attest: z
    .object({
      ...place,
      setRoot: f.hash,
      count: z.number().int().min(0).max(512),
      directHash: f.hash,
      signature: f.signature,
    })
    .strict(),
  /** I recomputed this claim. `probe` proves it: the hash of my address and the state at the step the beacon drew. */
  audit: z
    .object({
      ...place,
      claim: f.hash,
      worker: f.address,
      matches: z.boolean(),
      correct: f.hash,
      probe: f.hash,
    })
    .strict(),
  /**
   * My half of the pairwise masks of one attempt at a masked sum. `sumAttempt` is the attempt that completed the step before
   * (0 at the first step): whoever missed that sum completes it by the same attempt and no other (P-46). In a job with `leastMembers`
   * `group` is whom I sum with in this attempt, and `sum` the block with the vectors of the step before (P-63).
   */
  maskKey: z
    .object({
      ...place,
      step: z.number().int().min(0).max(1000),
      attempt: z.number().int().min(1).max(1000),
      sumAttempt: z.number().int().min(0).max(1000),
      publicKey: f.hash,
      group: f.memberPlaces.optional(),
      sum: f.hash.optional(),
    })
    .strict(),
  /** My masked vector: words of the ring, eight bytes each, uniformly random to anyone without the masks of its group. */
  masked: z
    .object({
      ...place,
      step: z.number().int().min(0).max(1000),
      attempt: z.number().int().min(1).max(1000),
      group: f.memberPlaces.optional(),
      vector: z
        .instanceof(Uint8Array)
        .refine((v) => v.length % 8 === 0 && v.length <= 32_768, 'at most 4,096 words of 8 bytes'),
    })
    .strict(),
  /** Receipts of calls served, as a block of signed records. */
  receipts: z.object({ digest: f.hash, count: z.number().int().min(1).max(10_000), url: f.httpUrl }).strict(),
} as const

export type Kind = keyof typeof messageSchemas
export type Body<K extends Kind> = z.infer<(typeof messageSchemas)[K]>
export type Message = { [K in Kind]: { kind: K; body: Body<K> } }[Kind]
