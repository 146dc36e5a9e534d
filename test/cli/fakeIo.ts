/** A terminal in memory: what a command printed, what it was told. */
import { Readable } from 'node:stream'
import type { CliIo } from '../../cli/io.ts'
import { runCli } from '../../cli/run.ts'

export type Run = Readonly<{ code: number; out: string; err: string }>

export type FakeTerminal = Readonly<{
  env?: Record<string, string>
  /** Answers to secret questions, in order; without any, nobody is there. */
  answers?: readonly string[]
  stdin?: string
  signal?: AbortSignal
}>

/** The terminal itself, for a command that is run by itself. */
export function createMemoryIo(
  terminal: FakeTerminal = {},
): CliIo & Readonly<{ printed: { out: string; err: string } }> {
  const answers = [...(terminal.answers ?? [])]
  const printed = { out: '', err: '' }
  return {
    printed,
    out: (text) => {
      printed.out += text
    },
    err: (text) => {
      printed.err += text
    },
    env: terminal.env ?? {},
    isInteractive: answers.length > 0,
    askSecret: async () => answers.shift() ?? '',
    stdin: Readable.from([terminal.stdin ?? '']),
    signal: terminal.signal ?? new AbortController().signal,
  }
}

/** Runs the CLI in this process. */
export async function lifeboat(argv: readonly string[], terminal: FakeTerminal = {}): Promise<Run> {
  const io = createMemoryIo(terminal)
  const code = await runCli(argv, io)
  return { code, ...io.printed }
}
