/** V1..V6 (docs/spec.md section 4): a valid transaction, and one mutation per rule. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Address, ZERO_ADDRESS, ZERO_HASH } from '../../protocol/bytes.ts'
import { DEPOSIT_INDEX, encodePosition } from '../../protocol/position.ts'
import { createOutput, type Output, type SignedTransaction } from '../../protocol/transaction.ts'
import {
  applyBlock,
  applyTransaction,
  type Context,
  describePlace,
  type ExistingOutput,
  findFault,
  type State,
} from '../../protocol/validity.ts'

const test = suite('validity')

const ETH = ZERO_ADDRESS
const GOLD: Address = `0x${'60'.repeat(20)}`
const ALICE: Address = `0x${'a1'.repeat(20)}`
const BOB: Address = `0x${'b0'.repeat(20)}`

const DEPOSIT = encodePosition({ block: 0, index: DEPOSIT_INDEX, output: 0 })
const OLD = encodePosition({ block: 4, index: 2, output: 1 })
const HERE = { block: 5, index: 3, anchor: 100 }

class Ledger implements State {
  readonly outputs = new Map<number, ExistingOutput>()
  find(position: number): ExistingOutput | undefined {
    return this.outputs.get(position)
  }
  spend(position: number, by: number): void {
    this.change(position, { spentBy: by })
  }
  create(position: number, output: ExistingOutput): void {
    this.outputs.set(position, output)
  }
  change(position: number, fields: Partial<ExistingOutput>): void {
    this.outputs.set(position, { ...this.outputs.get(position)!, ...fields })
  }
}

/** Alice's deposit of 10 ETH and her payment output of 5 gold. */
function ledger(): Ledger {
  const state = new Ledger()
  state.create(DEPOSIT, { owner: ALICE, token: ETH, amount: 10n, depositedAt: 100 })
  state.create(OLD, { owner: ALICE, token: GOLD, amount: 5n })
  return state
}

function pay(inputs: readonly number[], outputs: readonly (readonly [Address, Address, bigint])[]): SignedTransaction {
  const made: Output[] = outputs.map(([owner, token, amount]) => createOutput(owner, token, amount))
  return { transaction: { inputs, outputs: made, memo: ZERO_HASH }, witnesses: new Uint8Array(64 * inputs.length) }
}

const both = () =>
  pay(
    [DEPOSIT, OLD],
    [
      [BOB, ETH, 4n],
      [ALICE, ETH, 6n],
      [BOB, GOLD, 5n],
    ],
  )

function faultOf(signed: SignedTransaction, state: State, changes: Partial<Context> = {}) {
  return findFault(signed, { ...HERE, signers: signed.transaction.inputs.map(() => ALICE), ...changes }, state)
}

function assertFault(fault: ReturnType<typeof findFault>, rule: string, code: string, input?: number): void {
  assert.ok(fault, `got a valid transaction, want ${rule} ${code}`)
  assert.is(fault.rule, rule)
  assert.is(fault.code, code)
  assert.is(fault.input, input)
}

test('accepts a payment of two tokens from a deposit and an older output', () => {
  assert.is(faultOf(both(), ledger()), undefined)
})

test('V1: refuses a malformed transaction before looking at the state', () => {
  assertFault(faultOf({ ...both(), witnesses: new Uint8Array(64) }, ledger()), 'V1', 'WITNESS_SIZE')
  assertFault(faultOf(pay([DEPOSIT], [[BOB, ETH, 0n]]), ledger()), 'V1', 'AMOUNT_RANGE')
})

test('V2: refuses an input that does not exist, naming which', () => {
  const missing = encodePosition({ block: 4, index: 2, output: 2 })
  assertFault(faultOf(pay([DEPOSIT, missing], [[BOB, ETH, 10n]]), ledger()), 'V2', 'INPUT_MISSING', 1)
})

