/** The real terminal behind CliIo: Ctrl-C and SIGTERM abort once, a second one ends the process; secrets are typed unseen. */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { EXIT_INTERRUPTED } from './exitCodes.ts'
import type { CliIo } from './io.ts'

export function createTerminalIo(): CliIo {
  const controller = new AbortController()
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED)
    controller.abort()
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  // A reader that went away (`| head`) is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    env: process.env,
    isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    askSecret: (question) => askSecret(question, controller.signal),
    stdin: process.stdin,
    signal: controller.signal,
  }
}

function askSecret(question: string, signal: AbortSignal): Promise<string> {
  process.stderr.write(question)
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silence, terminal: true })
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      lines.close()
      process.stderr.write('\n')
      settle()
    }
    lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'))
    signal.addEventListener('abort', () => finish(() => reject(signal.reason)), { once: true })
    lines.question('', (answer) => finish(() => resolve(answer)))
  })
}
