/** What `potluck dispute` takes; what it does is loaded when it runs. */
import type { Command } from 'commander'
import { wholeNumber } from './argumentParsers.ts'
import { describeCommand, withNetwork } from './describeCommand.ts'
import type { NetworkOptions } from './networkAt.ts'
import { printed } from './printed.ts'

export function disputeCommand(): Command {
  const group = describeCommand('dispute', 'disputes over claims, judged by the contract')
  const replay = withNetwork(
    describeCommand('replay', 'show a dispute move by move; without a number one is played here, in some ten seconds'),
  )
    .argument('[id]', 'number of the dispute in the network', wholeNumber(1, 4_294_967_295))
    .action(async (id: number | undefined, options: NetworkOptions & { json: boolean }) => {
      await printed(options, async () => (await import('./disputeReplay.ts')).disputeReplay({ ...options, id }))
    })
  group.addCommand(replay)
  return group
}
