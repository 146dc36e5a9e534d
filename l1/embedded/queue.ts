/** One job at a time, in the order of asking: what changes the chain, and what moves the shared state reader, goes through one. */

export interface Queue {
  /** Runs `job` after every job asked for before it, whether those failed or not; gives its result or its error. */
  run<T>(job: () => Promise<T>): Promise<T>
  /** Resolves when everything asked for so far has ended. */
  idle(): Promise<void>
}

export function createQueue(): Queue {
  let last: Promise<unknown> = Promise.resolve()
  return {
    run<T>(job: () => Promise<T>): Promise<T> {
      const result = last.then(job)
      last = result.catch(() => undefined)
      return result
    },
    async idle() {
      await last
    },
  }
}
