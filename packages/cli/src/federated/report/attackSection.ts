import { partsOf } from './clientFigures.ts'
import type { AttackFacts, FederatedFacts } from './FederatedFacts.ts'
import { escaped, percent } from './markup.ts'

/** A backdoor's success in words, beside what the model gets wrong that way without it. */
export const backdoorText = ({ target, success, untriggered, rows }: NonNullable<AttackFacts['backdoor']>): string =>
  `the backdoor works on ${percent(success)} of ${rows} triggered rows: they are taken for "${target}", ${percent(untriggered)} of them also without the trigger`

/** Who lied, and how much that counted. */
export function attackSection(facts: FederatedFacts): string {
  const { attack, clients } = facts
  if (!attack) return ''
  const parts = partsOf(facts)
  const meanOf = (isAttacker: boolean): number => {
    const some = parts.filter((part, c) => clients[c]?.isAttacker === isAttacker && part.rounds > 0)
    return some.reduce((sum, { mean }) => sum + mean, 0) / Math.max(1, some.length)
  }
  const backdoor = attack.backdoor
    ? `\n<p>In the model that was kept, ${escaped(backdoorText(attack.backdoor))}.</p>`
    : ''
  return `<section><h2>Attack</h2>
<p>${attack.count} of ${clients.length} clients lie (${escaped(attack.name)}). An attacker's mean weight is ${percent(meanOf(true))}, an honest client's ${percent(meanOf(false))}.</p>${backdoor}
</section>`
}
