/** Finds the error codes of the sources in their text, for the test of the error book. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')
const AREAS = ['cli', 'wallet', 'drill', 'api', 'service', 'l1', 'operator', 'watcher', 'protocol', 'signatures']

/** The functions of protocol/errors.ts whose errors are for people; `bug` apart, which wants no entry. */
const FOR_PEOPLE = ['invalid', 'configError', 'retryable']

/** Functions of one file that are handed a code and pass it on. */
const PASS_ON: Readonly<Record<string, readonly string[]>> = {
  'operator/admission.ts': ['bodyOf'],
  'operator/admit.ts': ['bodyOf', 'passing'],
  'operator/policy.ts': ['refusal'],
  'operator/routes.ts': ['fail'],
  'protocol/transaction.ts': ['fault'],
  'watcher/routesWatch.ts': ['unknown'],
}

/** Types and maps that hold codes: a declaration of that name, to its end. */
const DECLARED: Readonly<Record<string, RegExp>> = {
  'operator/problems.ts': /export type ProblemCode =\n(?: {2}\| .*\n)+/,
  'operator/policy.ts': /export type RefusalCode =\n(?: {2}\| .*\n)+/,
  'watcher/routesWatch.ts': /const UNKNOWN_CODES = \{\n(?: {2}.*\n)+\}/,
}

/** Where code makes a code that is no literal, and why nothing is missed there. */
export const COMPUTED: Readonly<Record<string, string>> = {
  'api/errors.ts body.code': 'what a server said, and made elsewhere',
  'api/errors.ts (another name)': 'the same',
  'operator/admission.ts prepared.code': 'an error of protocol/codec.ts',
  'operator/admit.ts code: string': 'the parameter of `passing`',
  'operator/admit.ts code': 'the parameter of `passing`',
  'operator/admit.ts fault.code': 'a rule of protocol/validity.ts',
  'operator/admit.ts refused.code': 'a RefusalCode',
  'operator/policy.ts code: RefusalCode': 'the parameter of `refusal`',
  'operator/problems.ts code': 'a ProblemCode',
  'operator/routes.ts code': 'the parameter of `fail`',
  'operator/routes.ts code: string': 'the parameter of `fail`',
  'operator/routes.ts stopped.code': 'a ProblemCode',
  'protocol/errors.ts code: string': 'the makers themselves',
  'protocol/transaction.ts code: string': 'the parameter of `fault`',
  'wallet/flightCheck.ts (another name)': 'called on the next line, with INPUT_UNPROVEN',
  'wallet/keys.ts error.code': 'an error of the same file, with a path added',
  'watcher/routesWatch.ts UNKNOWN_CODES[kind]': 'the map, read whole',
  'watcher/routesWatch.ts code': 'the parameter of `unknown`',
  'watcher/routesWatch.ts code: string': 'the parameter of `unknown`',
}

export type FoundCodes = Readonly<{
  /** Code to the places that make it. */
  made: ReadonlyMap<string, readonly string[]>
  /** Codes of our own faults. */
  bugs: ReadonlySet<string>
  /** Places whose code is no literal, as COMPUTED names them. */
  computed: readonly string[]
}>

export function findCodes(files: ReadonlyMap<string, string> = readSources()): FoundCodes {
  const made = new Map<string, string[]>()
  const bugs = new Set<string>()
  const computed: string[] = []
  for (const [file, whole] of files) {
    const text = withoutComments(whole)
    const add = (code: string) => made.set(code, [...(made.get(code) ?? []), file])
    for (const argument of argumentsOf(text, [...FOR_PEOPLE, ...(PASS_ON[file] ?? [])])) {
      const codes = literalsOf(argument)
      if (codes.length === 0 || /[?:]\s*[a-z]/.test(argument)) computed.push(`${file} ${argument}`)
      codes.forEach(add)
    }
    if (/[?:] (?:invalid|configError|retryable)\n/.test(text)) computed.push(`${file} (another name)`)
    // An alias of a maker: `const make = isLate ? retryable : invalid`.
    for (const argument of argumentsOf(text, ['make'])) literalsOf(argument).forEach(add)
    for (const [, code] of text.matchAll(/\bcode: '([A-Z][A-Z0-9_]+)'/g)) add(code as string)
    for (const code of literalsOf(DECLARED[file]?.exec(text)?.[0] ?? '')) add(code)
    for (const argument of argumentsOf(text, ['bug'])) for (const code of literalsOf(argument)) bugs.add(code)
  }
  return { made, bugs, computed: [...new Set(computed)] }
}

/** The first arguments of all calls of these functions, also of `(now ? retryable : invalid)(...)`. */
function argumentsOf(text: string, names: readonly string[]): string[] {
  const calls = text.matchAll(
    new RegExp(`(?<![\\w']|(?<!\\.\\.)\\.)(?:${names.join('|')})(?: : (?:${names.join('|')}))?\\)?\\(`, 'g'),
  )
  return [...calls].map((call) => firstArgument(text, call.index + call[0].length))
}

function firstArgument(text: string, from: number): string {
  let depth = 0
  let quote = ''
  for (let i = from; i < text.length; i++) {
    const c = text[i] as string
    if (quote !== '') quote = c === quote ? '' : quote
    else if ('\'"`'.includes(c)) quote = c
    else if ('([{'.includes(c)) depth++
    else if (depth === 0 && ',)'.includes(c)) return text.slice(from, i).trim()
    else if (')]}'.includes(c)) depth--
  }
  throw new Error(`got a call without an end at ${text.slice(from, from + 60)}, want its first argument`)
}

function literalsOf(text: string): string[] {
  return [...text.matchAll(/'([A-Z][A-Z0-9_]+)'/g)].map(([, code]) => code as string)
}

/** The formatter gives each comment lines of its own. */
function withoutComments(text: string): string {
  return text.replace(/^\s*(?:\/\/|\/?\*).*$/gm, '')
}

/** All sources but the book itself, by path. */
export function readSources(): Map<string, string> {
  const files = AREAS.flatMap((area) =>
    (readdirSync(join(ROOT, area), { recursive: true }) as string[]).map((file) => `${area}/${file}`),
  )
  const sources = files.filter((file) => file.endsWith('.ts') && !/^cli\/errorBook|\.generated\.ts$/.test(file))
  return new Map(sources.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]))
}