test('V2: a deposit counts from the anchor on: at it, not above it', () => {
  const spend = pay([DEPOSIT], [[BOB, ETH, 10n]])
  assert.is(faultOf(spend, ledger(), { anchor: 100 }), undefined)
  assertFault(faultOf(spend, ledger(), { anchor: 99 }), 'V2', 'INPUT_MISSING', 0)
})

test('V2: a deposit made while this very block was the newest may be spent in it', () => {
  const state = new Ledger()
  const later = encodePosition({ block: 9, index: DEPOSIT_INDEX + 5, output: 0 })
  state.create(later, { owner: ALICE, token: ETH, amount: 1n, depositedAt: 100 })
  assert.is(faultOf(pay([later], [[BOB, ETH, 1n]]), state), undefined, 'its age is the anchor, not its number')
})

test('V2: a deposit without its L1 block is no deposit', () => {
  const state = ledger()
  state.create(DEPOSIT, { owner: ALICE, token: ETH, amount: 10n })
  assertFault(faultOf(pay([DEPOSIT], [[BOB, ETH, 10n]]), state), 'V2', 'INPUT_MISSING', 0)
})

test('V2: refuses an output of the same place or a later one, even if the state knows it', () => {
  const own = encodePosition({ ...HERE, output: 0 })
  for (const position of [own, own + 1, own + 16, encodePosition({ block: 6, index: 0, output: 0 })]) {
    const state = ledger()
    state.create(position, { owner: ALICE, token: ETH, amount: 1n })
    assertFault(faultOf(pay([position], [[BOB, ETH, 1n]]), state), 'V2', 'INPUT_MISSING', 0)
  }
  const state = ledger()
  state.create(own - 16, { owner: ALICE, token: ETH, amount: 1n })
  assert.is(faultOf(pay([own - 16], [[BOB, ETH, 1n]]), state), undefined, 'the transaction just before')
})

test('V3: refuses an input that was spent, and says by whom', () => {
  const state = ledger()
  state.spend(OLD, 4711)
  const fault = faultOf(both(), state)
  assertFault(fault, 'V3', 'INPUT_SPENT', 1)
  assert.is(fault?.got, 4711)
})

test('V3: a spend by the transaction at position 0 is a spend', () => {
  const state = ledger()
  state.spend(DEPOSIT, 0)
  assertFault(faultOf(both(), state), 'V3', 'INPUT_SPENT', 0)
})

test("V4: refuses another's signature, none, and a missing one", () => {
  assertFault(faultOf(both(), ledger(), { signers: [ALICE, BOB] }), 'V4', 'WITNESS_FORGED', 1)
  assertFault(faultOf(both(), ledger(), { signers: [undefined, ALICE] }), 'V4', 'WITNESS_FORGED', 0)
  assertFault(faultOf(both(), ledger(), { signers: [ALICE] }), 'V4', 'WITNESS_FORGED', 1)
})

test('V5: refuses value made, lost, or moved between tokens', () => {
  const cases: readonly (readonly (readonly [Address, Address, bigint])[])[] = [
    [
      [BOB, ETH, 11n],
      [BOB, GOLD, 5n],
    ],
    [
      [BOB, ETH, 9n],
      [BOB, GOLD, 5n],
    ],
    [[BOB, ETH, 10n]],
    [
      [BOB, ETH, 9n],
      [BOB, GOLD, 6n],
    ],
    [
      [BOB, ETH, 10n],
      [BOB, GOLD, 5n],
      [BOB, BOB, 1n],
    ],
  ]
  for (const outputs of cases) assertFault(faultOf(pay([DEPOSIT, OLD], outputs), ledger()), 'V5', 'VALUE_UNBALANCED')
})

test('V5: sixteen of the largest amounts do not wrap around', () => {
  const state = new Ledger()
  const most = 2n ** 128n - 1n
  state.create(OLD, { owner: ALICE, token: ETH, amount: 15n })
  const outputs = Array.from({ length: 16 }, () => [BOB, ETH, most] as const)
  assertFault(faultOf(pay([OLD], outputs), state), 'V5', 'VALUE_UNBALANCED')
})

