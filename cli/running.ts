/** Long-running commands end by Ctrl-C or SIGTERM, in order. */
import type { CliIo } from './io.ts'

/** Signals of commands for which the interruption was the ordinary end. */
const inOrder = new WeakSet<AbortSignal>()

/** Resolves after `stop`, which is called when the command is interrupted. An ordinary end for what runs until told otherwise. */
export async function untilInterrupted(io: CliIo, stop: () => Promise<void>): Promise<void> {
  if (!io.signal.aborted) {
    // Keeps the process alive even when nothing else does.
    const awake = setInterval(() => undefined, 2 ** 30)
    await new Promise<void>((resolve) => io.signal.addEventListener('abort', () => resolve(), { once: true }))
    clearInterval(awake)
  }
  io.err('stopping\n')
  await stop()
  inOrder.add(io.signal)
}

/** True when `untilInterrupted` has ended: whoever supervises a service reads exit code 0 as stopped, all else as failed. */
export function endedInOrder({ signal }: Pick<CliIo, 'signal'>): boolean {
  return inOrder.has(signal)
}
