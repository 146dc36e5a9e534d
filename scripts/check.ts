/** `npm run check`: types, pure types, lint and format, generated files, import table, invariants, README, documents. Says all problems at once. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findDocProblems } from './docReferences.ts'
import { findStaleFiles } from './generate.ts'
import { findImportProblems } from './imports.ts'
import { findInvariantProblems } from './invariants.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')

/** What the README must tell a newcomer, and what .ci/run runs. */
export const README_COMMANDS = ['npm ci && npm start', 'npm ci && npm test'] as const

type Check = Readonly<{ name: string; problems(): string[] }>

const CHECKS: readonly Check[] = [
  { name: 'types', problems: () => run('node_modules/.bin/tsc', ['-p', 'tsconfig.json']) },
  { name: 'built types', problems: () => run('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json', '--noEmit']) },
  { name: 'pure types', problems: () => run('node_modules/.bin/tsc', ['-p', 'tsconfig.pure.json']) },
  {
    name: 'lint and format',
    problems: () => run('node_modules/.bin/biome', ['ci', '--colors=off', '--error-on-warnings', '.']),
  },
  { name: 'generated files', problems: () => findStaleFiles().map((path) => `${path} is stale: run npm run gen`) },
  {
    name: 'import table',
    problems: () =>
      findImportProblems(ROOT).map(({ file, got, want }) => `${file}: got an import of ${got}, want ${want}`),
  },
  { name: 'invariants', problems: () => findInvariantProblems(ROOT) },
  { name: 'readme', problems: findReadmeProblems },
  { name: 'documents', problems: () => findDocProblems(ROOT) },
  { name: 'lock file', problems: findLockProblems },
]

function findReadmeProblems(): string[] {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  return README_COMMANDS.filter((command) => !readme.includes(command)).map(
    (command) => `README.md: want the command "${command}"`,
  )
}

type Lock = Readonly<{ packages: Record<string, Readonly<{ optionalDependencies?: Record<string, string> }>> }>

/** The lock file installs from whichever registry is configured: it names none. */
function findLockProblems(): string[] {
  const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8')
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >
  const loose = Object.entries({ ...manifest['dependencies'], ...manifest['devDependencies'] }).filter(
    ([, version]) => !/^\d/.test(version),
  )
  const packages = Object.entries((JSON.parse(lock) as Lock).packages)
  const names = new Set(packages.map(([path]) => path))
  const lost = packages
    .flatMap(([, { optionalDependencies }]) => Object.keys(optionalDependencies ?? {}))
    .filter((name) => !names.has(`node_modules/${name}`))
  return [
    ...lost.map((name) => `package-lock.json: got no entry for ${name}: run node scripts/completeLock.mjs`),
    ...(lock.includes('"resolved"') ? ['package-lock.json: got download addresses, want none'] : []),
    ...loose.map(([name, version]) => `package.json: got ${name} ${version}, want an exact version`),
  ]
}

function run(command: string, args: readonly string[]): string[] {
  const { status, stdout, stderr, error } = spawnSync(join(ROOT, command), args, { cwd: ROOT, encoding: 'utf8' })
  return status === 0 ? [] : [`${stdout ?? ''}${stderr ?? ''}${error ? String(error) : ''}`.trim()]
}

/** A check that cannot even run has failed, and the others still run. */
function attempt(problems: () => string[]): string[] {
  try {
    return problems()
  } catch (error) {
    return [String(error)]
  }
}

let failed = 0
for (const { name, problems } of CHECKS) {
  const found = attempt(problems)
  console.log(`${found.length === 0 ? 'ok  ' : 'FAIL'} ${name}`)
  for (const problem of found) console.log(problem.replace(/^/gm, '     '))
  if (found.length > 0) failed++
}
if (failed > 0) process.exitCode = 1
