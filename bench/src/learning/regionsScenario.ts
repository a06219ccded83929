import { defaultScenario, type Scenario } from '@potluck/sim/scenario'

/** What packages/sim/scenarios/regions.yaml says. */
export const regionsScenario = (): Scenario => ({
  ...defaultScenario,
  name: 'regions',
  rounds: 5,
  workers: 60,
  keepers: 12,
  regions: [
    { name: 'europe', part: 0.4, upMbit: 50, downMbit: 100 },
    { name: 'america', part: 0.35, upMbit: 50, downMbit: 100 },
    { name: 'asia', part: 0.25, upMbit: 20, downMbit: 50 },
  ],
  links: { nearMs: 10, farMs: 90, jitterPart: 0.2, lossPart: 0 },
  compression: { kind: 'dense', bits: 8 },
  aggregate: 'regional',
})
