import type { WrittenConfig } from '../training/readModelFile.ts'

/** A student is an mlp unless something else is asked for. It leaves no unit out unless asked to: a teacher's answers are no noise to guard against. */
export function asStudent(written: WrittenConfig | undefined): WrittenConfig {
  if (written && written.kind !== 'mlp') return written
  return { kind: 'mlp', dropout: 0, ...written }
}