test('V6: a lock counts up to the anchor: below and at it, not above it', () => {
  for (const [lockedAt, refused] of [
    [99, true],
    [100, true],
    [101, false],
  ] as const) {
    const state = ledger()
    state.change(OLD, { lockedAt })
    const fault = faultOf(both(), state)
    if (refused) assertFault(fault, 'V6', 'INPUT_LOCKED', 1)
    else assert.is(fault, undefined)
  }
})

test('the first broken rule is named when several are broken', () => {
  const state = ledger()
  state.change(OLD, { lockedAt: 1, spentBy: 1 })
  const unbalanced = pay([OLD], [[BOB, GOLD, 9n]])
  assertFault(faultOf(unbalanced, state, { signers: [BOB] }), 'V3', 'INPUT_SPENT', 0)
  state.change(OLD, { spentBy: undefined })
  assertFault(faultOf(unbalanced, state, { signers: [BOB] }), 'V4', 'WITNESS_FORGED', 0)
  assertFault(faultOf(unbalanced, state), 'V5', 'VALUE_UNBALANCED')
})

function signed(transaction: SignedTransaction, signer: Address) {
  return { ...transaction, signers: transaction.transaction.inputs.map(() => signer) }
}

test('a chain inside one block: each spends what the one before made', () => {
  const state = ledger()
  const at = (index: number, output = 0) => encodePosition({ block: 5, index, output })
  const block = [
    signed(pay([DEPOSIT], [[BOB, ETH, 10n]]), ALICE),
    signed(pay([at(0)], [[ALICE, ETH, 10n]]), BOB),
    signed(pay([at(1)], [[BOB, ETH, 10n]]), ALICE),
  ]
  assert.is(applyBlock(block, { block: 5, anchor: 100 }, state), undefined)
  assert.is(state.find(DEPOSIT)?.spentBy, at(0))
  assert.is(state.find(at(1))?.spentBy, at(2))
  assert.equal(state.find(at(2)), { owner: BOB, token: ETH, amount: 10n })
})

test('a chain in the wrong order is refused at its first link', () => {
  const at = (index: number) => encodePosition({ block: 5, index, output: 0 })
  const block = [signed(pay([at(1)], [[ALICE, ETH, 10n]]), BOB), signed(pay([DEPOSIT], [[BOB, ETH, 10n]]), ALICE)]
  const fault = applyBlock(block, { block: 5, anchor: 100 }, ledger())
  assert.is(fault?.index, 0)
  assertFault(fault, 'V2', 'INPUT_MISSING', 0)
})

test('a double spend inside one block is found at the second spend', () => {
  const block = [BOB, ALICE].map((to) => signed(pay([DEPOSIT], [[to, ETH, 10n]]), ALICE))
  const fault = applyBlock(block, { block: 5, anchor: 100 }, ledger())
  assert.is(fault?.index, 1)
  assertFault(fault, 'V3', 'INPUT_SPENT', 0)
  assert.is(fault?.got, encodePosition({ block: 5, index: 0, output: 0 }))
})

test('an empty block is valid', () => {
  assert.is(applyBlock([], { block: 5, anchor: 0 }, new Ledger()), undefined)
})

test('a transaction leaves its inputs spent by it and its outputs in their order', () => {
  const state = ledger()
  applyTransaction(both(), HERE, state)
  const own = encodePosition({ ...HERE, output: 0 })
  assert.is(state.find(OLD)?.spentBy, own)
  assert.equal(
    [0, 1, 2].map((i) => state.find(own + i)?.amount),
    [4n, 6n, 5n],
  )
})

test('a place is shown with the arithmetic that gives it', () => {
  const text = describePlace(OLD)
  assert.is(text, `block 4, index 2, output 1 (${OLD} = (4 * 2097152 + 2) * 16 + 1)`)
})

test.run()
