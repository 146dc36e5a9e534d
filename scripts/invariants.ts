/** docs/invariants.md names, for every invariant, code that enforces it and tests that check it: both must exist, word for word. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const FILE = 'docs/invariants.md'
const ROW = /^\|\s*([A-Z]+-\d+)\s*\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|\s*$/gm

/** The invariants that the project promises to keep an eye on, built or not. */
const REQUIRED = [
  ...['FUNDS-1', 'FUNDS-2', 'EXIT-1', 'EXIT-2', 'EXIT-3', 'EXIT-4', 'EXIT-5', 'EXIT-6', 'HALT-1', 'HALT-2'],
  ...['CODEC-1', 'WATCH-1', 'WATCH-2', 'WATCH-3'],
]

export function findInvariantProblems(root: string): string[] {
  const rows = [...readFileSync(join(root, FILE), 'utf8').matchAll(ROW)]
  const ids = rows.map((row) => row[1] as string)
  const problems = REQUIRED.filter((id) => !ids.includes(id)).map((id) => `${FILE}: got no row for ${id}, want one`)
  for (const [, id = '', , , enforced = '', checked = ''] of rows) {
    if (/not yet/.test(enforced) || /not yet/.test(checked)) continue
    problems.push(...findMissingPaths(root, id, `${enforced} ${checked}`), ...findMissingTests(root, id, checked))
  }
  return problems
}

function findMissingPaths(root: string, id: string, cells: string): string[] {
  const paths = [...cells.matchAll(/`([\w./-]+\.(?:ts|sol))`/g)].map((match) => match[1] as string)
  if (paths.length === 0) return [`${FILE}: ${id} got no path, want code and a test`]
  return paths
    .filter((path) => !existsSync(join(root, path)))
    .map((path) => `${FILE}: ${id} got ${path}, want a file that exists`)
}

/** A test is written as `path` "its name". */
function findMissingTests(root: string, id: string, cell: string): string[] {
  const tests = [...cell.matchAll(/`([\w./-]+\.test\.ts)`\s*"([^"]+)"/g)]
  if (tests.length === 0) return [`${FILE}: ${id} got no test, want \`path\` "name of the test"`]
  return tests
    .filter(
      ([, path = '', name = '']) =>
        !existsSync(join(root, path)) || !holds(readFileSync(join(root, path), 'utf8'), name),
    )
    .map(([, path, name]) => `${FILE}: ${id} got test "${name}", want one of that name in ${path}`)
}

function holds(source: string, name: string): boolean {
  return source.replace(/\\'/g, "'").includes(name)
}
