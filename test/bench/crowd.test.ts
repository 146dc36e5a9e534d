/** The crowd simulation (bench/crowd*.ts, docs/mass-exit.md): L1's rules are kept, figures go the right way, and the document is up to date. */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { generateFiles } from '../../bench/crowd.ts'
import { coordinatorLoss, costOfBatch, POOL_ENTRIES } from '../../bench/crowdCoordinator.ts'
import { BLOCK_GAS, nextBaseFee, TARGET_GAS, usualGas } from '../../bench/crowdFee.ts'
import {
  CROWD_GAS,
  entriesWithin,
  findStaleGas,
  POOL_BYTES_CAP,
  readSpecGas,
  startBatchGas,
  TRANSACTION_GAS_CAP,
} from '../../bench/crowdGas.ts'
import { feeReference, simulate, type World } from '../../bench/crowdModel.ts'
import { count, ether, FEES, hours, OWNERS, RESTS, replaceGenerated, SHARES } from '../../bench/crowdReport.ts'
import { batchEntries, CEILING_GWEI, PATIENCE, PERIOD_BLOCKS, run, WAYS, wayOf } from '../../bench/crowdWays.ts'
import { batchBond, encodeEntries, itemBond } from '../../protocol/massExit.ts'
import { encodePosition } from '../../protocol/position.ts'

const crowd = suite('a crowd that leaves')
const GWEI = 10n ** 9n
const spec = readFileSync(new URL('../../docs/spec.md', import.meta.url), 'utf8')

const outcomes = RESTS.flatMap((rest) =>
  SHARES.flatMap((share) =>
    FEES.flatMap((startFeeGwei) =>
      OWNERS.flatMap((owners) => WAYS.map((way) => run({ way, owners, share, startFeeGwei, rest }))),
    ),
  ),
)
const nameOf = ({ way, owners, share, startFeeGwei, rest }: (typeof outcomes)[number]) =>
  `${way}, ${owners} owners, ${share} of a block, ${startFeeGwei} gwei, rest ${rest}`

const quiet: World = {
  share: 0.5,
  startFeeWei: 20n * GWEI,
  rest: 'yields',
  ceilingWei: 500n * GWEI,
  patientWei: 40n * GWEI,
  rushBlocks: PERIOD_BLOCKS,
}

crowd('the base fee follows EIP-1559 to the wei', () => {
  assert.is(nextBaseFee(20n * GWEI, TARGET_GAS), 20n * GWEI)
  assert.is(nextBaseFee(20n * GWEI, BLOCK_GAS), 22_500_000_000n, 'a full block: one eighth up')
  assert.is(nextBaseFee(20n * GWEI, 0), 17_500_000_000n, 'an empty one: one eighth down')
  assert.is(nextBaseFee(1_000_000_007n, 45_000_001), 1_062_500_011n, 'rounded down at each division')
  assert.is(nextBaseFee(3n, TARGET_GAS + 1), 4n, 'up by one wei at least')
  assert.is(nextBaseFee(3n, TARGET_GAS - 1), 3n)
})

crowd('a rest that yields buys for the same ETH as before', () => {
  assert.is(usualGas(20n * GWEI, 20n * GWEI), TARGET_GAS)
  assert.is(usualGas(40n * GWEI, 20n * GWEI), TARGET_GAS / 2)
  assert.is(usualGas(10n * GWEI, 20n * GWEI), BLOCK_GAS)
})

crowd('starting a batch takes what was measured, more for more entries, and never more than a transaction may', () => {
  assert.is(startBatchGas(250), 250 * CROWD_GAS.massExit_live_each_250)
  assert.is(startBatchGas(1_000), 1_000 * CROWD_GAS.massExit_live_each_1000)
  assert.is(startBatchGas(10_000), 10_000 * CROWD_GAS.massExit_live_each_10000)
  for (let entries = 1; entries < 20_000; entries += 37) {
    assert.ok(startBatchGas(entries + 1) > startBatchGas(entries), `${entries}`)
  }
  const most = entriesWithin(TRANSACTION_GAS_CAP, 2 ** 15)
  assert.ok(most >= 10_000, `got ${most}`)
  assert.ok(startBatchGas(most) <= TRANSACTION_GAS_CAP)
  assert.ok(startBatchGas(most + 1) > TRANSACTION_GAS_CAP)
  assert.is(entriesWithin(20_000, 10_000), 0)
  assert.throws(() => startBatchGas(0), /entries: got 0/)
})

