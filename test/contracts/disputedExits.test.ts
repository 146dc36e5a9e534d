/** What becomes of exits while a dispute runs and after its verdict (spec 6.3): of the inputs, and of the outputs through the dispute. */
import * as assert from 'uvu/assert'
import {
  encodeDropEvidence,
  encodeDropRefuted,
  encodeRelease,
  encodeSettle,
  encodeStartDisputedExits,
  type StartedDispute,
} from '../../l1/rootContract.ts'
import { bytesToHex, ZERO_HASH } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import { evidenceDeadline } from '../../protocol/exit.ts'
import { createOutput, hashTransaction, type SignedTransaction } from '../../protocol/transaction.ts'
import {
  challengeDisputed,
  decide,
  deposited,
  includedIn,
  inherit,
  madeIn,
  showCompetitor,
  startDispute,
  startDisputedExit,
} from '../support/disputeMoves.ts'
import {
  bond,
  challenge,
  deposit,
  ETHER,
  nextAt,
  passTo,
  place,
  process,
  signMandate,
  startDepositExit,
  startExit,
  stateOf,
  submit,
  turnsOf,
} from '../support/moves.ts'
import { type Actor, actors, type ChildBlock, ETH, eventOf } from '../support/rootChain.ts'
import { creditOf, refuses, rootSuite, setByHand } from './rootSuite.ts'

const { alice, bob, mallory, watcher, carol, dave } = actors
const { test, world } = rootSuite('exits and disputes')
const mep = () => world.chain.parameters.minExitPeriod
const balanceOf = (actor: Actor) => world.chain.client.getBalance({ address: actor.address })

/** Alice's deposit, her payment of it to Bob (0.4) and back to her (0.6), disputed; in a block or in none. */
async function dispute(options: { included?: boolean } = {}) {
  const { chain } = world
  const position = await deposit(chain, alice)
  const signed = await chain.pay(alice, position, [
    [bob, (ETHER * 4n) / 10n],
    [alice, (ETHER * 6n) / 10n],
  ])
  const block = options.included ? await submit(chain, [signed]) : undefined
  return { position, block, ...(await startDispute(chain, signed, [deposited(alice)])) }
}

const afterE = (started: StartedDispute, seconds = 1) => passTo(world.chain, started.dispute.exitableAt + seconds)
const settle = (exits: readonly Exit[]) => world.chain.send(carol.account, encodeSettle(exits))
const hashOf = ({ transaction }: SignedTransaction) => bytesToHex(hashTransaction(transaction, world.chain.separator))
const rivalOf = (started: StartedDispute) => world.chain.pay(alice, started.inputs[0]!.position, [[alice, ETHER]])

test('both outputs of a payment that nobody included are paid through its dispute', async () => {
  const { chain } = world
  const started = await dispute()
  const exits = [await startDisputedExit(chain, bob, started, 0), await startDisputedExit(chain, alice, started, 1)]
  for (const exit of exits) {
    assert.is(exit.disputed, started.dispute.txHash)
    assert.is(exit.position, started.dispute.agePosition)
    assert.is(exit.exitableAt, exit.startedAt + mep())
  }
  await passTo(chain, exits[1]!.exitableAt + 1)
  await decide(chain, started)
  const before = await balanceOf(bob)
  await process(chain, turnsOf(exits))
  assert.is((await balanceOf(bob)) - before, (ETHER * 4n) / 10n + exits[0]!.bond - (exits[0]!.bond * 60n) / 400n)
  assert.equal(await Promise.all(exits.map((exit) => stateOf(chain, exit))), ['settled', 'settled'])
})

