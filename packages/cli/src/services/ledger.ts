import { connectLedgerChain, createLedger } from '@potluck/ledger'
import type { RunningNode } from '@potluck/node'
import { codeOf } from '@potluck/protocol'
import { DAG_CBOR } from '@potluck/store'

/** Keeps the indexed record of the network this node is in, and answers for it over HTTP. */
export async function startLedger(
  node: RunningNode,
  options: { port: number; databaseUrl: string; rpcUrl: string },
): Promise<{ stop(): Promise<void> }> {
  const { runtime, ports } = node
  const ledger = await createLedger({
    chain: connectLedgerChain(ports.chain, options.rpcUrl),
    databaseUrl: options.databaseUrl,
    fetchDocument: async (digest) => {
      try {
        return await ports.fetch(digest, DAG_CBOR, runtime.sources())
      } catch (error) {
        if (codeOf(error) === 'NOT_FOUND' || codeOf(error) === 'BAD_BLOCK') return undefined
        throw error
      }
    },
    onReceipts: (handler) =>
      runtime.onMessage((message) => {
        if (message.kind === 'receipts') handler(message.body)
      }),
    onBeat: (handler) =>
      runtime.onMessage((message) => {
        if (message.kind === 'beat') handler(message.body, message.node, message.atMs)
      }),
    clock: () => ports.clock.nowMs(),
    listen: { host: '127.0.0.1', port: options.port },
    log: (line) => ports.log('debug', 'ledger', { line }),
  })
  ports.log('info', 'ledger listening', { url: ledger.url })
  return { stop: () => ledger.close() }
}
