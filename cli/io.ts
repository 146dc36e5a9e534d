/** What a command may touch of the outside: streams, environment, the person at the keyboard. Tests bring their own. */
import type { Readable } from 'node:stream'
import { formatUtc } from '../service/utc.ts'

export type CliIo = Readonly<{
  /** Results. One JSON document with --json. */
  out(text: string): void
  /** Progress, warnings, errors. */
  err(text: string): void
  env: Readonly<Record<string, string | undefined>>
  /** True when a person can be asked. */
  isInteractive: boolean
  /** Reads a line without showing it. */
  askSecret(question: string): Promise<string>
  stdin: Readable
  /** Aborted by Ctrl-C or SIGTERM. */
  signal: AbortSignal
}>

/** JSON text of anything of ours: bigints as decimal strings, maps as objects. */
export function toJson(value: unknown): string {
  return `${JSON.stringify(value, (_key, part: unknown) => plain(part), 2)}\n`
}

/** Lines of a table with aligned columns; the last column is not padded. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  ')
  return rows.map((row) => `${line(row)}\n`).join('')
}

/** L1 seconds as local-independent text, with how far away that is. */
export function formatTime(seconds: number, now?: number): string {
  const text = formatUtc(seconds)
  return now === undefined ? text : `${text} (${formatDistance(seconds - now)})`
}

function formatDistance(seconds: number): string {
  const away = Math.abs(seconds)
  const units: readonly (readonly [number, string])[] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
  ]
  const [size, name] = units.find(([unit]) => away >= 2 * unit) ?? [1, 's']
  const text = `${Math.floor(away / size)} ${name}`
  return seconds >= 0 ? `in ${text}` : `${text} ago`
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Map) return Object.fromEntries(value)
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  return value
}
