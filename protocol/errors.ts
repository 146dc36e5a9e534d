/**
 * The one error class of the project. Four families, by who must act (docs/architecture.md, "Errors"):
 * invalid: reject the input, perhaps dispute it; retryable: back off and try again; config: refuse to start, name the key;
 * bug: stop, we are wrong.
 */

export type ErrorFamily = 'invalid' | 'retryable' | 'config' | 'bug'

/** What went wrong, in data: `got` and `want` are what a person needs to mend it. Values are printable. */
export type ErrorDetails = Readonly<{ got?: unknown; want?: unknown; [field: string]: unknown }>

export class LifeboatError extends Error {
  readonly family: ErrorFamily
  /** Stable, machine-readable, UPPER_SNAKE. Part of the API. */
  readonly code: string
  readonly details: ErrorDetails

  constructor(family: ErrorFamily, code: string, summary: string, details: ErrorDetails = {}, cause?: unknown) {
    super(describe(summary, details), cause === undefined ? undefined : { cause })
    this.name = 'LifeboatError'
    this.family = family
    this.code = code
    this.details = details
  }
}

export function invalid(code: string, summary: string, details?: ErrorDetails, cause?: unknown): LifeboatError {
  return new LifeboatError('invalid', code, summary, details, cause)
}

export function retryable(code: string, summary: string, details?: ErrorDetails, cause?: unknown): LifeboatError {
  return new LifeboatError('retryable', code, summary, details, cause)
}

export function configError(code: string, summary: string, details?: ErrorDetails, cause?: unknown): LifeboatError {
  return new LifeboatError('config', code, summary, details, cause)
}

export function bug(code: string, summary: string, details?: ErrorDetails, cause?: unknown): LifeboatError {
  return new LifeboatError('bug', code, summary, details, cause)
}

export function isLifeboatError(error: unknown): error is LifeboatError {
  return error instanceof LifeboatError
}

/** Closes a switch over a union: reaching it is a compile-time error, and at run time a bug. */
export function assertNever(value: never): never {
  throw bug('UNREACHABLE', 'a case that the types exclude was reached', { got: value })
}

function describe(summary: string, details: ErrorDetails): string {
  const parts = [summary]
  if ('got' in details) parts.push(`got ${printable(details.got)}`)
  if ('want' in details) parts.push(`want ${printable(details.want)}`)
  // The words of another error, told on with its details, hold both already.
  return summary.endsWith(parts.slice(1).join(', ')) ? summary : parts.join(', ')
}

function printable(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint') return value.toString()
  return (
    JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? part.toString() : part)) ?? String(value)
  )
}
