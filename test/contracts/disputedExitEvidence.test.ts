/** Evidence and disputes (spec 6.3): against exits through them, and what it is worth once the verdict is about its own transaction. */
import * as assert from 'uvu/assert'
import { encodeDropRefuted } from '../../l1/disputeCalls.ts'
import { encodeDropEvidence, encodeRelease } from '../../l1/rootCalls.ts'
import { bytesToHex, ZERO_HASH } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import { evidenceDeadline } from '../../protocol/exit.ts'
import { createOutput, hashTransaction, type SignedTransaction } from '../../protocol/transaction.ts'
import {
  challengeByPlace,
  decide,
  deposited,
  includedIn,
  showCompetitor,
  startDispute,
  startDisputedExit,
} from '../support/disputeMoves.ts'
import {
  challenge,
  deposit,
  ETHER,
  nextAt,
  passTo,
  place,
  process,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { actors, type ChildBlock, ETH, eventOf } from '../support/rootChain.ts'
import { payoutScenes } from './disputeScenes.ts'
import { refuses, rootSuite, setByHand } from './rootSuite.ts'

const { alice, bob, mallory, watcher, carol, dave } = actors
const { test, world, mep, balanceOf } = rootSuite('evidence and disputes')
const { dispute, afterE, settle } = payoutScenes(world)
const hashOf = ({ transaction }: SignedTransaction) => bytesToHex(hashTransaction(transaction, world.chain.separator))

/** A payment to Bob in a block, its dispute, and Bob's exit through it although he paid it on to Carol. */
async function spentOutput() {
  const { chain } = world
  const anchor = Number(await chain.client.getBlockNumber())
  const started = await dispute({ included: true })
  const made = started.block as ChildBlock
  const exit = await startDisputedExit(chain, bob, started, 0)
  const spend = await submit(
    chain,
    [await chain.pay(bob, place(made), [[carol, exit.amount]])],
    Math.max(made.header.anchor, anchor),
  )
  return { started, made, exit, spend }
}

test('an output that was spent does not leave through a dispute: the spend names it where the transaction stands', async () => {
  const { chain } = world
  const { started, made, exit, spend } = await spentOutput()
  const before = await balanceOf(watcher)
  const { events, receipt } = await challengeByPlace(chain, exit, includedIn(chain, made), [spend, 0, 0])
  const shown = eventOf(events, 'EvidenceShown')
  assert.is(shown.place, place(made))
  const cost = receipt.gasUsed * receipt.effectiveGasPrice
  assert.is((await balanceOf(watcher)) - before, shown.reward - cost)
  await refuses('EvidenceKnown', () => challengeByPlace(chain, exit, includedIn(chain, made), [spend, 0, 0]))
  await passTo(chain, exit.exitableAt + mep() + 1)
  await decide(chain, started)
  await process(chain, turnsOf([exit]))
  assert.is(await stateOf(chain, exit), 'ticket', 'evidence first of all postpones')
  await refuses('NothingToDo', () => settle([exit]))
  await refuses('EvidenceNotFinal', () =>
    chain.send(
      carol.account,
      encodeRelease(exit, { spend: place(spend), header: spend.header, place: place(made, 0, 1) }),
    ),
  )
  await chain.send(
    carol.account,
    encodeRelease(exit, { spend: place(spend), header: spend.header, place: place(made) }),
  )
  assert.is(await stateOf(chain, exit), 'removed')
})

test('evidence against an exit through a dispute is taken up to the last legal spend, and not a second longer (H-A)', async () => {
  const { chain } = world
  const { made, exit, spend } = await spentOutput()
  const id = await chain.client.snapshot()
  await nextAt(chain, evidenceDeadline(exit.exitableAt, mep()))
  await challengeByPlace(chain, exit, includedIn(chain, made), [spend, 0, 0])
  await chain.client.revert({ id })
  await nextAt(chain, evidenceDeadline(exit.exitableAt, mep()) + 1)
  await refuses('EvidenceTooLate', () => challengeByPlace(chain, exit, includedIn(chain, made), [spend, 0, 0]))
  await chain.client.mine({ blocks: 1 })
  const { minExitPeriod, anchorAgeBlocks, slot, dataChallengePeriod, dataResponsePeriod, reaction } = chain.parameters
  const window = evidenceDeadline(exit.exitableAt, minExitPeriod) - exit.startedAt
  assert.ok(window >= anchorAgeBlocks * slot + dataChallengePeriod + dataResponsePeriod + reaction)
})

test('the disputed transaction itself, a spend of its input, is no evidence against its own outputs', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const signed = await chain.pay(alice, position, [[alice, ETHER]])
  const block = await submit(chain, [signed])
  const started = await startDispute(chain, signed, [deposited(alice)])
  const exit = await startDisputedExit(chain, alice, started)
  await refuses('DisputedExit', () => challenge(chain, exit, [block, 0], { input: 0 }))
  await refuses('InputMismatch', () => challengeByPlace(chain, exit, includedIn(chain, block), [block, 0, 0]))
  const ordinary = await startDepositExit(chain, carol, await deposit(chain, carol))
  await refuses('OutputMissing', () => challengeByPlace(chain, ordinary, includedIn(chain, block), [block, 0, 0]))
})

