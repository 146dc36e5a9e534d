/**
 * Structured logs (docs/architecture.md, "Logs"): one event name, past tense and dotted (`block.submitted`), plus fields. A line is
 * one JSON object. `error` only when we ourselves are wrong; `debug` also says why nothing was done.
 */
import { type DestinationStream, destination, type Logger, pino } from 'pino'
import { isLifeboatError } from '../protocol/errors.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Fields that every line has; a caller's field of that name gets an underscore behind it. */
const RESERVED: ReadonlySet<string> = new Set(['level', 'time', 'name', 'event'])

/** Printable data. Bigints become decimal strings; an `error` field keeps code, message, details, stack and causes. */
export type LogFields = Readonly<Record<string, unknown>>

export type Log = Readonly<{
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  /** The same log with these fields on every line. */
  child(fields: LogFields): Log
}>

export type LogLine = Readonly<{ level: LogLevel; event: string; [field: string]: unknown }>

/** Anything that takes finished lines, each with its newline. */
export type LogDestination = DestinationStream

/** Lines go to `destination`, by default to standard output, written before the call returns: a crash loses none. */
export function createLog(options: {
  readonly name: string
  readonly level?: LogLevel
  readonly destination?: LogDestination
}): Log {
  const logger = pino(
    {
      name: options.name,
      level: options.level ?? 'info',
      messageKey: 'event',
      base: { name: options.name },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }), log: toLineFields },
    },
    options.destination ?? destination({ fd: 1, sync: true }),
  )
  return wrap(logger)
}

/** A log that writes nowhere. */
export function createSilentLog(): Log {
  return createLog({ name: 'silent', level: 'silent', destination: { write: () => undefined } })
}

export type MemoryLog = Readonly<{
  log: Log
  /** Every line so far, oldest first. */
  lines: readonly LogLine[]
  /** The lines of one event. */
  of(event: string): readonly LogLine[]
  /** Throws when any line has the level `error`, and shows the first: the last line of a test. */
  assertNoErrors(): void
}>

/** Records lines of all levels, for tests. */
export function createMemoryLog(): MemoryLog {
  const lines: LogLine[] = []
  const write = (text: string) => lines.push(JSON.parse(text) as LogLine)
  return {
    log: createLog({ name: 'test', level: 'debug', destination: { write } }),
    lines,
    of: (event) => lines.filter((line) => line.event === event),
    assertNoErrors: () => {
      const wrong = lines.find(({ level }) => level === 'error')
      if (wrong) throw new Error(`an error was logged: ${JSON.stringify(wrong)}`)
    },
  }
}

function wrap(logger: Logger): Log {
  return {
    debug: (event, fields = {}) => logger.debug(fields, event),
    info: (event, fields = {}) => logger.info(fields, event),
    warn: (event, fields = {}) => logger.warn(fields, event),
    error: (event, fields = {}) => logger.error(fields, event),
    child: (fields) => wrap(logger.child(toLineFields(fields))),
  }
}

/** A field with the name of one of our own would stand twice in the line, and readers would believe the wrong one. */
function toLineFields(fields: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(fields).map(([key, value]) => [RESERVED.has(key) ? `${key}_` : key, toPlain(value)])
  return Object.fromEntries(entries)
}

function toPlainFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, toPlain(value)]))
}

function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error) return errorToPlain(value)
  if (Array.isArray(value)) return value.map(toPlain)
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
  return toPlainFields(value as Record<string, unknown>)
}

function errorToPlain(error: Error): Record<string, unknown> {
  return {
    ...(isLifeboatError(error)
      ? { family: error.family, code: error.code, details: toPlain(error.details) }
      : { name: error.name }),
    message: error.message,
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: toPlain(error.cause) }),
  }
}
