import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesToHex } from '../../protocol/bytes.ts'
import { encodePosition } from '../../protocol/position.ts'
import {
  alice,
  bob,
  carol,
  codeOf,
  createWorld,
  feeCollector,
  hashOf,
  logs,
  pay,
  TOKEN,
  type World,
} from './fixture.ts'

const test = suite<{ world: World }>('operator admission')

test.before.each((context) => {
  context.world = createWorld()
})
test.after.each(({ world }) => {
  world.memory.assertNoErrors()
  world.close()
})

test('gives a payment its exact position when it accepts it', ({ world }) => {
  const input = world.deposit(alice, 10n)
  const signed = pay({
    inputs: [input],
    outputs: [
      [bob, 4n],
      [alice, 6n],
    ],
    signers: [alice],
  })
  const [outcome] = world.admit(signed)
  assert.equal(outcome, {
    status: 'accepted',
    txHash: hashOf(signed),
    position: encodePosition({ block: 1, index: 0, output: 0 }),
    isReplay: false,
  })
})

test('answers a transaction handed in again with the place it has, also after its inputs are spent and its block is cut', ({
  world,
}) => {
  const input = world.deposit(alice, 10n)
  const signed = pay({ inputs: [input], outputs: [[bob, 10n]], signers: [alice] })
  const position = world.accept(signed)
  assert.equal(world.accept(signed), position)
  world.clock.ms += 4_000
  world.core.step()
  assert.is(world.core.blockLog.sealed(), 1)
  assert.equal(world.accept(signed), position)
  const [first, second] = world.admit(signed, signed)
  assert.is(first?.status === 'accepted' && first.isReplay, true)
  assert.is(second?.status === 'accepted' && second.isReplay, true)
})

test('lets an output be spent again at once, in the same batch and the same block', ({ world }) => {
  const input = world.deposit(alice, 10n)
  const first = encodePosition({ block: 1, index: 0, output: 0 })
  const outcomes = world.admit(
    pay({ inputs: [input], outputs: [[bob, 10n]], signers: [alice] }),
    pay({ inputs: [first], outputs: [[carol, 10n]], signers: [bob] }),
  )
  assert.equal(outcomes.map(codeOf), ['ACCEPTED', 'ACCEPTED'])
})

test('swaps tokens of two owners in one transaction', ({ world }) => {
  const ofAlice = world.deposit(alice, 10n)
  const ofBob = world.deposit(bob, 7n, TOKEN)
  world.accept(
    pay({
      inputs: [ofAlice, ofBob],
      outputs: [
        [bob, 10n],
        [alice, 7n, TOKEN],
      ],
      signers: [alice, bob],
    }),
  )
  const { outputs } = world.core.views.outputs(alice.address, {})
  assert.equal(
    outputs.map(({ token, amount, state }) => ({ token, amount, state })),
    [{ token: TOKEN, amount: 7n, state: 'unspent' }],
  )
})

test('refuses a second spend, names the first, and takes the rest of the batch', ({ world }) => {
  const input = world.deposit(alice, 10n)
  const other = world.deposit(alice, 3n)
  const outcomes = world.admit(
    pay({ inputs: [input], outputs: [[bob, 10n]], signers: [alice] }),
    pay({ inputs: [input], outputs: [[carol, 10n]], signers: [alice] }),
    pay({ inputs: [other], outputs: [[carol, 3n]], signers: [alice] }),
  )
  assert.equal(outcomes.map(codeOf), ['ACCEPTED', 'INPUT_SPENT', 'ACCEPTED'])
  const refused = outcomes[1]
  assert.is(refused?.status === 'rejected' && refused.error.got, encodePosition({ block: 1, index: 0, output: 0 }))
})

test('refuses value out of nothing, of one token for another, and of outputs that are not there', ({ world }) => {
  const input = world.deposit(alice, 10n)
  const outcomes = world.admit(
    pay({ inputs: [input], outputs: [[bob, 11n]], signers: [alice] }),
    pay({ inputs: [input], outputs: [[bob, 9n]], signers: [alice] }),
    pay({ inputs: [input], outputs: [[bob, 10n, TOKEN]], signers: [alice] }),
    pay({ inputs: [input + 16], outputs: [[bob, 10n]], signers: [alice] }),
    pay({ inputs: [encodePosition({ block: 1, index: 0, output: 0 })], outputs: [[bob, 10n]], signers: [alice] }),
  )
  assert.equal(outcomes.map(codeOf), [
    'VALUE_UNBALANCED',
    'VALUE_UNBALANCED',
    'VALUE_UNBALANCED',
    'INPUT_MISSING',
    'INPUT_MISSING',
  ])
})

