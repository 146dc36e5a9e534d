/**
 * HTTP requests to a server that is not trusted (docs/architecture.md, "API"): a deadline, a limit on what is read, and an answer of
 * the promised shape, or an error that names the server. Retrying is the caller's.
 */
import type { z } from 'zod'
import { concatBytes } from '../protocol/bytes.ts'
import { invalid, isLifeboatError, retryable } from '../protocol/errors.ts'
import { answerToError, errorAnswerSchema } from './errors.ts'

export type HttpOptions = Readonly<{
  /** Base URL without /v1. */
  url: string
  /** Whole request, answer included. Default 20,000. */
  timeoutMs?: number
  /** Most bytes of one answer. Default 64 MiB. */
  maxAnswerBytes?: number
  /** Ends all requests. */
  signal?: AbortSignal
  fetch?: typeof fetch
}>

export type Request = Readonly<{ path: string; body?: Uint8Array | string; type?: string; accept: string }>

export type Answer = Readonly<{ status: number; bytes: Uint8Array }>

const DEFAULT_TIMEOUT_MS = 20_000
const DEFAULT_MAX_ANSWER_BYTES = 64 * 1024 * 1024

/**
 * Throws (retryable) SERVER_UNREACHABLE, SERVER_TIMEOUT, ANSWER_TOO_LARGE (invalid), and for answers of 400 and above what the server
 * says, or SERVER_REFUSED where it says nothing we can read. `absent`: a 404 is answered with undefined.
 */
export async function request(options: HttpOptions, asked: Request): Promise<Answer> {
  const url = `${options.url.replace(/\/+$/, '')}${asked.path}`
  const deadline = AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS)
  const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline
  try {
    const response = await (options.fetch ?? fetch)(url, {
      method: asked.body === undefined ? 'GET' : 'POST',
      headers: { accept: asked.accept, ...(asked.type ? { 'content-type': asked.type } : {}) },
      ...(asked.body === undefined ? {} : { body: asked.body }),
      redirect: 'error',
      signal,
    })
    const bytes = await readLimited(response, options.maxAnswerBytes ?? DEFAULT_MAX_ANSWER_BYTES, url)
    if (response.status >= 400) throw refusal(response.status, bytes, url)
    return { status: response.status, bytes }
  } catch (cause) {
    if (isLifeboatError(cause)) throw cause
    if (options.signal?.aborted) throw retryable('REQUEST_ABORTED', 'the request was given up', { url }, cause)
    if (deadline.aborted) {
      const want = `an answer within ${options.timeoutMs ?? DEFAULT_TIMEOUT_MS} ms`
      throw retryable('SERVER_TIMEOUT', `no answer from ${url}`, { url, got: 'none', want }, cause)
    }
    throw retryable(
      'SERVER_UNREACHABLE',
      `cannot reach ${url}`,
      { url, got: reasonOf(cause), want: 'an answer' },
      cause,
    )
  }
}

/** The same, undefined when the server answers 404 with one of `absentCodes`. */
export async function requestMaybe(
  options: HttpOptions,
  asked: Request,
  absentCodes: readonly string[],
): Promise<Answer | undefined> {
  try {
    return await request(options, asked)
  } catch (error) {
    if (isLifeboatError(error) && error.details['status'] === 404 && absentCodes.includes(error.code)) return undefined
    throw error
  }
}

/** Throws ANSWER_MALFORMED unless the answer is JSON of that shape. */
export function decodeAnswer<Schema extends z.ZodType>(
  schema: Schema,
  { bytes }: Answer,
  url: string,
): z.output<Schema> {
  const parsed = schema.safeParse(parseJson(bytes, url))
  if (parsed.success) return parsed.data
  const first = parsed.error.issues[0]
  throw malformed(url, `${first?.path.join('.') || 'answer'}: ${first?.message}`)
}

async function readLimited(response: Response, limit: number, url: string): Promise<Uint8Array> {
  if (!response.body) return new Uint8Array()
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    size += part.length
    if (size > limit) {
      throw invalid('ANSWER_TOO_LARGE', `the answer of ${url} does not end`, {
        url,
        got: size,
        want: `at most ${limit}`,
      })
    }
    parts.push(part)
  }
  return parts.length === 1 ? (parts[0] as Uint8Array) : concatBytes(...parts)
}

function refusal(status: number, bytes: Uint8Array, url: string) {
  const parsed = errorAnswerSchema.safeParse(tryJson(bytes))
  if (parsed.success) return answerToError(status, parsed.data.error)
  return answerToError(status, { code: 'SERVER_REFUSED', message: `${url} refused`, got: status, want: 'status 200' })
}

function parseJson(bytes: Uint8Array, url: string): unknown {
  const json = tryJson(bytes)
  if (json === undefined) throw malformed(url, 'no JSON')
  return json
}

function tryJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}

function malformed(url: string, got: string) {
  return invalid('ANSWER_MALFORMED', `the answer of ${url} is not of the promised shape`, {
    url,
    got,
    want: 'see /openapi.json',
  })
}

function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  return inner instanceof Error ? inner.message : String(inner)
}
