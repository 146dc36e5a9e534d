/** Long-running commands end by Ctrl-C or SIGTERM, in order. */
import type { CliIo } from './io.ts'

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
}
