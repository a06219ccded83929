import type { AuditReport, Hex, LanguageJob, PayoutDocument, TabularJob } from '@potluck/protocol'
import { formatAmount } from '../commands/amounts.ts'
import { jobResistanceText } from '../commands/jobDocumentOf.ts'
import type { ScalarEvent } from '../federated/tensorboard/eventBytes.ts'
import type { JobClaim, JobFacts, JobHistory, JobHistoryRound, JobRound } from './JobHistory.ts'

const SALT_DECIMALS = 18

/**
 * What a report says of a job, from its documents.
 *
 * @param nameOf a node as people know it
 */
export function jobFacts(history: JobHistory, nameOf: (node: string) => string): JobFacts {
  const { job, phase, document, final, token, convictions, rounds: planned } = history
  const rounds = final.map((_, i) => roundOf(history, i, nameOf))
  const convicted = new Set(convictions.filter((one) => one.of === 'claim').map(({ node }) => nameOf(node)))
  const names = new Set(
    rounds.flatMap((round) => [...(round.claims ?? []).map(({ worker }) => worker), ...Object.keys(round.bytesUp)]),
  )
  const isMasked = document?.kind === 'tabular'
  const name = document === null ? '' : `: ${document.name}`
  return {
    title: `Job ${job}${name}`,
    summary: `${isMasked ? 'Private training by masked sums' : 'Public, exact training'}, ${phase}; ${final.length} of ${planned} rounds final. From the chain, the documents behind its digests and what the workers say of themselves.`,
    isMasked,
    workers: [...names].sort(byName).map((id) => ({ id, isAttacker: convicted.has(id) })),
    rounds,
    before: history.before,
    parameters: history.parameters,
    localSteps: document?.kind === 'language' ? document.recipe.steps : null,
    token,
    convictions: convictions.map(({ slashed, node, ...rest }) => ({
      ...rest,
      node: nameOf(node),
      slashedSalt: salt(slashed),
    })),
    evaluations: history.evaluations,
    resistance: jobResistanceText(document),
    settings: settingsOf(history),
  }
}

const salt = (wei: bigint): string => formatAmount(wei, SALT_DECIMALS)
const byName = (a: string, b: string): number => (a < b ? -1 : 1)

function roundOf(history: JobHistory, at: number, nameOf: (node: string) => string): JobRound {
  const { final, handedIn, convictions } = history
  const { round, time, valid, report, payout } = final[at]!
  const bytesUp: Record<string, number> = {}
  for (const one of handedIn.filter((each) => each.round === round)) {
    const worker = nameOf(one.worker)
    bytesUp[worker] = (bytesUp[worker] ?? 0) + one.bytes
  }
  return {
    round: round + 1,
    time,
    valid: valid && { loss: valid.loss, accuracy: valid.accuracy },
    bytesUp,
    claims: report === null ? null : report.claims.map((claim) => claimOf(claim, nameOf)),
    convictions: convictions
      .filter((one) => one.round === round)
      .map(({ node, of, slashed }) => ({ node: nameOf(node), of, slashedSalt: salt(slashed) })),
    pay: payout && payOf(payout, at === 0 ? null : final[at - 1]!, nameOf),
  }
}

function claimOf(claim: AuditReport['claims'][number], nameOf: (node: string) => string): JobClaim {
  const { worker, share, ratePpm, auditor, outcome, weightPpm, contribution } = claim
  return {
    worker: nameOf(worker),
    share,
    ratePpm,
    auditor: auditor === null ? null : nameOf(auditor),
    outcome,
    weight: weightPpm / 1e6,
    ...(contribution ? { score: contribution.countedMicro / 1e6 } : {}),
    ...(contribution?.finding ? { finding: findingText(contribution.finding) } : {}),
  }
}

type Finding = NonNullable<NonNullable<AuditReport['claims'][number]['contribution']>['finding']>
const findingText = (finding: Finding): string =>
  finding.kind === 'empty' ? 'empty' : `${finding.kind} of share ${finding.share}`

/** What each account earned between two cumulative lists; null where the list before is not known. */
function payOf(
  { leaves }: PayoutDocument,
  before: JobHistoryRound | null,
  nameOf: (node: string) => string,
): Record<string, string> | null {
  if (before && !before.payout) return null
  const old = new Map<Hex, bigint>((before?.payout?.leaves ?? []).map(({ account, amount }) => [account, amount]))
  const earned = new Map<string, bigint>()
  for (const { account, amount } of leaves) {
    const name = nameOf(account)
    earned.set(name, (earned.get(name) ?? 0n) + amount - (old.get(account) ?? 0n))
  }
  return Object.fromEntries([...earned].map(([name, units]) => [name, units.toString()]))
}

function settingsOf({ document, payPerRound, token }: JobHistory): [string, string][] {
  const pay: [string, string] = ['pay', `${formatAmount(payPerRound, token.decimals)} ${token.symbol} a round`]
  if (document === null) return [pay, ['document', 'nobody who has it is up']]
  return [...(document.kind === 'language' ? languageSettings(document) : tabularSettings(document)), pay]
}

function languageSettings({ recipe, encoding = 'f32', shares, audit }: LanguageJob): [string, string][] {
  const { config, batch, steps, learningRate } = recipe
  const { vocabulary, context, width, layers, heads, hidden } = config
  return [
    [
      'network',
      `${[...vocabulary].length} characters, context ${context}, width ${width}, ${layers} layers, ${heads} heads, hidden ${hidden}`,
    ],
    ['a share', `${steps} steps of ${batch} windows at ${learningRate}; ${shares} shares a round`],
    ['updates', encoding],
    ['rule', 'reference: by what agrees with an update of public batches that the beacon draws'],
    ['audits', `${audit.auditors} for each claim drawn`],
  ]
}

const tabularSettings = ({ table, l2, maxSteps, members, noise, leastMembers }: TabularJob): [string, string][] => [
  ['table', table],
  ['model', `logistic regression, penalty ${l2}, at most ${maxSteps} Newton steps`],
  [
    'noise',
    noise
      ? `${noise.multiplier} times what one row can change, in each of ${maxSteps + 1} sums; ${noise.dishonest} members may tell theirs`
      : 'none: the sums are exact',
  ],
  [
    'members',
    `versions ${members.join(', ')}; ${leastMembers === undefined || leastMembers === members.length ? 'a sum is made over all of them only' : `a sum may be over ${leastMembers} of them when others stay away`}`,
  ],
]

/** A round for TensorBoard. */
export function jobEventOf(round: JobRound): ScalarEvent {
  const { claims, valid, bytesUp, pay, convictions } = round
  const bytes = Object.values(bytesUp)
  const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0)
  return {
    wallTime: round.time,
    step: round.round,
    scalars: {
      ...(valid ? { 'loss/validation': valid.loss } : {}),
      ...(valid && valid.accuracy !== null ? { accuracy: valid.accuracy } : {}),
      ...(bytes.length > 0 ? { 'bytes/up': sum(bytes) } : {}),
      ...(claims
        ? {
            'claims/delivered': claims.length,
            'claims/audited': claims.filter(({ auditor }) => auditor !== null).length,
            'claims/unheard': claims.filter(({ weight }) => weight === 0).length,
          }
        : {}),
      convictions: convictions.length,
      ...(pay ? { pay: sum(Object.values(pay).map(Number)) } : {}),
    },
  }
}
