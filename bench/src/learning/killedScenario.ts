import { defaultScenario, type Scenario } from '@potluck/sim/scenario'

/** What packages/sim/scenarios/killed.yaml says. */
export const killedScenario = (): Scenario => ({
  ...defaultScenario,
  name: 'killed',
  rounds: 10,
  workers: 40,
  training: { steps: 40, batch: 16, learningRate: 0.1 },
  pieces: 4,
  reassign: true,
  speed: { least: 3, most: 6 },
  crashes: { workerPart: 0.3, keepers: true, downMs: 10_000 },
})
