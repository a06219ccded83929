/** Which nodes a job lacks, what keeps out those there are, and the nearest terms at which there would be enough (L-74). */
import { isWithin } from '@potluck/protocol'
import type { Candidate, JobFill } from './jobGaps.ts'

export const ROLES = [
  { name: 'worker', many: 'workers', bit: 1, bond: 'workerBond', least: 'minWorkers' },
  { name: 'validator', many: 'validators', bit: 2, bond: 'validatorBond', least: 'minValidators' },
  { name: 'witness', many: 'witnesses', bit: 4, bond: 'witnessBond', least: 'minWitnesses' },
] as const
type Role = (typeof ROLES)[number]
type Job = Pick<JobFill, 'kind' | 'terms' | 'datasets' | 'candidates'>

const OWNER = 32

/** What keeps a node from a role it is registered for. */
type Demand = 'region' | 'leave' | 'bond'
/** A node that has the role; nothing is `against` one that could come. */
type Standing = { candidate: Candidate; free: bigint; against: Demand[] }

export function memberGaps(job: Job, salt: (wei: bigint) => string): string[] {
  const gaps = ROLES.flatMap((role) => roleGap(job, role, salt))
  const owners = ownersOf(job)
  if (job.kind === 'tabular' && owners.size < 3)
    gaps.push(
      `data: the ${job.datasets.length} tables belong to ${owners.size}: a private job needs those of 3 owners, or a sum would show one's rows`,
    )
  return gaps
}

function ownersOf({ datasets }: Job): Set<string> {
  return new Set(datasets.filter(({ isThere }) => isThere).map(({ owner }) => owner.toLowerCase()))
}

/** Countries that each dataset is kept to; a private table stays at home, wherever that is. */
const keptTo = ({ kind, datasets }: Job): (readonly string[])[] =>
  kind === 'language' ? datasets.flatMap(({ residency }) => (residency ? [residency] : [])) : []

/** All that have the role, each with what is against it. A node that has several roles needs the bond of each, in the order of roles. */
function standingsOf(job: Job, wanted: Role): Standing[] {
  const { kind, terms } = job
  const owners = ownersOf(job)
  const kept = keptTo(job)
  const has = ({ roles, node }: Candidate, { bit }: Role): boolean => {
    if ((roles & bit) === 0) return false
    if (bit !== 1) return true
    return kind === 'tabular' ? owners.has(node.toLowerCase()) : (roles & OWNER) === 0
  }
  return job.candidates.flatMap((candidate) => {
    let free = candidate.freeBond
    for (const role of ROLES) {
      const bond = terms[role.bond]
      const against: Demand[] = []
      if (!kept.every((allowed) => isWithin(candidate.region, allowed))) against.push('region')
      if (bond > 0n && !candidate.isWilling) against.push('leave')
      if (free < bond) against.push('bond')
      if (role.bit === wanted.bit) return has(candidate, role) ? [{ candidate, free, against }] : []
      if (has(candidate, role) && against.length === 0) free -= bond
    }
    return []
  })
}

const comeFor = (job: Job, role: Role): number =>
  standingsOf(job, role).filter(({ against }) => against.length === 0).length

function roleGap(job: Job, role: Role, salt: (wei: bigint) => string): string[] {
  const { kind, terms } = job
  const { name, many, least, bond } = role
  const standings = standingsOf(job, role)
  const count = standings.filter(({ against }) => against.length === 0).length
  const missing = terms[least] - count
  if (missing <= 0) return []
  const who = kind === 'tabular' && name === 'worker' ? 'owners of the tables, with nodes that work,' : many
  const kept = keptTo(job)
  const where =
    kept.length > 0 ? `, in ${kept.map((allowed) => allowed.join(' or ')).join(' and ')} as the data wants` : ''
  const ways = demands.flatMap((demand) => {
    const keptOut = standings.filter(({ against }) => against.includes(demand))
    if (keptOut.length === 0) return []
    const alone = keptOut
      .filter(({ against }) => against.length === 1)
      .sort((a, b) => (a.free === b.free ? 0 : a.free < b.free ? 1 : -1))
    const change = changes[demand]
    const then =
      alone.length >= missing
        ? change.fill(job, role, alone.slice(0, missing), salt)
        : `that alone would bring ${alone.length} of the ${missing} missing`
    return [{ keptOut: keptOut.length, text: `${change.said(job, role, salt)} keeps ${keptOut.length} out: ${then}` }]
  })
  const others = ways.toSorted((a, b) => b.keptOut - a.keptOut).map(({ text }) => `. ${text}`)
  // A private job is for all of its owners, and no job starts with nobody.
  const fewer = count > 0 && who === many ? `, or lower members.${least} to ${count}` : ''
  return [
    `members: ${terms[least]} ${who} are needed, ${count} could come: register ${missing} more with the role ${name} and ${salt(terms[bond])} SALT free each${where}${fewer}${others.join('')}`,
  ]
}

const demands = ['bond', 'leave', 'region'] as const satisfies readonly Demand[]

type Change = {
  said(job: Job, role: Role, salt: (wei: bigint) => string): string
  /** The nearest terms at which all of these would come, as text. */
  fill(job: Job, role: Role, those: readonly Standing[], salt: (wei: bigint) => string): string
}

const changes: Record<Demand, Change> = {
  bond: {
    said: ({ terms }, { name, bond }, salt) => `bonds.${name} of ${salt(terms[bond])}`,
    fill(job, role, those, salt) {
      const nearest = those.reduce((least, { free }) => (free < least ? free : least), job.terms[role.bond])
      const changed = { ...job, terms: { ...job.terms, [role.bond]: nearest } }
      // What a node locks for one role it lacks for the next.
      const isFilled = ROLES.every(
        (one) =>
          comeFor(changed, one) >=
          (one === role ? job.terms[one.least] : Math.min(comeFor(job, one), job.terms[one.least])),
      )
      return isFilled ? `${salt(nearest)} would fill it` : 'a lower one would take nodes from another role'
    },
  },
  leave: {
    said: () => 'leave for the contract of jobs to lock a bond, which a node gives in the registry,',
    fill: (_job, _role, those) =>
      `${listed(those.map(({ candidate }) => candidate.node))} could give it, which would fill it`,
  },
  region: {
    said: (job) =>
      `the data's residence (${keptTo(job)
        .map((allowed) => allowed.join(' or '))
        .join(' and ')})`,
    fill(_job, _role, those) {
      const named = [...new Set(those.flatMap(({ candidate: { region } }) => (region === undefined ? [] : [region])))]
      const silent = those.filter(({ candidate: { region } }) => region === undefined).length
      const ways = [
        ...(named.length > 0 ? [`leave of its owner for ${listed(named.sort())}`] : []),
        ...(silent > 0 ? [`a region inside in the config of the ${silent} that name none`] : []),
      ]
      return `${ways.join(' and ')} would fill it`
    },
  },
}

const listed = (words: readonly string[]): string => words.join(', ')
