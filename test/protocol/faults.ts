/** What a call refused, as its code and the fault inside it; a call that succeeds fails the test. */
import { isLifeboatError, type LifeboatError } from '../../protocol/errors.ts'

export function refusal(call: () => unknown): LifeboatError {
  try {
    call()
  } catch (error) {
    if (isLifeboatError(error)) return error
    throw error
  }
  throw new Error('got success, want a refusal')
}

export function faultOf(call: () => unknown): unknown {
  return refusal(call).details['fault']
}
