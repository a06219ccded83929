import type { JobView } from '../JobView.ts'
import { addSigns, type ShareTime, type Sign } from '../round/shareTimes.ts'

type Heard = { round: number; present: readonly ShareTime[]; previous: readonly ShareTime[] }

/**
 * When workers were heard at the shares of each job's present round, and in the one before. Kept on disk as starts and commits
 * come, since the inbox forgets with the process and a slow worker would be young again.
 */
export class ShareTimes {
  #jobs = new Map<number, Heard>()

  /** What is known by now; takes in what the inbox has. */
  hear(view: Pick<JobView, 'job' | 'round' | 'status' | 'inbox' | 'ports'>): Heard {
    const { job, round, status, inbox } = view
    const { disk } = view.ports
    const read = (which: number): ShareTime[] => JSON.parse(disk.get(keyOf(job, which)) ?? '[]') as ShareTime[]
    let heard = this.#jobs.get(job)
    if (heard?.round !== round) {
      const previous = heard?.round === round - 1 ? heard.present : read(round - 1)
      heard = { round, present: read(round), previous }
      for (const key of disk.keys(`times/${job}/`)) if (Number(key.split('/')[2]) < round - 1) disk.delete(key)
    }
    const signs = [...inbox.of('beat', job, round), ...inbox.of('commit', job, round)].map(
      ({ kind, node, body, seenMs }): Sign => ({ kind, worker: node, share: body.share, atMs: seenMs }),
    )
    const present = addSigns(heard.present, signs, Number(status.openedAt) * 1000)
    if (eventsIn(present) > eventsIn(heard.present)) disk.set(keyOf(job, round), JSON.stringify(present))
    const fresh = { ...heard, present }
    this.#jobs.set(job, fresh)
    return fresh
  }
}

const keyOf = (job: number, round: number): string => `times/${job}/${round}`

/** Starts and commits: they only ever grow in number. */
const eventsIn = (times: readonly ShareTime[]): number =>
  times.length + times.filter(({ committedMs }) => committedMs !== undefined).length