test("refuses a stranger's signature and says whose it wants and in which domain", ({ world }) => {
  const input = world.deposit(alice, 10n)
  const [outcome] = world.admit(pay({ inputs: [input], outputs: [[bob, 10n]], signers: [bob] }))
  assert.is(codeOf(outcome), 'WITNESS_FORGED')
  assert.equal(outcome?.status === 'rejected' && outcome.error.want, {
    signer: alice.address,
    domain: { name: 'Lifeboat', version: '1', chainId: 31337, verifyingContract: `0x${'a1'.repeat(20)}` },
  })
})

test('tells a wallet that signed for another chain which chain it signed for', ({ world }) => {
  const input = world.deposit(alice, 10n)
  const domain = { chainId: 1, rootContract: `0x${'a1'.repeat(20)}` as const }
  const [outcome] = world.admit(pay({ inputs: [input], outputs: [[bob, 10n]], signers: [alice], domain }))
  assert.is(codeOf(outcome), 'WRONG_CHAIN_ID')
  assert.equal(outcome?.status === 'rejected' && outcome.error.got, { chainId: 1 })
})

test('refuses a deposit that is not deep enough yet, and takes the same payment later', ({ world }) => {
  const position = encodePosition({ block: 0, index: 2 ** 20 + 9, output: 0 })
  const signed = pay({ inputs: [position], outputs: [[bob, 5n]], signers: [alice] })
  assert.is(codeOf(world.admit(signed)[0]), 'INPUT_MISSING')
  world.see(world.l1.mine(1, [logs.deposited(position, alice.address, 5n)]))
  assert.is(codeOf(world.admit(signed)[0]), 'DEPOSIT_PENDING')
  assert.is(world.core.views.outputs(alice.address, {}).outputs[0]?.state, 'pending')
  world.see(world.l1.mine(2))
  assert.is(codeOf(world.admit(signed)[0]), 'ACCEPTED')
})

test('does not move the anchor of a block that has accepted something', ({ world }) => {
  const input = world.deposit(alice, 10n)
  world.accept(pay({ inputs: [input], outputs: [[bob, 10n]], signers: [alice] }))
  const anchor = world.core.blockLog.open()?.anchor.number
  const late = world.deposit(alice, 5n)
  assert.is(world.core.blockLog.open()?.anchor.number, anchor)
  const signed = pay({ inputs: [late], outputs: [[bob, 5n]], signers: [alice] })
  assert.is(codeOf(world.admit(signed)[0]), 'DEPOSIT_PENDING')
  world.clock.ms += 4_000
  world.core.step()
  assert.is(codeOf(world.admit(signed)[0]), 'ACCEPTED')
})

test('refuses to spend an output whose exit has started, before the anchor reaches the lock and after', ({ world }) => {
  const input = world.deposit(alice, 10n)
  const signed = pay({ inputs: [input], outputs: [[bob, 10n]], signers: [alice] })
  world.see(world.l1.mine(1, [logs.exitStarted(input, alice.address, world.l1.tip + 1)]))
  assert.is(codeOf(world.admit(signed)[0]), 'INPUT_EXITING')
  assert.is(world.core.views.outputs(alice.address, {}).outputs[0]?.state, 'exiting')
  world.see(world.l1.mine(2))
  assert.is(codeOf(world.admit(signed)[0]), 'INPUT_LOCKED')
})

test('takes a spend again once an L1 reorg has taken the exit back', ({ world }) => {
  const input = world.deposit(alice, 10n)
  const ancestor = world.l1.tip
  world.see(world.l1.mine(1, [logs.exitStarted(input, alice.address, world.l1.tip + 1)]))
  world.see(world.l1.reorg(ancestor))
  assert.is(codeOf(world.admit(pay({ inputs: [input], outputs: [[bob, 10n]], signers: [alice] }))[0]), 'ACCEPTED')
  const kinds = world.core.views.history(alice.address, {}).entries.map(({ kind }) => kind)
  assert.equal(kinds, ['payment', 'exit-dropped', 'exit-started', 'deposit'])
})

