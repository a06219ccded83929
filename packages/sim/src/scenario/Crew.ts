import { computePiece, type Piece, type PieceJob, type PieceTools } from './computePiece.ts'

/** Computes pieces for all simulated workers. The result is the same wherever it is computed. */
export type Crew = {
  /** Takes a job; the piece is computed when, or before, it is asked for. */
  start(job: PieceJob): () => Promise<Piece>
  close(): Promise<void>
}

/** Computes in this thread, when asked. */
export const ownCrew = (tools: PieceTools): Crew => ({
  start: (job) => () => computePiece(tools, job),
  close: async () => undefined,
})
