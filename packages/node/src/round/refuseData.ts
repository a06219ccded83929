import { isWithin } from '@potluck/protocol'

/** TRAIN, the first of the purposes of a licence. */
const TRAIN = 1

export type DataOfJob = {
  /** Bits of the purposes that the job asked its datasets for; the contract made sure that each grants them all. */
  purpose: number
  /** Versions that the job names, and pays. */
  named: readonly number[]
  /** Those of them whose content is the text that the job trains on. */
  ofText: readonly number[]
  /** Where each named version may be worked on; versions that do not say are left out. */
  residencies: ReadonlyMap<number, readonly string[]>
}

/** Why a node in `region` takes no part in work on this data, with what would help; undefined when it may (P-54, P-55). */
export function refuseData(
  region: string | undefined,
  { purpose, named, ofText, residencies }: DataOfJob,
): string | undefined {
  if (named.length > 0 && (purpose & TRAIN) === 0)
    return `P-54: the job names version ${named.join(', ')} but did not ask for the purpose TRAIN`
  if (named.length > 0 && ofText.length === 0)
    return `P-54: the job names version ${named.join(', ')} but trains on another text: name the version that it is`
  const why = refuseRegion(region, residencies)
  return why && `P-55: ${why}; a node says where it is with \`region\` in its config`
}

/** Why whoever says it is in `region` may not work on these datasets; undefined when it may. */
export function refuseRegion(region: string | undefined, residencies: DataOfJob['residencies']): string | undefined {
  for (const [version, allowed] of residencies) {
    if (isWithin(region, allowed)) continue
    return `version ${version} may be worked on in ${allowed.join(', ')} only, the node ${region === undefined ? 'names no region' : `is in ${region}`}`
  }
  return undefined
}
