import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Chain, createChain, type Deployment, readDeployment } from '@potluck/chain'
import { describeIssues, fields, type Hex, PotluckError } from '@potluck/protocol'
import { z } from 'zod'
import { type Layout, layoutOf } from '../network/layout.ts'
import type { Participant, Plan } from '../network/plan.ts'

const port = z.number().int().min(0).max(65_535)
const planSchema = z
  .object({
    chainPort: port,
    participants: z
      .array(
        z
          .object({
            name: z.string().min(1).max(60),
            roles: z.number().int().min(0).max(127),
            service: z.enum(['gateway', 'provider', 'ledger']).optional(),
            node: fields.address,
            key: fields.address,
            httpPort: port,
            p2pPort: port,
            servicePort: port,
          })
          .strict(),
      )
      .max(1_000),
  })
  .strict()

export type NetworkOptions = {
  dir: string
  rpc?: string | undefined
  deployment?: string | undefined
  gateway?: string | undefined
  ledger?: string | undefined
}

/** Where the parts of a network are: of one brought up by `up` in a folder, or of any other by its addresses. */
export type Network = {
  layout: Layout
  /** undefined for a network that is not on this machine. */
  plan: Plan | undefined
  rpcUrl: string
  deployment: Deployment
  /** Reads only. */
  chain: Chain
  gatewayUrl: string | undefined
  ledgerUrl: string | undefined
  participants: readonly Participant[]
}

/** The plan in a folder; undefined when there is none. Throws BAD_PLAN with file and field. */
export function readPlan(layout: Layout): Plan | undefined {
  if (!existsSync(layout.plan)) return undefined
  let value: unknown
  try {
    value = JSON.parse(readFileSync(layout.plan, 'utf8'))
  } catch (cause) {
    throw badPlan(layout.plan, `cannot be read: ${(cause as Error).message}`, cause)
  }
  const parsed = planSchema.safeParse(value)
  if (parsed.success) return parsed.data as Plan
  throw badPlan(layout.plan, describeIssues(parsed.error))
}

const badPlan = (file: string, why: string, cause?: unknown): PotluckError =>
  new PotluckError(
    'BAD_PLAN',
    `${file}: ${why}; put the file back as \`potluck up\` wrote it`,
    { file },
    { cause, remedy: 'fix-setup' },
  )

export const serviceUrl = (plan: Plan | undefined, service: 'gateway' | 'ledger'): string | undefined => {
  const found = plan?.participants.find((one) => one.service === service)
  return found && `http://127.0.0.1:${found.servicePort}`
}

/** The network that a command is about. Throws NO_NETWORK, BAD_PLAN or BAD_DEPLOYMENT; asks nothing of it yet. */
export function networkAt(options: NetworkOptions): Network {
  const layout = layoutOf(resolve(options.dir))
  const plan = readPlan(layout)
  const deploymentFile = options.deployment ?? layout.deployment
  const rpcUrl = options.rpc ?? (plan && `http://127.0.0.1:${plan.chainPort}`)
  if (rpcUrl === undefined || (options.deployment === undefined && !existsSync(deploymentFile))) {
    throw new PotluckError(
      'NO_NETWORK',
      `no network in ${layout.root}: bring one up with \`potluck up --dir ${options.dir}\`, name the folder of one with --dir, or name --rpc and --deployment of another`,
      { dir: layout.root },
      { remedy: 'fix-setup' },
    )
  }
  const deployment = readDeployment(deploymentFile)
  return {
    layout,
    plan,
    rpcUrl,
    deployment,
    chain: createChain({ rpcUrl, deployment }),
    gatewayUrl: options.gateway ?? serviceUrl(plan, 'gateway'),
    ledgerUrl: options.ledger ?? serviceUrl(plan, 'ledger'),
    participants: plan?.participants ?? [],
  }
}

/** A participant by name. Throws UNKNOWN_PARTICIPANT with the names there are. */
export function participantOf(network: Pick<Network, 'participants' | 'layout'>, name: string): Participant {
  const found = network.participants.find((one) => one.name === name)
  if (found) return found
  const names = network.participants.map((one) => one.name).join(', ') || 'none'
  throw new PotluckError(
    'UNKNOWN_PARTICIPANT',
    `nobody named "${name.slice(0, 60)}" in ${network.layout.root}: there are ${names}`,
    { seen: name.slice(0, 60) },
  )
}

/** The participant's name, or the short address of a stranger. */
export const nameOfNode = (network: Pick<Network, 'participants'>, node: string): string =>
  network.participants.find((one) => one.node === node || one.key === node)?.name ?? `${node.slice(0, 10)}…`

/** The account in the network's folder that acts under this name: a participant's or a caller's cold key. */
export function coldKeyFile(network: Network, name: string): string {
  const file = network.layout.coldKey(name)
  if (/^[\w-]{1,60}$/.test(name) && existsSync(file)) return file
  throw new PotluckError(
    'KEY_MISSING',
    `no key of "${name.slice(0, 60)}" at ${file}: name a participant of the network, or a key file with --key`,
    { file },
    { remedy: 'fix-setup' },
  )
}

/** The token of the deployment with this symbol (SALT too), or at this address; the first one when none is named. */
export function tokenOf(deployment: Deployment, wanted?: string): { symbol: string; address: Hex; decimals: number } {
  const salt = { symbol: 'SALT', address: deployment.contracts.salt, decimals: 18 }
  const all = [...deployment.tokens, salt]
  const found =
    wanted === undefined
      ? all[0]
      : all.find((one) => one.symbol.toLowerCase() === wanted.toLowerCase() || one.address === wanted.toLowerCase())
  if (found) return found
  const known = all.map(({ symbol }) => symbol).join(', ')
  throw new PotluckError('UNKNOWN_TOKEN', `no token "${wanted?.slice(0, 60)}" in this deployment: there are ${known}`, {
    seen: wanted?.slice(0, 60) ?? '',
  })
}
