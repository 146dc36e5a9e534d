/** Disputes about transactions whose inclusion is unknown (spec 6.3): what can be disputed, what a start tells, what else takes its inputs. */
import * as assert from 'uvu/assert'
import { encodeSettle } from '../../l1/rootCalls.ts'
import type { StartedDispute } from '../../l1/rootEvents.ts'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import { hashDispute, hashDisputeInputs } from '../../protocol/dispute.ts'
import { createOutput, type SignedTransaction } from '../../protocol/transaction.ts'
import { decide, deposited, madeIn, showCompetitor, startDispute, startDisputedExit } from '../support/disputeMoves.ts'
import {
  deposit,
  ETHER,
  passTo,
  place,
  process,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, ETH } from '../support/rootChain.ts'
import { paymentScenes } from './disputeScenes.ts'
import { refuses, rootSuite, setByHand } from './rootSuite.ts'

const { alice, bob, mallory, carol, dave } = actors
const { test, world, mep } = rootSuite('disputes')
const { inFlight, dispute, afterE } = paymentScenes(world)

type RecordView = readonly [string, number, bigint, boolean, boolean, bigint]
const recordOf = (outputId: string) => world.chain.read<RecordView>('exitRecord', [outputId])

test('a start tells all of the dispute, whose hash L1 keeps, and locks the input', async () => {
  const { chain } = world
  const { position, signed, inputs } = await inFlight()
  const started = await startDispute(chain, signed, inputs, { from: dave })
  const { dispute: told, startedAt, l1Block } = started
  assert.equal(started.signed, signed)
  assert.is(told.startedAt, startedAt)
  assert.is(told.exitableAt, startedAt + mep())
  assert.is(told.agePosition, position)
  assert.is(told.starter, dave.address)
  assert.is(told.inputsHash, hashDisputeInputs(started.inputs))
  const [hash, verdict] = await chain.read<readonly [string, number]>('disputeRecord', [told.txHash])
  assert.is(hash, hashDispute(told).slice(0, 52))
  assert.is(verdict, 1)
  const [lock, state, , , , running] = await recordOf(started.inputs[0]!.outputId)
  assert.is(state, 1)
  assert.is(BigInt(lock), BigInt(l1Block))
  assert.is(running, 1n)
  assert.is(started.inputs[0]!.lockedAt, l1Block)
})

test('the youngest input that is no deposit gives the dispute its age, even beside a younger deposit (C6)', async () => {
  const { chain } = world
  const block = await submit(chain, [await chain.pay(alice, await deposit(chain, alice), [[alice, ETHER]])])
  const fresh = await deposit(chain, alice)
  const signed = await chain.sign(
    { inputs: [place(block), fresh], outputs: [createOutput(bob.address, ETH, 2n * ETHER)], memo: ZERO_HASH },
    [alice, alice],
  )
  const { dispute: told } = await startDispute(chain, signed, [madeIn(chain, block), deposited(alice)])
  assert.is(told.agePosition, place(block))
  assert.is(told.ageTime, block.header.timestamp)
  assert.is(told.exitableAt, block.header.timestamp + 2 * mep())
})

test('an old input gives the verdict a whole period from the start', async () => {
  const { chain } = world
  const block = await submit(chain, [await chain.pay(alice, await deposit(chain, alice), [[alice, ETHER]])])
  await passTo(chain, block.header.timestamp + mep() + 100)
  const signed = await chain.pay(alice, place(block), [[bob, ETHER]])
  const { dispute: told, startedAt } = await startDispute(chain, signed, [madeIn(chain, block)])
  assert.is(told.exitableAt, startedAt + mep())
})