test('takes a fee in any one of the listed tokens, and refuses less or to another address', () => {
  const fees = [
    { token: TOKEN, minimum: 5n },
    { token: `0x${'00'.repeat(20)}` as const, minimum: 2n },
  ]
  const world = createWorld({ policy: { feeAddress: feeCollector.address, fees, maxInputs: 2, maxOutputs: 3 } })
  const eth = world.deposit(alice, 10n)
  const token = world.deposit(alice, 10n, TOKEN)
  const outcomes = world.admit(
    pay({ inputs: [eth], outputs: [[bob, 10n]], signers: [alice] }),
    pay({
      inputs: [eth],
      outputs: [
        [bob, 9n],
        [feeCollector, 1n],
      ],
      signers: [alice],
    }),
    pay({
      inputs: [eth],
      outputs: [
        [bob, 8n],
        [carol, 2n],
      ],
      signers: [alice],
    }),
    pay({
      inputs: [eth],
      outputs: [
        [bob, 7n],
        [carol, 1n],
        [alice, 1n],
        [feeCollector, 1n],
      ],
      signers: [alice],
    }),
    pay({
      inputs: [eth],
      outputs: [
        [bob, 8n],
        [feeCollector, 2n],
      ],
      signers: [alice],
    }),
    pay({
      inputs: [token],
      outputs: [
        [bob, 5n, TOKEN],
        [feeCollector, 5n, TOKEN],
      ],
      signers: [alice],
    }),
  )
  assert.equal(outcomes.map(codeOf), [
    'FEE_TOO_LOW',
    'FEE_TOO_LOW',
    'FEE_TOO_LOW',
    'TOO_MANY_OUTPUTS',
    'ACCEPTED',
    'ACCEPTED',
  ])
  world.close()
})

test('takes a payment without a fee where one token needs none', () => {
  const fees = [{ token: TOKEN, minimum: 0n }]
  const world = createWorld({ policy: { feeAddress: feeCollector.address, fees, maxInputs: 16, maxOutputs: 16 } })
  const input = world.deposit(alice, 1n)
  assert.is(codeOf(world.admit(pay({ inputs: [input], outputs: [[bob, 1n]], signers: [alice] }))[0]), 'ACCEPTED')
  world.close()
})

test('slows one account down without refusing the others', () => {
  const world = createWorld({ ownerLimit: { perSecond: 1, burst: 1 } })
  const [a, b, c] = [world.deposit(alice, 1n), world.deposit(alice, 2n), world.deposit(bob, 3n)]
  const second = pay({ inputs: [b], outputs: [[carol, 2n]], signers: [alice] })
  const outcomes = world.admit(
    pay({ inputs: [a], outputs: [[carol, 1n]], signers: [alice] }),
    second,
    pay({ inputs: [c], outputs: [[carol, 3n]], signers: [bob] }),
  )
  assert.equal(outcomes.map(codeOf), ['ACCEPTED', 'RATE_LIMITED', 'ACCEPTED'])
  assert.equal(
    outcomes.map((one) => one.status === 'rejected' && one.error.retryable),
    [false, true, false],
    'what ends by itself is told as such',
  )
  world.clock.ms += 1_000
  assert.is(codeOf(world.admit(second)[0]), 'ACCEPTED')
  world.close()
})

test('tells both sides of a payment what it did to their balance', ({ world }) => {
  const input = world.deposit(alice, 10n)
  const memo = bytesToHex(new Uint8Array(32).fill(7))
  const signed = pay({
    inputs: [input],
    outputs: [
      [bob, 4n],
      [alice, 6n],
    ],
    signers: [alice],
    memo,
  })
  world.accept(signed)
  const [sent] = world.core.views.history(alice.address, { limit: 1 }).entries
  assert.equal(sent?.changes, [{ token: `0x${'00'.repeat(20)}`, change: -4n }])
  assert.equal(sent?.parties, [bob.address])
  assert.is(sent?.memo, memo)
  const received = world.core.views.history(bob.address, {})
  assert.equal(received.entries[0]?.changes, [{ token: `0x${'00'.repeat(20)}`, change: 4n }])
  assert.is(received.nextCursor, undefined)
})

test.run()
