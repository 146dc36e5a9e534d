/** What a mandate covers (docs/spec.md section 7). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Address, ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { findMandateFault, type Mandate } from '../../protocol/mandate.ts'

const test = suite('mandates')

const OWNER: Address = `0x${'01'.repeat(20)}`
const WATCHER: Address = `0x${'02'.repeat(20)}`
const OTHER: Address = `0x${'03'.repeat(20)}`

const mandate: Mandate = {
  owner: OWNER,
  delegate: WATCHER,
  validFrom: 100,
  validUntil: 200,
  position: 64,
  minAmount: 10n,
  maxFee: 0n,
  epoch: 0,
}
const exit = { owner: OWNER, delegate: WATCHER, position: 64, amount: 10n, now: 150 }

test('covers exactly what it says, ends included', () => {
  assert.is(findMandateFault(mandate, exit), undefined)
  assert.is(findMandateFault(mandate, { ...exit, now: 100 }), undefined)
  assert.is(findMandateFault(mandate, { ...exit, now: 200 }), undefined)
  assert.is(findMandateFault(mandate, { ...exit, amount: 11n }), undefined)
})

test('names each way not to be covered', () => {
  const cases = [
    ['OTHER_OWNER', { owner: OTHER }],
    ['OTHER_DELEGATE', { delegate: OTHER }],
    ['OUT_OF_PERIOD', { now: 99 }],
    ['OUT_OF_PERIOD', { now: 201 }],
    ['OTHER_OUTPUT', { position: 65 }],
    ['BELOW_MINIMUM', { amount: 9n }],
  ] as const
  for (const [code, change] of cases) {
    const fault = findMandateFault(mandate, { ...exit, ...change })
    assert.is(fault?.code, code)
    assert.ok(fault && 'got' in fault && 'want' in fault)
  }
})

test('without a delegate anyone may act, without a position on every output', () => {
  assert.is(findMandateFault({ ...mandate, delegate: ZERO_ADDRESS }, { ...exit, delegate: OTHER }), undefined)
  assert.is(findMandateFault({ ...mandate, position: 0 }, { ...exit, position: 4711 }), undefined)
})

test.run()
