import { table } from '../demo/Screen.ts'
import type { Participant } from '../network/plan.ts'
import { type Finding, wrong } from './Finding.ts'
import { diskFindings, keyFindings, portFindings } from './localFindings.ts'
import { type Network, type NetworkOptions, networkAt } from './networkAt.ts'
import {
  chainClockFinding,
  chainFinding,
  clockFinding,
  fundsFindings,
  gatewayFinding,
  ledgerFinding,
  peerFindings,
  tokensFinding,
} from './networkFindings.ts'
import type { Printed } from './printed.ts'
import { askNode } from './status.ts'

/** Looks at everything a network on this machine needs. Every failure comes with its remedy; one is enough to fail. */
export async function doctor(options: NetworkOptions): Promise<Printed> {
  const network = networkAt(options)
  const { layout, plan, participants } = network
  const reached = await chainFinding(network)
  const local = [
    ...keyFindings(layout, participants),
    ...(await diskFindings(layout.root)),
    ...(plan ? await portFindings(plan, reached.ok, holds) : []),
  ]
  const findings = [...local, reached, ...(await asked(network, reached.ok))]
  const failures = findings.filter(({ ok }) => !ok).length
  return {
    value: { ok: failures === 0, failures, findings },
    lines: findingLines(findings),
    failed: failures > 0,
  }
}

/** Whether the participant itself answers at its port. Gossip and services are told by the node's own answer, since one process holds all three. */
async function holds(one: Participant): Promise<boolean> {
  try {
    await askNode(one)
    return true
  } catch {
    // Somebody else's answer, or none: not ours either way.
    return false
  }
}

async function asked(network: Network, chainAnswers: boolean): Promise<Finding[]> {
  const { chain, participants } = network
  const nowMs = Date.now()
  const { findings, answers } = await peerFindings(participants)
  const newest = Math.max(...answers.flatMap(({ known }) => known.map(({ seenMs }) => seenMs)))
  const clocks = Number.isFinite(newest)
    ? [clockFinding("the peers' newest hello", Math.round((nowMs - newest) / 1000))]
    : []
  const services = [await ledgerFinding(network.ledgerUrl), await gatewayFinding(network.gatewayUrl)]
  if (!chainAnswers) return [...findings, ...clocks, ...services]
  try {
    const builders = participants.filter(({ name }) => name === 'builder')
    const funds = await Promise.all([
      ...participants.map((one) => fundsFindings(chain, one)),
      ...builders.map((one) => tokensFinding(network, one)),
    ])
    return [await chainClockFinding(chain, nowMs), ...clocks, ...findings, ...funds.flat(), ...services]
  } catch (error) {
    const lost = wrong('funds', network.rpcUrl, (error as Error).message, 'look again: the chain went away meanwhile')
    return [...clocks, ...findings, lost, ...services]
  }
}

/** Failures in full, successes counted by kind. */
export function findingLines(findings: readonly Finding[]): string[] {
  const checks = [...new Set(findings.map(({ check }) => check))]
  const rows = checks.map((check) => {
    const all = findings.filter((one) => one.check === check)
    const bad = all.filter(({ ok }) => !ok).length
    const only = all.length === 1 ? `${all[0]?.subject}: ${all[0]?.seen}` : `${all.length - bad} of ${all.length} fine`
    return [bad === 0 ? 'ok' : 'FAIL', check, only]
  })
  const failures = findings.flatMap((one) =>
    one.ok ? [] : ['', `FAIL  ${one.check}, ${one.subject}: ${one.seen}`, `      → ${one.remedy}`],
  )
  return [...table(rows), ...failures]
}
