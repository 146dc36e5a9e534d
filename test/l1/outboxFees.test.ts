/** The outbox's arithmetic of fees and time. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  cancelSaves,
  capOf,
  chooseOffer,
  isPastDeadline,
  leastBump,
  type Offer,
  tipCeilingOf,
  urgencyOf,
} from '../../l1/outboxFees.ts'
import { drawNotBefore } from '../../l1/outboxIntent.ts'
import { GWEI } from './outboxFixture.ts'

const test = suite('outbox fees')

const wei = (most: bigint) => fc.bigInt({ min: 0n, max: most })

test('an offer is within its cap, minable, and a bump that nodes take', () => {
  const questions = fc.record({
    fees: fc.record({ baseFeePerGas: wei(500n * GWEI), priorityFeePerGas: wei(500n * GWEI) }),
    urgency: fc.constantFrom('calm', 'soon', 'urgent'),
    gas: fc.bigInt({ min: 21_000n, max: 16_000_000n }),
    capWei: wei(10n ** 19n),
    maxTip: wei(100n * GWEI),
    tipCeiling: wei(400n * GWEI),
    previous: fc.option(
      fc
        .tuple(wei(200n * GWEI), wei(200n * GWEI))
        .map(([tip, more]) => ({ priorityFeePerGas: tip, maxFeePerGas: tip + more })),
      { nil: undefined },
    ),
  })
  fc.assert(
    fc.property(questions, ({ previous, ...rest }) => {
      const question = { ...rest, ...(previous && { previous }) }
      const { offer, ...refused } = chooseOffer(question)
      const { gas, capWei, fees } = question
      if ('isEnough' in refused) return previous !== undefined && previous.maxFeePerGas > fees.baseFeePerGas
      if (!offer) return 'leastWei' in refused && refused.leastWei > capWei - gas
      const bumped =
        !previous ||
        (offer.maxFeePerGas * 10n >= previous.maxFeePerGas * 11n &&
          offer.priorityFeePerGas * 10n >= previous.priorityFeePerGas * 11n)
      const isSane = offer.priorityFeePerGas <= offer.maxFeePerGas && offer.maxFeePerGas > fees.baseFeePerGas
      return bumped && isSane && offer.maxFeePerGas * gas <= capWei
    }),
    { numRuns: 2_000 },
  )
})

test('an offer that waits for blocks on end is not raised for ever, unless the base fee outgrows it', () => {
  const fees = { baseFeePerGas: 20n * GWEI, priorityFeePerGas: GWEI }
  const maxTip = 50n * GWEI
  const terms = { urgency: 'urgent', gas: 21_000n, capWei: 10n ** 30n, maxTip } as const
  const escalate = (kind: 'act' | 'cancel', first: Offer | undefined, baseFeePerGas: bigint) => {
    let newest = first
    for (let block = 0; block < 1_000; block++) {
      const question = { ...terms, tipCeiling: tipCeilingOf(kind, maxTip), fees: { ...fees, baseFeePerGas } }
      const { offer } = chooseOffer({ ...question, ...(newest && { previous: newest }) })
      if (!offer) return newest as Offer
      newest = offer
    }
    throw new Error(`got ${newest?.priorityFeePerGas} wei of tip after 1,000 blocks, want an end`)
  }
  const act = escalate('act', undefined, fees.baseFeePerGas)
  assert.ok(act.priorityFeePerGas > 80n * GWEI && act.priorityFeePerGas <= 100n * GWEI)
  const cancel = escalate('cancel', act, fees.baseFeePerGas)
  assert.ok(cancel.priorityFeePerGas > act.priorityFeePerGas && cancel.priorityFeePerGas <= 200n * GWEI)
  const later = escalate('act', act, act.maxFeePerGas * 2n)
  assert.ok(later.maxFeePerGas > act.maxFeePerGas * 2n)
  assert.ok(later.priorityFeePerGas < 130n * GWEI)
})

test('works where gas is free', () => {
  const terms = { urgency: 'calm', gas: 21_000n, capWei: 21_000n, maxTip: 0n, tipCeiling: 0n } as const
  const free = { baseFeePerGas: 0n, priorityFeePerGas: 0n }
  assert.equal(chooseOffer({ ...terms, fees: free }).offer, { maxFeePerGas: 1n, priorityFeePerGas: 0n })
  assert.equal(leastBump({ maxFeePerGas: 1n, priorityFeePerGas: 0n }), { maxFeePerGas: 2n, priorityFeePerGas: 1n })
})

test('urgency follows the quarters of the window, in seconds or blocks', () => {
  const intent = { deadline: { timestamp: 1_400 }, notBefore: 1_000, urgency: 'normal' } as const
  const opened = { timestamp: 500, block: 1 }
  const at = (timestamp: number) => urgencyOf(intent, opened, { timestamp, block: 1 })
  assert.equal([999, 1_199, 1_200, 1_299, 1_300, 9_999].map(at), ['calm', 'calm', 'soon', 'soon', 'urgent', 'urgent'])
  const byBlock = { deadline: { block: 9 }, notBefore: 0, urgency: 'normal' } as const
  assert.is(urgencyOf(byBlock, opened, { timestamp: 9e9, block: 2 }), 'calm')
  assert.is(urgencyOf(byBlock, opened, { timestamp: 0, block: 7 }), 'urgent')
  assert.is(urgencyOf({ ...byBlock, urgency: 'high' }, opened, opened), 'urgent')
})

test('a deadline is past when the next block is too late', () => {
  assert.is(isPastDeadline({ timestamp: 100 }, { timestamp: 99, block: 0 }), false)
  assert.is(isPastDeadline({ timestamp: 100 }, { timestamp: 100, block: 0 }), true)
  assert.is(isPastDeadline({ block: 8 }, { timestamp: 0, block: 7 }), false)
  assert.is(isPastDeadline({ block: 8 }, { timestamp: 0, block: 8 }), true)
})

test('half of what is left, all of it when urgent, nothing when spent', () => {
  assert.equal([capOf(100n, 20n, 'calm'), capOf(100n, 20n, 'urgent'), capOf(100n, 120n, 'urgent')], [40n, 80n, 0n])
})

test('cancelling saves when the call carries data, not for a bare transfer', () => {
  const pending = { maxFeePerGas: 100n, priorityFeePerGas: 1n }
  assert.is(cancelSaves(`0x${'ff'.repeat(200)}`, pending, leastBump(pending)), true)
  assert.is(cancelSaves('0x', pending, leastBump(pending)), false)
})

test('a drawn delay stays in the first half of the window', () => {
  const window = { from: 100, until: 200 }
  assert.equal(
    [0, 0.5, 0.999].map((drawn) => drawNotBefore(window, () => drawn)),
    [100, 125, 149],
  )
  assert.is(
    drawNotBefore({ from: 5, until: 5 }, () => 0.9),
    5,
  )
})

test.run()
