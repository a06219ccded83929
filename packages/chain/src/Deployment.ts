import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { describeIssues, type Hex, PotluckError } from '@potluck/protocol'
import { z } from 'zod'

const address = z.custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-fA-F]{40}$/.test(value), {
  message: 'expected an address: 0x and 40 hex digits',
})
const lowerCaseAddress = address.transform((text) => text.toLowerCase() as Hex)

export const deploymentSchema = z
  .object({
    name: z.string().min(1).max(64),
    chainId: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
    /** Block of the first contract: nothing of this deployment happened before it. */
    block: z.number().int().min(0),
    contracts: z
      .object({
        salt: lowerCaseAddress,
        registry: lowerCaseAddress,
        assets: lowerCaseAddress,
        jobs: lowerCaseAddress,
        judge: lowerCaseAddress,
        channels: lowerCaseAddress,
        /** Judge of exact jobs; `judge` decides by vote. */
        referee: lowerCaseAddress,
      })
      .strict(),
    tokens: z
      .array(
        z.object({ symbol: z.string().max(20), address: lowerCaseAddress, decimals: z.number().int().min(0).max(36) }),
      )
      .max(16),
    settings: z
      .object({
        /** Blocks, its own included, before what a block says is relied on. 1 on an embedded chain. */
        confirmations: z.number().int().min(1).max(1_000),
        /** How often a waiting client asks the chain, in milliseconds. */
        pollMs: z.number().int().min(20).max(60_000),
        /** Blocks in one request for logs; public endpoints refuse more than they like. */
        logBlocks: z.number().int().min(1).max(1_000_000).default(5_000),
      })
      .strict(),
  })
  .strict()

/** Where the contracts of one network stand and how to talk to its chain. */
export type Deployment = z.infer<typeof deploymentSchema>

/** The deployment in a file, or in the JSON text itself. Throws BAD_DEPLOYMENT with the field that is wrong. */
export function readDeployment(fileOrJsonText: string): Deployment {
  const isText = fileOrJsonText.trimStart().startsWith('{')
  const source = isText ? 'the text given' : fileOrJsonText
  let value: unknown
  try {
    value = JSON.parse(isText ? fileOrJsonText : readFileSync(fileOrJsonText, 'utf8'))
  } catch (cause) {
    const message = `cannot read a deployment from ${source}: ${(cause as Error).message}; deploy first or name the right file`
    throw new PotluckError('BAD_DEPLOYMENT', message, { source }, { cause, remedy: 'fix-setup' })
  }
  const parsed = deploymentSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const message = `${source} is not a deployment: ${describeIssues(parsed.error)}`
  throw new PotluckError('BAD_DEPLOYMENT', message, { source }, { remedy: 'fix-setup' })
}

/** Writes the deployment as JSON; a reader sees the old file or the whole new one. */
export function writeDeployment(file: string, deployment: Deployment): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(deployment, null, 2)}\n`)
  renameSync(`${file}.new`, file)
}

/** What the gossip messages of this network carry as `network`: chain id and the address of Jobs. */
export const networkName = ({ chainId, contracts }: Deployment): string => `${chainId}:${contracts.jobs.toLowerCase()}`
