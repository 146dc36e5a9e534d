/** How a command ends (docs/guide-wallet.md, "Exit codes"): scripts may rely on these. */
import { isLifeboatError, type LifeboatError } from '../protocol/errors.ts'

export const EXIT_OK = 0
/** Refused, and trying again changes nothing. */
export const EXIT_FAILED = 1
/** The command line or the configuration is wrong; nothing was done. */
export const EXIT_USAGE = 2
/** Something did not answer or is not ready yet: the same command may succeed later, and never does anything twice. */
export const EXIT_RETRY = 3
/** A fault of this program. */
export const EXIT_BUG = 4
/** Ctrl-C or SIGTERM. */
export const EXIT_INTERRUPTED = 130

export const EXIT_CODES: readonly Readonly<{ code: number; meaning: string }>[] = [
  { code: EXIT_OK, meaning: 'done' },
  { code: EXIT_FAILED, meaning: 'refused; trying again changes nothing' },
  { code: EXIT_USAGE, meaning: 'wrong arguments or configuration; nothing was done' },
  { code: EXIT_RETRY, meaning: 'no answer or not ready yet; run it again later, nothing happens twice' },
  { code: EXIT_BUG, meaning: 'a fault of this program; please report it' },
  { code: EXIT_INTERRUPTED, meaning: 'interrupted' },
]

export function exitCodeOf(error: unknown): number {
  if (!isLifeboatError(error)) return EXIT_BUG
  switch (error.family) {
    case 'invalid':
      return EXIT_FAILED
    case 'retryable':
      return EXIT_RETRY
    case 'config':
      return EXIT_USAGE
    case 'bug':
      return EXIT_BUG
  }
}

export type PrintedError = Readonly<{ code: string; message: string; got?: unknown; want?: unknown; details?: unknown }>

/** An error as data for --json. */
export function errorToJson(error: LifeboatError): PrintedError {
  const { got, want, ...details } = error.details
  return {
    code: error.code,
    message: error.message,
    ...(got === undefined ? {} : { got }),
    ...(want === undefined ? {} : { want }),
    ...(Object.keys(details).length === 0 ? {} : { details }),
  }
}
