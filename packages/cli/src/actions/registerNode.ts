import type { Chain } from '@potluck/chain'
import { type Hex, nodeKeyDigest, registryDomain, signDigest, toHex } from '@potluck/protocol'

const ZERO: Hex = `0x${'00'.repeat(20)}`

/**
 * Registers a node and puts up its bond, with its cold key: each step is looked up first, so that a repeated call only does what is left.
 *
 * @param cold client of the cold key
 * @param nodeSecret of the node key, which must prove that it belongs here
 * @param bondWei SALT to have bonded in all
 */
export async function registerNode(
  cold: Chain,
  options: { nodeSecret: Uint8Array; nodeKey: Hex; roles: number; endpoint: string; bondWei: bigint },
): Promise<void> {
  const { contracts, chainId } = cold.deployment
  const node = cold.account as Hex
  const lockers = [contracts.jobs, contracts.referee]
  const [key, bonded, ...isAllowed] = await Promise.all([
    cold.read.registry.keyOf([node]),
    cold.read.registry.bondOf([node]),
    ...lockers.map((locker) => cold.read.registry.isLockerAllowed([node, locker])),
  ])
  const missing = options.bondWei - bonded
  const steps: Promise<unknown>[] = []
  if (key === ZERO) {
    const proof = toHex(
      signDigest(nodeKeyDigest(registryDomain(chainId, contracts.registry), node), options.nodeSecret),
    )
    await cold.send('registry', 'register', [options.nodeKey, options.roles, options.endpoint, proof])
  }
  lockers.forEach((locker, i) => {
    if (!isAllowed[i]) steps.push(cold.send('registry', 'allowLocker', [locker, true]))
  })
  if (missing > 0n) {
    steps.push(
      cold.send('salt', 'approve', [contracts.registry, missing]).then(() => cold.send('registry', 'bond', [missing])),
    )
  }
  await Promise.all(steps)
}
