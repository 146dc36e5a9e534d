/**
 * `npm test [-- pattern]`: runs every test file in a process of its own, two at a time, and closes with one line "N passed, N failed".
 * uvu can end early with exit code 0 (an error that its printer cannot print, a failing hook), so a file counts as passed only when its
 * tally adds up: every test that it counted passed or was skipped, and there was at least one.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { findTestFiles, parseTally } from './testFiles.ts'

const LANES = 2
/** A file that hangs is killed, and failed. */
const FILE_TIMEOUT_MS = 10 * 60_000

/** All that is drawn in the run hangs on this number; `FUZZ_SEED=<n> npm test` draws the same. */
const FUZZ_SEED = process.env['FUZZ_SEED'] ?? String(Date.now() % 2 ** 31)

/** What the files leave in their temporary directories goes with the run. */
const SCRATCH = mkdtempSync(join(tmpdir(), 'lifeboat-tests-'))

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
  if (!/^\d{1,10}$/.test(FUZZ_SEED)) throw new Error(`FUZZ_SEED: got ${FUZZ_SEED}, want a number`)
  if (files.length === 0) throw new Error(`no test file matches: got ${pattern}`)
  console.log(`FUZZ_SEED=${FUZZ_SEED}`)
  const waiting = [...files]
  const outcomes: Outcome[] = []
  const lane = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      const outcome = await runFile(file)
      outcomes.push(outcome)
      report(outcome)
    }
  }
  try {
    await Promise.all(Array.from({ length: LANES }, lane))
  } finally {
    rmSync(SCRATCH, { recursive: true, force: true, maxRetries: 3 })
  }
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
    const child = spawn(process.execPath, ['--import', 'tsx', '--import', './scripts/fuzzSeed.ts', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: SCRATCH, FUZZ_SEED },
    })
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
