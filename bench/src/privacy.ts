/**
 * Differential privacy: our bounds beside published ones, and what attacks reach on our own models with and without it.
 */
import { pldEpsilon, rdpEpsilon } from '@potluck/learning'
import { privacyInversion } from './learning/privacyInversion.ts'
import { privacyMembership } from './learning/privacyMembership.ts'
import { privacySearch } from './learning/privacySearch.ts'
import type { Row } from './Row.ts'

const row = (what: string, value: number, unit: string, rival: string | null, rivalValue: number | null): Row => ({
  ...{ what, value, unit, rival, rivalValue },
  ratio: rivalValue === null ? null : rivalValue / value,
})

/** A ratio above 1: a tighter bound. */
function accountants(): Row[] {
  const opacus = [{ noise: 1.5, rate: 0.04, steps: 2_249 }]
  const tensorflow = [{ noise: 0.7, rate: 0.01, steps: 120 }]
  const long = [{ noise: 1.1, rate: 0.01, steps: 10_000 }]
  const unit = 'ε, computed'
  return [
    row(
      'epsilon.opacus.rdp',
      rdpEpsilon([{ noise: 1.5, rate: 0.04, steps: 2_250 }], 1e-5).epsilon,
      unit,
      'Opacus RDP',
      7.32911117143,
    ),
    row('epsilon.opacus.pld', pldEpsilon(opacus, 1e-5), unit, 'Opacus PRV, its error of 0.01 added', 6.777395712150674),
    row('epsilon.tensorflow.pld', pldEpsilon(tensorflow, 1e-5), unit, 'TensorFlow Privacy PLD', 2.4612381),
    row('epsilon.long.pld', pldEpsilon(long, 1e-6), unit, 'our RDP', rdpEpsilon(long, 1e-6).epsilon),
  ]
}

export const run = async (): Promise<Row[]> => [
  ...accountants(),
  ...(await privacyMembership()),
  ...(await privacyInversion()),
  ...(await privacySearch()),
]
