/** Who takes part: keys, roles and private tables of the twenty nodes, the same in every run. */
import { parseHeartCsv } from '@potluck/learning'
import type { DatasetConfig } from '@potluck/node'
import { addressOfSecret, sha256, utf8 } from '@potluck/protocol'
import { Draws } from './Draws.ts'
import type { NodePlan } from './SimNode.ts'

export const WORKERS = 8
export const VALIDATORS = 4
const KEEPERS = 5
export const OWNERS = 3
/** Two of the owners are witnesses too. */
export const WITNESSES = KEEPERS + 2
export const FIRST_VALIDATOR = WORKERS
export const FIRST_KEEPER = WORKERS + VALIDATORS
export const FIRST_OWNER = FIRST_KEEPER + KEEPERS

const WORKER = 1
const VALIDATOR = 2
const WITNESS = 4
const KEEPER = 8
const OWNER = 32

const ALL_PURPOSES = 31
const ROWS = 12

export const secretOf = (name: string): Uint8Array => sha256(utf8(`potluck sim ${name}`))

function rolesOf(index: number): number {
  if (index < FIRST_VALIDATOR) return WORKER
  if (index < FIRST_KEEPER) return VALIDATOR
  if (index < FIRST_OWNER) return WITNESS | KEEPER
  return WORKER | OWNER | (index < FIRST_OWNER + 2 ? WITNESS : 0)
}

/** A made-up table in the layout of the heart data; its decimals occur nowhere else, so that a leak would be found. */
function tableOf(index: number): NonNullable<NodePlan['table']> {
  const draws = new Draws(index, 'table')
  const decimals = (from: number, to: number): string => (from + draws.uniform() * (to - from)).toFixed(6)
  const lines = Array.from({ length: ROWS }, (_, row) => {
    const numbers = [decimals(90, 180), decimals(150, 350)]
    const categories = [draws.between(0, 1), draws.between(0, 2)]
    return [
      decimals(30, 75),
      draws.between(0, 1),
      draws.between(1, 4),
      ...numbers,
      ...categories,
      decimals(80, 200),
      draws.between(0, 1),
      decimals(0, 4),
      '?,?,?',
      row % 2,
    ].join(',')
  })
  const dataset: DatasetConfig = {
    table: `table-${index}.csv`,
    schema: 'heart',
    testLines: [0, 1],
    name: `Table ${index}`,
    description: 'Made up.',
    licence: 'train and sell',
    source: 'none',
    purposes: ALL_PURPOSES,
    minSharePpm: 100_000,
    trainPriceUnits: 1_000_000n,
    contributorsSharePpm: 0,
    contributors: [],
  }
  return { dataset, rows: parseHeartCsv(lines.join('\n'), { file: dataset.table }) }
}

export function planOf(index: number): NodePlan {
  const secret = secretOf(`node ${index}`)
  return {
    index,
    identity: {
      node: addressOfSecret(secretOf(`cold ${index}`)),
      secret,
      key: addressOfSecret(secret),
      url: `http://node-${index}.sim`,
      roles: rolesOf(index),
    },
    ...(index >= FIRST_OWNER && { table: tableOf(index) }),
  }
}

export const NODES = FIRST_OWNER + OWNERS
