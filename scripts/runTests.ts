/**
 * `npm test [-- pattern]`: runs every test file in a process of its own, two at a time, and closes with one line "N passed, N failed".
 * uvu can end early with exit code 0 (an error that its printer cannot print, a failing hook), so a file counts as passed only when its
 * tally adds up: every test that it counted passed or was skipped, and there was at least one.
 */
import { spawn } from 'node:child_process'
import { relative } from 'node:path'
import { findTestFiles, parseTally } from './testFiles.ts'

const LANES = 2
/** A file that hangs is killed, and failed. */
const FILE_TIMEOUT_MS = 10 * 60_000

type Outcome = Readonly<{
  file: string
  passed: number
  skipped: number
  failed: number
  seconds: number
  output: string
}>

async function main(): Promise<void> {
  const pattern = process.argv[2]
  const files = findTestFiles('test', pattern)
  if (files.length === 0) throw new Error(`no test file matches: got ${pattern}`)
  const waiting = [...files]
  const outcomes: Outcome[] = []
  const lane = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      const outcome = await runFile(file)
      outcomes.push(outcome)
      report(outcome)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  const sum = (count: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + count(outcome), 0)
  const failed = sum((outcome) => outcome.failed)
  const skipped = sum((outcome) => outcome.skipped)
  console.log(
    `${sum((outcome) => outcome.passed)} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
  )
  if (failed > 0) process.exitCode = 1
}

function runFile(file: string): Promise<Outcome> {
  const started = Date.now()
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', file], { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = (chunk: Buffer) => {
      output += chunk.toString()
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    const timer = setTimeout(() => child.kill('SIGKILL'), FILE_TIMEOUT_MS)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ file: relative('.', file), ...judge(output, code), seconds: (Date.now() - started) / 1000, output })
    })
  })
}

function judge(output: string, code: number | null): Pick<Outcome, 'passed' | 'skipped' | 'failed'> {
  const tally = parseTally(output)
  if (!tally || tally.total === 0) return { passed: tally?.passed ?? 0, skipped: 0, failed: 1 }
  const missing = tally.total - tally.passed - tally.skipped
  const failed = missing > 0 ? missing : code === 0 ? 0 : 1
  return { passed: tally.passed, skipped: tally.skipped, failed }
}

function report({ file, passed, failed, seconds, output }: Outcome): void {
  console.log(
    `${failed > 0 ? 'FAIL' : 'ok  '} ${file}  ${passed} passed${failed > 0 ? `, ${failed} failed` : ''}  ${seconds.toFixed(1)} s`,
  )
  if (failed > 0) console.log(output.replace(/^/gm, '     '))
}

await main()
