/**
 * A command made from its configuration table (service/config.ts): the table yields the flags, their help and where values come from
 * (flag > environment > file > default); commander adds the words that stand without a flag.
 */
import { Command, Option } from 'commander'
import {
  type ConfigOf,
  type ConfigReading,
  type ConfigTable,
  type Entries,
  keyToEnv,
  keyToFlag,
  readConfig,
  unsafeKeys,
} from '../service/config.ts'
import type { CliIo } from './io.ts'

export type CommandSpec<E extends Entries> = Readonly<{
  table: ConfigTable<E>
  /** Words without a flag, in commander's form: `<to>`, `[token]`; with what they mean. */
  words?: Readonly<Record<string, string>>
  examples?: readonly string[]
  /** Keys that a shared configuration file may hold besides; read past, not offered as flags. */
  alsoInFile?: Entries
  run(call: CommandCall<E>): Promise<void>
}>

export type CommandCall<E extends Entries> = Readonly<{
  io: CliIo
  config: ConfigOf<E>
  /** In the order of the words; undefined where an optional one was left out. */
  words: readonly (string | undefined)[]
}>

/** Throws at parsing: commander's errors for words and flags, CONFIG_INVALID with all problems at once. */
export function createCommand<E extends Entries>(
  io: CliIo,
  { table, words = {}, examples = [], alsoInFile = {}, run }: CommandSpec<E>,
): Command {
  const command = new Command(table.program).description(table.describe)
  configureOutput(command, io)
  for (const [word, meaning] of Object.entries(words)) command.argument(word, meaning)
  command.option('--config <file>', 'JSON file with any of these options (LIFEBOAT_CONFIG)')
  for (const [key, entry] of Object.entries(table.entries)) {
    const flag = `${keyToFlag(key)} ${entry.kind.placeholder}`.trimEnd()
    command.addOption(new Option(flag, `${entry.describe}${fallback(entry)} (${keyToEnv(key)})`))
    if (entry.kind.isSwitch && entry.default === true) command.addOption(new Option(`--no-${keyToFlag(key).slice(2)}`))
  }
  if (examples.length > 0)
    command.addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`)
  return command.action(async () => {
    const whole = { ...table, entries: { ...alsoInFile, ...table.entries } }
    const reading = readConfig(whole, { argv: flagsGiven(command, table), env: io.env })
    warnUnsafe(io, table, reading)
    await run({ io, config: reading.config, words: command.processedArgs as readonly (string | undefined)[] })
  })
}

/** Sends commander's own words through `io`, and makes it throw instead of ending the process. */
export function configureOutput(command: Command, io: CliIo): Command {
  return command
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err, outputError: (text, write) => write(text) })
    .showHelpAfterError('(--help shows the usage)')
}

/** The flags as they were given, for the one parser that knows their meaning. */
function flagsGiven<E extends Entries>(command: Command, table: ConfigTable<E>): string[] {
  const values = command.opts<Record<string, unknown>>()
  return ['config', ...Object.keys(table.entries)].flatMap((key) => {
    if (command.getOptionValueSource(key) !== 'cli') return []
    const value = values[key]
    if (value === true) return [keyToFlag(key)]
    if (value === false) return [`--no-${keyToFlag(key).slice(2)}`]
    return [`${keyToFlag(key)}=${String(value)}`]
  })
}

function fallback({ kind, default: value, optional }: Entries[string]): string {
  if (kind.isSwitch) return ''
  if (value !== undefined) return ` [${kind.print(value) || 'none'}]`
  return optional ? '' : ' [required]'
}

function warnUnsafe<E extends Entries>(io: CliIo, table: ConfigTable<E>, reading: ConfigReading<E>): void {
  for (const key of unsafeKeys(table, reading)) io.err(`warning: ${keyToFlag(key)} is in use\n`)
}
