/** One measured number beside its rival's. `ratio` above 1 means that we are better; where there is no rival all three are null. */
export type Row = {
  what: string
  value: number
  unit: string
  rival: string | null
  rivalValue: number | null
  ratio: number | null
}

/** What a module of this folder exports: `npm run bench -- NAME` runs `NAME.ts`. */
export type Benchmark = {
  run: () => Promise<Row[]>
  /** How far a value may lie from the committed one, as a part of it, before `--check` fails. Default 0.1; 0 for what is exact. */
  tolerance?: number
}

export type BenchmarkResult = {
  name: string
  machine: { cpu: string; cores: number; memoryGb: number; node: string }
  rows: Row[]
}
