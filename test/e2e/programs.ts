/** `lifeboat` as processes of their own: what a person or a supervisor would start, kill and stop. */
import { type ChildProcess, spawn } from 'node:child_process'
import { until } from './world.ts'

const START_MS = 60_000

export type Program = Readonly<{
  out(): string
  err(): string
  /** The first match of the pattern in what it said on standard error. Throws when it ended without. */
  says(pattern: RegExp): Promise<string>
  /** Sends the signal and waits for the end: the exit code, null when it was killed. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
  /** Waits for it to end by itself. */
  ended: Promise<number | null>
}>

/** Starts `lifeboat` with these words, from source. It dies with this process. */
export function startProgram(...words: readonly string[]): Program {
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', 'cli/lifeboat.ts', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { out: '', err: '' }
  for (const [name, stream] of [
    ['out', child.stdout],
    ['err', child.stderr],
  ] as const)
    stream?.on('data', (chunk: Buffer) => {
      said[name] += chunk.toString()
    })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const reap = () => child.kill('SIGKILL')
  process.once('exit', reap)
  void ended.then(() => process.off('exit', reap))
  const isOver = () => child.exitCode !== null || child.signalCode !== null
  return {
    out: () => said.out,
    err: () => said.err,
    ended,
    says: async (pattern) => {
      const heard = () => pattern.exec(said.err)?.[1]
      await until(
        () => `${pattern} from lifeboat ${words[0]}; it said: ${said.err}`,
        () => heard() !== undefined || isOver(),
        START_MS,
      )
      const found = heard()
      if (found === undefined) throw new Error(`lifeboat ${words[0]} ended: ${said.err}`)
      return found
    },
    end: (signal) => {
      child.kill(signal)
      return ended
    },
  }
}

/** Runs `lifeboat` to its end. Throws unless it ended well. */
export async function runProgram(...words: readonly string[]): Promise<string> {
  const program = startProgram(...words)
  const code = await program.ended
  if (code !== 0) throw new Error(`lifeboat ${words[0]} ended with ${code}: ${program.err()}`)
  return program.out()
}
