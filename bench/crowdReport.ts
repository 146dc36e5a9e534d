/** The generated part of docs/mass-exit.md: Markdown tables of the crowd simulation. */
import { coordinatorLoss, costOfBatch, POOL_ENTRIES } from './crowdCoordinator.ts'
import { type Rest, SLOT_SECONDS } from './crowdFee.ts'
import { CROWD_GAS, entriesWithin, TRANSACTION_GAS_CAP } from './crowdGas.ts'
import { BATCH_ENTRIES, type Case, CEILING_GWEI, type Outcome, PERIOD_BLOCKS, WAYS } from './crowdWays.ts'

export const BEGIN = '<!-- npm run crowd: begin -->'
export const END = '<!-- npm run crowd: end -->'

export const OWNERS = [1_000, 10_000, 100_000, 1_000_000] as const
export const SHARES = [0.1, 0.5, 1] as const
export const FEES = [1, 20] as const
export const RESTS = ['yields', 'bids'] as const satisfies readonly Rest[]

/** The hardest of the cases, which the plots and the table of costs are of: the rest of L1 wants its blocks too. */
export const HARD = { share: 0.1, startFeeGwei: 20, rest: 'bids' } as const
export const EASY = { share: 1, startFeeGwei: 20, rest: 'yields' } as const

export type Runs = (of: Case) => Outcome

export function writeReport(runs: Runs): string {
  return [
    placesTable(runs),
    costTable(runs),
    batchTable(),
    lossTable(),
    `<details><summary>Every run</summary>\n\n${allRuns(runs)}\n</details>`,
  ].join('\n\n')
}

/** Puts the report between the markers. Throws a RangeError where they are not there once, in order. */
export function replaceGenerated(document: string, report: string): string {
  const [before, rest, ...more] = document.split(BEGIN)
  const [, after, ...again] = (rest ?? '').split(END)
  if (before === undefined || after === undefined || more.length > 0 || again.length > 0) {
    throw new RangeError(`docs/mass-exit.md: got no single pair of markers, want "${BEGIN}" and "${END}"`)
  }
  return `${before}${BEGIN}\n${report}\n${END}${after}`
}

function placesTable(runs: Runs): string {
  const columns = RESTS.flatMap((rest) => SHARES.map((share) => ({ rest, share })))
  const rows = OWNERS.flatMap((owners) =>
    WAYS.map((way) => [
      count(owners),
      way,
      ...columns.map((column) => place(runs({ way, owners, startFeeGwei: 20, ...column }))),
    ]),
  )
  return `### L1 blocks until the last owner has a place
Base fee 20 gwei before the crowd came. Of each block exits can get the given share. **Bold: later than the exit period** (${count(PERIOD_BLOCKS)} blocks, 7 days): who comes then may stand behind what the bad block forged.
Of a mass exit ${count(PERIOD_BLOCKS / 4 + 1)} blocks (42 h) are the time for demands; before the stroke stands the block of the last \`startBatch\`, after which nothing has to be bid for but ${count(CROWD_GAS.lockBatch)} gas a batch.

${table(
  ['owners', 'way', ...columns.map(({ rest, share }) => `${percent(share)}, rest ${rest}`)],
  ['r', 'l', ...columns.map(() => 'r' as const)],
  rows,
)}`
}

function costTable(runs: Runs): string {
  const rows = OWNERS.flatMap((owners) =>
    WAYS.map((way) => {
      const outcomes = FEES.map((startFeeGwei) => runs({ ...HARD, way, owners, startFeeGwei }))
      const last = outcomes[outcomes.length - 1] as Outcome
      return [
        count(owners),
        way,
        count(Math.round(last.securedGasEach)),
        count(Math.round(last.paidGasEach)),
        ...outcomes.map(({ securedWeiEach }) => ether(securedWeiEach)),
        ...outcomes.map(({ paidWeiEach }) => ether(paidWeiEach)),
        way === 'OMG' ? '' : ether(last.bondWeiEach),
        `${hours(last.paidBlock)}`,
      ]
    }),
  )
  return `### What it costs an owner
The hardest case: exits get 10 % of each block and the rest of L1 bids as well, up to ${CEILING_GWEI} gwei; base fee before and after the rush 1 or 20 gwei. ETH, mean over all owners, base fee only. The bond comes back; hours count until the last owner has its money.

${table(
  [
    'owners',
    'way',
    'gas to a place',
    'gas to the money',
    'ETH to a place, 1 gwei',
    '20 gwei',
    'ETH to the money, 1 gwei',
    '20 gwei',
    'bond, 20 gwei',
    'all paid, 20 gwei',
  ],
  ['r', 'l', 'r', 'r', 'r', 'r', 'r', 'r', 'r', 'r'],
  rows,
)}`
}

