import { join } from 'node:path'
import { jobReport } from '../commands/jobReport.ts'
import type { Demo } from './Demo.ts'

/** Writes the report of a job into the network's folder, by the command that everybody has. */
export async function reportStage({ layout, screen }: Demo, job: number): Promise<void> {
  const out = join(layout.root, `report-job-${job}`)
  const { lines } = await jobReport({ dir: layout.root, job, out })
  for (const line of lines) screen.fact(line)
}
