import { readFileSync } from 'node:fs'
import { type NodeConfig, type RunningNode, readNodeConfig, startNode } from '@potluck/node'
import { describeIssues, PotluckError } from '@potluck/protocol'
import { z } from 'zod'

const port = z.number().int().min(0).max(65_535)
const processConfig = z
  .object({
    node: z.record(z.unknown()),
    /** Serves models to gateways. */
    provider: z.object({ port }).strict().optional(),
    /** Sells models by the call over the OpenAI API. */
    gateway: z
      .object({ port, config: z.record(z.unknown()).optional() })
      .strict()
      .optional(),
    /** Keeps the indexed record in Postgres. */
    ledger: z
      .object({ port, databaseUrl: z.string().min(1).max(1_000) })
      .strict()
      .optional(),
  })
  .strict()

const STOP_MS = 3_000

type Stoppable = { stop(): Promise<void> }

/** One participant: the node, and the service on top of it where it has one. Runs until SIGTERM, Ctrl-C or its supervisor's end. */
export async function runNode(file: string): Promise<void> {
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new PotluckError(
      'BAD_CONFIG',
      `cannot read ${file}: ${(cause as Error).message}`,
      { file },
      { cause, remedy: 'fix-setup' },
    )
  }
  const config = processConfig.safeParse(parsed)
  if (!config.success)
    throw new PotluckError('BAD_CONFIG', `${file}: ${describeIssues(config.error)}`, { file }, { remedy: 'fix-setup' })
  const stop = new AbortController()
  const end = (): void => stop.abort(new Error('asked to stop'))
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
  process.once('disconnect', end)
  const nodeConfig = readNodeConfig(config.data.node, file)
  const node = await startNode(nodeConfig, stop.signal)
  const services = await startServices(node, config.data, nodeConfig)
  if (!stop.signal.aborted)
    await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }))
  // Everything kept is on disk already: a peer that does not hang up must not hold a process back.
  setTimeout(() => process.exit(0), STOP_MS).unref()
  for (const service of services) await service.stop()
  await node.stop()
  process.exit(0)
}

/** Loaded only where they are asked for: a worker needs neither a database nor a web server. */
async function startServices(
  node: RunningNode,
  config: z.infer<typeof processConfig>,
  { dir, rpcUrl }: NodeConfig,
): Promise<Stoppable[]> {
  const services: Stoppable[] = []
  if (config.provider)
    services.push(await (await import('../services/provider.ts')).startProvider(node, config.provider))
  if (config.gateway)
    services.push(await (await import('../services/gateway.ts')).startGateway(node, { ...config.gateway, dir }))
  if (config.ledger)
    services.push(await (await import('../services/ledger.ts')).startLedger(node, { ...config.ledger, rpcUrl }))
  return services
}
