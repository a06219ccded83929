import { PotluckError } from '@potluck/protocol'
import { ledgerClient, whyLines } from '../ledger/ledgerClient.ts'
import { type Network, type NetworkOptions, networkAt } from './networkAt.ts'
import type { Printed } from './printed.ts'

const forms = [
  /^0x[0-9a-f]{40}$/,
  /^0x[0-9a-f]{64}$/,
  /^job\/[1-9]\d{0,9}(\/[1-9]\d{0,9})?(\/0x[0-9a-f]{40})?$/,
  /^version\/[1-9]\d{0,9}$/,
]

/**
 * A subject as the ledger reads it: names of participants become their accounts, `potluck/7` is `version/7`.
 *
 * Throws BAD_SUBJECT with the value seen and the forms there are.
 */
export function subjectOf(text: string, network: Pick<Network, 'participants'>): string {
  const account = (part: string): string =>
    network.participants.find(({ name }) => name === part)?.node ?? part.toLowerCase()
  const parts = text.replace(/^potluck\//, 'version/').split('/')
  const subject = [...parts.slice(0, -1).map((part) => part.toLowerCase()), account(parts.at(-1) ?? '')].join('/')
  if (forms.some((form) => form.test(subject))) return subject
  const names = network.participants.map(({ name }) => name).join(', ')
  throw new PotluckError(
    'BAD_SUBJECT',
    `"${text.slice(0, 80)}" is nothing that can be explained: name a transaction, a request hash, an account, job/ID[/ROUND][/WORKER] or version/ID${names ? `; participants: ${names}` : ''}`,
    { seen: text.slice(0, 80) },
  )
}

export async function why(
  options: NetworkOptions & { subject: string; depth: number; width: number },
): Promise<Printed> {
  const network = networkAt(options)
  const subject = subjectOf(options.subject, network)
  if (network.ledgerUrl === undefined) {
    throw new PotluckError(
      'NO_LEDGER',
      'which ledger? name its address with --ledger http://host:port',
      {},
      { remedy: 'fix-setup' },
    )
  }
  const answer = await ledgerClient(network.ledgerUrl).why(subject)
  return { value: answer, lines: whyLines(answer, options.depth, options.width) }
}
