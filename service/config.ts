/**
 * Configuration (docs/architecture.md, "Configuration"). One table per program yields its parser, its --help and its docs
 * (configText.ts). Where a value comes from: flag > environment > file > default. A key has one name in each place:
 *
 *     l1Url    --l1-url    LIFEBOAT_L1_URL    { "l1Url": ... } in the file that --config or LIFEBOAT_CONFIG names
 *
 * All problems are reported at once. Keys that make the program less safe start with `unsafe`. Secrets are only ever named by file.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { bug, configError, type LifeboatError } from '../protocol/errors.ts'
import type { Kind } from './configTypes.ts'

export type Entry<T> = Readonly<{
  kind: Kind<T>
  /** One sentence for a person, without the unit and the default. */
  describe: string
  /** Without one the key must be given, unless it is `optional`. */
  default?: T
  /** May be left out, and is then undefined. */
  optional?: true
}>

/** A table mixes kinds; each key's own type comes back through ConfigOf. */
export type Entries = Readonly<Record<string, Entry<unknown>>>

export type ConfigOf<E extends Entries> = {
  readonly [K in keyof E]: E[K] extends { kind: Kind<infer T> }
    ? E[K] extends { optional: true }
      ? T | undefined
      : T
    : never
}

export type ConfigTable<E extends Entries> = Readonly<{
  /** As a person starts it: `lifeboat operator`. */
  program: string
  describe: string
  entries: E
  /** What single values can't say, judged once every value is well formed: margins that don't fit, keys that exclude each other. */
  rules?: readonly ((config: ConfigOf<E>) => ConfigProblem | undefined)[]
}>

export type ConfigProblem = Readonly<{
  key: string
  got: unknown
  want: string
  /** Where the value was found: `--port`, `LIFEBOAT_PORT`, a file's path, `default`, `nowhere`. */
  from?: string
}>

export type ConfigSources = Readonly<{
  /** Arguments after the program's name. */
  argv: readonly string[]
  env: Readonly<Record<string, string | undefined>>
}>

export type ConfigReading<E extends Entries> = Readonly<{
  config: ConfigOf<E>
  /** Where each key's value came from. */
  from: Readonly<Record<keyof E, string>>
}>

/** Keeps the entries' types; throws CONFIG_TABLE_WRONG (bug) for a key that could not be a flag. */
export function defineConfig<const E extends Entries>(table: ConfigTable<E>): ConfigTable<E> {
  for (const key of Object.keys(table.entries)) {
    if (!/^[a-z][a-zA-Z0-9]*$/.test(key) || key === 'config' || key === 'help') {
      throw bug('CONFIG_TABLE_WRONG', 'not a usable key', {
        got: key,
        want: 'camelCase, not "config" or "help"',
      })
    }
  }
  return table
}

