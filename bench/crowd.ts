/**
 * `npm run crowd`: a crowd leaves (docs/mass-exit.md). Writes the tables and plots of that document; it measures nothing, so it always writes the
 * same. With `--owners` it only tells about one crowd.
 *
 *     --check                 writes nothing; fails if something would change
 *     --gas <file or ->       compares its gas table with the output of `npm run gas -- --json`; fails where it is stale
 *     --owners <n>            one crowd, with --share <of a block> --fee <gwei> --rest yields|bids
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { findStaleGas } from './crowdGas.ts'
import { plotCosts, plotPlaces } from './crowdPlot.ts'
import { count, ether, hours, RESTS, type Runs, replaceGenerated, writeReport } from './crowdReport.ts'
import { type Case, type Outcome, run, WAYS } from './crowdWays.ts'
import type { Gas } from './gasBlocks.ts'

export type GeneratedFile = Readonly<{ path: URL; content: string }>

const DOCUMENT = new URL('../docs/mass-exit.md', import.meta.url)

/** All that the simulation writes, as it should be. */
export function generateFiles(): GeneratedFile[] {
  const runs = rememberRuns()
  return [
    { path: DOCUMENT, content: replaceGenerated(readFileSync(DOCUMENT, 'utf8'), writeReport(runs)) },
    { path: new URL('../docs/mass-exit-places.svg', import.meta.url), content: plotPlaces(runs) },
    { path: new URL('../docs/mass-exit-costs.svg', import.meta.url), content: plotCosts(runs) },
  ]
}

function rememberRuns(): Runs {
  const known = new Map<string, Outcome>()
  return (of: Case) => {
    const key = [of.way, of.owners, of.share, of.startFeeGwei, of.rest].join()
    const outcome = known.get(key) ?? run(of)
    known.set(key, outcome)
    return outcome
  }
}

function isStale({ path, content }: GeneratedFile): boolean {
  try {
    return readFileSync(path, 'utf8') !== content
  } catch {
    return true
  }
}

function compareGas(file: string): void {
  const measured = JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8')) as Gas
  const stale = findStaleGas(measured)
  for (const { key, got, want } of stale) console.error(`bench/crowdGas.ts: ${key}: got ${got}, want ${want}`)
  if (stale.length > 0) process.exitCode = 1
}

function tellOne(values: Readonly<{ owners: string; share: string; fee: string; rest: string }>): void {
  const rest = RESTS.find((name) => name === values.rest)
  if (!rest) throw new RangeError(`--rest: got ${values.rest}, want one of ${RESTS.join(', ')}`)
  const startFeeGwei = Number(values.fee)
  if (!Number.isSafeInteger(startFeeGwei) || startFeeGwei < 1) {
    throw new RangeError(`--fee: got ${values.fee}, want whole gwei, 1 or more`)
  }
  for (const way of WAYS) {
    const told = run({ way, owners: Number(values.owners), share: Number(values.share), startFeeGwei, rest })
    const { startedBlock, securedBlock, paidBlock } = told
    console.log(`${way}: started block ${count(startedBlock)}, place ${count(securedBlock)} (${hours(securedBlock)}), \
paid ${count(paidBlock)} (${hours(paidBlock)})${told.inTime ? '' : ', TOO LATE'}; ETH each: place ${ether(told.securedWeiEach)}, \
money ${ether(told.paidWeiEach)}, bond ${ether(told.bondWeiEach)}; highest ${Math.round(Number(told.highestFeeWei) / 1e9)} gwei`)
  }
}

function main(): void {
  const { values } = parseArgs({
    options: {
      check: { type: 'boolean', default: false },
      gas: { type: 'string' },
      owners: { type: 'string' },
      share: { type: 'string', default: '0.1' },
      fee: { type: 'string', default: '20' },
      rest: { type: 'string', default: 'bids' },
    },
  })
  const { owners } = values
  if (values.gas !== undefined) compareGas(values.gas)
  else if (owners !== undefined) tellOne({ ...values, owners })
  else writeFiles({ checkOnly: values.check })
}

function writeFiles({ checkOnly }: Readonly<{ checkOnly: boolean }>): void {
  for (const file of generateFiles().filter(isStale)) {
    const name = file.path.pathname.split('/').slice(-2).join('/')
    if (checkOnly) {
      console.error(`${name} is stale: run npm run crowd`)
      process.exitCode = 1
    } else {
      writeFileSync(file.path, file.content)
      console.log(`wrote ${name}`)
    }
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) main()
