import { type Facts, PotluckError } from '@potluck/protocol'
import { purposesOfBits } from './purposes.ts'

type Args = Readonly<Record<string, string>>

const percent = (ppm: string | undefined): string => `${Number(ppm) / 10_000} %`

/** What a person does about a refusal of the contracts, by the name of the contract's error. */
const advice: Readonly<Record<string, (args: Args) => string>> = {
  LicenceNotGranted: ({ version, asked, granted }) => {
    const missing = Number(asked) & ~Number(granted)
    return `asset version ${version} grants ${purposesOfBits(Number(granted))} and is asked for ${purposesOfBits(Number(asked))}; it does not grant ${purposesOfBits(missing)}: leave that purpose out, use another dataset, or ask its owner for a version that grants it`
  },
  ShareTooSmall: ({ parent, given, wanted }) =>
    `asset version ${parent} asks for ${percent(wanted)} of the model and is given ${percent(given)}: raise its sharePpm to ${wanted}`,
  SharesTooLarge: ({ sumPpm }) =>
    `the shares of the data and of the contributors add up to ${percent(sumPpm)}: together they may have 100 % at most`,
  ParentOrder: ({ parent }) => `asset version ${parent} is out of order or named twice: name each version once`,
  UnknownVersion: ({ version }) => `there is no asset version ${version}: \`potluck asset list\` shows those there are`,
  UnknownJob: ({ jobId }) => `there is no job ${jobId}: \`potluck job list\` shows those there are`,
  MinimumsNotMet: ({ have, wanted }) =>
    `${have} nodes of a role have enrolled, ${wanted} are needed: wait, or see with \`potluck status\` whether they are up`,
  WrongPhase: ({ jobId }) => `job ${jobId} is in another phase: \`potluck job show ${jobId}\` says in which`,
  NotBuilder: ({ jobId }) => `only the account that created job ${jobId} may do this: name its key file`,
  AlreadyPublished: ({ jobId, version }) => `job ${jobId} is published already, as asset version ${version}`,
  AlreadyRefunded: ({ jobId }) => `job ${jobId} gave back what it had left before`,
  NothingToPublish: ({ jobId }) => `job ${jobId} has no final round, so there is no model to publish`,
  NothingOwed: ({ account }) => `nothing is owed to ${account} now`,
  TooEarly: ({ from }) => `this is possible from second ${from} of the chain's clock: try again then`,
  NotRegistered: ({ node }) => `${node} is no registered node: is this the right key?`,
  KeyAlreadyUsed: ({ key }) => `the node key ${key} belongs to a node already: make a new one`,
  TermsInvalid: ({ field }) => `the chain does not take the job's ${field}: correct it in the job file`,
  ERC20InsufficientBalance: ({ sender, balance, needed }) =>
    `${sender} holds ${balance} units and ${needed} are needed: send it more first`,
}

/** `name: value` pairs as the chain client writes them; values hold no commas but in lists, which no advice reads. */
function argsOf(facts: Facts): Args {
  const pairs = String(facts.args ?? '')
    .split(', ')
    .map((pair) => pair.split(': '))
  return Object.fromEntries(pairs.map(([name = '', value = '']) => [name, value]))
}

/** The same error, saying what to do where it is a refusal of the contracts that people meet. Code and facts stay. */
export function withAdvice(error: PotluckError): PotluckError {
  const known = error.code === 'REVERTED' ? advice[String(error.facts.error)] : undefined
  if (!known) return error
  const message = `${known(argsOf(error.facts))} (${error.facts.error})`
  return new PotluckError(error.code, message, error.facts, { cause: error, remedy: error.remedy })
}
