/** A configuration table as text: --help, Markdown for the docs, and the values in effect. Nothing secret is ever printed. */
import { type ConfigReading, type ConfigTable, type Entries, type Entry, keyToEnv, keyToFlag } from './config.ts'

const HELP_WIDTH = 34

/** The text of --help. */
export function configHelp<E extends Entries>(table: ConfigTable<E>): string {
  const rows = Object.entries(table.entries)
  const safe = rows.filter(([key]) => !key.startsWith('unsafe'))
  const unsafe = rows.filter(([key]) => key.startsWith('unsafe'))
  return [
    `Usage: ${table.program} [options]`,
    '',
    table.describe,
    '',
    'Options (each also as LIFEBOAT_<NAME> in the environment, or as a key of the --config file):',
    helpRow('--config <file>', 'JSON file with any of the keys below'),
    ...safe.map(([key, entry]) => helpRow(flagText(key, entry), `${entry.describe}${supply(entry)}`)),
    ...(unsafe.length > 0 ? ['', 'Unsafe options, for experiments with money you can lose:'] : []),
    ...unsafe.map(([key, entry]) => helpRow(flagText(key, entry), `${entry.describe}${supply(entry)}`)),
    '',
  ].join('\n')
}

/** A Markdown table of all keys. */
export function configMarkdown<E extends Entries>(table: ConfigTable<E>): string {
  const cell = (text: string) => text.replaceAll('|', '\\|')
  const rows = Object.entries(table.entries).map(([key, entry]) => {
    const cells = [
      `\`${key}\``,
      `\`${keyToFlag(key)}\``,
      `\`${keyToEnv(key)}\``,
      entry.kind.want,
      fallback(entry),
      entry.describe,
    ]
    return `| ${cells.map(cell).join(' | ')} |`
  })
  return ['| key | flag | environment | value | default | meaning |', '|---|---|---|---|---|---|', ...rows, ''].join(
    '\n',
  )
}

/** One line per key: its value and where that came from. */
export function printConfig<E extends Entries>(table: ConfigTable<E>, { config, from }: ConfigReading<E>): string {
  const rows = Object.entries(table.entries).map(([key, entry]) => {
    const value: unknown = config[key]
    return `${key} = ${value === undefined ? 'not set' : entry.kind.print(value)} (${from[key]})`
  })
  return `${rows.join('\n')}\n`
}

function flagText(key: string, { kind }: Entry<unknown>): string {
  return `${keyToFlag(key)} ${kind.placeholder}`.trimEnd()
}

function supply(entry: Entry<unknown>): string {
  return entry.default === undefined && !entry.optional ? ' (required)' : ` (default ${fallback(entry)})`
}

function fallback({ kind, default: value, optional }: Entry<unknown>): string {
  if (value !== undefined) return kind.print(value) || 'empty'
  return optional ? 'none' : 'required'
}

function helpRow(flag: string, text: string): string {
  const start = `  ${flag}`
  return start.length < HELP_WIDTH ? start.padEnd(HELP_WIDTH) + text : `${start}\n${' '.repeat(HELP_WIDTH)}${text}`
}