crowd('every owner is in one transaction, of a size that L1 takes', () => {
  for (const share of [0.02, ...SHARES]) {
    for (const owners of [1, 9_999, 10_000, 10_001, 123_456]) {
      const { first } = wayOf({ way: 'mass exit', owners, share })
      assert.is(
        first.reduce((sum, load) => sum + load.count * load.ownersEach, 0),
        owners,
      )
      for (const { gasEach } of first) assert.ok(gasEach <= Math.min(TRANSACTION_GAS_CAP, share * BLOCK_GAS))
    }
  }
  assert.is(batchEntries(1), 10_000)
  assert.ok(batchEntries(0.1) < 10_000, 'ten per cent of a block do not hold 10,000 entries')
  assert.throws(
    () => run({ way: 'OMG', owners: 5, share: 0.005, startFeeGwei: 20, rest: 'bids' }),
    /start: got a transaction of 383370 gas/,
  )
  assert.throws(() => wayOf({ way: 'mass exit', owners: 5, share: 0.0005 }), /no batch fits/)
})

crowd('no block holds more than its share, nobody bids above the ceiling, all are paid, once', () => {
  for (const outcome of outcomes) {
    const name = nameOf(outcome)
    for (const stage of outcome.stages) {
      assert.is(stage.owners, outcome.owners, `${name}: ${stage.name}`)
      assert.ok(stage.mostGasInBlock > 0 && stage.mostGasInBlock <= outcome.share * BLOCK_GAS, `${name}: ${stage.name}`)
      const urgent = stage.name === 'start' || stage.name === 'lock'
      const ceiling = BigInt(urgent ? CEILING_GWEI : outcome.startFeeGwei * PATIENCE) * GWEI
      assert.ok(stage.highestFeeWei <= ceiling, `${name}: ${stage.name}: ${stage.highestFeeWei}`)
      assert.ok(stage.costWei <= BigInt(stage.gas) * stage.highestFeeWei, name)
      assert.ok(stage.costWei > 0n, name)
    }
    assert.ok(outcome.startedBlock <= outcome.securedBlock, name)
    assert.ok(outcome.paidBlock > outcome.securedBlock + PERIOD_BLOCKS, `${name}: nobody is paid before a whole period`)
  }
})

crowd('a mass exit is locked after the time for demands, and long before the lock is too late', () => {
  for (const outcome of outcomes.filter(({ way }) => way === 'mass exit')) {
    const lock = outcome.stages[1]!
    assert.is(lock.name, 'lock')
    assert.ok(outcome.securedBlock > outcome.startedBlock + PERIOD_BLOCKS / 4, nameOf(outcome))
    assert.ok(lock.longestWaitBlocks < PERIOD_BLOCKS / 4, nameOf(outcome))
  }
})

crowd('more owners never have their places sooner, a greater share never starts them later', () => {
  for (const a of outcomes) {
    for (const b of outcomes) {
      if (a.way !== b.way || a.startFeeGwei !== b.startFeeGwei || a.rest !== b.rest) continue
      if (a.share === b.share && a.owners < b.owners) {
        assert.ok(a.securedBlock <= b.securedBlock && a.paidBlock <= b.paidBlock, `${nameOf(a)}; ${nameOf(b)}`)
      }
      if (a.owners === b.owners && a.share < b.share) {
        assert.ok(a.startedBlock >= b.startedBlock, `${nameOf(a)}; ${nameOf(b)}`)
      }
    }
  }
})

crowd('a rest that bids makes nobody faster', () => {
  for (const a of outcomes.filter(({ rest }) => rest === 'yields')) {
    const { way, owners, share, startFeeGwei } = a
    const b = run({ way, owners, share, startFeeGwei, rest: 'bids' })
    assert.ok(b.startedBlock >= a.startedBlock, nameOf(a))
  }
})

