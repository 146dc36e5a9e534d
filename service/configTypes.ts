/**
 * The kinds of configuration values (docs/architecture.md, "Configuration"). A kind reads what a flag or a variable (text) or a JSON
 * file (any value) holds, or says that it is not one, and prints a value for people without anything secret.
 */
import { readFileSync, statSync } from 'node:fs'
import { type Address, parseAddress } from '../protocol/bytes.ts'
import { configError, isLifeboatError } from '../protocol/errors.ts'

export type Kind<T> = Readonly<{
  /** Placeholder in --help: `<seconds>`. */
  placeholder: string
  /** What is accepted, in words. */
  want: string
  /** undefined when `raw` is not such a value. */
  parse(raw: unknown): T | undefined
  /** For the printed configuration and the docs. */
  print(value: T): string
  /** How a refused value is shown; unset: as it is. For what may hold a password or a key. */
  redact?: (raw: unknown) => string
  /** A switch: its flag takes no value. */
  isSwitch?: true
}>

/** A safe integer; both limits inclusive. */
export function integer({ min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {}): Kind<number> {
  return {
    placeholder: '<n>',
    want: max === Number.MAX_SAFE_INTEGER ? `an integer of ${min} or more` : `an integer from ${min} to ${max}`,
    parse: (raw) => within(parseInteger(raw), min, max),
    print: String,
  }
}

export const port = (): Kind<number> => integer({ min: 0, max: 65_535 })

const SECONDS_OF_UNIT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 }

/** A duration in whole seconds: 90, 90s, 15m, 12h, 7d, 2w. Both limits inclusive. */
export function seconds({ min = 0, max = 10 * 365 * 86_400 }: { min?: number; max?: number } = {}): Kind<number> {
  const parse = (raw: unknown) => {
    const [, digits, unit] = typeof raw === 'string' ? (/^(\d{1,15})([smhdw])$/.exec(raw) ?? []) : []
    if (digits === undefined || unit === undefined) return within(parseInteger(raw), min, max)
    return within(Number(digits) * (SECONDS_OF_UNIT[unit] ?? 1), min, max)
  }
  return {
    placeholder: '<seconds>',
    want: `a duration from ${min} to ${max} seconds, like 90, 15m, 12h or 7d`,
    parse,
    print: (value) => `${value}s`,
  }
}

const WEI_OF_UNIT: Readonly<Record<string, bigint>> = { wei: 1n, gwei: 10n ** 9n, ether: 10n ** 18n }

/** An amount in wei: "1000000", "2 gwei", "0.05 ether". Never a rounded one: more decimals than the unit has are refused. */
export function wei({ min = 0n, max = 2n ** 128n - 1n }: { min?: bigint; max?: bigint } = {}): Kind<bigint> {
  const parse = (raw: unknown) => {
    const amount = parseWei(typeof raw === 'number' && Number.isSafeInteger(raw) ? String(raw) : raw)
    return amount !== undefined && amount >= min && amount <= max ? amount : undefined
  }
  return {
    placeholder: '<wei>',
    want: `an amount from ${min} to ${max} wei, like "1000000", "2 gwei" or "0.05 ether"`,
    parse,
    print: (value) => `${value} wei`,
  }
}

export function boolean(): Kind<boolean> {
  const parse = (raw: unknown) => {
    if (typeof raw === 'boolean') return raw
    return raw === 'true' ? true : raw === 'false' ? false : undefined
  }
  return { placeholder: '', want: 'true or false', parse, print: String, isSwitch: true }
}

export function choice<const T extends string>(options: readonly T[]): Kind<T> {
  return {
    placeholder: `<${options.join('|')}>`,
    want: `one of ${options.join(', ')}`,
    parse: (raw) => options.find((option) => option === raw),
    print: String,
  }
}

export function text({ pattern = /^.+$/s, want = 'a text' }: { pattern?: RegExp; want?: string } = {}): Kind<string> {
  return {
    placeholder: '<text>',
    want,
    parse: (raw) => (typeof raw === 'string' && pattern.test(raw) ? raw : undefined),
    print: String,
  }
}

/** A file or directory. Whether it exists is for its user to find out. */
export function path(): Kind<string> {
  return { ...text({ pattern: /^[^\0]+$/, want: 'a path' }), placeholder: '<path>' }
}

