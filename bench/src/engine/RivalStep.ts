/** What a rival's training of the reference model took. The fastest step counts: other programs only ever add time. */
export type RivalStep = {
  readonly version: string
  /** Wall time of the fastest step, warm-up left out. */
  readonly msPerStep: number
  /** CPU time of all threads together in the step that used least. */
  readonly cpuMsPerStep: number
  /** Of every step, warm-up included. */
  readonly losses: readonly number[]
  /** Most memory held at once, less what was held before the model existed. */
  readonly peakRssBytes: number
}

export const summary = (measured: {
  readonly walls: readonly number[]
  readonly cpus: readonly number[]
  readonly losses: readonly number[]
  readonly version: string
  readonly peakRssBytes: number
}): RivalStep => ({
  version: measured.version,
  msPerStep: Math.min(...measured.walls),
  cpuMsPerStep: Math.min(...measured.cpus),
  losses: measured.losses,
  peakRssBytes: measured.peakRssBytes,
})

/** The largest relative distance between two loss curves, over the shorter one. */
export const curveDistance = (ours: readonly number[], theirs: readonly number[]): number =>
  ours.slice(0, theirs.length).reduce((most, loss, i) => Math.max(most, Math.abs(loss - theirs[i]!) / loss), 0)