crowd('a crowd of one pays the fee it found', () => {
  const one = run({ way: 'one by one', owners: 1, share: 0.5, startFeeGwei: 20, rest: 'yields' })
  assert.is(one.securedBlock, 1)
  assert.is(one.securedWeiEach, BigInt(CROWD_GAS.startStandardExit_1in2out_65536) * 20n * GWEI)
  assert.is(one.paidBlock, 1 + PERIOD_BLOCKS + 1)
  assert.is(one.bondWeiEach, 400_000n * 20n * GWEI)
  const mass = run({ way: 'mass exit', owners: 1, share: 0.5, startFeeGwei: 20, rest: 'yields' })
  assert.is(mass.securedBlock, 1 + PERIOD_BLOCKS / 4 + 1)
  assert.is(mass.bondWeiEach, batchBond(1, 20n))
})

crowd('who exits one by one waits for room, block by block', () => {
  const way = wayOf({ way: 'one by one', owners: 1_000, share: 0.5 })
  const [start] = simulate(way, quiet)
  const perBlock = Math.floor(TARGET_GAS / CROWD_GAS.startStandardExit_1in2out_65536)
  assert.is(start!.lastBlock, Math.ceil(1_000 / perBlock))
  assert.is(start!.gas, 1_000 * CROWD_GAS.startStandardExit_1in2out_65536)
  assert.is(start!.longestWaitBlocks, start!.lastBlock - 1)
})

crowd('above the ceiling everybody waits until the fee has come down', () => {
  const way = wayOf({ way: 'one by one', owners: 1_000, share: 0.5 })
  const low = { ...quiet, ceilingWei: 20n * GWEI, rest: 'bids' } as const
  const [start] = simulate(way, low)
  assert.ok(start!.highestFeeWei <= 20n * GWEI)
  assert.ok(start!.lastBlock > simulate(way, { ...low, ceilingWei: 500n * GWEI })[0]!.lastBlock)
})

crowd('a fee that nobody ever bids is refused, not waited for', () => {
  const way = wayOf({ way: 'one by one', owners: 1, share: 0.5 })
  assert.throws(() => simulate(way, { ...quiet, ceilingWei: 19n * GWEI }), /base fee: got 20000000000 wei/)
  assert.throws(() => simulate(way, { ...quiet, patientWei: 19n * GWEI }), /base fee/)
})

crowd('bonds go by whole gwei, and by one at least', () => {
  assert.is(feeReference(1n), GWEI)
  assert.is(feeReference(GWEI + 1n), 2n * GWEI)
  assert.is(feeReference(498_500_000_001n), 499n * GWEI)
})

crowd('the verdict on time is that of the places, and of 1,000,000 at ten per cent only OMG is late', () => {
  for (const outcome of outcomes) assert.is(outcome.inTime, outcome.securedBlock <= PERIOD_BLOCKS, nameOf(outcome))
  const late = outcomes.filter(({ inTime }) => !inTime)
  assert.ok(late.length > 0)
  for (const { way, owners, share } of late) assert.equal([way, owners, share], ['OMG', 1_000_000, 0.1])
})

crowd('an honest coordinator never loses more to entries than the bond has for them', () => {
  for (const feeGwei of [1n, 20n, 500n]) {
    for (const poisoned of [0, 500, 10_000]) {
      for (const laterFeeGwei of [1n, feeGwei, 10_000n]) {
        const loss = coordinatorLoss({ entries: 10_000, poisoned, feeGwei, laterFeeGwei })
        assert.is(loss.bondWei, batchBond(10_000, feeGwei))
        assert.is(loss.fundWei, loss.bondWei - itemBond(loss.bondWei, 10_000))
        assert.ok(loss.struckWei <= loss.fundWei && loss.releasedWei <= loss.struckWei)
      }
    }
  }
  const five = coordinatorLoss({ entries: 10_000, poisoned: 500, feeGwei: 20n })
  assert.is(five.struckWei, 950_000_000n * GWEI)
  assert.is(five.releasedWei, 300_000_000n * GWEI)
  assert.throws(() => coordinatorLoss({ entries: 5, poisoned: 6, feeGwei: 1n }), /poisoned: got 6/)
})

crowd('poison costs its maker more than the bond pays for removing it', () => {
  assert.ok(CROWD_GAS.strikeMany_each + CROWD_GAS.openEntry_afterTurn > 95_000)
  assert.ok(CROWD_GAS.releaseEntry > 30_000)
})

