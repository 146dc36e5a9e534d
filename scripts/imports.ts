/** The import table (docs/architecture.md): which folder may import which. Checked over the import statements of every file. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** A folder may import itself and the folders listed here, nothing else of ours. Tests, benchmarks and scripts may import everything. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  contracts: ['protocol'],
  signatures: ['protocol'],
  service: ['protocol'],
  api: ['protocol', 'service'],
  l1: ['protocol', 'contracts', 'service', 'signatures'],
  operator: ['protocol', 'contracts', 'signatures', 'service', 'api', 'l1'],
  watcher: ['protocol', 'contracts', 'signatures', 'service', 'api', 'l1'],
  wallet: ['protocol', 'contracts', 'signatures', 'service', 'api', 'l1'],
  drill: ['protocol', 'contracts', 'signatures', 'service', 'api', 'l1', 'operator', 'watcher', 'wallet'],
  cli: ['protocol', 'contracts', 'signatures', 'service', 'api', 'l1', 'operator', 'watcher', 'wallet', 'drill'],
}

/** What must not reach outside the language: no packages but these, no Node modules. Folders end in a slash. */
const PURE: Readonly<Record<string, readonly string[]>> = {
  'protocol/': ['hash-wasm'],
  'watcher/court/': [],
  'watcher/safety.ts': [],
}

/** What the court may import with more than types. */
const COURT_IMPORTS = ['protocol/', 'watcher/court/', 'watcher/safety.ts']

export type ImportProblem = Readonly<{ file: string; got: string; want: string }>

export function findImportProblems(root: string): ImportProblem[] {
  return Object.keys(MAY_IMPORT).flatMap((folder) =>
    sourceFiles(join(root, folder)).flatMap((file) => problemsOf(root, folder, file)),
  )
}

function problemsOf(root: string, folder: string, file: string): ImportProblem[] {
  const path = relative(root, file)
  const pure = Object.keys(PURE).find((prefix) => path.startsWith(prefix))
  const problems: ImportProblem[] = []
  for (const specifier of importsOf(readFileSync(file, 'utf8'))) {
    if (!specifier.startsWith('.')) {
      if (pure && !PURE[pure]?.includes(specifier))
        problems.push({ file: path, got: specifier, want: `nothing outside ${pure}` })
      continue
    }
    const target = relative(root, join(dirname(file), specifier))
    const targetFolder = target.split('/')[0] as string
    if (targetFolder !== folder && !MAY_IMPORT[folder]?.includes(targetFolder)) {
      problems.push({ file: path, got: target, want: `only ${[folder, ...(MAY_IMPORT[folder] ?? [])].join(', ')}` })
    }
    const isCourt = path.startsWith('watcher/court/')
    if (isCourt && !COURT_IMPORTS.some((prefix) => target.startsWith(prefix)) && !isTypeOnly(file, specifier)) {
      problems.push({ file: path, got: target, want: `types, or ${COURT_IMPORTS.join(', ')}` })
    }
  }
  return problems
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+['"]([^'"]+)['"]|(?:^|\n)\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g

function importsOf(source: string): string[] {
  return [...source.matchAll(IMPORT)].map((match) => (match[1] ?? match[2] ?? match[3]) as string)
}

function isTypeOnly(file: string, specifier: string): boolean {
  const escaped = specifier.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`import type [^'"]*from ['"]${escaped}['"]`).test(readFileSync(file, 'utf8'))
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
}
