/**
 * What each event means for the tables. An event writes rows that hang on its own `seq` and changes no other row, but for
 * `vouchers.settlement` and `settlements.paid_seq`, which join events of one transaction and so vanish together.
 */
import type { Queryable } from '../database/rows.ts'
import { assetsProjections } from './assetsProjections.ts'
import { channelsProjections } from './channelsProjections.ts'
import { jobsProjections } from './jobsProjections.ts'
import type { Contracts, PlacedEvent, Projections } from './projection.ts'
import { refereeProjections } from './refereeProjections.ts'
import { registryProjections } from './registryProjections.ts'

const projections: Projections = {
  ...registryProjections,
  ...assetsProjections,
  ...jobsProjections,
  ...refereeProjections,
  ...channelsProjections,
}

/** Writes the rows that follow from an event already stored in `events`. Events that mean nothing here write none. */
export async function projectEvent(database: Queryable, event: PlacedEvent, contracts: Contracts): Promise<void> {
  await projections[`${event.contract}.${event.name}`]?.(database, event, contracts)
}
