/** L1's own books against the events; numbers made up by hand. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { LoggedBlock } from '../../drill/chainLog.ts'
import { flowOf, judgeFlows } from '../../drill/flows.ts'
import type { RootEventBody } from '../../l1/rootEvents.ts'
import { type Address, ZERO_ADDRESS, ZERO_HASH } from '../../protocol/bytes.ts'

const test = suite('drill: flows')

const ALICE: Address = `0x${'a1'.repeat(20)}`
const CAROL: Address = `0x${'ca'.repeat(20)}`
const TOKEN: Address = `0x${'70'.repeat(20)}`
const AT = { l1Block: 1, l1BlockHash: ZERO_HASH, l1Timestamp: 1, logIndex: 0, txHash: ZERO_HASH }

function block(sent: readonly Readonly<{ from: Address; valueWei: bigint; ok: boolean }>[], bodies: RootEventBody[]) {
  return {
    at: { block: 1, time: 1 },
    hash: ZERO_HASH,
    parent: ZERO_HASH,
    transactions: sent.map((one) => ({
      hash: ZERO_HASH,
      to: undefined,
      data: '0x' as const,
      gas: 1,
      costWei: 10n,
      ...one,
    })),
    events: bodies.map((body) => ({ ...body, at: AT })),
  } satisfies LoggedBlock
}

/** Bond 400: of it 60 for whoever gives the turn. */
const started = (owner: Address, payer: Address, token: Address = ZERO_ADDRESS): RootEventBody => ({
  type: 'ExitStarted',
  exit: { outputId: ZERO_HASH, owner, payer, token, amount: 1_000n, bond: 400n } as never,
})
const paid: RootEventBody = { type: 'ExitPaid', outputId: ZERO_HASH, amount: 1_000n }

test('gas is paid for refused calls too, their value comes back', () => {
  const sent = [
    { from: ALICE, valueWei: 500n, ok: true },
    { from: ALICE, valueWei: 70n, ok: false },
    { from: CAROL, valueWei: 9n, ok: true },
  ]
  assert.is(flowOf(ALICE, [block(sent, [])]), -520n)
})

test('an exit brings the amount to its owner and the bond less the bounty to its payer', () => {
  assert.is(flowOf(ALICE, [block([], [started(ALICE, ALICE), paid])]), 1_340n)
  const rescued = [block([], [started(ALICE, CAROL), paid])]
  assert.equal([flowOf(ALICE, rescued), flowOf(CAROL, rescued)], [1_000n, 340n])
  assert.is(flowOf(ALICE, [block([], [started(ALICE, ALICE, TOKEN), paid])]), 340n, 'tokens are no ether')
})

test('a bond comes back once, with the last part of what is paid in parts', () => {
  const part = (amount: bigint): RootEventBody => ({ type: 'ExitPaid', outputId: ZERO_HASH, amount })
  assert.is(flowOf(ALICE, [block([], [started(ALICE, ALICE), part(400n)])]), 400n)
  assert.is(flowOf(ALICE, [block([], [started(ALICE, ALICE), part(400n), part(600n), part(0n)])]), 1_340n)
})

test('a void exit gives the bond back, one that was challenged does not', () => {
  const removed: RootEventBody = { type: 'ExitRemoved', outputId: ZERO_HASH, reason: 'void' }
  assert.is(flowOf(ALICE, [block([], [started(ALICE, ALICE), removed])]), 340n)
  const shown = {
    type: 'EvidenceShown',
    outputId: ZERO_HASH,
    spend: 1,
    place: 0,
    challenger: CAROL,
    reward: 280n,
  } as const
  assert.is(flowOf(ALICE, [block([], [started(ALICE, ALICE), shown, { ...removed, reason: 'spent' }])]), 0n)
})

test('one wei too little or too much is told, with the name', () => {
  const blocks = [block([], [started(ALICE, ALICE), paid])]
  const purse = { name: 'alice', address: ALICE, before: 5n, after: 1_345n }
  assert.is(judgeFlows([purse], blocks).held, true)
  for (const after of [1_344n, 1_346n]) {
    const { held, detail } = judgeFlows([{ ...purse, after }], blocks)
    assert.is(held, false)
    assert.match(detail, /alice/)
  }
})

test.run()