test('a payee starts a dispute and takes its outputs out in one call; nobody takes out what belongs to others', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const signed = await chain.pay(alice, position, [
    [bob, ETHER / 4n],
    [alice, ETHER / 4n],
    [bob, ETHER / 2n],
  ])
  const start = (outputs: readonly number[], bondWei?: bigint) =>
    startDispute(chain, signed, [deposited(alice)], {
      from: bob,
      outputs,
      ...(bondWei === undefined ? {} : { bondWei }),
    })
  await refuses('NotOwner', () => start([0, 1]))
  await refuses('OutputMissing', () => start([3]))
  await refuses('AlreadyExiting', () => start([0, 0]))
  await refuses('BondTooSmall', () => start([0], 1n))
  const { leaving, dispute: told } = await start([0, 2])
  assert.equal(
    leaving.map(({ amount, owner, disputed, position: age }) => [amount, owner, disputed, age]),
    [ETHER / 4n, ETHER / 2n].map((amount) => [amount, bob.address, told.txHash, position]),
  )
})

test('an exit through a dispute has the place of an output as old as the youngest input (P2, H-A)', async () => {
  const { chain } = world
  const block = await submit(chain, [await chain.pay(alice, await deposit(chain, alice), [[alice, ETHER]])])
  const signed = await chain.pay(alice, place(block), [[bob, ETHER]])
  const started = await startDispute(chain, signed, [madeIn(chain, block)])
  const first = await startDisputedExit(chain, bob, started)
  assert.ok(first.young)
  assert.is(first.exitableAt, block.header.timestamp + 2 * mep())
  assert.is(first.exitableAt, started.dispute.exitableAt)
  const late = await submit(chain, [
    await chain.pay(alice, await deposit(chain, alice), [
      [alice, ETHER],
      [alice, 0n],
    ]),
  ])
  const next = await chain.pay(alice, place(late), [
    [bob, ETHER / 2n],
    [alice, ETHER / 2n],
  ])
  const other = await startDispute(chain, next, [madeIn(chain, late)])
  await passTo(chain, late.header.timestamp + mep() + 1)
  const exit = await startDisputedExit(chain, bob, other)
  assert.not(exit.young)
  assert.is(exit.exitableAt, exit.startedAt + mep(), 'a whole period, for a spend that is still hidden')
})

test('an exit through a dispute that is not decided at its turn reserves its due, holds up nobody, and is settled later (P9b)', async () => {
  const { chain } = world
  const started = await dispute()
  const exit = await startDisputedExit(chain, bob, started, 0)
  const other = await startDepositExit(chain, carol, await deposit(chain, carol))
  await passTo(chain, other.exitableAt + 1)
  const { events } = await process(chain, turnsOf([exit, other]))
  assert.is(eventOf(events, 'ExitPostponed').outputId, exit.outputId)
  assert.is(eventOf(events, 'ExitPaid').outputId, other.outputId)
  await refuses('NothingToDo', () => settle([exit]))
  await refuses('EvidenceNotFinal', () => chain.send(carol.account, encodeRelease(exit)))
  await decide(chain, started)
  const before = await balanceOf(bob)
  await settle([exit])
  assert.ok((await balanceOf(bob)) - before > exit.amount)
  assert.is(await stateOf(chain, exit), 'settled')
})

test('without a canonical verdict the outputs get nothing, their payers get the bond, and the input is paid', async () => {
  const { chain } = world
  const started = await dispute()
  const queued = await startDisputedExit(chain, bob, started, 0)
  const ticket = await startDisputedExit(chain, alice, started, 1)
  const input = await startDepositExit(chain, alice, started.position)
  await showCompetitor(chain, started, await rivalOf(started))
  await passTo(chain, input.exitableAt + 1)
  const id = await chain.client.snapshot()
  await process(chain, turnsOf([queued, ticket, input]))
  assert.is(await stateOf(chain, input), 'ticket', 'it waits for the verdict too')
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
  await refuses('NothingToDo', () => settle([queued]))
  await chain.send(carol.account, encodeRelease(queued))
  await chain.send(carol.account, encodeRelease(ticket))
  await settle([input])
  const want = ['removed', 'removed', 'settled']
  assert.equal(await Promise.all([queued, ticket, input].map((exit) => stateOf(chain, exit))), want)
  assert.is(await creditOf(chain, ETH, bob.address), queued.bond - (queued.bond * 60n) / 400n)
  await chain.client.revert({ id })
  await decide(chain, started)
  const { events } = await process(chain, turnsOf([queued, ticket, input]))
  const removed = events.flatMap((event) => (event.type === 'ExitRemoved' ? [event.reason] : []))
  assert.equal(removed, ['not-canonical', 'not-canonical'])
  assert.equal(await Promise.all([queued, ticket, input].map((exit) => stateOf(chain, exit))), want)
  await refuses('VerdictUnexpected', () => startDisputedExit(chain, bob, started, 0))
})

