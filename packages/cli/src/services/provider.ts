import { createProvider } from '@potluck/gateway'
import type { RunningNode } from '@potluck/node'
import { Roles } from '../network/plan.ts'
import { loadModel } from './models.ts'

/** Runs every model that jobs have published, for registered gateways; tells the network through the node's hellos. */
export async function startProvider(node: RunningNode, options: { port: number }): Promise<{ stop(): Promise<void> }> {
  const { runtime, ports } = node
  const versions = (): number[] => [...runtime.history.modelOfJob.values()]
  const provider = createProvider({
    engine: await node.engine(),
    node: runtime.context.identity.node,
    versions,
    loadModel: (version) => loadModel(node, version),
    mayOrder: async (key) => {
      const gateway = runtime.history.nodeOfKey.get(key)
      return gateway !== undefined && ((await ports.chain.read.registry.rolesOf([gateway])) & Roles.GATEWAY) !== 0
    },
    nowMs: () => ports.clock.nowMs(),
    onError: (error) => ports.log('warn', 'provider', { why: String(error) }),
  })
  const url = await provider.listen({ host: '127.0.0.1', port: options.port })
  runtime.serves = () => ({ url, versions: versions() })
  ports.log('info', 'provider listening', { url })
  return { stop: () => provider.close() }
}
