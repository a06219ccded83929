/** Which inputs of a row a backdoor writes over, and with what: a patch of pixels, some columns. */
export type Trigger = { readonly at: readonly number[]; readonly value: number }

/**
 * What a share of the members does instead of training honestly. All of them act as one, and know all honest updates of the round, the
 * rule, and a guess of the reference; they never know the round's seed, which is drawn after the updates are fixed.
 */
export type Attack =
  | { readonly kind: 'none' }
  /** −scale × what it trained. Default 10. */
  | { readonly kind: 'signFlip'; readonly scale?: number }
  /** Trains honestly on labels y → classes − 1 − y. */
  | { readonly kind: 'labelFlip' }
  /** Normal noise, scale × as long as honest updates are on average. Default 1. */
  | { readonly kind: 'noise'; readonly scale?: number }
  /** A little is enough (arXiv:1902.06156): mean − z × deviation; z from the numbers of members when left out. */
  | { readonly kind: 'alie'; readonly z?: number }
  /** Inner-product manipulation (arXiv:1903.03936): −epsilon × honest mean. Default 2. */
  | { readonly kind: 'ipm'; readonly epsilon?: number }
  /** All repeat one honest member (arXiv:2006.09365), so that the others count for less. Default the first. */
  | { readonly kind: 'mimic'; readonly target?: number }
  /** Each repeats another honest member: pay without work. */
  | { readonly kind: 'copy' }
  /** Pay without work: zeros, a whisper of noise, or the aggregate of the round before. Default zeros. */
  | { readonly kind: 'freeRider'; readonly sends?: 'zeros' | 'noise' | 'replay' }
  /** Searches for what moves this very rule the furthest; `evaluations` of it a round. Default 60. */
  | { readonly kind: 'adaptive'; readonly evaluations?: number }
  /** Trains rows with the trigger towards `target`, and sends scale × the result (arXiv:1807.00459). Default members ÷ attackers, which replaces the model under a mean. */
  | { readonly kind: 'backdoor'; readonly target: number; readonly trigger: Trigger; readonly scale?: number }
