/** Waiting for what others do: asked again until it is there, with a deadline on the clock of the wall. */
import { setTimeout as sleep } from 'node:timers/promises'
import { retryable } from '../protocol/errors.ts'

const LOOK_MS = 50
export const WAIT_MS = 120_000

/** Throws DRILL_TIMEOUT with what was waited for. */
export async function until<T>(
  what: string | (() => string),
  look: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs: number = WAIT_MS,
): Promise<T> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > end) {
      throw retryable('DRILL_TIMEOUT', 'something did not happen', {
        got: `nothing for ${timeoutMs / 1000} s`,
        want: typeof what === 'string' ? what : what(),
      })
    }
    await sleep(LOOK_MS)
  }
}
