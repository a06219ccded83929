import { join } from 'node:path'
import { encode } from '@ipld/dag-cbor'
import { chainLedger, createGateway, gatewayConfig } from '@potluck/gateway'
import type { RunningNode } from '@potluck/node'
import { type CallReceipt, describeIssues, PotluckError, sha256, toHex } from '@potluck/protocol'
import { DAG_CBOR } from '@potluck/store'
import { Roles } from '../network/plan.ts'
import { describeVersion, slug } from './models.ts'

/** Receipt batches that go on being announced; older ones are found by who asks the gateway. */
const BATCHES_REPEATED = 16

/** Sells the models of all providers it hears of; the node key claims vouchers and signs receipts, the cold address is credited. */
export async function startGateway(
  node: RunningNode,
  options: { port: number; dir: string; config?: Record<string, unknown> | undefined },
): Promise<{ stop(): Promise<void> }> {
  const { runtime, ports } = node
  const { identity, directory, outbox } = runtime.context
  const [token] = ports.chain.deployment.tokens
  const parsed = gatewayConfig.safeParse({
    operator: identity.key,
    gateway: identity.node,
    token: token?.address,
    settleEveryMs: 3_600_000,
    // In millionths of a dollar: a character read, a character written, a row predicted.
    prices: { prompt: '20', completion: '100', predict: '20000' },
    ...options.config,
  })
  if (!parsed.success)
    throw new PotluckError('BAD_CONFIG', `gateway: ${describeIssues(parsed.error)}`, {}, { remedy: 'fix-setup' })

  const announced: string[] = []
  async function publishReceipts(receipts: CallReceipt[]): Promise<void> {
    const written = receipts.map((receipt) => ({
      ...receipt,
      from: receipt.from.toString(),
      to: receipt.to.toString(),
    }))
    const block = encode({ type: 'receipts', receipts: written })
    await ports.store.put(block, DAG_CBOR)
    const body = { digest: toHex(sha256(block)), count: receipts.length, url: identity.url }
    // Stands for a while: whoever was away hears of it later.
    announced.push(`receipts/${body.digest}`)
    for (const old of announced.splice(0, Math.max(0, announced.length - BATCHES_REPEATED))) outbox.drop(old)
    await outbox.stand(`receipts/${body.digest}`, { kind: 'receipts', body })
  }

  const gateway = createGateway({
    config: parsed.data,
    nodeSecret: identity.secret,
    ledger: chainLedger(ports.chain),
    databaseFile: join(options.dir, 'payments.db'),
    listProviders: () =>
      directory
        .withRoles(Roles.PROVIDER, ports.clock.nowMs())
        .flatMap(({ node: provider, serves }) => (serves ? [{ node: provider, ...serves }] : [])),
    describeModel: async (version) => {
      const { digest, document } = await describeVersion(node, version)
      return { name: slug(document.name), createdSeconds: 0, digest, ownedBy: 'potluck' }
    },
    publishReceipts,
    nowMs: () => ports.clock.nowMs(),
    randomBytes: (length) => ports.random(length),
    onError: (error) => ports.log('warn', 'gateway', { why: String(error) }),
  })
  // Its owner's word to settle now instead of at the next hour.
  process.on('SIGUSR2', () => {
    gateway.settle().catch((error: unknown) => ports.log('warn', 'settlement', { why: String(error) }))
  })
  const url = await gateway.listen({ host: '127.0.0.1', port: options.port })
  ports.log('info', 'gateway listening', { url })
  return { stop: () => gateway.close() }
}
