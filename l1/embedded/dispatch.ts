/**
 * JSON-RPC 2.0 envelopes (docs/spec.md, "L1", the embedded L1): one text in, one text out. Whatever comes in is answered;
 * nothing that a caller sends can throw out of here.
 */
import { isLifeboatError } from '../../protocol/errors.ts'
import { invalidRequest, limitExceeded, methodNotFound, parseFault, RpcError } from './errors.ts'
import type { CallerContext, MethodTable } from './methods.ts'
import type { Warn } from './mining.ts'

export interface Dispatcher {
  /** Answers a whole request body; undefined when it asked for no answer (notifications). */
  answer(text: string, caller: CallerContext): Promise<string | undefined>
  /** One call in process. Throws RpcError. */
  call(method: string, params: readonly unknown[], caller: CallerContext): Promise<unknown>
}

type Id = string | number | null

const MAX_BATCH = 1000

export function createDispatcher(methods: MethodTable, warn: Warn): Dispatcher {
  async function call(method: string, params: readonly unknown[], caller: CallerContext): Promise<unknown> {
    const handler = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (handler === undefined) throw methodNotFound(method)
    try {
      return await handler(params, caller)
    } catch (error) {
      throw asRpcError(error, method, warn)
    }
  }

  async function answerOne(request: unknown, caller: CallerContext): Promise<object | undefined> {
    const parsed = parseEnvelope(request)
    if (parsed instanceof RpcError) return failure(idOf(request), parsed)
    try {
      const result = await call(parsed.method, parsed.params, caller)
      return parsed.id === undefined ? undefined : { jsonrpc: '2.0', id: parsed.id, result: result ?? null }
    } catch (error) {
      return parsed.id === undefined ? undefined : failure(parsed.id, error as RpcError)
    }
  }

  async function answerBatch(batch: readonly unknown[], caller: CallerContext): Promise<unknown> {
    if (batch.length === 0) return failure(null, invalidRequest('an empty batch'))
    if (batch.length > MAX_BATCH)
      return failure(null, limitExceeded(`batch too large: got ${batch.length}, at most ${MAX_BATCH}`))
    const answers: object[] = []
    for (const request of batch) {
      // In order, so that the transactions of one batch keep their nonces' order.
      const answer = await answerOne(request, caller)
      if (answer !== undefined) answers.push(answer)
    }
    return answers.length === 0 ? undefined : answers
  }

  return {
    call,
    async answer(text, caller) {
      let body: unknown
      try {
        body = JSON.parse(text)
      } catch (error) {
        return JSON.stringify(failure(null, parseFault(error instanceof Error ? error.message : 'not JSON')))
      }
      const answer = Array.isArray(body) ? await answerBatch(body, caller) : await answerOne(body, caller)
      return answer === undefined ? undefined : JSON.stringify(answer)
    },
  }
}

function parseEnvelope(
  request: unknown,
): { id: Id | undefined; method: string; params: readonly unknown[] } | RpcError {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) return invalidRequest('not an object')
  const { jsonrpc, id, method, params } = request as Record<string, unknown>
  if (jsonrpc !== undefined && jsonrpc !== '2.0') return invalidRequest('jsonrpc is not "2.0"')
  if (typeof method !== 'string') return invalidRequest('no method name')
  if (id !== undefined && !isId(id)) return invalidRequest('id is not a string, a number or null')
  if (params !== undefined && params !== null && !Array.isArray(params)) {
    return new RpcError(-32602, 'params is not a list: named parameters are not supported')
  }
  return { id, method, params: params ?? [] }
}

function idOf(request: unknown): Id {
  const id = typeof request === 'object' && request !== null ? (request as Record<string, unknown>)['id'] : null
  return isId(id) ? id : null
}

function isId(value: unknown): value is Id {
  return value === null || typeof value === 'string' || typeof value === 'number'
}

function failure(id: Id, { code, message, data }: RpcError): object {
  return { jsonrpc: '2.0', id, error: { code, message, ...(data !== undefined && { data }) } }
}

function asRpcError(error: unknown, method: string, warn: Warn): RpcError {
  if (error instanceof RpcError) return error
  const message = error instanceof Error ? error.message : String(error)
  if (isLifeboatError(error) && error.family === 'invalid') return new RpcError(-32602, message)
  warn('l1_request_failed', { method, reason: message })
  return new RpcError(-32603, `internal error: ${message}`)
}