function batchTable(): string {
  const sizes = [250, 1_000, POOL_ENTRIES, BATCH_ENTRIES, entriesWithin(TRANSACTION_GAS_CAP, 2 ** 15)]
  const rows = sizes.map((entries) => {
    const { gas, bytes } = costOfBatch(entries, 1n)
    const bonds = [1n, 20n, 500n].map((fee) => ether(costOfBatch(entries, fee).bondWei))
    return [count(entries), count(gas), count(Math.round(gas / entries)), count(bytes), ...bonds]
  })
  return `### One batch
Amounts of 9 bytes (ether), positions at most 127 child blocks apart. ${count(POOL_ENTRIES)} entries are what public transaction pools pass on (128 KiB a transaction): a larger batch has to be handed to a block builder. The last row is what ${count(TRANSACTION_GAS_CAP)} gas hold.

${table(
  ['entries', 'gas to start', 'each', 'bytes', 'bond (ETH) at 1 gwei', '20 gwei', '500 gwei'],
  ['r', 'r', 'r', 'r', 'r', 'r', 'r'],
  rows,
)}`
}

function lossTable(): string {
  const poisoned = BATCH_ENTRIES / 20
  const rows = [1n, 20n, 500n].map((feeGwei) => {
    const loss = coordinatorLoss({ entries: BATCH_ENTRIES, poisoned, feeGwei })
    const { bondWei, callsWei, bountyWei, struckWei, releasedWei, mostWei, fundWei } = loss
    return [`${feeGwei} gwei`, ...[bondWei, callsWei, bountyWei, struckWei, releasedWei, mostWei, fundWei].map(ether)]
  })
  return `### An honest coordinator with 5 % poisoned entries
${count(BATCH_ENTRIES)} entries, ${count(poisoned)} of them poisoned; ETH. A spent one costs 95,000 gas at the fee once it was struck and opened, one that names nothing 30,000 once its share was freed; all of it out of the bond's part for entries, ${count(600_000_000)} F here, never more.
Answers to demands are paid by who demands. Nobody earns by poison: striking and opening takes ${count(CROWD_GAS.strikeMany_each + CROWD_GAS.openEntry_afterTurn)} gas or more, freeing ${count(CROWD_GAS.releaseEntry)}.

${table(
  [
    'fee',
    'bond',
    'start and lock',
    'bounty of the turn',
    'all struck',
    'or all freed',
    'most that is lost at this fee',
    'most that entries can take at any fee',
  ],
  ['r', 'r', 'r', 'r', 'r', 'r', 'r', 'r'],
  rows,
)}`
}

function allRuns(runs: Runs): string {
  const cases = RESTS.flatMap((rest) =>
    SHARES.flatMap((share) =>
      FEES.flatMap((startFeeGwei) =>
        OWNERS.flatMap((owners) => WAYS.map((way) => runs({ way, owners, share, startFeeGwei, rest }))),
      ),
    ),
  )
  const rows = cases.map((run) => [
    run.rest,
    percent(run.share),
    `${run.startFeeGwei}`,
    count(run.owners),
    run.way,
    count(run.startedBlock),
    count(run.securedBlock),
    count(run.paidBlock),
    run.inTime ? hours(PERIOD_BLOCKS - run.securedBlock) : '**late**',
    `${Math.round(Number(run.highestFeeWei) / 1e9)}`,
    ether(run.securedWeiEach),
    ether(run.paidWeiEach),
    run.way === 'OMG' ? '' : ether(run.bondWeiEach),
  ])
  return table(
    [
      'rest',
      'share',
      'gwei',
      'owners',
      'way',
      'last start (block)',
      'last place',
      'last paid',
      'to spare',
      'highest gwei to a place',
      'ETH each to a place',
      'to the money',
      'bond each',
    ],
    ['l', 'r', 'r', 'r', 'l', 'r', 'r', 'r', 'r', 'r', 'r', 'r', 'r'],
    rows,
  )
}

function place(run: Outcome): string {
  const blocks =
    run.way === 'mass exit' ? `${count(run.startedBlock)} / ${count(run.securedBlock)}` : count(run.securedBlock)
  const text = `${blocks} (${hours(run.securedBlock)})`
  return run.inTime ? text : `**${text}**`
}

function table(heads: readonly string[], align: readonly ('l' | 'r')[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = `|${align.map((side) => (side === 'r' ? '---:' : '---')).join('|')}|`
  return [line(heads), rule, ...rows.map(line)].join('\n')
}

/** 12,345: written by hand, so that no locale changes the document. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Hours of so many L1 blocks; days from 100 hours on. */
export function hours(blocks: number): string {
  const value = (blocks * SLOT_SECONDS) / 3600
  if (value >= 100) return `${(value / 24).toFixed(1)} d`
  return value >= 1 ? `${value.toFixed(1)} h` : `${Math.max(1, Math.round(value * 60))} min`
}

/** Ether with three digits that count, never in powers of ten. */
export function ether(wei: bigint): string {
  const value = Number(wei) / 1e18
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(value)))
  const [whole = '', part] = value.toFixed(digits).split('.')
  return part === undefined ? count(Number(whole)) : `${count(Number(whole))}.${part}`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
