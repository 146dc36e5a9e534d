/** Invented records of drills, for the report's tests: a rich one that passed, one that failed, an empty and a huge one. */
import type { ActorCosts, Balance, DrillRecord, Moment, TimelineEntry } from '../../drill/record.ts'
import { PRESETS } from '../../protocol/parameters.ts'

const START: Moment = { block: 1_204, time: 1_790_000_000 }
const NAMES = ['alice', 'bob', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy', 'kim', 'leo', 'mia']
const ETH = `0x${'00'.repeat(20)}`
const DEMO = `0x${'d3'.repeat(20)}`

/** `blocks` after the start, two seconds each. */
export const after = (blocks: number): Moment => ({ block: START.block + blocks, time: START.time + 2 * blocks })

/** An owner that has all that is owed. */
export function balanceOf(owner: string, wei: bigint, change: Partial<Balance> = {}): Balance {
  const text = wei.toString()
  return {
    owner,
    honest: true,
    online: true,
    token: ETH,
    symbol: 'ETH',
    before: text,
    owed: text,
    after: text,
    ...change,
  }
}

export function costsOf(name: string, change: Partial<ActorCosts> = {}): ActorCosts {
  return {
    name,
    role: 'owner',
    honest: true,
    online: true,
    transactions: 0,
    gas: 0,
    costWei: '0',
    bondsLostWei: '0',
    earnedWei: '0',
    ...change,
  }
}

export function emptyRecord(change: Partial<DrillRecord> = {}): DrillRecord {
  return {
    version: 1,
    scenario: 'nothing',
    title: 'A drill of nothing',
    story: 'Nothing is broken, and nothing must come out.',
    seed: 0,
    owners: 0,
    l1: { kind: 'embedded', chainId: 31_337, start: START, end: START },
    periods: {},
    passed: true,
    findings: [],
    milestones: { fault: null, detected: null, acted: null, secured: null, paid: null },
    timeline: [],
    actors: [],
    balances: [],
    alerts: [],
    reproduce: 'lifeboat drill run nothing --seed 0 --owners 0',
    ...change,
  }
}

/** Twelve owners, two tokens, a thief, two watchers; everybody is paid. */
export function richRecord(change: Partial<DrillRecord> = {}): DrillRecord {
  const wei = (i: number) => 1_500_000_000_000_000_000n + BigInt(i) * 137_000_000_000_000_001n
  return {
    version: 1,
    scenario: 'withhold-block',
    title: 'A block that nobody gets',
    story:
      'The operator commits a block that steals and serves it to nobody; the watchers demand it on L1, the chain ends before it, and everybody leaves in full.',
    seed: 7,
    owners: NAMES.length,
    l1: { kind: 'embedded', chainId: 31_337, start: START, end: after(420) },
    periods: { ...PRESETS.devnet },
    passed: true,
    findings: [
      ['EXIT-2', 'every honest owner has at least what he is owed, to the unit'],
      ['EXIT-3', 'no output was paid twice'],
      ['EXIT-1', 'nothing was paid for an output that was spent or never was'],
      ['FUNDS-1', 'ETH: the vault holds 0 and covers 0 of outputs, 0 of credits and 0 of bonds'],
      ['BOND-1', 'no honest actor lost a bond'],
      ['WATCH-1', 'no watcher acted against a valid exit'],
      ['HALT-5', 'the chain was halted, void from block 14'],
    ].map(([invariant = '', detail = '']) => ({ invariant, held: true, detail })),
    milestones: { fault: after(90), detected: after(93), acted: after(101), secured: after(190), paid: after(410) },
    timeline: richTimeline(),
    actors: [
      costsOf('operator', {
        role: 'operator',
        honest: false,
        transactions: 14,
        gas: 1_912_344,
        costWei: '2912344000000000',
        bondsLostWei: '1000000000000000000',
      }),
      costsOf('mallory', { role: 'thief', honest: false, transactions: 2, gas: 612_001, costWei: '918001500000000' }),
      costsOf('watcher 1', {
        role: 'watcher',
        transactions: 9,
        gas: 2_450_119,
        costWei: '3675178500000000',
        earnedWei: '250000000000000000',
      }),
      costsOf('watcher 2', { role: 'watcher', transactions: 4, gas: 951_002, costWei: '1426503000000000' }),
      ...NAMES.map((name, i) =>
        costsOf(name, {
          online: i % 3 === 0,
          transactions: i % 3 === 0 ? 3 : 0,
          gas: i % 3 === 0 ? 390_000 + i * 1_111 : 0,
          costWei: i % 3 === 0 ? `${585_000_000_000_000 + i}` : '0',
        }),
      ),
    ],
    balances: [
      ...NAMES.map((name, i) =>
        balanceOf(name, wei(i), { online: i % 3 === 0, before: (wei(i) - 10n ** 17n).toString() }),
      ),
      balanceOf('mallory', 0n, { honest: false, before: '500000000000000000' }),
      ...NAMES.slice(0, 4).map((name, i) => balanceOf(name, 10n ** 18n + BigInt(i), { token: DEMO, symbol: 'DEMO' })),
    ],
    alerts: [
      { watcher: 'watcher 1', code: 'BLOCK_SUSPECT', severity: 'warning', at: after(93), subject: 'block 14' },
      { watcher: 'watcher 2', code: 'BLOCK_SUSPECT', severity: 'warning', at: after(94), subject: 'block 14' },
      {
        watcher: 'watcher 1',
        code: 'CHAIN_HALTED',
        severity: 'critical',
        at: after(130),
        subject: 'void from block 14',
      },
      { watcher: 'watcher 1', code: 'EXIT_ORDERED', severity: 'info', at: after(140), subject: '' },
      { watcher: 'watcher 1', code: 'EXIT_ORDERED', severity: 'info', at: after(141), subject: '' },
    ],
    reproduce: 'lifeboat drill run withhold-block --seed 7 --owners 12',
    ...change,
  }
}

function richTimeline(): TimelineEntry[] {
  const line = (blocks: number, actor: string, kind: TimelineEntry['kind'], text: string): TimelineEntry => ({
    at: after(blocks),
    actor,
    kind,
    text,
  })
  const operator = Array.from({ length: 13 }, (_, i) =>
    line(4 + i * 6, 'operator', 'transaction', `commits block ${i + 1}`),
  )
  const deposits = NAMES.map((name, i) => line(2 + i, name, 'transaction', `deposits ${i + 1} ETH for ${name}`))
  const exits = NAMES.map((name, i) =>
    line(
      140 + i * 4,
      i % 3 === 0 ? name : 'watcher 1',
      'transaction',
      `starts the exit of 1.5 ETH of ${name} (block 9)`,
    ),
  )
  const payments = NAMES.map((_, i) =>
    line(395 + Math.floor(i / 3) * 4, 'watcher 2', 'payment', `an exit is paid, ${i} units`),
  )
  return [
    ...deposits,
    ...operator,
    line(90, 'operator', 'fault', 'commits a block that steals, and serves it to nobody'),
    line(93, 'watcher 1', 'alert', 'BLOCK_SUSPECT (warning)'),
    line(94, 'watcher 2', 'alert', 'BLOCK_SUSPECT (warning)'),
    line(95, 'mallory', 'transaction', 'starts the exit of 20 ETH of mallory (block 14)'),
    line(101, 'watcher 1', 'transaction', 'demands leaves of block 14'),
    line(118, 'L1', 'note', '3 blocks were replaced'),
    line(
      128,
      'watcher 1',
      'transaction',
      'ends a demand that nobody answered; the chain is halted, void from block 14',
    ),
    line(130, 'watcher 1', 'alert', 'CHAIN_HALTED (critical)'),
    ...exits,
    ...payments,
    line(399, 'watcher 2', 'transaction', 'calls processExits'),
  ].sort((a, b) => a.at.block - b.at.block)
}

/** Two owners lost, one rule is broken, nobody was paid in time. */
export function failingRecord(change: Partial<DrillRecord> = {}): DrillRecord {
  const rich = richRecord()
  return richRecord({
    scenario: 'watcher-offline',
    title: 'A thief while the watcher sleeps',
    story:
      'A thief exits a spent output while the only watcher is offline for too long; nobody may be paid what is not his.',
    passed: false,
    findings: rich.findings.map((finding) =>
      finding.invariant === 'EXIT-2'
        ? { ...finding, held: false, detail: 'bob has 837000000000000001 of 1637000000000000001; leo has 0 of all' }
        : finding,
    ),
    milestones: { ...rich.milestones, detected: after(88), secured: null, paid: null },
    balances: rich.balances.map((one) =>
      one.owner === 'bob' && one.symbol === 'ETH'
        ? { ...one, after: '837000000000000001' }
        : one.owner === 'leo'
          ? { ...one, after: '0' }
          : one,
    ),
    reproduce: 'lifeboat drill run watcher-offline --seed 7 --owners 12',
    ...change,
  })
}

/** As many owners and events; the first `lost` lack a wei. */
export function hugeRecord(owners: number, lost: number): DrillRecord {
  const names = Array.from({ length: owners }, (_, i) => `owner${i + 1}`)
  return richRecord({
    scenario: 'mass-exit',
    title: 'Everybody leaves',
    owners,
    passed: lost === 0,
    balances: names.map((name, i) =>
      balanceOf(name, 10n ** 18n, {
        online: i % 2 === 0,
        ...(owners - i <= lost ? { after: (10n ** 18n - 1n).toString() } : {}),
      }),
    ),
    actors: names.map((name) => costsOf(name, { transactions: 2, gas: 120_000, costWei: '180000000000000' })),
    timeline: names.flatMap((name, i): TimelineEntry[] => [
      { at: after(100 + (i % 50)), actor: name, kind: 'transaction', text: `starts the exit of 1 ETH of ${name}` },
      { at: after(350 + (i % 50)), actor: name, kind: 'payment', text: 'an exit is paid' },
    ]),
    alerts: names.map((name, i) => ({
      watcher: 'watcher 1',
      code: 'EXIT_ORDERED',
      severity: 'info',
      at: after(100 + (i % 50)),
      subject: name,
    })),
    reproduce: `lifeboat drill run mass-exit --seed 7 --owners ${owners}`,
  })
}
