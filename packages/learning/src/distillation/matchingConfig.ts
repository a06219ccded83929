import type { MlpConfig, ModelConfig } from '@potluck/engine'
import { PotluckError } from '@potluck/protocol'

/**
 * The config a student is trained with: it predicts the teacher's logits as numbers, by their squared error. Its parameters lie where
 * those of the student itself do, so that what was learned is the classifier.
 *
 * @throws PotluckError BAD_STUDENT for a kind that cannot predict numbers
 */
export function matchingConfig(student: ModelConfig): MlpConfig {
  if (student.kind === 'logistic')
    return { kind: 'mlp', inputs: student.inputs, hidden: [], activation: 'relu', regression: student.classes }
  if (student.kind === 'mlp' && student.classes !== undefined) {
    const { classes, regression: _, ...rest } = student
    return { ...rest, regression: classes }
  }
  const seen = student.kind === 'mlp' ? 'an mlp of numbers' : `a ${student.kind} model`
  const message = `${seen} cannot be a student, which learns a teacher's logits: take an mlp or a logistic model of classes`
  throw new PotluckError('BAD_STUDENT', message, { kind: student.kind })
}
