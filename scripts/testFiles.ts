/** Which files are tests, and what a uvu run of one of them says. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

export type Tally = Readonly<{ total: number; passed: number; skipped: number }>

/** Paths of all *.test.ts below a folder, sorted. `pattern`: a regular expression on the path. */
export function findTestFiles(folder: string, pattern?: string): string[] {
  const matches = new RegExp(pattern ?? '')
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith('.test.ts') && matches.test(path))
    .sort()
}

/** Reads uvu's closing lines; undefined when a run printed none, which is a failure however it exited. */
export function parseTally(output: string): Tally | undefined {
  const number = (label: string) => Number(output.match(new RegExp(`^\\s*${label}:\\s+(\\d+)`, 'm'))?.[1] ?? Number.NaN)
  const tally = { total: number('Total'), passed: number('Passed'), skipped: number('Skipped') }
  return Object.values(tally).every(Number.isInteger) ? tally : undefined
}
