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
})
export type ErrorBody = z.output<typeof errorBodySchema>

export const errorAnswerSchema = z.object({ error: errorBodySchema })

/** JSON-safe: bigints become decimal strings. */
export function errorToBody(error: LifeboatError): ErrorBody {
  return bodyOf(error.code, error.message, error.details)
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

/** What a server's refusal means to its client. */
export function answerToError(status: number, body: ErrorBody): LifeboatError {
  const make =
    status === 408 || status === 409 || status === 425 || status === 429 || status >= 500 ? retryable : invalid
  const details = {
    ...('got' in body ? { got: body.got } : {}),
    ...('want' in body ? { want: body.want } : {}),
    status,
  }
  return make(body.code, body.message, details)
}

function printable(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value === undefined) return null
  return JSON.parse(
    JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? part.toString() : part)) ?? 'null',
  )
}