test('a spend of another output, by another owner, or of another transaction is no evidence', async () => {
  const { chain } = world
  const anchor = Number(await chain.client.getBlockNumber())
  const started = await dispute({ included: true })
  const made = started.block as ChildBlock
  const exit = await startDisputedExit(chain, bob, started, 0)
  const block = await submit(
    chain,
    [
      await chain.pay(alice, place(made, 0, 1), [[carol, 1n]]),
      await chain.pay(mallory, place(made), [[carol, 1n]]),
      await chain.pay(bob, place(made, 1), [[carol, 1n]]),
    ],
    Math.max(anchor, made.header.anchor),
  )
  const at = includedIn(chain, made)
  await refuses('OutputMissing', () => challengeByPlace(chain, exit, at, [block, 0, 0]))
  await refuses('WitnessForged', () => challengeByPlace(chain, exit, at, [block, 1, 0]))
  await refuses('InputMismatch', () => challengeByPlace(chain, exit, at, [block, 2, 0]))
  await refuses('NotIncluded', () => challengeByPlace(chain, exit, { ...at, position: place(made, 1) }, [block, 2, 0]))
})

test('evidence falls with the spend, and with the inclusion that it stands on; what fell can be shown at another place', async () => {
  const { chain } = world
  const { started, made, exit, spend } = await spentOutput()
  await challengeByPlace(chain, exit, includedIn(chain, made), [spend, 0, 0])
  const drop = (outputId: Exit['outputId'], at: number) =>
    chain.send(dave.account, encodeDropEvidence(outputId, place(spend), at))
  await refuses('EvidenceStands', () => drop(exit.outputId, place(made)))
  await setByHand(chain, 'setInvalid', [BigInt(place(made)), true])
  await refuses('EvidenceUnknown', () => drop(exit.outputId, place(made, 0, 1)))
  await drop(exit.outputId, place(made))
  await refuses('EvidenceUnknown', () => drop(exit.outputId, place(made)))
  await refuses('TransactionInvalid', () => challengeByPlace(chain, exit, includedIn(chain, made), [spend, 0, 0]))
  await passTo(chain, exit.exitableAt + 1)
  await decide(chain, started)
  await process(chain, turnsOf([exit]))
  assert.is(await stateOf(chain, exit), 'settled')
})

