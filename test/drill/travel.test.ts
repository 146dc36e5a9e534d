/** What a jump in L1 time waits for: an operator that is there is never outrun, one that is gone holds nobody up. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createTravel, openDemands } from '../../drill/travel.ts'
import type { RootEvent } from '../../l1/rootEvents.ts'
import type { Address } from '../../protocol/bytes.ts'

const test = suite('drill: travel')

const addressOf = (digit: string): Address => `0x${digit.repeat(40)}` as Address
const ABANDON = 4_000

/** An L1 of a second a block, and an operator that shows itself some looks after it was silent for half of what it may. */
function createFake(operator: Readonly<{ runs: boolean; looks: number; ended?: boolean }>) {
  const state = { block: 10, time: 1_000 }
  const events: RootEvent[] = []
  const jumps: number[] = []
  let [shownAt, looks, longest] = [1_000, 0, 0]
  if (operator.ended) events.push({ type: 'HaltMoved' } as RootEvent)
  const travel = createTravel({
    l1: {
      canTravel: true,
      head: async () => ({ ...state }),
      request: async (method, params = []) => {
        if (method === 'evm_increaseTime') {
          jumps.push(Number(params[0]))
          state.time += Number(params[0])
          longest = Math.max(longest, state.time - shownAt)
        }
        if (method === 'anvil_mine') {
          state.block += Number(params[0])
          state.time += Number(params[0])
        }
      },
    },
    parameters: { abandonPeriod: ABANDON, anchorAgeBlocks: 9 },
    recorder: {
      pull: async () => {
        if (!operator.runs || state.time - shownAt < ABANDON / 2) return
        if (++looks % operator.looks !== 0) return
        shownAt = state.time
        events.push({ type: 'BlocksSubmitted', at: { l1Timestamp: shownAt } } as RootEvent)
      },
      events: () => events,
    },
    operatorRuns: () => operator.runs,
    start: { ...state },
    report: () => undefined,
    pollMs: 0,
  })
  return { travel, jumps, state, longest: () => longest }
}

test('a short jump is one jump', async () => {
  const { travel, jumps, state } = createFake({ runs: true, looks: 1 })
  await travel.passTo(2_500)
  assert.equal(jumps, [1_501])
  assert.ok(state.time > 2_500)
})

test('a long jump stops wherever the operator has to show itself, and it is never silent for as long as L1 allows', async () => {
  for (const looks of [1, 7, 60]) {
    const { travel, jumps, state, longest } = createFake({ runs: true, looks })
    await travel.passTo(20_000)
    assert.ok(state.time > 20_000)
    assert.ok(jumps.length > 4, jumps.join())
    assert.ok(longest() < ABANDON, `${longest()} with ${looks} looks`)
  }
})

test('an operator that is gone, dead, or of an ended chain holds nothing up', async () => {
  for (const operator of [
    { runs: false, looks: 1 },
    { runs: true, looks: 1, ended: true },
    { runs: true, looks: Number.POSITIVE_INFINITY },
  ]) {
    const { travel, jumps, state } = createFake(operator)
    await travel.passTo(20_000)
    assert.ok(state.time > 20_000)
    assert.ok(jumps.length <= 2, jumps.join())
  }
})

test('data that L1 demands is open until it is shown or given up, range by range', () => {
  const range = { blockNumber: 4, first: 32, levels: 5 }
  const challenge = { ...range, challenger: addressOf('1'), startedAt: 1, bond: 1n }
  const demanded = { type: 'DataChallenged', challenge } as unknown as RootEvent
  const shown = { type: 'DataRevealed', ...range, answerer: addressOf('0'), paid: 1n } as unknown as RootEvent
  const ended = { type: 'DataChallengeEnded', ...range, isHalt: true } as unknown as RootEvent
  assert.is(openDemands([]), 0)
  assert.is(openDemands([demanded]), 1)
  assert.is(openDemands([demanded, { ...shown, first: 0 } as RootEvent]), 1)
  assert.is(openDemands([demanded, shown]), 0)
  assert.is(openDemands([demanded, shown, demanded]), 1)
  assert.is(openDemands([demanded, ended]), 0)
})
test.run()
