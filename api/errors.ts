/**
 * Errors on the wire: the project's error (protocol/errors.ts) as JSON, and back. A client sees the code, the words, got and want that
 * the server wrote; who must act is the HTTP status: 4xx the caller, 429 and 5xx later.
 */
import { z } from 'zod'
import { type ErrorDetails, invalid, type LifeboatError, retryable } from '../protocol/errors.ts'

export const errorBodySchema = z.object({
  /** Stable, UPPER_SNAKE. */
  code: z.string(),
  message: z.string(),
  got: z.unknown().optional(),
  want: z.unknown().optional(),
  /** In results of single items, which have no HTTP status: the same request may succeed later. */
  retryable: z.literal(true).optional(),
})
export type ErrorBody = z.output<typeof errorBodySchema>

export const errorAnswerSchema = z.object({ error: errorBodySchema })

/** JSON-safe: bigints become decimal strings. */
export function errorToBody(error: LifeboatError): ErrorBody {
  const body = bodyOf(error.code, error.message, error.details)
  return error.family === 'retryable' ? { ...body, retryable: true } : body
}

/** For expected invalidity that never became an exception. */
export function bodyOf(code: string, message: string, details: ErrorDetails): ErrorBody {
  return {
    code,
    message,
    ...('got' in details ? { got: printable(details.got) } : {}),
    ...('want' in details ? { want: printable(details.want) } : {}),
  }
}

/** What the refusal of one item among several means to the client. */
export function resultToError(body: ErrorBody, more: ErrorDetails = {}): LifeboatError {
  return (body.retryable ? retryable : invalid)(body.code, body.message, { ...detailsOf(body), ...more })
}

/** What a server's refusal means to its client. */
export function answerToError(status: number, body: ErrorBody): LifeboatError {
  const make =
    status === 408 || status === 409 || status === 425 || status === 429 || status >= 500 ? retryable : invalid
  return make(body.code, body.message, { ...detailsOf(body), status })
}

function detailsOf(body: ErrorBody): ErrorDetails {
  return { ...('got' in body ? { got: body.got } : {}), ...('want' in body ? { want: body.want } : {}) }
}

function printable(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value === undefined) return null
  return JSON.parse(
    JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? part.toString() : part)) ?? 'null',
  )
}