/** `l1Url` to `--l1-url`. */
export function keyToFlag(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** `l1Url` to `LIFEBOAT_L1_URL`. */
export function keyToEnv(key: string): string {
  return `LIFEBOAT_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/** Whether the arguments ask for help instead of work. */
export function wantsHelp({ argv }: Pick<ConfigSources, 'argv'>): boolean {
  return argv.includes('--help') || argv.includes('-h')
}

type Found = Readonly<{ raw: unknown; from: string }>

/** Throws one CONFIG_INVALID (config) that lists every problem, in its message and as `details.problems`. */
export function readConfig<E extends Entries>(table: ConfigTable<E>, sources: ConfigSources): ConfigReading<E> {
  const problems: ConfigProblem[] = []
  const flags = readFlags(table.entries, sources.argv, problems)
  const file = readFile(table.entries, flags.get('config')?.raw ?? sources.env['LIFEBOAT_CONFIG'], problems)
  const values: Record<string, unknown> = {}
  const from: Record<string, string> = {}
  for (const [key, entry] of Object.entries(table.entries)) {
    const found = flags.get(key) ?? readEnv(key, sources.env) ?? file.get(key)
    from[key] = found?.from ?? (entry.default === undefined ? 'nowhere' : 'default')
    values[key] = found ? parseFound(key, entry, found, problems) : entry.default
    if (!found && entry.default === undefined && !entry.optional) {
      problems.push({ key, got: 'nothing', want: entry.kind.want, from: 'nowhere' })
    }
  }
  const config = values as ConfigOf<E>
  if (problems.length === 0) problems.push(...(table.rules ?? []).flatMap((rule) => rule(config) ?? []))
  if (problems.length > 0) throw invalidConfig(table.program, problems)
  return { config, from: from as Record<keyof E, string> }
}

/** The unsafe keys that are in use, for a warning at start-up. */
export function unsafeKeys<E extends Entries>(table: ConfigTable<E>, { config }: ConfigReading<E>): string[] {
  const isInUse = (key: string) => config[key] !== undefined && config[key] !== table.entries[key]?.default
  return Object.keys(table.entries).filter((key) => key.startsWith('unsafe') && isInUse(key))
}

/** Some problems as one error, for what is only found out later: while checking keys, disk, or the chain. */
export function invalidConfig(program: string, problems: readonly ConfigProblem[]): LifeboatError {
  const lines = problems.map(({ key, got, want, from }) => {
    return `  ${key}: got ${printable(got)}${from && from !== 'nowhere' ? ` from ${from}` : ''}, want ${want}`
  })
  const summary = `${program}: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} in the configuration`
  return configError('CONFIG_INVALID', [summary, ...lines].join('\n'), { problems })
}

function parseFound<T>(
  key: string,
  { kind }: Entry<T>,
  { raw, from }: Found,
  problems: ConfigProblem[],
): T | undefined {
  const value = kind.parse(raw)
  if (value === undefined) problems.push({ key, got: kind.redact ? kind.redact(raw) : raw, want: kind.want, from })
  return value
}

/** Unknown flags, stray words and flags without their value become problems; the rest is found by key. */
function readFlags(entries: Entries, argv: readonly string[], problems: ConfigProblem[]): Map<string, Found> {
  const keyOf = new Map(['config', ...Object.keys(entries)].map((key) => [keyToFlag(key), key]))
  const isSwitch = (key: string) => entries[key]?.kind.isSwitch === true
  const options = Object.fromEntries(
    [...keyOf].map(([flag, key]) => [
      flag.slice(2),
      { type: isSwitch(key) ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true })
  const found = new Map<string, Found>()
  for (const token of tokens) {
    if (token.kind === 'positional') problems.push({ key: token.value, got: 'a word', want: 'flags only' })
    if (token.kind !== 'option') continue
    const negated = token.rawName.startsWith('--no-') ? keyOf.get(`--${token.rawName.slice(5)}`) : undefined
    const key = negated !== undefined && isSwitch(negated) ? negated : keyOf.get(token.rawName)
    if (key === undefined) {
      problems.push({ key: token.rawName, got: 'an unknown flag', want: suggestion(token.rawName, [...keyOf.keys()]) })
    } else if (found.has(key)) {
      problems.push({ key, got: `${token.rawName} twice`, want: 'it once', from: token.rawName })
    } else {
      found.set(key, { raw: token.value ?? (isSwitch(key) ? key !== negated : ''), from: token.rawName })
    }
  }
  return found
}

/** An empty variable counts as not set, as compose files leave them. */
function readEnv(key: string, env: ConfigSources['env']): Found | undefined {
  const raw = env[keyToEnv(key)]
  return raw === undefined || raw === '' ? undefined : { raw, from: keyToEnv(key) }
}

function readFile(entries: Entries, file: unknown, problems: ConfigProblem[]): Map<string, Found> {
  if (file === undefined || file === '') return new Map()
  const from = String(file)
  let content: unknown
  try {
    content = JSON.parse(readFileSync(from, 'utf8'))
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error)
    problems.push({ key: 'config', got, want: 'a readable file of JSON', from })
    return new Map()
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    problems.push({ key: 'config', got: 'JSON of another kind', want: 'one JSON object', from })
    return new Map()
  }
  const known = Object.keys(entries)
  for (const key of Object.keys(content).filter((name) => !known.includes(name))) {
    problems.push({ key, got: 'an unknown key', want: suggestion(key, known), from })
  }
  return new Map(Object.entries(content).map(([key, raw]) => [key, { raw, from }]))
}

function suggestion(name: string, known: readonly string[]): string {
  const ranked = known.map((candidate) => ({ candidate, steps: distance(name, candidate) }))
  const nearest = ranked.sort((a, b) => a.steps - b.steps)[0]
  if (nearest && nearest.steps <= Math.max(2, name.length / 3)) return `a known one; did you mean ${nearest.candidate}?`
  return 'a known one; see --help'
}

/** Levenshtein: single-letter edits between two names. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

function printable(got: unknown): string {
  if (typeof got === 'string') return got === '' ? 'an empty text' : got
  return JSON.stringify(got) ?? String(got)
}
