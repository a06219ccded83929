import { auditReport, type Hex, payoutDocument } from '@potluck/protocol'
import { DAG_CBOR } from '@potluck/store'
import { decodeDocument } from './decodeDocument.ts'
import type { JobFacts } from './JobFacts.ts'
import type { Ports } from './Ports.ts'
import type { PayLeaf } from './round/payouts.ts'

/** The list of cumulative pay behind the last final round of a job; empty before the first. Whoever uses it checks its root. */
export async function payoutList(
  ports: Pick<Ports, 'fetch'>,
  facts: Pick<JobFacts, 'finalAuditRoot'>,
  sources: readonly string[],
): Promise<PayLeaf[]> {
  if (!facts.finalAuditRoot) return []
  const report = decodeDocument(auditReport, await ports.fetch(facts.finalAuditRoot, DAG_CBOR, sources))
  const payout: Hex = report.payout
  return decodeDocument(payoutDocument, await ports.fetch(payout, DAG_CBOR, sources)).leaves
}
