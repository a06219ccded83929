import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { ApiError } from './ApiError.ts'
import type { Answer } from './HeldAnswers.ts'
import { type InferBody, inferBody, parseBody } from './requestBodies.ts'
import { pricesOf, type RouteDeps } from './textRoutes.ts'

const madeRows = z.array(z.array(z.number()))

/** The Open Inference Protocol, version 2, for models of tables. */
export function inferRoutes(app: FastifyInstance, deps: RouteDeps): void {
  type Named = { Params: { '*': string } }
  app.get('/v2', async () => ({ name: 'potluck', version: '0.1.0', extensions: [] }))
  app.get('/v2/health/live', async () => ({ live: true }))
  app.get('/v2/health/ready', async (_request, reply) => {
    const ready = deps.pool.versions().size > 0
    return reply.status(ready ? 200 : 503).send({ ready })
  })

  // A name may hold a slash (potluck/12), so the routes below it are told apart by their ending.
  app.get<Named>('/v2/models/*', async (request) => {
    const path = request.params['*']
    const isReady = path.endsWith('/ready')
    const name = isReady ? path.slice(0, -'/ready'.length) : path
    const model = await deps.models.find(name)
    const described = await deps.pool.describe(model.version, AbortSignal.timeout(deps.config.requestTimeoutMs))
    if (isReady) return { name, ready: true }
    const tensors = (names: readonly string[]) => names.map((item) => ({ name: item, datatype: 'FP64', shape: [-1] }))
    const { inputs, outputs } = described.kind === 'tabular' ? described : { inputs: [], outputs: [] }
    const platform = described.kind === 'tabular' ? 'potluck_tabular' : 'potluck_language'
    return { name, versions: [String(model.version)], platform, inputs: tensors(inputs), outputs: tensors(outputs) }
  })

  app.post<Named>('/v2/models/*', async (request, reply) => {
    const path = request.params['*']
    if (!path.endsWith('/infer')) throw new ApiError('not_found', `there is no POST ${request.url}: use …/infer`)
    const name = path.slice(0, -'/infer'.length)
    const body = parseBody(inferBody, request.body)
    const model = await deps.models.find(name)
    const rows = rowsOf(body, deps.config.maxRows)
    const visit = await deps.reception.receive(request, reply, model)
    const described = await deps.pool.describe(model.version, visit.signal)
    if (described.kind !== 'tabular') {
      throw new ApiError('model_not_found', `model ${name} writes text: use /v1/completions`, { param: 'model' })
    }
    const { version } = model
    const price = BigInt(rows.length) * pricesOf(deps.config, version).predict
    const make = async (prefer: Answer['provider'] | undefined): Promise<Answer> => {
      const order = { version, requestHash: visit.call.requestHash, rows }
      const made = await deps.pool.predict(order, prefer, visit.signal)
      const text = JSON.stringify(made.rows)
      return { text, promptTokens: rows.length, completionTokens: 0, provider: made.provider, finish: 'stop' }
    }
    const served = await deps.desk.serve(visit, make, () => price, price)
    reply.raw.on('finish', () => deps.store.markDelivered(served.callId))
    deps.metrics.add('potluck_predictions_total', 'Rows predicted.', { model: name }, rows.length)
    const values = madeRows.parse(JSON.parse(served.answer.text))
    const outputs = described.outputs.map((output, column) => ({
      ...{ name: output, datatype: 'FP64', shape: [values.length] },
      data: values.map((row) => row[column] ?? null),
    }))
    return { model_name: name, model_version: String(version), id: body.id ?? served.callId, outputs }
  })
}

/** One object of named values a row, from one tensor a column. */
function rowsOf({ inputs }: InferBody, maxRows: number): Record<string, number>[] {
  const no = (message: string) => new ApiError('invalid_inputs', message, { param: 'inputs' })
  const count = inputs[0]?.shape[0] ?? 0
  if (count < 1 || count > maxRows) throw no(`1 to ${maxRows} rows in one call, got ${count}`)
  const rows = Array.from({ length: count }, () => new Map<string, number>())
  for (const { name, shape, data } of inputs) {
    const isColumn = shape[0] === count && (shape.length === 1 || shape[1] === 1)
    if (!isColumn || data.length !== count) {
      const seen = `shape [${shape.join(', ')}] with ${data.length} values`
      throw no(`input ${name}: ${seen}; each input is one column of shape [${count}]`)
    }
    for (const [i, value] of data.entries()) {
      if (rows[i]?.has(name)) throw no(`input ${name} is given twice`)
      rows[i]?.set(name, value)
    }
  }
  return rows.map((row) => Object.fromEntries(row))
}