test('a canonical verdict cancels the exit of the input, in the queue or as a ticket, and gives its bond back', async () => {
  const { chain } = world
  const id = await chain.client.snapshot()
  for (const when of ['queued', 'ticket'] as const) {
    const started = await dispute()
    const input = await startDepositExit(chain, alice, started.position)
    await passTo(chain, input.exitableAt + 1)
    if (when === 'ticket') await process(chain, turnsOf([input]))
    assert.is((await decide(chain, started)).verdict, 'canonical')
    assert.is(await stateOf(chain, input), when === 'queued' ? 'cancelled' : 'cancelled-ticket')
    await refuses('NothingToDo', () => settle([input]))
    const [funded, line] = await chain.read<readonly bigint[]>('totals', [ETH])
    if (when === 'queued') {
      const { events } = await process(chain, turnsOf([input]))
      assert.is(eventOf(events, 'ExitRemoved').reason, 'spent')
      assert.equal(await chain.read<readonly bigint[]>('totals', [ETH]), [funded, line], 'nothing was reserved')
    } else {
      await chain.send(carol.account, encodeRelease(input))
      assert.equal(await chain.read<readonly bigint[]>('totals', [ETH]), [funded, line], 'the place is for the outputs')
    }
    assert.is(await stateOf(chain, input), 'settled')
    assert.is(await creditOf(chain, ETH, alice.address), input.bond - (input.bond * 60n) / 400n)
    await chain.client.revert({ id })
  }
})

test('an exit that was there first waits for the verdict, unless the dispute comes after the end of evidence (P8, K3)', async () => {
  const { chain } = world
  const id = await chain.client.snapshot()
  for (const late of [false, true]) {
    const position = await deposit(chain, alice)
    const signed = await chain.pay(alice, position, [[bob, ETHER]])
    const input = await startDepositExit(chain, alice, position)
    await nextAt(chain, evidenceDeadline(input.exitableAt, mep()) + (late ? 1 : 0))
    const started = await startDispute(chain, signed, [deposited(alice)], { exits: [input] })
    assert.is(started.dispute.suspends, late ? 0 : 1)
    assert.is(started.inputs[0]!.lockedAt, input.lockedAt, 'the first lock stands')
    await passTo(chain, input.exitableAt + 1)
    await process(chain, turnsOf([input]))
    assert.is(await stateOf(chain, input), late ? 'settled' : 'ticket')
    const exit = await startDisputedExit(chain, bob, started)
    await passTo(chain, exit.exitableAt + 1)
    assert.is(
      (await decide(chain, started)).verdict,
      late ? 'not-canonical' : 'canonical',
      'what was paid is not paid again',
    )
    await process(chain, turnsOf([exit]))
    if (!late) {
      assert.is(await stateOf(chain, exit), 'ticket', 'behind what the input reserved')
      await inherit(chain, started, exit)
    }
    assert.is(await stateOf(chain, exit), late ? 'removed' : 'settled')
    await chain.client.revert({ id })
  }
})

/** Alice's deposit has its turn as a ticket while her payment of it to Bob (0.4) and Carol (0.6) is disputed, then canonical. */
async function cancelledTicket() {
  const { chain } = world
  const position = await deposit(chain, alice)
  const signed = await chain.pay(alice, position, [
    [bob, (ETHER * 4n) / 10n],
    [carol, (ETHER * 6n) / 10n],
  ])
  const input = await startDepositExit(chain, alice, position)
  const started = await startDispute(chain, signed, [deposited(alice)], { exits: [input] })
  await passTo(chain, input.exitableAt + 1)
  await process(chain, turnsOf([input]))
  await afterE(started)
  assert.is((await decide(chain, started)).verdict, 'canonical')
  return { started, input }
}

