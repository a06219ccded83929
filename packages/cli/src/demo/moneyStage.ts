import type { ChainEvent } from '@potluck/chain'
import type { Hex } from '@potluck/protocol'
import { z } from 'zod'
import { ledgerClient, whyLines } from '../ledger/ledgerClient.ts'
import { hospitals, participant, workers } from '../network/plan.ts'
import { gatewayUrl } from './callsStage.ts'
import type { Demo } from './Demo.ts'
import { dollars, table } from './Screen.ts'
import { waitFor } from './waitFor.ts'

export const ledgerUrl = (demo: Demo): string => `http://127.0.0.1:${participant(demo.plan, 'ledger').servicePort}`

const events = async ({ chain }: Demo, contracts: ('assets' | 'channels' | 'jobs')[]): Promise<ChainEvent[]> =>
  chain.events({ fromBlock: BigInt(chain.deployment.block), toBlock: await chain.blockNumber(), contracts })

/** The gateway settles what it holds; then everybody collects what is theirs, each with its own node. */
export async function settleStage(demo: Demo, calls: number): Promise<void> {
  const { screen, supervisor, report, signal } = demo
  const health = z.object({ owed: z.string().transform(BigInt) })
  const owedNow = async (): Promise<{ owed: bigint }> =>
    health.parse(await (await fetch(`${gatewayUrl(demo)}/health`)).json())
  const before = await waitFor('the gateway', owedNow, { timeoutMs: 60_000, signal })
  screen.fact(
    `${calls} calls served, vouchers over ${dollars(before.owed)} in the gateway's hands; none has touched the chain`,
  )
  let askedMs = 0
  await waitFor(
    'the settlement',
    async () => {
      const pid = supervisor.pidOf('gateway')
      // What a gateway's owner types: settle now. Again if the gateway was restarted in between.
      if (pid && performance.now() - askedMs > 4_000) {
        askedMs = performance.now()
        process.kill(pid, 'SIGUSR2')
      }
      return (await owedNow()).owed === 0n
    },
    { timeoutMs: 60_000, signal },
  )
  const claimed = (await events(demo, ['channels'])).filter(({ name }) => name === 'Claimed')
  const last = claimed.at(-1)
  const inLast = claimed.filter(({ txHash }) => txHash === last?.txHash)
  const paid = inLast.reduce((sum, { args }) => sum + BigInt(String(args.amount)), 0n)
  report.calls = { count: calls, paid: paid.toString(), settledTx: last?.txHash ?? '' }
  screen.fact(`settled in one transaction: ${inLast.length} vouchers, ${dollars(paid)} (${last?.txHash.slice(0, 18)}…)`)

  const ledger = ledgerClient(ledgerUrl(demo))
  const books = await waitFor(
    'everybody to collect',
    async () => {
      const now = await ledger.reconcile()
      const [dollar] = now.tokens.filter(({ symbol }) => symbol !== 'SALT')
      const open =
        dollar?.contracts
          .filter(({ contract }) => contract === 'assets' || contract === 'jobs')
          .reduce((sum, { owed }) => sum + owed, 0n) ?? 0n
      screen.live(`still to be collected: ${dollars(open)}`)
      return open === 0n ? now : undefined
    },
    { timeoutMs: 90_000, everyMs: 500, signal },
  )
  const [dollar] = books.tokens.filter(({ symbol }) => symbol !== 'SALT')
  if (!dollar) return
  report.ledger = {
    paidIn: dollar.paidIn.toString(),
    withdrawn: dollar.withdrawn.toString(),
    owed: dollar.owed.toString(),
    dust: dollar.dust.toString(),
  }
}

/** One payment and one zero, explained from the ledger. */
export async function whyStage(demo: Demo, jobs: { language: number }): Promise<void> {
  const { screen, plan, options, report } = demo
  const ledger = ledgerClient(ledgerUrl(demo))
  const hospital = participant(plan, 'cleveland').node
  const withdrawal = (await events(demo, ['assets']))
    .filter(({ name, args }) => name === 'Withdrawn' && String(args.account) === hospital)
    .at(-1)
  const subjects: { title: string; subject: string }[] = []
  if (withdrawal)
    subjects.push({
      title: `potluck why ${withdrawal.txHash.slice(0, 10)}…   (cleveland was paid)`,
      subject: withdrawal.txHash,
    })
  const liar = participant(plan, options.liar).node
  const convicted = (await events(demo, ['jobs'])).find(
    ({ name, args }) => name === 'Convicted' && String(args.worker) === liar,
  )
  if (convicted) {
    const subject = `job/${jobs.language}/${Number(convicted.args.round) + 1}/${liar}`
    subjects.push({ title: `potluck why ${subject.slice(0, 22)}…   (${options.liar} was paid nothing)`, subject })
  }
  report.why = []
  for (const { title, subject } of subjects) {
    const answer = await waitFor('the ledger', () => ledger.why(subject), { timeoutMs: 60_000, signal: demo.signal })
    report.why.push(answer)
    screen.line()
    screen.fact(title)
    for (const text of whyLines(answer, 7, 2).slice(0, 24)) screen.fact(`  ${text}`)
  }
}

/** Who earned what, and that the books close to the unit. */
export async function booksStage(demo: Demo): Promise<void> {
  const { screen, plan, report } = demo
  const ledger = ledgerClient(ledgerUrl(demo))
  const rows: string[][] = [['who', 'for work', 'for data and models', 'for serving', 'escrow back', 'withdrawn']]
  for (const name of [...hospitals, ...workers, 'archive', 'builder', 'provider', 'gateway']) {
    const account: Hex = participant(plan, name).node
    const statement = await waitFor('the ledger', () => ledger.statement(account), {
      timeoutMs: 60_000,
      signal: demo.signal,
    })
    const lines = statement.tokens.flatMap(({ lines: each }) => each)
    const of = (...roles: string[]): bigint =>
      lines.filter(({ role }) => roles.includes(role)).reduce((sum, { earned }) => sum + earned, 0n)
    const withdrawn = statement.tokens.reduce((sum, token) => sum + token.withdrawn, 0n)
    rows.push([
      name,
      dollars(of('worker')),
      dollars(of('owner', 'contributor')),
      dollars(of('provider', 'gateway')),
      dollars(of('builder')),
      dollars(withdrawn),
    ])
  }
  for (const line of table(rows)) screen.fact(line)
  const books = report.ledger
  if (!books) return
  const sum = BigInt(books.withdrawn) + BigInt(books.owed) + BigInt(books.dust)
  screen.line()
  screen.fact(
    `paid in ${dollars(BigInt(books.paidIn))} = withdrawn ${dollars(BigInt(books.withdrawn))} + owed ${dollars(BigInt(books.owed))} (unspent deposits) + dust ${dollars(BigInt(books.dust))}: ${sum === BigInt(books.paidIn) ? 'the books close to the unit' : `OFF BY ${dollars(BigInt(books.paidIn) - sum)}`}`,
  )
}