crowd('the bytes of a batch are those of its encoding', () => {
  const entries = Array.from({ length: POOL_ENTRIES }, (_, index) => ({
    // One of them a hundred blocks later: distances of 4 bytes.
    position: encodePosition({ block: index === POOL_ENTRIES - 1 ? 105 : 5, index, output: 1 }),
    amount: 0x0123456789abcdef11n,
  }))
  const { bytes } = costOfBatch(POOL_ENTRIES, 1n)
  const spare = bytes - encodeEntries(entries).length
  assert.ok(spare >= 500 && spare <= 1_000, `${spare}`)
  assert.ok(bytes <= POOL_BYTES_CAP)
  assert.ok(costOfBatch(POOL_ENTRIES + 1, 1n).bytes > POOL_BYTES_CAP)
})

crowd("the gas table is that of the specification's last measurement", () => {
  const measured = readSpecGas(spec)
  const known = Object.keys(CROWD_GAS).filter((key) => key in measured)
  assert.ok(known.includes('startStandardExit_1in2out_65536') && known.includes('processExits_eth_50of1000_each'))
  assert.equal(findStaleGas(measured), [], 'run npm run gas, then change bench/crowdGas.ts and run npm run crowd')
})

crowd('a gas table that moved by more than a hundredth is stale', () => {
  assert.equal(findStaleGas({ lockBatch: CROWD_GAS.lockBatch + 100, depositEth: 1 }), [])
  assert.equal(findStaleGas({ lockBatch: 99_000 }), [{ key: 'lockBatch', got: CROWD_GAS.lockBatch, want: 99_000 }])
})

crowd('rows of the specification are read with all their keys', () => {
  const rows = [
    '### 11.1 Gas',
    '| key | limit | measured |',
    '|---|---|---|',
    '| plain (by hand) | 1,000 | 990 |',
    '| one / two (both) | | 1,234,567 / 8 |',
    '| queue_each, old / young | 35,000 | 28,525 / 30,361 |',
    '### 11.2',
    '| plain | | 5 |',
  ]
  assert.equal(readSpecGas(`\n${rows.join('\n')}`), { plain: 990, one: 1_234_567, two: 8, queue_each: 30_361 })
})

crowd('numbers are written without powers of ten', () => {
  assert.is(count(1_234_567), '1,234,567')
  assert.is(ether(60_000_000_000_000n), '0.0000600')
  assert.is(ether(12_008n * 10n ** 15n), '12.0')
  assert.is(ether(1_234_567n * 10n ** 18n), '1,234,567')
  assert.is(ether(0n), '0')
  assert.is(hours(PERIOD_BLOCKS), '7.0 d')
  assert.is(hours(300), '1.0 h')
  assert.is(hours(1), '1 min')
})

crowd('the report stands between its markers, and the text around it stays', () => {
  const [begin, end] = ['<!-- npm run crowd: begin -->', '<!-- npm run crowd: end -->']
  assert.is(replaceGenerated(`a\n${begin}\nold\n${end}\nb`, 'new'), `a\n${begin}\nnew\n${end}\nb`)
  assert.throws(() => replaceGenerated(`a\n${begin}\nold`, 'new'), /markers/)
  assert.throws(() => replaceGenerated(`${begin}${end}${begin}${end}`, 'new'), /markers/)
})

crowd('docs/mass-exit.md and its plots are up to date', () => {
  for (const { path, content } of generateFiles()) {
    assert.is(readFileSync(path, 'utf8'), content, `${path.pathname} is stale: run npm run crowd`)
  }
})

crowd('the plots are whole: no coordinate that is not a number, none outside', () => {
  for (const { path } of generateFiles().slice(1)) {
    const svg = readFileSync(path, 'utf8')
    assert.not.match(svg, /NaN|Infinity|undefined/)
    for (const [, points = ''] of svg.matchAll(/points="([^"]+)"/g)) {
      for (const point of points.split(' ')) {
        const [x = -1, y = -1] = point.split(',').map(Number)
        assert.ok(x >= 124 && x <= 728 && y >= 82 && y <= 468, point)
      }
    }
  }
})

crowd.run()
