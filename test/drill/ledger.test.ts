/** The books of a drill, with owners and blocks made up by hand. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type BooksInput, drawBooks, ownedAt, settleAccounts, stillOwed } from '../../drill/ledger.ts'
import type { RootEvent, RootEventBody } from '../../l1/rootEvents.ts'
import { type Address, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../../protocol/bytes.ts'
import { domainSeparator } from '../../protocol/eip712.ts'
import { DEPOSIT_INDEX, depositIdOf, encodePosition, outputIdOf } from '../../protocol/position.ts'
import { createOutput, hashTransaction, type SignedTransaction } from '../../protocol/transaction.ts'

const test = suite('drill: ledger')

const ALICE: Address = `0x${'a1'.repeat(20)}`
const BOB: Address = `0x${'b0'.repeat(20)}`
const separator = domainSeparator({ chainId: 31_337, rootContract: `0x${'c0'.repeat(20)}` })
const at = (l1Block: number) => ({
  l1Block,
  l1BlockHash: ZERO_HASH,
  l1Timestamp: l1Block,
  logIndex: 0,
  txHash: ZERO_HASH,
})
const event = (body: RootEventBody, l1Block = 1): RootEvent => ({ ...body, at: at(l1Block) })

const DEPOSIT = encodePosition({ block: 0, index: DEPOSIT_INDEX, output: 0 })
const deposited = (owner: Address, amount: bigint, i = 0, l1Block = 1) =>
  event({ type: 'Deposited', position: DEPOSIT + 16 * i, owner, token: ZERO_ADDRESS, amount }, l1Block)

function payment(inputs: readonly number[], outputs: readonly (readonly [Address, bigint])[]): SignedTransaction {
  const made = outputs.map(([owner, amount]) => createOutput(owner, ZERO_ADDRESS, amount))
  return {
    transaction: { inputs: [...inputs], outputs: made, memo: ZERO_HASH },
    witnesses: new Uint8Array(64 * inputs.length),
  }
}

const idOf = ({ transaction }: SignedTransaction, output = 0) =>
  outputIdOf(hashTransaction(transaction, separator), output)
const hashOf = ({ transaction }: SignedTransaction): Hash =>
  `0x${Buffer.from(hashTransaction(transaction, separator)).toString('hex')}`

/** Alice deposits 10 and pays 4 to Bob in block 1. */
const paid = payment(
  [DEPOSIT],
  [
    [BOB, 4n],
    [ALICE, 6n],
  ],
)
const input = (...more: RootEvent[]): BooksInput => ({
  separator,
  events: [deposited(ALICE, 10n), ...more],
  blocks: [{ number: 1, transactions: [paid] }],
})

const settle = (books: ReturnType<typeof drawBooks>, vault: bigint) =>
  settleAccounts(books, { owners: [ALICE, BOB], tokens: [ZERO_ADDRESS], available: () => vault }).map(
    ({ owed, after }) => [owed, after],
  )

test('owes who was paid, not who paid, and counts what the vault can still pay', () => {
  const books = drawBooks(input())
  assert.equal(settle(books, 10n), [
    [6n, 6n],
    [4n, 4n],
  ])
  assert.is(stillOwed(books, ZERO_ADDRESS), 10n)
})

test('a vault that is one unit short leaves the youngest one short', () => {
  assert.equal(settle(drawBooks(input()), 9n), [
    [6n, 5n],
    [4n, 4n],
  ])
})

test('what an exit paid is had, and owed no more', () => {
  const books = drawBooks(input(event({ type: 'ExitPaid', outputId: idOf(paid), amount: 4n })))
  assert.equal(settle(books, 6n), [
    [6n, 6n],
    [4n, 4n],
  ])
  assert.is(stillOwed(books, ZERO_ADDRESS), 6n)
  assert.equal([books.paidTwice, books.paidWrongly], [[], []])
})

test('names an output that was paid twice, and one that was paid although it was spent', () => {
  const twice = event({ type: 'ExitPaid', outputId: idOf(paid), amount: 4n })
  const stolen = depositIdOf(DEPOSIT)
  const books = drawBooks(input(twice, twice, event({ type: 'ExitPaid', outputId: stolen, amount: 10n })))
  assert.equal(books.paidTwice, [idOf(paid)])
  assert.equal(
    books.paidWrongly.map(({ outputId }) => outputId),
    [idOf(paid), stolen],
  )
})

test('an exit that is paid in parts is paid once, until it is more than the output', () => {
  const part = (amount: bigint) => event({ type: 'ExitPaid', outputId: idOf(paid), amount })
  const books = drawBooks(input(part(3n), part(1n)))
  assert.equal([books.paidTwice, books.paid.get(idOf(paid))], [[], 4n])
  assert.equal(drawBooks(input(part(3n), part(2n))).paidTwice, [idOf(paid)])
})

test('an exit that was removed as spent although it was not is money lost', () => {
  const books = drawBooks(input(event({ type: 'ExitRemoved', outputId: idOf(paid), reason: 'spent' })))
  assert.equal(settle(books, 10n), [
    [6n, 6n],
    [4n, 0n],
  ])
})

test('an exit that was removed as void or invalid may come again: nothing is lost by it', () => {
  for (const reason of ['void', 'invalid'] as const) {
    const books = drawBooks(input(event({ type: 'ExitRemoved', outputId: idOf(paid), reason })))
    assert.equal(settle(books, 10n)[1], [4n, 4n])
  }
})

test('a verdict carries out a payment that no block holds, and changes nothing about one that a block holds', () => {
  const flight = payment([encodePosition({ block: 1, index: 0, output: 0 })], [[ALICE, 4n]])
  const judged = (signed: SignedTransaction) => [
    event({ type: 'DisputeStarted', dispute: { txHash: hashOf(signed) } as never, inputs: [], signed }),
    event({ type: 'DisputeDecided', txHash: hashOf(signed), verdict: 'canonical' }),
  ]
  assert.equal(settle(drawBooks(input(...judged(flight))), 10n), [
    [10n, 10n],
    [0n, 0n],
  ])
  assert.equal(settle(drawBooks(input(...judged(paid))), 10n), settle(drawBooks(input()), 10n))
})

test('what was owned before the fault leaves out later deposits and blocks', () => {
  const later = { ...input(deposited(BOB, 7n, 1, 5)) }
  const before = ownedAt(later, { l1Block: 4, childBlock: 0 })
  assert.equal([before(ALICE, ZERO_ADDRESS), before(BOB, ZERO_ADDRESS)], [10n, 0n])
  const after = ownedAt(later, { l1Block: 5, childBlock: 1 })
  assert.equal([after(ALICE, ZERO_ADDRESS), after(BOB, ZERO_ADDRESS)], [6n, 11n])
})

test.run()