/** An exit of a forged output, as large as all that was ever deposited, has its turn. */
async function forgedTurn(): Promise<Exit> {
  const { chain } = world
  const block = await submit(chain, [await chain.pay(mallory, 0, [[mallory, ETHER]])])
  const forged = await startExit(chain, mallory, [block, 0, 0])
  await passTo(chain, forged.exitableAt + 1)
  await process(chain, turnsOf([forged], [block]))
  assert.is(await stateOf(chain, forged), 'ticket')
  return forged
}

const fundedOf = async () => (await world.chain.read<readonly bigint[]>('totals', [ETH]))[0]

test('payees who come long after the verdict have the place of the input, before a forged exit in between (6.2)', async () => {
  const { chain } = world
  const { started, input } = await cancelledTicket()
  const forged = await forgedTurn()
  const exits = [await startDisputedExit(chain, bob, started, 0), await startDisputedExit(chain, carol, started, 1)]
  await refuses('StateUnexpected', () => inherit(chain, started, exits[0]!, [0, 0]))
  await passTo(chain, exits[1]!.exitableAt + 1)
  await process(chain, turnsOf(exits))
  await chain.send(dave.account, encodeRelease(input))
  await refuses('NothingToDo', () => settle([forged, ...exits]))
  const before = await balanceOf(bob)
  await inherit(chain, started, exits[0]!, [0, 0])
  await refuses('ShareMissing', () => inherit(chain, started, exits[0]!, [0, 0]))
  await inherit(chain, started, exits[1]!, [0, 1])
  assert.is((await balanceOf(bob)) - before, exits[0]!.amount)
  await refuses('NothingToDo', () => settle([forged]))
  assert.is(await fundedOf(), ETHER, 'no money was made')
})

test('shares of a cancelled ticket are cut pro rata, and together they are the whole of it', async () => {
  const { chain } = world
  const position = await deposit(chain, alice, 1_000n)
  const second = await deposit(chain, alice, 7n)
  const outputs = [1n, 333n, 2n, 671n].map((amount) => createOutput(bob.address, ETH, amount))
  const signed = await chain.sign({ inputs: [position, second], outputs, memo: ZERO_HASH }, [alice, alice])
  const input = await startDepositExit(chain, alice, position, 1_000n)
  const shown = [deposited(alice, 1_000n), deposited(alice, 7n)]
  const started = await startDispute(chain, signed, shown, { from: bob, exits: [input], outputs: [0, 1, 2, 3] })
  await passTo(chain, input.exitableAt + 1)
  await process(chain, turnsOf([input]))
  await passTo(chain, started.leaving[3]!.exitableAt + 1)
  await decide(chain, started)
  await process(chain, turnsOf(started.leaving))
  let inherited = 0n
  for (const [output, exit] of started.leaving.entries()) {
    await refuses('ShareMissing', () => inherit(chain, started, exit, [1, output]))
    const { events } = await inherit(chain, started, exit, [0, output])
    for (const event of events)
      if (event.type === 'ExitInherited' || event.type === 'ShareReleased') inherited += event.amount
  }
  assert.is(inherited, 1_000n)
  for (const exit of started.leaving) if ((await stateOf(chain, exit)) === 'ticket') await settle([exit])
  for (const exit of started.leaving) assert.is(await stateOf(chain, exit), 'settled')
  assert.equal(await chain.read('totals', [ETH]), [1_007n + inherited, 2_007n], 'as much of their own places is free')
})

test('the share of an output that was paid out of its own place is freed', async () => {
  const { chain } = world
  const { started } = await cancelledTicket()
  await deposit(chain, carol, ETHER)
  const exit = await startDisputedExit(chain, bob, started, 0)
  await refuses('ExitMismatch', () => inherit(chain, started, exit, [0, 1]))
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  assert.is(await stateOf(chain, exit), 'settled')
  const funded = (await fundedOf()) as bigint
  await inherit(chain, started, exit, [0, 0])
  assert.is(await fundedOf(), funded + exit.amount)
  await refuses('ShareMissing', () => inherit(chain, started, exit, [0, 0]))
})

