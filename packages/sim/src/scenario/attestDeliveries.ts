import type { IntakeDesk } from './IntakeDesk.ts'
import type { Process } from './Process.ts'
import type { ScenarioWorld, SimMachine } from './ScenarioWorld.ts'

/** Without rounds: says on the chain what this keeper has on disk, all that has come since it last did. */
export async function attestDeliveries(
  { chain }: ScenarioWorld,
  { node }: SimMachine,
  process: Process,
  desk: IntakeDesk,
): Promise<void> {
  for (;;) {
    const unsaid = (): true | undefined => desk.unsaidWords().length > 0 || undefined
    await desk.changes.until(process, 'deliveries to put in order', unsaid)
    const words = desk.unsaidWords()
    await chain.post(process, `its word on ${words.length} deliveries`, () => chain.attest(node, words))
  }
}
