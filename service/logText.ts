/** Log lines for people at a terminal: time, level, program, event, then the fields. Machines read the JSON of log.ts. */
import type { LogDestination } from './log.ts'

/** Turns each JSON line into a line of text and hands it on. A line that is not JSON passes as it is. */
export function createTextDestination(write: (text: string) => unknown): LogDestination {
  return { write: (line) => void write(`${lineToText(line.trimEnd())}\n`) }
}

function lineToText(line: string): string {
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(line) as Record<string, unknown>
  } catch {
    return line
  }
  const { time, level, name, event, ...rest } = fields
  const clock = String(time).slice(11, 23)
  const details = Object.entries(rest).map(([key, value]) => `${key}=${valueToText(value)}`)
  return [clock, String(level).padEnd(5), name, event, ...details].join(' ')
}

/** Texts from outside may hold control characters that would forge a line or drive the terminal: those go through JSON. */
function valueToText(value: unknown): string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) ? value : JSON.stringify(value)
}