test('a transaction that breaks V1, V4 or V5 can not be disputed', async () => {
  const { chain } = world
  const { position, signed, inputs } = await inFlight()
  const { transaction, witnesses } = signed
  const start = (changed: Partial<SignedTransaction>, shown = inputs) =>
    startDispute(chain, { transaction, witnesses, ...changed }, shown)
  await refuses('TransactionMalformed', () => start({ witnesses: witnesses.slice(1) }))
  await refuses('TransactionMalformed', () => start({ transaction: { ...transaction, outputs: [] } }))
  const conditional = { ...createOutput(bob.address, ETH, ETHER), condition: `0x${'01'.repeat(32)}` as const }
  await refuses('TransactionMalformed', () => start({ transaction: { ...transaction, outputs: [conditional] } }))
  await refuses('TransactionMalformed', () =>
    start({ transaction: { ...transaction, inputs: [position, position] }, witnesses: new Uint8Array(128) }),
  )
  await refuses('WitnessForged', () => start({ witnesses: new Uint8Array(64) }))
  const stolen = await chain.pay(mallory, position, [[mallory, ETHER]])
  await refuses('WitnessForged', () => start(stolen))
  const { args } = await refuses('TransactionMalformed', async () =>
    start(await chain.pay(alice, position, [[bob, ETHER + 1n]])),
  )
  assert.is(Buffer.from(String(args[0]).slice(2), 'hex').toString().replaceAll('\0', ''), 'V5')
  await refuses('TransactionMalformed', async () => start(await chain.pay(alice, position, [[bob, ETHER - 1n]])))
  const otherToken = createOutput(bob.address, carol.address, 1n)
  const both = [createOutput(bob.address, ETH, ETHER), otherToken]
  const minted = await chain.sign({ inputs: [position], outputs: both, memo: ZERO_HASH }, [alice])
  await refuses('TransactionMalformed', () => start(minted))
})

test('a start shows what exists: every input, by a proof that fits', async () => {
  const { chain } = world
  const { signed, inputs } = await inFlight()
  await refuses('InputMismatch', () => startDispute(chain, signed, []))
  await refuses('InputMismatch', () => startDispute(chain, signed, [...inputs, ...inputs]))
  await refuses('DepositUnknown', () => startDispute(chain, signed, [deposited(alice, ETHER + 1n)]))
  await refuses('DepositUnknown', () => startDispute(chain, signed, [deposited(bob)]))
  await refuses('BondTooSmall', () => startDispute(chain, signed, inputs, { bondWei: 1n }))
  const block = await submit(chain, [await chain.pay(alice, await deposit(chain, alice), [[alice, ETHER]])])
  const next = await chain.pay(alice, place(block, 0, 1), [[bob, ETHER]])
  await refuses('OutputMissing', () => startDispute(chain, next, [madeIn(chain, block)]))
  const elsewhere = await chain.pay(alice, place(block, 1), [[bob, ETHER]])
  await refuses('NotIncluded', () => startDispute(chain, elsewhere, [madeIn(chain, block)]))
})

test('an input that is void, or whose transaction was proven invalid, can not be disputed', async () => {
  const { chain } = world
  const block = await submit(chain, [await chain.pay(alice, await deposit(chain, alice), [[alice, ETHER]])])
  const signed = await chain.pay(alice, place(block), [[bob, ETHER]])
  await setByHand(chain, 'setInvalid', [BigInt(place(block)), true])
  await refuses('TransactionInvalid', () => startDispute(chain, signed, [madeIn(chain, block)]))
  await setByHand(chain, 'setHalt', [block.number, 1])
  await refuses('BlockVoid', () => startDispute(chain, signed, [madeIn(chain, block)]))
})

test('a transaction is disputed once, whatever became of it', async () => {
  const { chain } = world
  const { signed, inputs } = await inFlight()
  const started = await startDispute(chain, signed, inputs)
  await refuses('DisputeKnown', () => startDispute(chain, signed, inputs))
  await afterE(started)
  await decide(chain, started)
  await refuses('DisputeKnown', () => startDispute(chain, signed, inputs))
})

