/** Mass exits for people: plans, starts, standings (docs/guide-wallet.md, "Mass exits"). */
import type { WalletContext } from '../wallet/context.ts'
import type { MassExitPlan, StartedMassExit } from '../wallet/massExitStart.ts'
import { isLost, type KnownBatch, timesOf } from '../wallet/massExits.ts'
import type { Head } from '../wallet/ports.ts'
import type { TokenBook } from '../wallet/tokens.ts'
import { formatTable, formatTime } from './io.ts'

const ETH = '0x0000000000000000000000000000000000000000'
const MOST_REFUSED = 20
const GWEI = 10n ** 9n

export function describePlan(plan: MassExitPlan, tokens: TokenBook, now: number): string {
  const { batches, entries, owners, transactions, gas, bondWei, costWei, costAtTenWei, baseFeeWei, refused, hurry } =
    plan
  const rows = [
    ['entries', `${entries}`, `of ${owners} owner${owners === 1 ? '' : 's'}`],
    ['transactions', `${transactions}`, ''],
    ['gas', gas.toString(), entries === 0 ? '' : `${gas / BigInt(entries)} each`],
    ['bond', tokens.describe(ETH, bondWei), 'comes back but what removing bad entries costs'],
    ['cost', tokens.describe(ETH, costWei), `at the base fee of now, ${inGwei(baseFeeWei)} gwei`],
    ['', tokens.describe(ETH, costAtTenWei), 'at ten times that'],
    ...(hurry ? [['start by', formatTime(hurry.lastSafeStart, now), hurryInWords(hurry)]] : []),
  ]
  const list = batches.map((batch, i) => [
    `batch ${i + 1}`,
    inEntries(batch.entries.length),
    tokens.describe(batch.token, batch.total),
    `${batch.gas} gas`,
    `bond ${tokens.describe(ETH, batch.bondWei)}`,
    `payable after ${formatTime(batch.payableAfter, now)} at the earliest`,
  ])
  return `${formatTable(rows)}${formatTable(list)}${describeRefused(refused)}`
}

function hurryInWords({ block, isSuspect, isLate }: NonNullable<MassExitPlan['hurry']>): string {
  const which = isSuspect ? `to come before what block ${block} forged` : `if the newest block ${block} turns out bad`
  return isLate ? `${which}; that is over: places come after what it forged` : which
}

function describeRefused(refused: MassExitPlan['refused']): string {
  if (refused.length === 0) return ''
  const shown = refused.slice(0, MOST_REFUSED).map(({ position, reason }) => `  ${position}  ${reason}\n`)
  const more = refused.length > MOST_REFUSED ? [`  and ${refused.length - MOST_REFUSED} more (--json lists all)\n`] : []
  return [`left out: ${refused.length}\n`, ...shown, ...more].join('')
}

export function describeStarted(started: readonly StartedMassExit[], tokens: TokenBook): string {
  const lines = started.map(
    ({ batchId, entries, token, total, bondWei, isKnown }) =>
      `mass exit ${batchId} ${isKnown ? 'runs already' : 'started'}: ${inEntries(entries)}, ${tokens.describe(token, total)}, bond ${tokens.describe(ETH, bondWei)}\n`,
  )
  return `${lines.join('')}\`lifeboat mass-exit defend\` has to answer demands and lock it: keep it running\n`
}

type Now = Readonly<{ head: Head; timestamp: number }>

export async function describeBatch(
  { root, tokens }: Pick<WalletContext, 'root' | 'tokens'>,
  known: KnownBatch,
  { head, timestamp }: Now,
): Promise<Readonly<{ json: unknown; text: string }>> {
  const { id, batch, stage, record, item, ticket } = known
  const times = timesOf(known, root, head)
  const counts = await countEntries(root, known)
  const isOver = stage !== 'dissolved' && isLost(known, timestamp, root.parameters.minExitPeriod)
  const time = (at: number) => formatTime(at, timestamp)
  const rows = [
    ['entries', `${batch.count}, ${tokens.describe(batch.token, batch.total)}`],
    ['coordinator', batch.coordinator],
    [
      'bond',
      `${tokens.describe(ETH, batch.bond)}, ${record.isClosed ? 'closed' : `${tokens.describe(ETH, record.fundWei)} left for removals`}`,
    ],
    ...(stage === 'started' || stage === 'demanded'
      ? [
          [
            'demands',
            `${record.demands} open; until ${time(times.demandUntil)}, answers until ${time(times.answerUntil)}`,
          ],
          ['lock', `after the answers, until ${time(times.lockUntil)}`],
        ]
      : []),
    ...(stage === 'dissolved' ? [] : [['payable', `${item ? '' : 'at the earliest '}after ${time(times.payable)}`]]),
    ...(stage === 'locked' || stage === 'turned' ? [['strikes', `${counts.struck}`]] : []),
    ...(stage === 'turned'
      ? [['shares', `${counts.claimed} paid, ${counts.placed} placed, ${counts.released} released of ${batch.count}`]]
      : []),
  ]
  return {
    json: {
      batchId: id,
      ...batch,
      stage,
      demands: record.demands,
      fundWei: record.fundWei,
      isClosed: record.isClosed,
      item,
      ticket,
      times,
      counts,
    },
    text: `mass exit ${id}: ${stage}${isOver ? ', can be locked no more' : ''}${record.isClosed ? ', closed' : ''}\n${formatTable(rows.map((row) => ['', ...row]))}`,
  }
}

async function countEntries(root: WalletContext['root'], { id }: KnownBatch) {
  const counts = { claimed: 0, placed: 0, released: 0, struck: 0 }
  const types = ['EntriesClaimed', 'EntryPlaced', 'EntryReleased', 'EntryStruck', 'StrikeDropped'] as const
  for (const event of await root.events({ types, batchId: id })) {
    if (event.type === 'EntriesClaimed') counts.claimed += event.claimed.length
    else if (event.type === 'EntryPlaced') counts.placed++
    else if (event.type === 'EntryReleased') counts.released++
    else if (event.type === 'EntryStruck') counts.struck++
    else if (event.type === 'StrikeDropped') counts.struck--
  }
  return counts
}

function inEntries(count: number): string {
  return `${count} ${count === 1 ? 'entry' : 'entries'}`
}

function inGwei(wei: bigint): string {
  return `${wei / GWEI}.${((wei % GWEI) / 10_000_000n).toString().padStart(2, '0')}`
}
