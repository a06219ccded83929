import { defaultScenario, type Scenario } from '@potluck/sim/scenario'

/** What packages/sim/scenarios/buffered.yaml says. */
export const bufferedScenario = (): Scenario => ({
  ...defaultScenario,
  name: 'buffered',
  rounds: 16,
  workers: 20,
  speed: { least: 1, most: 6 },
  training: { steps: 20, batch: 32, learningRate: 0.1 },
  buffered: { size: 10, staleness: 10 },
})

/** The same workers in rounds that wait for everybody: half as many models of twice as many deliveries. */
export const bufferedInRounds = (): Scenario => ({
  ...bufferedScenario(),
  rounds: 8,
  buffered: undefined,
  deadline: { ...defaultScenario.deadline, leastMs: 40_000 },
})