test('a dispute with an input from a void block is not canonical, and its starter has the bond back (C2)', async () => {
  const { chain } = world
  const block = await submit(chain, [await chain.pay(alice, await deposit(chain, alice), [[alice, ETHER]])])
  const signed = await chain.pay(alice, place(block), [[bob, ETHER]])
  const started = await startDispute(chain, signed, [madeIn(chain, block)], { from: dave })
  const exit = await startDisputedExit(chain, bob, started)
  await setByHand(chain, 'setHalt', [block.number, started.dispute.startedAt + 1])
  await refuses('BlockVoid', () => startDisputedExit(chain, bob, started))
  await passTo(chain, started.dispute.exitableAt + mep() + 1)
  await process(chain, turnsOf([exit], [block]))
  assert.is(await stateOf(chain, exit), 'locked')
  const before = await chain.client.getBalance({ address: dave.address })
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
  assert.is((await chain.client.getBalance({ address: dave.address })) - before, started.dispute.bond)
})

test('two disputes about one output: the first verdict takes it, the second can not', async () => {
  const { chain } = world
  const started = await dispute()
  const other = await chain.pay(alice, started.position, [[carol, ETHER]])
  const second = await startDispute(chain, other, [deposited(alice)])
  assert.is((await recordOf(started.inputs[0]!.outputId))[5], 2n)
  assert.is(second.inputs[0]!.lockedAt, started.inputs[0]!.lockedAt, 'the first lock stands')
  await afterE(second)
  assert.is((await decide(chain, started)).verdict, 'canonical')
  assert.is((await decide(chain, second)).verdict, 'not-canonical')
  assert.is((await recordOf(started.inputs[0]!.outputId))[5], 0n)
})

test('so many disputes about one output that its record can not count them end one by one', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const all: StartedDispute[] = []
  for (let i = 0; i < 130; i++) {
    const memo = `0x${i.toString(16).padStart(64, '0')}` as const
    all.push(await startDispute(chain, await chain.pay(alice, position, [[bob, ETHER]], memo), [deposited(alice)]))
  }
  const outputId = all[0]!.inputs[0]!.outputId
  assert.is((await recordOf(outputId))[5], 130n)
  for (const started of all) await showCompetitor(chain, started, await chain.pay(alice, position, [[alice, ETHER]]))
  await afterE(all.at(-1)!)
  const exit = await startDepositExit(chain, alice, position)
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  for (const [i, started] of all.entries()) {
    await refuses('NothingToDo', () => chain.send(carol.account, encodeSettle([exit])))
    assert.is((await decide(chain, started)).verdict, 'not-canonical')
    assert.is((await recordOf(outputId))[5], BigInt(129 - i))
  }
  await chain.send(carol.account, encodeSettle([exit]))
  assert.is(await stateOf(chain, exit), 'settled')
})

test('an input whose exit is there needs that exit shown; one that was paid dooms the transaction', async () => {
  const { chain } = world
  const { position, signed, inputs } = await inFlight()
  const exit = await startDepositExit(chain, alice, position)
  await refuses('ExitMissing', () => startDispute(chain, signed, inputs))
  const wrong = { ...exit, exitableAt: exit.exitableAt + 1 }
  await refuses('ExitMismatch', () => startDispute(chain, signed, inputs, { exits: [wrong] }))
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  const doomed = await startDispute(chain, signed, inputs)
  assert.is(doomed.dispute.suspends, 0)
  await afterE(doomed)
  assert.is((await decide(chain, doomed)).verdict, 'not-canonical')
  await refuses('VerdictUnexpected', () => startDisputedExit(chain, bob, doomed))
})

test('an output that leaves by an ordinary exit can not leave by the dispute as well, nor the other way', async () => {
  const { chain } = world
  const { signed, inputs } = await inFlight()
  const block = await submit(chain, [signed])
  const started = await startDispute(chain, signed, inputs)
  const id = await chain.client.snapshot()
  await startExit(chain, bob, [block, 0, 0])
  await refuses('AlreadyExiting', () => startDisputedExit(chain, bob, started))
  await chain.client.revert({ id })
  await startDisputedExit(chain, bob, started)
  await refuses('AlreadyExiting', () => startExit(chain, bob, [block, 0, 0]))
})

test.run()
