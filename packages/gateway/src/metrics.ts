/** Counters for `GET /metrics`, in Prometheus's text format. Names end in their unit. */
export class Metrics {
  readonly #counters = new Map<string, { help: string; values: Map<string, number> }>()

  add(name: string, help: string, labels: Readonly<Record<string, string | number>> = {}, by = 1): void {
    const counter = this.#counters.get(name) ?? { help, values: new Map<string, number>() }
    this.#counters.set(name, counter)
    const key = Object.entries(labels)
      .map(([label, value]) => `${label}="${String(value).replace(/[\\"\n]/g, '_')}"`)
      .join(',')
    counter.values.set(key, (counter.values.get(key) ?? 0) + by)
  }

  text(): string {
    const lines: string[] = []
    for (const [name, { help, values }] of this.#counters) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`)
      for (const [labels, value] of values) lines.push(`${name}${labels === '' ? '' : `{${labels}}`} ${value}`)
    }
    return `${lines.join('\n')}\n`
  }
}
