/** What `potluck engine` takes; what it does is loaded when it runs. */
import type { Command } from 'commander'
import { describeCommand, withJson } from './describeCommand.ts'
import { printed } from './printed.ts'

export function engineCommand(): Command {
  const group = describeCommand('engine', 'what computes on this machine: how fast, and whether to the right bits')
  const info = withJson(
    describeCommand('info', 'executors, threads, processor, memory, and the speed of each executor against the peak'),
  )
    .option('--step', 'time a training step of the reference model as well', false)
    .action(async (options: { step: boolean; json: boolean }) => {
      await printed(options, async () => (await import('./engineInfo.ts')).engineInfo(options))
    })
  const check = withJson(
    describeCommand(
      'check',
      'compute what everybody computes, on every executor; a machine that differs must not take exact jobs',
    ),
  ).action(async (options: { json: boolean }) => {
    await printed(options, async () => (await import('./engineCheck.ts')).engineCheck())
  })
  group.addCommand(info)
  group.addCommand(check)
  return group
}
