/** One route of a door (http.ts): what it declares, and how a request is served by what it declares. */
import { z } from 'zod'
import { bug, retryable } from '../protocol/errors.ts'
import { toJson } from './httpErrors.ts'
import { bodyKindOf, parseJson, parsePart, prefersBytes, queryOf, readBytes } from './httpRequest.ts'

/** The parameters of a route that declares none. */
export const NOTHING = z.object({})

/** What a handler gets. `signal` aborts when the time for the answer is over. */
export type Call<P, Q, B> = Readonly<{ params: P; query: Q; body: B; signal: AbortSignal }>

export type Route<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, A extends z.ZodType> = Readonly<{
  method: 'get' | 'post'
  /** With parameters in braces: `/v1/blocks/{number}`. */
  path: string
  summary: string
  params?: P
  /** Parameters that it does not name are refused. */
  query?: Q
  body?: B
  answer: A
  /** Tokens of the client's rate; default 1. */
  cost?: number
  bodyBytes?: number
  timeoutMs?: number
  handle(call: Call<z.output<P>, z.output<Q>, z.output<B>>): Promise<z.output<A>> | z.output<A>
  /** For bodies of application/octet-stream. */
  takeBytes?(call: Call<z.output<P>, z.output<Q>, Uint8Array>): Promise<z.output<A>> | z.output<A>
  /** For clients that ask for application/octet-stream. */
  giveBytes?(call: Call<z.output<P>, z.output<Q>, z.output<B>>): Promise<Uint8Array> | Uint8Array
}>

/** What a request comes with: the request itself, its path parameters, and the limits where its route sets none. */
export type Incoming = Readonly<{
  request: Request
  params: Record<string, string>
  limits: Readonly<{ bodyBytes: number; timeoutMs: number }>
}>

/** Parses, handles, encodes. Throws what parsing and the handler throw, REQUEST_TIMEOUT (retryable), ANSWER_WRONG (bug). */
export function serveRoute<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, A extends z.ZodType>(
  route: Route<P, Q, B, A>,
  incoming: Incoming,
): Promise<Response> {
  return withTimeout(route.timeoutMs ?? incoming.limits.timeoutMs, (signal) => serve(route, incoming, signal))
}

async function serve<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, A extends z.ZodType>(
  route: Route<P, Q, B, A>,
  { request, params, limits }: Incoming,
  signal: AbortSignal,
): Promise<Response> {
  const call = {
    params: parsePart(route.params ?? NOTHING, 'path', params) as z.output<P>,
    query: parsePart((route.query ?? NOTHING).strict(), 'query', queryOf(request.url)) as z.output<Q>,
    signal,
  }
  const takesBody = route.body !== undefined || route.takeBytes !== undefined
  const kind = takesBody ? bodyKindOf(request, route.body !== undefined, route.takeBytes !== undefined) : 'none'
  const bytes = takesBody ? await readBytes(request, route.bodyBytes ?? limits.bodyBytes) : new Uint8Array()
  if (kind === 'bytes' && route.takeBytes) {
    return jsonResponse(encodeAnswer(route, await route.takeBytes({ ...call, body: bytes })), 200)
  }
  const body = (
    route.body && kind === 'json' ? parsePart(route.body, 'body', parseJson(bytes)) : undefined
  ) as z.output<B>
  if (route.giveBytes && prefersBytes(request)) {
    const given = await route.giveBytes({ ...call, body })
    return new Response(given as Uint8Array<ArrayBuffer>, { headers: { 'content-type': 'application/octet-stream' } })
  }
  return jsonResponse(encodeAnswer(route, await route.handle({ ...call, body })), 200)
}

/** An answer that its own schema refuses is our fault, not the client's. */
function encodeAnswer<A extends z.ZodType>(route: { path: string; answer: A }, value: z.output<A>): unknown {
  const encoded = z.safeEncode(route.answer, value)
  if (encoded.success) return encoded.data
  throw bug('ANSWER_WRONG', `the answer of ${route.path} is not what its schema says`, { got: encoded.error.issues })
}

/** The handler may go on in vain; its signal tells it. */
async function withTimeout(ms: number, run: (signal: AbortSignal) => Promise<Response>): Promise<Response> {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = retryable('REQUEST_TIMEOUT', 'no answer in time', { got: `${ms} ms`, want: 'a quicker answer' })
      controller.abort(error)
      reject(error)
    }, ms)
  })
  try {
    return await Promise.race([run(controller.signal), late])
  } finally {
    clearTimeout(timer)
  }
}

/** JSON with amounts as decimal strings. */
export function jsonResponse(value: unknown, status: number): Response {
  return new Response(toJson(value), { status, headers: { 'content-type': 'application/json' } })
}
