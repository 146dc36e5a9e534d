/**
 * Ending cleanly on Ctrl-C and SIGTERM: what was opened last is closed first, a part that fails to close does not keep the others from
 * it, and nothing waits for ever. A second Ctrl-C ends at once, which is safe as well: every store is durable at every moment.
 */
import type { EventEmitter } from 'node:events'
import { bug } from '../protocol/errors.ts'
import type { Log } from './log.ts'

export type Shutdown = Readonly<{
  /** Aborts when the end begins: for loops and waits. */
  signal: AbortSignal
  /** Registers what is to be closed. Called after the end began, it is closed at once. */
  onClose(name: string, close: () => void | Promise<void>): void
  /** Ends now. Resolves when all is closed; the exit code is 0 if nothing failed. Twice: the same end. */
  end(reason: string): Promise<number>
}>

export type ShutdownOptions = Readonly<{
  log: Log
  /** Until what still hangs is given up; default 20,000. */
  timeoutMs?: number
  /** Source of signals, by default the process. */
  signals?: EventEmitter
  /** Ends the process with a code, after a signal; by default process.exit. */
  exit?: (code: number) => void
}>

const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const

export function createShutdown(options: ShutdownOptions): Shutdown {
  const { log, timeoutMs = 20_000, signals = process, exit = process.exit } = options
  const controller = new AbortController()
  const open: { name: string; close: () => void | Promise<void> }[] = []
  let ending: Promise<number> | undefined

  for (const [signal, code] of Object.entries(SIGNAL_CODES)) {
    signals.on(signal, () => {
      if (ending) exit(code)
      else void end(signal).then(exit)
    })
  }

  async function closeOne({ name, close }: (typeof open)[number]): Promise<boolean> {
    try {
      await withDeadline(close, timeoutMs)
      log.debug('part.closed', { part: name })
      return true
    } catch (error) {
      log.error('part.close_failed', { part: name, error })
      return false
    }
  }

  async function closeAll(reason: string): Promise<number> {
    log.info('program.ending', { reason })
    controller.abort()
    let code = 0
    for (let part = open.pop(); part; part = open.pop()) {
      if (!(await closeOne(part))) code = 1
    }
    log.info('program.ended', { code })
    return code
  }

  function end(reason: string): Promise<number> {
    ending ??= closeAll(reason)
    return ending
  }

  return {
    signal: controller.signal,
    onClose: (name, close) => {
      if (ending) void closeOne({ name, close })
      else open.push({ name, close })
    },
    end,
  }
}

async function withDeadline(close: () => void | Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(bug('CLOSE_TIMEOUT', 'it did not close in time', { got: `${ms} ms` })), ms)
  })
  try {
    await Promise.race([close(), late])
  } finally {
    clearTimeout(timer)
  }
}
