import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { addressOfSecret, type Hex } from '@potluck/protocol'
import { freePort } from './freePort.ts'
import { keyAt } from './keyFile.ts'
import type { Layout } from './layout.ts'

/** Bits of the registry's roles. */
export const Roles = { WORKER: 1, VALIDATOR: 2, WITNESS: 4, KEEPER: 8, GATEWAY: 16, OWNER: 32, PROVIDER: 64 } as const

export type Service = 'gateway' | 'provider' | 'ledger'
export type Participant = {
  name: string
  roles: number
  service?: Service
  node: Hex
  key: Hex
  httpPort: number
  p2pPort: number
  /** Port of the service, where the participant has one. */
  servicePort: number
}
export type Plan = { chainPort: number; participants: Participant[] }

export const hospitals = ['cleveland', 'hungarian', 'switzerland', 'va'] as const
export const workers = ['worker-1', 'worker-2', 'worker-3', 'worker-4', 'worker-5'] as const
export const validators = ['validator-1', 'validator-2', 'validator-3'] as const

const { WORKER, VALIDATOR, WITNESS, KEEPER, GATEWAY, OWNER, PROVIDER } = Roles

/** Who takes part: seven of them are witnesses, of whom any five fix a round. */
const cast: { name: string; roles: number; service?: Service; port?: number }[] = [
  { name: 'archive', roles: KEEPER | WITNESS },
  { name: 'builder', roles: KEEPER | WITNESS },
  ...hospitals.map((name) => ({ name, roles: OWNER | WORKER | WITNESS })),
  ...workers.map((name) => ({ name, roles: WORKER })),
  ...validators.map((name) => ({ name, roles: VALIDATOR })),
  { name: 'provider', roles: PROVIDER, service: 'provider' },
  { name: 'gateway', roles: GATEWAY | WITNESS, service: 'gateway', port: 4180 },
  { name: 'ledger', roles: KEEPER, service: 'ledger', port: 4181 },
]

/** The plan on disk, or a new one with fresh keys and free ports; the same from then on, so that a restart finds everything. */
export async function loadPlan(layout: Layout): Promise<Plan> {
  if (existsSync(layout.plan)) return JSON.parse(readFileSync(layout.plan, 'utf8')) as Plan
  const participants: Participant[] = []
  for (const { name, roles, service, port } of cast) {
    participants.push({
      name,
      roles,
      ...(service ? { service } : {}),
      node: addressOfSecret(keyAt(layout.coldKey(name))),
      key: addressOfSecret(keyAt(layout.nodeKey(name))),
      httpPort: await freePort(),
      p2pPort: await freePort(),
      servicePort: service ? await freePort(port) : 0,
    })
  }
  const plan: Plan = { chainPort: await freePort(8545), participants }
  writeFileSync(layout.plan, `${JSON.stringify(plan, null, 2)}\n`)
  return plan
}

export function participant(plan: Plan, name: string): Participant {
  const found = plan.participants.find((each) => each.name === name)
  if (!found) throw new Error(`no participant named ${name}`)
  return found
}
