/** What `doctor` sees without asking anybody: key files, ports, disk. */
import { accessSync, constants, existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import type { Layout } from '../network/layout.ts'
import type { Participant, Plan } from '../network/plan.ts'
import { keyTrouble } from './checkKeyFile.ts'
import { type Finding, fine, wrong } from './Finding.ts'
import { bindTrouble, isListening } from './portHolder.ts'

const GIB = 1_073_741_824
/** A day of the demo network writes about half of this. */
const LEAST_FREE_BYTES = 2 * GIB

/** Node and cold key of every participant: there, readable by the owner only, and those of the plan. */
export function keyFindings(layout: Layout, participants: readonly Participant[]): Finding[] {
  return participants.flatMap((one) =>
    (
      [
        ['node key', layout.nodeKey(one.name), one.key],
        ['cold key', layout.coldKey(one.name), one.node],
      ] as const
    ).map(([what, file, wanted]) => {
      const trouble = keyTrouble(file, wanted)
      const subject = `${one.name}, ${what}`
      if (!trouble) return fine('keys', subject, 'there, private, the one of the plan')
      const [seen, ...rest] = trouble.message.split(': ')
      return wrong('keys', subject, seen ?? '', rest.join(': ') || trouble.code)
    }),
  )
}

/** Free disk, and whether the folder can be written to. */
export async function diskFindings(folder: string): Promise<Finding[]> {
  if (!existsSync(folder))
    return [wrong('disk', folder, 'the folder is missing', 'start the network once with `potluck up`')]
  const { bavail, bsize } = await statfs(folder)
  const freeBytes = Number(bavail) * Number(bsize)
  const seen = `${(freeBytes / GIB).toFixed(1)} GiB free`
  const space =
    freeBytes >= LEAST_FREE_BYTES
      ? fine('disk', folder, seen)
      : wrong(
          'disk',
          folder,
          seen,
          `make room: ${LEAST_FREE_BYTES / GIB} GiB are needed for blocks and the chain's state`,
        )
  try {
    accessSync(folder, constants.R_OK | constants.W_OK)
    return [space]
  } catch (error) {
    return [
      space,
      wrong('disk', folder, (error as Error).message, 'give this user read and write access to the folder'),
    ]
  }
}

type Expected = { subject: string; port: number; isOurs: () => Promise<boolean> }

/**
 * Every port of the plan: held by the participant it belongs to, or free while the network is down.
 *
 * @param isRunning whether the network is meant to be up: its chain answers
 */
export async function portFindings(
  plan: Plan,
  isRunning: boolean,
  isOurs: (one: Participant, part: 'http' | 'p2p' | 'service') => Promise<boolean>,
): Promise<Finding[]> {
  const expected: Expected[] = [
    { subject: 'chain', port: plan.chainPort, isOurs: async () => isRunning },
    ...plan.participants.flatMap((one) => [
      { subject: `${one.name}, http`, port: one.httpPort, isOurs: () => isOurs(one, 'http') },
      { subject: `${one.name}, p2p`, port: one.p2pPort, isOurs: () => isOurs(one, 'p2p') },
      ...(one.servicePort > 0
        ? [{ subject: `${one.name}, ${one.service}`, port: one.servicePort, isOurs: () => isOurs(one, 'service') }]
        : []),
    ]),
  ]
  return Promise.all(expected.map((one) => portFinding(one, isRunning)))
}

export async function portFinding({ subject, port, isOurs }: Expected, isRunning: boolean): Promise<Finding> {
  const where = `port ${port}`
  if (await isListening(port)) {
    if (await isOurs()) return fine('ports', subject, `${where} is held by ${subject}`)
    const remedy = `find it with \`ss -ltnp 'sport = :${port}'\` and stop it, or change the port in plan.json while the network is down`
    return wrong('ports', subject, `${where} is taken by something that is not ${subject}`, remedy)
  }
  if (isRunning) {
    const remedy = 'its log in the network folder says why it is down; the supervisor starts it again'
    return wrong('ports', subject, `nobody listens at ${where}`, remedy)
  }
  const trouble = await bindTrouble(port)
  if (trouble === undefined) return fine('ports', subject, `${where} is free`)
  return wrong('ports', subject, `${where} cannot be taken: ${trouble}`, 'choose another port in plan.json')
}
