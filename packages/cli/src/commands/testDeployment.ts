import { readDeployment } from '@potluck/chain'

const at = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`

/** A deployment of nothing, for tests that ask no chain. */
export const testDeployment = readDeployment(
  JSON.stringify({
    name: 'test',
    chainId: 31_337,
    block: 1,
    contracts: {
      salt: at(1),
      registry: at(2),
      assets: at(3),
      jobs: at(4),
      referee: `0x${'77'.repeat(20)}`,
      judge: at(5),
      channels: at(6),
    },
    tokens: [{ symbol: 'USDP', address: at(7), decimals: 6 }],
    settings: { confirmations: 1, pollMs: 100 },
  }),
)
