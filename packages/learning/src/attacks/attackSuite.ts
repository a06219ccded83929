import type { Attack, Trigger } from './Attack.ts'

/**
 * Every attack there is, at strengths that hurt some rule. What only takes pay without work (copied updates, free riders) is part of it:
 * it thins out what honest members contribute.
 *
 * @param backdoor left out where rows have no classes to aim at
 */
export const attackSuite = (
  backdoor?: { readonly target: number; readonly trigger: Trigger } | undefined,
): Attack[] => [
  { kind: 'signFlip' },
  { kind: 'labelFlip' },
  { kind: 'noise' },
  { kind: 'alie' },
  { kind: 'alie', z: 1.5 },
  { kind: 'ipm' },
  { kind: 'mimic' },
  { kind: 'copy' },
  { kind: 'freeRider', sends: 'zeros' },
  { kind: 'freeRider', sends: 'noise' },
  { kind: 'freeRider', sends: 'replay' },
  { kind: 'adaptive' },
  ...(backdoor ? [{ kind: 'backdoor', ...backdoor } as const] : []),
]
