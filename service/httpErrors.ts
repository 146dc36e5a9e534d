/** The project's errors as HTTP answers: `{ "error": { code, message, got, want } }` under the status that says who must act. */
import { z } from 'zod'
import { bug, isLifeboatError, type LifeboatError } from '../protocol/errors.ts'

export type HttpFault = Readonly<{
  status: number
  body: {
    readonly error: { readonly code: string; readonly message: string; readonly got?: unknown; readonly want?: unknown }
  }
  /** Whole seconds for Retry-After. */
  retryAfterSeconds?: number
}>

/** The body of every answer that is not 2xx. */
export const errorSchema = z.object({
  error: z.object({
    code: z.string().describe('stable, UPPER_SNAKE'),
    message: z.string(),
    got: z.unknown().optional(),
    want: z.unknown().optional(),
  }),
})

/** Statuses of our own codes; a program adds its own, like `BLOCK_UNKNOWN: 404`. */
export type StatusByCode = Readonly<Record<string, number>>

const OWN_STATUS: StatusByCode = {
  ROUTE_UNKNOWN: 404,
  BODY_TOO_LARGE: 413,
  MEDIA_TYPE_UNKNOWN: 415,
  RATE_LIMITED: 429,
}

/** invalid 400, retryable 503, everything else 500, unless the code has its own. What strangers threw is shown to the log only. */
export function errorToFault(error: unknown, statusByCode: StatusByCode): HttpFault {
  const known = isLifeboatError(error) ? error : bug('INTERNAL', 'internal error', {}, error)
  const status = statusByCode[known.code] ?? OWN_STATUS[known.code] ?? statusOfFamily(known)
  const { details } = known
  if (status === 500) return { status, body: { error: { code: known.code, message: 'internal error' } } }
  const after = details['retryAfterSeconds']
  return {
    status,
    body: {
      error: {
        code: known.code,
        message: known.message,
        ...('got' in details ? { got: details.got } : {}),
        ...('want' in details ? { want: details.want } : {}),
      },
    },
    ...(typeof after === 'number' ? { retryAfterSeconds: Math.max(1, Math.ceil(after)) } : {}),
  }
}

/** JSON with amounts as decimal strings. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? part.toString() : part))
}

function statusOfFamily({ family }: LifeboatError): number {
  if (family === 'invalid') return 400
  return family === 'retryable' ? 503 : 500
}