test('nothing is inherited before the verdict, nor by another transaction', async () => {
  const { chain } = world
  const [one, other] = [await cancelledTicket(), await dispute()]
  const exit = await startDisputedExit(chain, bob, one.started, 0)
  await refuses('VerdictUnexpected', () => inherit(chain, other, exit))
  await refuses('DisputeMismatch', () => inherit(chain, { ...one.started, signed: other.signed }, exit))
  await refuses('DisputeMismatch', () => inherit(chain, { ...one.started, inputs: other.inputs }, exit))
})

test('an output may leave at any time after a canonical verdict (K5)', async () => {
  const { chain } = world
  const started = await dispute()
  await afterE(started, 10 * mep())
  await decide(chain, started)
  const exit = await startDisputedExit(chain, bob, started)
  assert.is(exit.exitableAt, exit.startedAt + mep())
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  assert.is(await stateOf(chain, exit), 'settled')
})

test('only the owner, or who has a mandate for all outputs, takes an output out through a dispute', async () => {
  const { chain } = world
  const started = await dispute()
  await refuses('NotOwner', () => startDisputedExit(chain, bob, started, 0, { from: mallory }))
  await refuses('OutputMissing', () => startDisputedExit(chain, bob, started, 2))
  const narrow = await signMandate(chain, bob, { position: started.dispute.agePosition })
  await refuses('MandateRefused', () => startDisputedExit(chain, bob, started, 0, { from: watcher, mandate: narrow }))
  const mandate = await signMandate(chain, bob, {})
  await refuses('NotOwner', () => startDisputedExit(chain, bob, started, 1, { from: watcher, mandate }))
  const exit = await startDisputedExit(chain, bob, started, 0, { from: watcher, mandate })
  assert.is(exit.owner, bob.address)
  assert.is(exit.payer, watcher.address)
})

test('the dispute that is shown must be the one about this transaction', async () => {
  const { chain } = world
  const [started, other] = [await dispute(), await dispute()]
  const start = (changed: object, transaction = started.signed.transaction) =>
    chain.send(
      bob.account,
      encodeStartDisputedExits({
        dispute: { ...started.dispute, ...changed },
        transaction,
        outputs: [0],
        bondWei: ETHER,
      }),
    )
  await refuses('DisputeMismatch', () => start({ ageTime: 1 }))
  await refuses('DisputeMismatch', () => start({}, other.signed.transaction))
  await refuses('DisputeMismatch', () => start({ txHash: other.dispute.txHash }))
  await refuses('DisputeMismatch', () => start(other.dispute))
  await start({})
})

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
  const { events, receipt } = await challengeDisputed(chain, exit, includedIn(chain, made), [spend, 0, 0])
  const shown = eventOf(events, 'EvidenceShown')
  assert.is(shown.place, place(made))
  const cost = receipt.gasUsed * receipt.effectiveGasPrice
  assert.is((await balanceOf(watcher)) - before, shown.reward - cost)
  await refuses('EvidenceKnown', () => challengeDisputed(chain, exit, includedIn(chain, made), [spend, 0, 0]))
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
  await challengeDisputed(chain, exit, includedIn(chain, made), [spend, 0, 0])
  await chain.client.revert({ id })
  await nextAt(chain, evidenceDeadline(exit.exitableAt, mep()) + 1)
  await refuses('EvidenceTooLate', () => challengeDisputed(chain, exit, includedIn(chain, made), [spend, 0, 0]))
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
  await refuses('InputMismatch', () => challengeDisputed(chain, exit, includedIn(chain, block), [block, 0, 0]))
  const ordinary = await startDepositExit(chain, carol, await deposit(chain, carol))
  await refuses('DisputedExit', () => challengeDisputed(chain, ordinary, includedIn(chain, block), [block, 0, 0]))
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
  await refuses('OutputMissing', () => challengeDisputed(chain, exit, at, [block, 0, 0]))
  await refuses('WitnessForged', () => challengeDisputed(chain, exit, at, [block, 1, 0]))
  await refuses('InputMismatch', () => challengeDisputed(chain, exit, at, [block, 2, 0]))
  await refuses('NotIncluded', () => challengeDisputed(chain, exit, { ...at, position: place(made, 1) }, [block, 2, 0]))
})

