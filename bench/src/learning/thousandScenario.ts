import { defaultScenario, type Scenario } from '@potluck/sim/scenario'

/** What packages/sim/scenarios/thousand.yaml says, in fewer rounds. */
export const thousandScenario = (rounds = 5): Scenario => ({
  ...defaultScenario,
  name: 'thousand',
  rounds,
  workers: 1_000,
  regions: [
    { name: 'europe', part: 0.4, upMbit: 50, downMbit: 100 },
    { name: 'america', part: 0.35, upMbit: 50, downMbit: 100 },
    { name: 'asia', part: 0.25, upMbit: 20, downMbit: 50 },
  ],
  links: { nearMs: 15, farMs: 90, jitterPart: 0.2, lossPart: 0 },
  model: { hidden: [32] },
  training: { steps: 10, batch: 32, learningRate: 0.1 },
  speed: { least: 3, most: 5 },
  deadline: { ...defaultScenario.deadline, factor: 6 },
  compression: { kind: 'dense', bits: 2 },
  data: { ...defaultScenario.data, rowsPerWorker: 64, validationRows: 2_000 },
})