test('an output whose first inclusion fell leaves by another one, and nothing of its first exit sticks to it', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const signed = await chain.pay(alice, position, [[bob, ETHER]])
  const [copy, honest] = [await submit(chain, [signed]), await submit(chain, [signed])]
  const first = await startExit(chain, bob, [copy, 0, 0])
  const spends = [
    await chain.pay(bob, place(copy), [[carol, ETHER]]),
    await chain.pay(bob, place(copy), [[dave, ETHER]]),
  ]
  const block = await submit(chain, spends, copy.header.anchor < first.lockedAt ? first.lockedAt - 1 : undefined)
  await challenge(chain, first, [block, 0])
  await challenge(chain, first, [block, 1])
  await setByHand(chain, 'setInvalid', [BigInt(place(copy)), true])
  await passTo(chain, first.exitableAt + 1)
  await process(chain, turnsOf([first], [copy]))
  assert.is(await stateOf(chain, first), 'locked')
  await refuses('TransactionInvalid', () => startExit(chain, bob, [copy, 0, 0]))
  const second = await startExit(chain, bob, [honest, 0, 0])
  assert.is(second.lockedAt, first.lockedAt, 'the lock never moves')
  await setByHand(chain, 'setInvalid', [BigInt(place(block, 1)), true])
  const stale = encodeDropEvidence(second.outputId, place(block, 1), place(copy))
  await refuses('EvidenceUnknown', () => chain.send(dave.account, stale))
  await passTo(chain, second.exitableAt + 1)
  await process(chain, turnsOf([second], [honest]))
  assert.is(await stateOf(chain, second), 'settled')
})

test('an input that evidence removed does not speak against the transaction: the spend may be its own', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const signed = await chain.pay(alice, position, [[bob, ETHER]])
  const block = await submit(chain, [signed])
  const input = await startDepositExit(chain, alice, position)
  await challenge(chain, input, [block, 0])
  await nextAt(chain, evidenceDeadline(input.exitableAt, mep()) + 1)
  const started = await startDispute(chain, signed, [deposited(alice)], { from: bob, exits: [input], outputs: [0] })
  await passTo(chain, input.exitableAt + 1)
  await process(chain, turnsOf([input], [], [block]))
  assert.is(await stateOf(chain, input), 'removed')
  await afterE(started)
  assert.is((await decide(chain, started)).verdict, 'canonical')
  await process(chain, turnsOf(started.leaving))
  assert.is(await stateOf(chain, started.leaving[0]!), 'settled')
  const other = await chain.pay(alice, position, [[carol, ETHER]])
  await refuses('StateUnexpected', () => startDispute(chain, other, [deposited(alice)], { exits: [input] }))
})

/** A swap of Mallory's deposit and Bob's: Mallory gets Bob's, Bob gets Mallory's. It stands in a block that nobody saw in time. */
async function hiddenSwap() {
  const { chain } = world
  const [hers, his] = [await deposit(chain, mallory), await deposit(chain, bob)]
  const outputs = [createOutput(mallory.address, ETH, ETHER), createOutput(bob.address, ETH, ETHER)]
  const signed = await chain.sign({ inputs: [hers, his], outputs, memo: ZERO_HASH }, [mallory, bob])
  const anchor = Number(await chain.client.getBlockNumber())
  const early = await startDepositExit(chain, mallory, hers)
  const block = await submit(chain, [signed], anchor)
  return { signed, block, early, his, shown: [deposited(mallory), deposited(bob)] }
}

