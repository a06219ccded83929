import { fields } from '@potluck/protocol'
import { z } from 'zod'

const count = z.number().int().min(0)
const jobStatus = z.object({
  job: count,
  round: count,
  isOver: z.boolean(),
  workers: z.array(fields.address),
  expelled: z.array(fields.address),
  beats: z.array(
    z.object({ worker: fields.address, share: count, step: count, steps: count, loss: z.number(), ageMs: z.number() }),
  ),
  commits: z.array(z.object({ worker: fields.address, share: count })),
  claims: z.array(z.object({ worker: fields.address, share: count, loss: z.number(), update: fields.hash })),
  handedIn: z.array(z.object({ round: count, share: count, bytes: count })),
})
const statusSchema = z.object({
  node: fields.address,
  url: z.string(),
  p2p: z.object({ addresses: z.array(z.string()), peers: z.array(z.object({ peerId: z.string() }).passthrough()) }),
  known: z.array(z.object({ node: fields.address, url: z.string() }).passthrough()),
  evaluations: z.array(z.object({ version: count, correct: count, rows: count })),
  jobs: z.array(jobStatus),
})
export type NodeStatus = z.infer<typeof statusSchema>

/** What a node says of itself at `url`. Throws when it is down or answers with something else. */
export async function nodeStatus(url: string): Promise<NodeStatus> {
  const response = await fetch(`${url}/status`, { signal: AbortSignal.timeout(3_000) })
  return statusSchema.parse(await response.json())
}
