/**
 * lifeboat drill: rehearses the worst day. Real contracts, operator, watchers and wallets, one thing broken on purpose, and books to the wei
 * that say whether every honest owner got everything back.
 */
import { writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { EMBEDDED_ABILITY, type Probe, probeL1 } from '../drill/l1.ts'
import type { DrillRecord } from '../drill/record.ts'
import { describeDrill, drillTable } from '../drill/reportText.ts'
import { runScenario } from '../drill/run.ts'
import { missingFor, type Scenario } from '../drill/scenario.ts'
import { findScenario, SCENARIOS } from '../drill/scenarios.ts'
import { configError, invalid, isLifeboatError } from '../protocol/errors.ts'
import { defineConfig } from '../service/config.ts'
import { boolean, integer, path, url } from '../service/configTypes.ts'
import type { Account } from '../wallet/account.ts'
import { listKeys, unlockKey } from '../wallet/keys.ts'
import { configureOutput, createCommand } from './command.ts'
import { type CliIo, formatTable, toJson } from './io.ts'
import { findKey, keystoreOf } from './keystore.ts'
import { assertWritable } from './outFile.ts'
import { readPassword } from './password.ts'
import { keyEntries, walletEntries } from './walletConfig.ts'

/** Options that name files to write. */
const FILES = ['json', 'html', 'table'] as const

const l1Entry = {
  l1: {
    kind: url(),
    optional: true,
    describe: 'JSON-RPC endpoint of another L1 than the embedded one: a development node, or a testnet',
  },
} as const

const listTable = defineConfig({
  program: 'lifeboat drill list',
  describe: 'The scenarios, and which of them can be played on an L1.',
  entries: {
    ...l1Entry,
    json: { kind: boolean(), default: false, describe: 'Print one JSON document instead of text' },
  },
})

const runTable = defineConfig({
  program: 'lifeboat drill run',
  describe: 'Play one scenario, or all. Deploys contracts of its own; never on mainnet.',
  entries: {
    ...l1Entry,
    seed: { kind: integer({ min: 0, max: 2 ** 32 - 1 }), default: 1, describe: 'What chance decides' },
    owners: {
      kind: integer({ min: 1, max: 1000 }),
      optional: true,
      describe: "Honest owners; each scenario's own number when left out",
    },
    json: { kind: path(), optional: true, describe: 'Write the records here, as one JSON array' },
    html: { kind: path(), optional: true, describe: 'Write the report here, as one HTML page' },
    table: { kind: path(), optional: true, describe: 'Write one line a run here, as a Markdown table' },
    account: { ...walletEntries.account, describe: 'Whose ETH pays, on an L1 that gives none away' },
    ...keyEntries,
  },
})

export function createDrillCommand(io: CliIo): Command {
  const command = new Command('drill').description(
    'Rehearse the worst day: break one thing on purpose, and see who is paid',
  )
  return configureOutput(command, io).addCommand(listCommand(io)).addCommand(runCommand(io))
}

function listCommand(io: CliIo): Command {
  return createCommand(io, {
    table: { ...listTable, program: 'list' },
    alsoInFile: walletEntries,
    examples: ['lifeboat drill list', 'lifeboat drill list --l1 https://...'],
    run: async ({ config }) => {
      const l1 = config.l1 === undefined ? EMBEDDED_ABILITY : await probeL1(config.l1)
      const rows = SCENARIOS.map((scenario) => ({ scenario, missing: missingFor(scenario, l1) }))
      if (config.json) {
        const listed = rows.map(({ scenario: { name, title, story, needs }, missing }) => ({
          name,
          title,
          story,
          needs,
          missing,
        }))
        io.out(toJson(listed))
        return
      }
      const words = ({ scenario: { name, title }, missing }: (typeof rows)[number]) =>
        missing.length === 0 ? [name, title] : [name, `${title} (not here: needs ${missing.join(', ')})`]
      io.out(formatTable(rows.map(words)))
    },
  })
}

function runCommand(io: CliIo): Command {
  return createCommand(io, {
    table: { ...runTable, program: 'run' },
    alsoInFile: walletEntries,
    words: { '<scenario>': 'its name, or `all`' },
    examples: [
      'lifeboat drill run withhold-block',
      'lifeboat drill run all --seed 7 --html report.html',
      'lifeboat drill run double-spend --l1 https://... --account tester',
    ],
    run: async ({ config, words: [name = ''] }) => {
      for (const kind of FILES) if (config[kind] !== undefined) assertWritable(`--${kind}`, config[kind])
      const l1 = config.l1 === undefined ? undefined : await probeL1(config.l1)
      const scenarios = choose(name, config.owners, l1)
      const isReal = l1 !== undefined && !l1.canTravel
      const funder = isReal ? await openFunder(io, config) : undefined
      const records: DrillRecord[] = []
      const broken: string[] = []
      for (const scenario of scenarios) {
        if (io.signal.aborted) break
        io.err(`\n${scenario.name}: ${scenario.story}\n`)
        try {
          const record = await runScenario(scenario, {
            seed: config.seed,
            signal: io.signal,
            report: (line) => io.err(`  ${line}\n`),
            ...(config.owners === undefined ? {} : { owners: config.owners }),
            ...(config.l1 === undefined ? {} : { url: config.l1 }),
            ...(funder ? { funder } : {}),
          })
          records.push(record)
          io.out(describe(record))
        } catch (error) {
          // One of many must not take the others with it; what a person has to mend, and our own faults, stop everything.
          if (io.signal.aborted || scenarios.length === 1 || !isLifeboatError(error) || error.family === 'config')
            throw error
          broken.push(scenario.name)
          io.out(`${scenario.name}: not played, ${error.message}\n`)
        }
        await writeFiles(records, config)
      }
      const failed = records.filter(({ passed }) => !passed)
      if (failed.length === 0 && broken.length === 0) return
      throw invalid('DRILL_FAILED', `${failed.length + broken.length} of ${scenarios.length} drills failed`, {
        got: [...failed.map(({ reproduce }) => reproduce), ...broken],
        want: 'every honest owner paid, and every invariant held',
      })
    },
  })
}

/** Throws DRILL_UNKNOWN, DRILL_OWNERS, DRILL_IMPOSSIBLE_HERE. */
function choose(name: string, owners: number | undefined, l1: Probe | undefined): readonly Scenario[] {
  const ability = l1 ?? EMBEDDED_ABILITY
  const found = findScenario(name)
  if (name !== 'all' && !found) {
    const want = `all, or one of ${SCENARIOS.map((scenario) => scenario.name).join(', ')}`
    throw configError('DRILL_UNKNOWN', 'no such scenario', { got: name, want })
  }
  const chosen = found ? [found] : SCENARIOS.filter((scenario) => missingFor(scenario, ability).length === 0)
  for (const scenario of chosen) {
    const missing = missingFor(scenario, ability)
    if (missing.length > 0) {
      throw configError('DRILL_IMPOSSIBLE_HERE', 'this L1 can not play that scenario', {
        got: l1?.kind,
        want: `an L1 with ${missing.join(', ')}; \`lifeboat drill list --l1 ...\` says what can be played`,
      })
    }
    const { min, max } = scenario.owners
    if (owners !== undefined && (owners < min || owners > max))
      throw configError('DRILL_OWNERS', `${scenario.name} can not be played with so many owners`, {
        got: owners,
        want: `${min} to ${max}`,
      })
  }
  return chosen
}

type KeyConfig = Parameters<typeof keystoreOf>[0] &
  Readonly<{ account?: string | undefined; passwordFile?: Parameters<typeof readPassword>[1] }>

async function openFunder(io: CliIo, config: KeyConfig): Promise<Account> {
  const key = findKey(await listKeys(keystoreOf(config)), config.account, keystoreOf(config))
  return unlockKey(key.path, () => readPassword(io, config.passwordFile, `Password of ${key.name}: `))
}

async function writeFiles(
  records: readonly DrillRecord[],
  { json, html, table }: Readonly<Partial<Record<(typeof FILES)[number], string | undefined>>>,
): Promise<void> {
  if (json !== undefined) writeFileSync(json, toJson(records))
  if (html !== undefined) writeFileSync(html, (await import('../drill/report.ts')).renderDrillReport(records))
  if (table !== undefined) writeFileSync(table, `${drillTable(records)}\n`)
}

/** What happened in short, then the books: every balance before and after, in the smallest units. */
function describe(record: DrillRecord): string {
  const rows = record.balances.map(({ owner, online, symbol, before, owed, after }) => [
    '',
    online ? owner : `${owner} (offline)`,
    `${symbol}: had ${before}, is owed ${owed}, has ${after}`,
  ])
  return `${describeDrill(record).join('\n')}\n${formatTable(rows)}\n`
}
