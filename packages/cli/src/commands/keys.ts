import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createChain } from '@potluck/chain'
import { readKey } from '@potluck/node'
import { addressOfSecret, nodeKeyDigest, PotluckError, registryDomain, signDigest, toHex } from '@potluck/protocol'
import { keyAt, newKey } from '../network/keyFile.ts'
import { refuel } from './account.ts'
import { checkKeyFile } from './checkKeyFile.ts'
import { type NetworkOptions, networkAt, participantOf } from './networkAt.ts'
import type { Printed } from './printed.ts'

/** Makes a key file. Throws KEY_EXISTS rather than overwrite one, CANNOT_WRITE with the reason. */
export function newKeyFile(file: string): Printed {
  try {
    const address = addressOfSecret(newKey(file))
    return {
      value: { file, address },
      lines: [`${address}`, `The key is in ${file}, readable by you only. Keep a copy elsewhere: it is nowhere else.`],
    }
  } catch (cause) {
    if (cause instanceof PotluckError) throw cause
    const message = `cannot write ${file}: ${(cause as Error).message}; choose a file in a folder you may write to`
    throw new PotluckError('CANNOT_WRITE', message, { file }, { cause, remedy: 'fix-setup' })
  }
}

/** The account of a key file. Throws KEY_MISSING, BAD_KEY or KEY_EXPOSED. */
export function keyAddress(file: string): Printed {
  const address = checkKeyFile(file)
  return { value: { file, address }, lines: [address] }
}

/**
 * Gives a node of the network folder a new node key: made, proven and registered with the node's cold key, then put in the old one's place,
 * which is kept beside it. Goes on where an earlier try stopped: the chain says which of the two keys counts.
 */
export async function rotateKey(options: NetworkOptions & { node: string }): Promise<Printed> {
  const network = networkAt(options)
  const { layout, deployment, rpcUrl } = network
  const one = participantOf(network, options.node)
  const file = layout.nodeKey(one.name)
  const next = `${file}.next`
  const cold = createChain({ rpcUrl, deployment, secret: readKey(layout.coldKey(one.name)) })
  await refuel(network, one.node)
  const before = await cold.read.registry.keyOf([one.node])
  const secret = keyAt(next)
  const key = addressOfSecret(secret)
  if (before !== key) {
    const digest = nodeKeyDigest(registryDomain(deployment.chainId, deployment.contracts.registry), one.node)
    await cold.send('registry', 'setNodeKey', [key, toHex(signDigest(digest, secret))])
  }
  const canPay = await refuel(network, key)
  const kept = `${file}.until-${key.slice(2, 10)}`
  if (existsSync(file)) renameSync(file, kept)
  renameSync(next, file)
  rememberKey(layout.plan, one.name, key)
  const lines = [
    `${one.name} signs with ${key} from now on; the chain no longer takes ${before}.`,
    `The old key is kept in ${kept}. Restart the node: it reads its key when it starts.`,
    ...(canPay ? [] : [`Send ${key} coins for gas first: it has none.`]),
    ...(one.service === 'gateway'
      ? ['Channels name the old key as the one that may claim: settle before, and open new channels.']
      : []),
  ]
  return { value: { node: one.node, name: one.name, key, before, file, kept }, lines }
}

function rememberKey(planFile: string, name: string, key: string): void {
  const plan = JSON.parse(readFileSync(planFile, 'utf8')) as { participants: { name: string; key: string }[] }
  for (const one of plan.participants) if (one.name === name) one.key = key
  writeFileSync(`${planFile}.new`, `${JSON.stringify(plan, null, 2)}\n`)
  renameSync(`${planFile}.new`, planFile)
}
