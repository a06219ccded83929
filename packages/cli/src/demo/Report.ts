/** What one run measured; written as JSON by `--report FILE`. */
export type Report = {
  stages: { name: string; seconds: number }[]
  heart: { federated: { mean: number; pooled: number }; central: { mean: number; pooled: number }; rounds: number }
  language: {
    firstLoss: number
    lastLoss: number
    tokens: number
    modelParams: number
    rounds: { round: number; trainLoss: number }[]
  }
  liar: { claim: string; audit: string; slashed: string }
  killed: { worker: string; reassigned: string }
  calls: { count: number; paid: string; settledTx: string }
  ledger: { paidIn: string; withdrawn: string; owed: string; dust: string }
  why: unknown[]
  peakPssMb: number
}