export function address(): Kind<Address> {
  const parse = (raw: unknown) => {
    try {
      return typeof raw === 'string' ? parseAddress(raw) : undefined
    } catch (error) {
      if (isLifeboatError(error)) return undefined
      throw error
    }
  }
  return { placeholder: '<address>', want: 'an address: 0x and 40 hexadecimal digits', parse, print: String }
}

/** An absolute URL. Printed without user, path and query, where providers put their keys. */
export function url({ protocols = ['http', 'https'] }: { protocols?: readonly string[] } = {}): Kind<string> {
  const parse = (raw: unknown) => {
    const parsed = typeof raw === 'string' && URL.canParse(raw) ? new URL(raw) : undefined
    return parsed && protocols.includes(parsed.protocol.slice(0, -1)) ? parsed.href : undefined
  }
  const want = `a URL starting with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`
  return { placeholder: '<url>', want, parse, print: redactUrl, redact: redactUrl }
}

/** Several of a kind, none twice: a JSON array, or text separated by commas. Empty text is the empty list. */
export function list<T>(item: Kind<T>): Kind<readonly T[]> {
  const parse = (raw: unknown) => {
    const parts = typeof raw === 'string' ? raw.split(',').flatMap((part) => part.trim() || []) : raw
    if (!Array.isArray(parts)) return undefined
    const values = parts.map((part) => item.parse(part))
    if (values.some((value) => value === undefined)) return undefined
    return new Set(values.map((value) => item.print(value as T))).size === values.length ? (values as T[]) : undefined
  }
  const { redact } = item
  return {
    placeholder: `${item.placeholder},...`,
    want: `a list, separated by commas and none twice, of: ${item.want}`,
    parse,
    print: (values) => values.map(item.print).join(','),
    ...(redact
      ? {
          redact: (raw) =>
            [raw]
              .flat()
              .flatMap((part) => String(part).split(','))
              .map(redact)
              .join(','),
        }
      : {}),
  }
}

/** A secret stays in its file: the configuration holds only the path, and so does everything printed. */
export type SecretFile = Readonly<{
  path: string
  /** The file's text without surrounding white space. Throws SECRET_UNREADABLE, SECRET_EMPTY (config). */
  read(): string
}>

/** The path of a file that holds a secret. A secret itself, given by mistake, is never shown. */
export function secretFile(): Kind<SecretFile> {
  const parse = (raw: unknown) => (typeof raw === 'string' && isFile(raw) ? createSecretFile(raw) : undefined)
  return {
    placeholder: '<file>',
    want: 'the path of a readable file that holds the secret, never the secret itself',
    parse,
    print: (value) => value.path,
    redact: () => 'no such file (its name is not shown, it might be the secret)',
  }
}

function createSecretFile(path: string): SecretFile {
  return {
    path,
    read: () => {
      let text: string
      try {
        text = readFileSync(path, 'utf8').trim()
      } catch (cause) {
        const got = cause instanceof Error ? cause.message : String(cause)
        throw configError(
          'SECRET_UNREADABLE',
          `can't read the secret file ${path}`,
          { got, want: 'a readable file' },
          cause,
        )
      }
      if (text === '') throw configError('SECRET_EMPTY', `the secret file ${path} is empty`)
      return text
    },
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function parseInteger(raw: unknown): number | undefined {
  const value = typeof raw === 'string' && /^-?\d{1,16}$/.test(raw) ? Number(raw) : raw
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined
}

function within(value: number | undefined, min: number, max: number): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined
}

function parseWei(raw: unknown): bigint | undefined {
  if (typeof raw !== 'string') return undefined
  const [, whole, decimals = '', unit = 'wei'] = /^(\d{1,60})(?:\.(\d{1,18}))? ?(wei|gwei|ether)?$/.exec(raw) ?? []
  const scale = WEI_OF_UNIT[unit]
  if (whole === undefined || scale === undefined) return undefined
  const places = scale.toString().length - 1
  if (decimals.length > places) return undefined
  return BigInt(whole) * scale + BigInt(decimals.padEnd(places, '0') || '0')
}

/** Without path, query and user, which may be a key. */
export function redactUrl(raw: unknown): string {
  const [, protocol, rest = ''] = /^([a-z]+:\/\/)(.*)$/is.exec(String(raw)) ?? []
  if (protocol === undefined) return 'a text that is not a URL'
  const [host = '', ...tail] = rest.replace(/^[^/]*@/, '').split(/[/?#]/)
  return `${protocol}${host}${tail.join('') === '' ? '' : '/...'}`
}