test('an honest input outlives a swap whose other input was paid while it was hidden', async () => {
  const { chain } = world
  const { signed, block, early, his, shown } = await hiddenSwap()
  await nextAt(chain, early.exitableAt - 1)
  const started = await startDispute(chain, signed, shown, { from: bob, exits: [early], outputs: [1] })
  assert.is(started.dispute.suspends, 2, 'too late for the one that nearly had its turn')
  const mine = await startDepositExit(chain, bob, his)
  await passTo(chain, early.exitableAt + 1)
  await process(chain, turnsOf([early]))
  assert.is(await stateOf(chain, early), 'settled')
  await challenge(chain, mine, [block, 0], { input: 1, from: mallory })
  await passTo(chain, mine.exitableAt + 1)
  await process(chain, turnsOf([started.leaving[0]!, mine], [], [block]))
  assert.is(await stateOf(chain, mine), 'ticket', 'evidence removes nothing while the dispute runs')
  const evidence = { spend: place(block), header: block.header }
  await refuses('EvidenceNotFinal', () => chain.send(mallory.account, encodeRelease(mine, evidence)))
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
  const { proof } = includedIn(chain, block)
  const included = { txHash: started.dispute.txHash, proof }
  await refuses('NotIncluded', () => chain.send(mallory.account, encodeRelease(mine, evidence)))
  await refuses('EvidenceNotFinal', () => chain.send(mallory.account, encodeRelease(mine, { ...evidence, included })))
  await refuses('NothingToDo', () => settle([mine]))
  await refuses('EvidenceStands', () => chain.send(dave.account, encodeDropEvidence(mine.outputId, place(block))))
  const refuted = { ...evidence, place: his, included }
  await chain.send(dave.account, encodeDropRefuted(mine.outputId, refuted))
  await refuses('EvidenceUnknown', () => chain.send(dave.account, encodeDropRefuted(mine.outputId, refuted)))
  await chain.send(dave.account, encodeRelease(started.leaving[0]!))
  await settle([mine])
  await refuses('VerdictUnexpected', () => startExit(chain, mallory, [block, 0, 0]))
})

test('an honest input outlives a swap that is shown only after its other input was paid', async () => {
  const { chain } = world
  const { signed, block, early, his, shown } = await hiddenSwap()
  await passTo(chain, early.startedAt + Math.floor(mep() / 2))
  const mine = await startDepositExit(chain, bob, his)
  await passTo(chain, early.exitableAt + 1)
  await process(chain, turnsOf([early]))
  assert.is(await stateOf(chain, early), 'settled')
  await challenge(chain, mine, [block, 0], { input: 1, from: mallory })
  const started = await startDispute(chain, signed, shown, { from: bob, exits: [mine] })
  assert.is(started.dispute.suspends, 2)
  await passTo(chain, mine.exitableAt + 1)
  await process(chain, turnsOf([mine], [], [block]))
  assert.is(await stateOf(chain, mine), 'ticket')
  await afterE(started)
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
  const included = { txHash: started.dispute.txHash, proof: includedIn(chain, block).proof }
  const refuted = { spend: place(block), place: his, header: block.header, included }
  await chain.send(dave.account, encodeDropRefuted(mine.outputId, refuted))
  await settle([mine])
  assert.is(await stateOf(chain, mine), 'settled')
})

test('a contested output is removed by another spend all the same, once that is shown to be another', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const [rival, signed] = [
    await chain.pay(alice, position, [[carol, ETHER]]),
    await chain.pay(alice, position, [[bob, ETHER]]),
  ]
  const block = await submit(chain, [rival])
  const started = await startDispute(chain, signed, [deposited(alice)])
  await showCompetitor(chain, started, rival, { included: includedIn(chain, block) })
  await afterE(started)
  await decide(chain, started)
  const input = await startDepositExit(chain, alice, position)
  await challenge(chain, input, [block, 0])
  await passTo(chain, input.exitableAt + 1)
  await process(chain, turnsOf([input], [], [block]))
  assert.is(await stateOf(chain, input), 'ticket')
  const { proof } = includedIn(chain, block)
  const included = { txHash: hashOf(rival), proof }
  await refuses('EvidenceStands', () =>
    chain.send(
      dave.account,
      encodeDropRefuted(input.outputId, { spend: place(block), place: position, header: block.header, included }),
    ),
  )
  await chain.send(dave.account, encodeRelease(input, { spend: place(block), header: block.header, included }))
  assert.is(await stateOf(chain, input), 'removed')
})

test.run()
