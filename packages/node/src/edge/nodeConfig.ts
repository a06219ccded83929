import { country, describeIssues, fields, PotluckError } from '@potluck/protocol'
import { z } from 'zod'

/** A private table that this node owns, and the asset it becomes. */
const datasetConfig = z
  .object({
    /** Comma-separated file without a header; never leaves this process. */
    table: z.string().min(1).max(4_096),
    schema: z.literal('heart'),
    /** Lines, from 0, kept out of training: the model is evaluated on them here. */
    testLines: z.array(z.number().int().min(0)).max(1_000_000),
    name: z.string().min(1).max(100),
    description: z.string().max(2_000),
    licence: z.string().max(2_000),
    source: z.string().max(2_000),
    /** Bits: TRAIN 1, EVALUATE 2, DERIVE 4, SERVE 8, COMMERCIAL 16. */
    purposes: z.number().int().min(0).max(31),
    /** What may be learnt about any one row, over all jobs; without it nothing is refused, and no noise is asked for (P-59). */
    privacy: z
      .object({ epsilon: z.number().positive().max(1_000), delta: z.number().positive().max(0.01) })
      .strict()
      .optional(),
    /** Least part of a model's income that this dataset asks for, in millionths. */
    minSharePpm: z.number().int().min(0).max(1_000_000),
    /** Paid once by each training job, in units of the first token. */
    trainPriceUnits: fields.amount,
    /** Part of the dataset's income that goes to the people behind it, in millionths, by weight. */
    contributorsSharePpm: z.number().int().min(0).max(1_000_000),
    contributors: z.array(z.object({ account: fields.address, weight: fields.amount }).strict()).max(10_000),
  })
  .strict()
export type DatasetConfig = z.infer<typeof datasetConfig>

/** Everything a node is told: where the chain is, one address of the network, and what it is. */
export const nodeConfig = z
  .object({
    /** Folder of the node's key, state and blocks. */
    dir: z.string().min(1).max(4_096),
    rpcUrl: z.string().url().max(500),
    /** Where the contracts are: a file written by the deployment. */
    deployment: z.string().min(1).max(4_096),
    /** File with the node key, 32 bytes in hex; readable by its owner only. */
    keyFile: z.string().min(1).max(4_096),
    /** Cold address: owns the bond, is paid. */
    node: fields.address,
    /** Bits: WORKER 1, VALIDATOR 2, WITNESS 4, KEEPER 8, GATEWAY 16, OWNER 32, PROVIDER 64. */
    roles: z.number().int().min(0).max(127),
    /** Country this machine is in (ISO 3166-1 alpha-2, such as DE): without it the node takes no work on data that is kept to some. */
    region: country.optional(),
    host: z.string().max(100).default('127.0.0.1'),
    /** Blocks and status over HTTP; 0 takes a free port. */
    httpPort: z.number().int().min(0).max(65_535).default(0),
    p2pPort: z.number().int().min(0).max(65_535).default(0),
    bootstrap: z.array(z.string().max(300)).max(16).default([]),
    logLevel: z.enum(['debug', 'info', 'warn']).default('info'),
    dataset: datasetConfig.optional(),
    /** Sums below this many token units wait before they are collected. */
    collectLeastUnits: fields.amount.default('1'),
    /** Faults for drills: `lazy` works a quarter of its steps and claims them all. */
    fault: z.enum(['none', 'lazy']).default('none'),
  })
  .strict()
export type NodeConfig = z.infer<typeof nodeConfig>

/** The configuration in a value from outside. Throws BAD_CONFIG with the option, the value's fault and what is expected. */
export function readNodeConfig(value: unknown, source: string): NodeConfig {
  const parsed = nodeConfig.safeParse(value)
  if (parsed.success) return parsed.data
  throw new PotluckError(
    'BAD_CONFIG',
    `${source}: ${describeIssues(parsed.error)}`,
    { source },
    { remedy: 'fix-setup' },
  )
}
