import type { OuterOptimizer } from '@potluck/learning'
import { Setting } from './Setting.ts'

const FORMS = 'sgd[:MOMENTUM][@RATE], nesterov[:MOMENTUM][@RATE], adam[@RATE], yogi[@RATE], adagrad[@RATE]'

/** Reads `--outer`. Throws PotluckError BAD_SETTING. */
export function parseOuter(text: string): OuterOptimizer {
  const setting = new Setting('--outer', text, FORMS)
  const { name } = setting
  switch (name) {
    case 'sgd': {
      setting.expect(1, true)
      const momentum = setting.number(0, 'a momentum', { least: 0, most: 0.999 }, 0)
      return { kind: 'sgd', rate: setting.rateOr(1), ...(momentum > 0 ? { momentum } : {}) }
    }
    case 'nesterov': {
      setting.expect(1, true)
      // Measured at H = 20 to 200: more momentum overshoots once rounds are few.
      const momentum = setting.number(0, 'a momentum', { above: 0, most: 0.999 }, 0.5)
      return { kind: 'sgd', rate: setting.rateOr(0.7), momentum, nesterov: true }
    }
    case 'adam':
    case 'yogi':
    case 'adagrad':
      setting.expect(0, true)
      // Reddi et al. (arXiv:2003.00295): β 0.9 and 0.99, ε 1e-3 on their best-tuned tasks.
      return { kind: name, rate: setting.rateOr(0.01), beta1: name === 'adagrad' ? 0 : 0.9, beta2: 0.99, epsilon: 1e-3 }
    default:
      throw setting.unknown()
  }
}