test('evidence falls with the spend, and with the inclusion that it stands on; what fell can be shown at another place', async () => {
  const { chain } = world
  const { started, made, exit, spend } = await spentOutput()
  await challengeDisputed(chain, exit, includedIn(chain, made), [spend, 0, 0])
  const drop = (outputId: Exit['outputId'], at: number) =>
    chain.send(dave.account, encodeDropEvidence(outputId, place(spend), at))
  await refuses('EvidenceStands', () => drop(exit.outputId, place(made)))
  await setByHand(chain, 'setInvalid', [BigInt(place(made)), true])
  await refuses('EvidenceUnknown', () => drop(exit.outputId, place(made, 0, 1)))
  await drop(exit.outputId, place(made))
  await refuses('EvidenceUnknown', () => drop(exit.outputId, place(made)))
  await refuses('TransactionInvalid', () => challengeDisputed(chain, exit, includedIn(chain, made), [spend, 0, 0]))
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

test('an exit by inclusion that starts while the transaction is disputed has the fate of the verdict', async () => {
  const { chain } = world
  const id = await chain.client.snapshot()
  for (const verdict of ['canonical', 'not-canonical'] as const) {
    const started = await dispute({ included: true })
    const made = started.block as ChildBlock
    const exit = await startExit(chain, bob, [made, 0, 0])
    assert.is(exit.disputed, started.dispute.txHash)
    assert.is(exit.position, place(made))
    assert.is(exit.exitableAt, made.header.timestamp + 2 * mep(), 'it has the place of its own block')
    if (verdict === 'not-canonical') await showCompetitor(chain, started, await rivalOf(started))
    await passTo(chain, exit.exitableAt + 1)
    assert.is((await decide(chain, started)).verdict, verdict)
    await process(chain, turnsOf([exit], [made]))
    assert.is(await stateOf(chain, exit), verdict === 'canonical' ? 'settled' : 'removed')
    await chain.client.revert({ id })
  }
})

test('a transaction whose input was made by a disputed one waits for that verdict and shares it', async () => {
  const { chain } = world
  const id = await chain.client.snapshot()
  for (const verdict of ['canonical', 'not-canonical'] as const) {
    const started = await dispute({ included: true })
    const made = started.block as ChildBlock
    const next = await chain.pay(bob, place(made), [[carol, (ETHER * 4n) / 10n]])
    const later = await startDispute(chain, next, [madeIn(chain, made)])
    assert.is(later.inputs[0]!.madeBy, started.dispute.txHash)
    if (verdict === 'not-canonical') await showCompetitor(chain, started, await rivalOf(started))
    await afterE(later)
    await refuses('VerdictUnexpected', () => decide(chain, later))
    assert.is((await decide(chain, started)).verdict, verdict)
    assert.is((await decide(chain, later)).verdict, verdict)
    if (verdict === 'not-canonical') {
      const other = await chain.pay(bob, place(made), [[dave, (ETHER * 4n) / 10n]])
      await refuses('VerdictUnexpected', () => startDispute(chain, other, [madeIn(chain, made)]))
    }
    await chain.client.revert({ id })
  }
})

test('the bond that an exit through a dispute asks for is that of any exit', async () => {
  const { chain } = world
  const started = await dispute()
  await refuses('BondTooSmall', () => startDisputedExit(chain, bob, started, 0, { bondWei: 1n }))
  const exit = await startDisputedExit(chain, bob, started, 0, { bondWei: await bond(chain) })
  assert.is(exit.bond, await bond(chain))
})

test.run()
