/** Leaving in flight: what is sent, what is refused before a bond is sent and with which words, joining, and what follows a verdict. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesToHex, ZERO_HASH } from '../../protocol/bytes.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { depositIdOf, outputIdOf } from '../../protocol/position.ts'
import { createOutput, hashTransaction, type SignedTransaction } from '../../protocol/transaction.ts'
import { listCoins } from '../../wallet/balance.ts'
import { findDisputes } from '../../wallet/disputes.ts'
import { BOND_PERCENT } from '../../wallet/exit.ts'
import { findExitAt } from '../../wallet/exits.ts'
import { followDisputes } from '../../wallet/followUp.ts'
import { exitInFlight } from '../../wallet/inFlight.ts'
import { findFlight, keepFlights } from '../../wallet/keep.ts'
import { leave, leavePayment } from '../../wallet/leave.ts'
import { pay } from '../../wallet/pay.ts'
import { signTransaction } from '../../wallet/payment.ts'
import { acceptOffer, completeSwap, endSwap, makeOffer, swapFlight } from '../../wallet/swap.ts'
import { formatSwapFile, swapId } from '../../wallet/swapFile.ts'
import { callOf, disputeOf, mineDisputes, pushExit, recordDispute, setVerdict } from './fakeDisputes.ts'
import { createFakeWorld, ETH, NO_EXIT, TST } from './fakeWorld.ts'

const flights = suite('leaving in flight')
const LATER = 2_000_000

async function errorOf(run: () => unknown) {
  try {
    await run()
  } catch (error) {
    if (isLifeboatError(error)) return error
    throw error
  }
  throw new Error('no error')
}

const codeOf = async (run: () => unknown) => (await errorOf(run)).code

/** Alice has 60 and 40 in block 1, and pays Bob 50 of the 60; that payment is in no block yet. Bob kept it. */
async function scene() {
  const world = createFakeWorld()
  const [alice, bob, carol] = [world.wallet(1), world.wallet(2), world.wallet(3)]
  const deposit = world.deposit(alice.account.address, ETH, 100n)
  const first = await pay(alice, { to: alice.account.address, token: ETH, amount: 60n })
  world.seal()
  const paid = await pay(alice, { to: bob.account.address, token: ETH, amount: 50n })
  await keepFlights(bob)
  const signed = (await findFlight(alice, paid.txHash)).signed
  const input = paid.transaction.inputs[0]!
  const inputId = outputIdOf(hashTransaction(first.transaction, alice.separator), input % 16)
  return { world, alice, bob, carol, deposit, paid, signed, input, inputId }
}

const lastCall = (world: ReturnType<typeof createFakeWorld>) => callOf(world.acts.at(-1)!)

flights('a payee leaves with a payment that no block on L1 holds, in one call', async () => {
  const { world, bob, paid } = await scene()
  mineDisputes(world, bob)
  const left = await leave(bob, { position: paid.position })
  assert.is(left.choice.way, 'in-flight')
  assert.match(left.choice.why, 'not on L1')
  const { functionName, args } = lastCall(world)
  assert.is(functionName, 'startDispute')
  const [, , proofs, exits, outputs, , bondEach] = args as readonly [
    unknown,
    unknown,
    unknown[],
    unknown[],
    bigint[],
    number,
    bigint,
  ]
  assert.equal([proofs.length, exits.length, outputs], [1, 0, [0n]])
  assert.is(bondEach, (1000n * BOND_PERCENT) / 100n)
  assert.is(world.acts[0]!.call.valueWei, bondEach + (920n * BOND_PERCENT) / 100n)
  const inFlight = 'inFlight' in left ? left.inFlight : undefined
  assert.equal([inFlight?.how, inFlight?.exits.length], ['started', 1])
  assert.match(inFlight!.outlook.words, 'canonical so far')
  const [coin] = await listCoins(bob)
  assert.is(coin?.held, 'exiting', 'no payment can choose it any more')
  assert.equal(bob.store.disputes(bob.account.address), [paid.txHash])
})

flights('a payee leaves with a payment whose block is withheld, though the operator is gone', async () => {
  const { world, bob, paid } = await scene()
  world.withheld.add(world.seal())
  world.down = true
  mineDisputes(world, bob)
  const left = await leave(bob, { position: paid.position, suspectBlock: 2 })
  assert.match(left.choice.why, 'block 2 is withheld or invalid')
  assert.ok('inFlight' in left && left.inFlight.exits.length === 1)
})

flights('without a watcher, a block that nobody shows is enough', async () => {
  const { world, bob, paid } = await scene()
  world.withheld.add(world.seal())
  mineDisputes(world, bob)
  const { choice } = await leave(bob, { position: paid.position })
  assert.equal([choice.way, choice.why], ['in-flight', 'nobody shows its block 2'])
})

flights('an output in an open block leaves by the standard exit', async () => {
  const { world, bob, paid } = await scene()
  world.seal()
  mineDisputes(world, bob)
  const left = await leave(bob, { position: paid.position })
  assert.ok('standard' in left)
  assert.is(lastCall(world).functionName, 'startStandardExit')
})

flights('a payer whose payment is in flight leaves by its dispute, not with the input that it spent', async () => {
  const { world, alice, paid, input } = await scene()
  mineDisputes(world, alice)
  const left = await leave(alice, { position: input })
  assert.is(left.choice.way === 'in-flight' && left.choice.txHash, paid.txHash)
  assert.is('inFlight' in left && left.inFlight.exits[0]?.amount, 10n)
  assert.equal(await codeOf(() => leave(alice, { position: input })), 'NOTHING_LEAVES')
})

flights('a payment is named by its hash: in flight while no block holds it, output by output after that', async () => {
  const { world, bob, paid } = await scene()
  mineDisputes(world, bob)
  const flight = await findFlight(bob, paid.txHash)
  world.seal()
  const [standard] = await leavePayment(bob, flight, {})
  assert.ok(standard && 'standard' in standard)
  const other = await scene()
  mineDisputes(other.world, other.bob)
  const [inFlight] = await leavePayment(other.bob, await findFlight(other.bob, other.paid.txHash), {})
  assert.ok(inFlight && 'inFlight' in inFlight)
})

flights('shows the exits that inputs have, and warns that they wait', async () => {
  const { world, bob, alice, paid, inputId, input } = await scene()
  const fields = {
    outputId: inputId,
    position: input,
    owner: alice.account.address,
    token: ETH,
    amount: 60n,
    disputed: ZERO_HASH,
  }
  const exit = pushExit(world, { ...fields, exitableAt: LATER, bond: 1n })
  mineDisputes(world, bob)
  const started = await exitInFlight(bob, { flight: await findFlight(bob, paid.txHash) })
  const [, , , exits] = lastCall(world).args as readonly [unknown, unknown, unknown, readonly { outputId: string }[]]
  assert.equal(
    exits.map(({ outputId }) => outputId),
    [exit.outputId],
  )
  assert.match(started.warnings[0]!, `exit of input ${input} waits for the verdict`)
})

flights('refuses what L1 would refuse, or what can only be lost, before a bond is sent', async () => {
  const { world, alice, bob, carol, paid, signed, input, inputId } = await scene()
  const flight = await findFlight(bob, paid.txHash)
  const code = (one = flight, wallet = bob) => codeOf(() => exitInFlight(wallet, { flight: one }))
  const fields = { outputId: inputId, position: input, owner: alice.account.address, token: ETH, amount: 60n, bond: 1n }
  const record = (state: 'removed' | 'settled' | 'cancelled') =>
    world.records.set(inputId, { ...NO_EXIT, exitHash: `0x${'00'.repeat(25)}`, state })

  const other: SignedTransaction = { ...signed, transaction: { ...signed.transaction, memo: `0x${'05'.repeat(32)}` } }
  const forgedHash = bytesToHex(hashTransaction(other.transaction, bob.separator))
  assert.is(await code({ ...flight, signed: other }), 'FLIGHT_WRONG')
  assert.is(await code({ ...flight, signed: other, txHash: forgedHash }), 'FLIGHT_UNSIGNED')
  assert.is(await code(flight, carol), 'FLIGHT_NOT_YOURS')
  world.voidFrom = 1
  assert.is(await code(), 'INPUT_VOID')
  world.voidFrom = 0
  world.invalid.add(input - (input % 16))
  assert.is(await code(), 'INPUT_INVALID')
  world.invalid.clear()
  const maker = [...world.accepted].find(([, { position }]) => position === input - (input % 16))!
  recordDispute(world, maker[1].signed, { starter: bob.account.address, separator: bob.separator })
  setVerdict(world, maker[0], 'not-canonical')
  assert.is(await code(), 'INPUT_REFUTED')
  world.disputes.clear()
  record('removed')
  assert.is(await code(), 'INPUT_SPENT')
  record('settled')
  const doomed = await errorOf(() => exitInFlight(bob, { flight }))
  assert.is(doomed.code, 'FLIGHT_DOOMED')
  assert.match(doomed.message, 'ask the payer')
  record('cancelled')
  assert.is(await code(), 'FLIGHT_DOOMED')
  pushExit(world, { ...fields, exitableAt: Math.floor(world.nowSeconds) + 1, disputed: ZERO_HASH })
  assert.match((await errorOf(() => exitInFlight(bob, { flight }))).message, 'could stop only until')
  world.events.length = 0
  assert.is(await code(), 'EXIT_HIDDEN')
  world.records.clear()
  world.etherWei = 2_000n
  const poor = await errorOf(() => exitInFlight(bob, { flight }))
  assert.equal([poor.code, poor.details.got], ['ETHER_TOO_LOW', '0.000000000000002 ETH'])
  assert.is(world.acts.length, 0)
  assert.is(bob.store.exits(bob.account.address).length, 0)
})

flights('says which input nobody shows, and what to do when it is in flight itself', async () => {
  const { world, alice, bob, paid } = await scene()
  const next = await pay(bob, { to: alice.account.address, token: ETH, amount: 20n })
  const error = await errorOf(async () => exitInFlight(bob, { flight: await findFlight(bob, next.txHash) }))
  assert.is(error.code, 'INPUT_UNPROVEN')
  assert.equal(error.details['inputs'], [paid.position])
  assert.match(error.message, `lifeboat exit --in-flight ${paid.txHash}`)
  assert.is(world.acts.length, 0)
})

flights(
  'a payer who signed an older spend of the same input is told before, and gets its input back all the same',
  async () => {
    const { world, alice, input } = await scene()
    const again = signedTwice(alice, input)
    const flight = { ...again, from: 'file' }
    const refused = await errorOf(() => exitInFlight(alice, { flight }))
    assert.is(refused.code, 'FLIGHT_DOOMED')
    assert.match(refused.message, 'spends input')
    mineDisputes(world, alice)
    const { warnings } = await exitInFlight(alice, { flight, unsafeDoomed: true })
    assert.match(warnings[0]!, 'the verdict will not be for the payment')
  },
)

function signedTwice(wallet: Awaited<ReturnType<typeof scene>>['alice'], input: number) {
  const transaction = { inputs: [input], outputs: [createOutput(wallet.account.address, ETH, 60n)], memo: ZERO_HASH }
  const signed = signTransaction(transaction, wallet.account, wallet.separator)
  return { txHash: bytesToHex(hashTransaction(transaction, wallet.separator)), signed }
}

flights('joins a dispute that runs instead of starting a second one', async () => {
  const { world, alice, bob, paid, signed } = await scene()
  recordDispute(world, signed, { starter: alice.account.address, separator: alice.separator })
  mineDisputes(world, bob)
  const joined = await exitInFlight(bob, { flight: await findFlight(bob, paid.txHash) })
  assert.equal([joined.how, lastCall(world).functionName], ['joined', 'startDisputedExits'])
  assert.is(joined.exits[0]?.disputed, paid.txHash)
  assert.is(
    await codeOf(async () => exitInFlight(bob, { flight: await findFlight(bob, paid.txHash) })),
    'NOTHING_LEAVES',
  )
})

flights('joins when somebody else was faster in the same moment', async () => {
  const { world, alice, bob, paid, signed } = await scene()
  mineDisputes(world, bob)
  const mined = world.onSend
  world.onSend = (act) => {
    if (callOf(act).functionName !== 'startDispute') return mined(act)
    recordDispute(world, signed, { starter: alice.account.address, separator: alice.separator })
    return { events: [] }
  }
  const joined = await exitInFlight(bob, { flight: await findFlight(bob, paid.txHash) })
  assert.equal([joined.how, joined.exits.length], ['joined', 1])
})

flights('believes the transaction that a dispute on L1 shows, when nobody else has it', async () => {
  const { world, alice, bob, paid, signed } = await scene()
  recordDispute(world, signed, { starter: alice.account.address, separator: alice.separator })
  world.down = true
  const carol = world.wallet(9)
  assert.equal((await findFlight(carol, paid.txHash)).signed, signed)
  world.events.length = 0
  const error = await errorOf(() => findFlight(carol, paid.txHash))
  assert.is(error.code, 'FLIGHT_UNKNOWN')
  assert.equal(Object.keys(error.details.got as object), ['operator'])
  assert.ok(bob.store.flight(paid.txHash))
})

flights('after a canonical verdict an output leaves through it, after one against the payment never', async () => {
  const { world, alice, bob, paid, signed } = await scene()
  const flight = await findFlight(bob, paid.txHash)
  recordDispute(world, signed, { starter: alice.account.address, separator: alice.separator })
  setVerdict(world, paid.txHash, 'not-canonical')
  const lost = await errorOf(() => exitInFlight(bob, { flight }))
  assert.is(lost.code, 'DISPUTE_LOST')
  const own = await errorOf(async () => exitInFlight(alice, { flight: await findFlight(alice, paid.txHash) }))
  assert.equal(own.details['inputs'], paid.transaction.inputs)
  world.seal()
  assert.is(await codeOf(() => leave(bob, { position: paid.position })), 'EXIT_IMPOSSIBLE')
  assert.is(await codeOf(() => leave(bob, { position: paid.position, standardOnly: true })), 'OUTPUT_REFUTED')
  setVerdict(world, paid.txHash, 'canonical')
  mineDisputes(world, bob)
  assert.is((await exitInFlight(bob, { flight })).how, 'joined')
})

flights('takes own inputs out after a verdict against the payment, without being asked again', async () => {
  const { world, alice, paid, inputId } = await scene()
  mineDisputes(world, alice)
  await exitInFlight(alice, { flight: await findFlight(alice, paid.txHash) })
  assert.equal((await followDisputes(alice, 'one')).exits, [])
  setVerdict(world, paid.txHash, 'not-canonical')
  const { exits } = await followDisputes(alice, 'two')
  assert.equal(
    exits.map(({ exit }) => exit.outputId),
    [inputId],
  )
  assert.equal((await followDisputes(alice, 'three')).exits, [])
})

flights('leaves an input alone that an included competitor of its owner spends', async () => {
  const { world, alice, paid } = await scene()
  mineDisputes(world, alice)
  await exitInFlight(alice, { flight: await findFlight(alice, paid.txHash) })
  const shown = { competitor: ZERO_HASH, position: 16, input: 0, challenger: alice.account.address, reward: 0n }
  const at = { l1Block: 9, l1BlockHash: ZERO_HASH, l1Timestamp: 1, logIndex: 0, txHash: ZERO_HASH }
  world.events.push({ type: 'CompetitorShown', txHash: paid.txHash, ...shown, at })
  setVerdict(world, paid.txHash, 'not-canonical')
  assert.equal((await followDisputes(alice, 'one')).exits, [])
})

flights('with --with-inputs the places of own inputs are held at once', async () => {
  const { world, alice, paid, inputId } = await scene()
  mineDisputes(world, alice)
  const left = await exitInFlight(alice, { flight: await findFlight(alice, paid.txHash), withInputs: true })
  assert.equal(
    left.inputExits.map(({ exit }) => exit.outputId),
    [inputId],
  )
})

flights('shows the inclusion that it holds, once, and gives the verdict when it is due', async () => {
  const { world, bob, paid } = await scene()
  world.seal()
  await keepFlights(bob)
  mineDisputes(world, bob)
  await exitInFlight(bob, { flight: await findFlight(bob, paid.txHash) })
  const first = await followDisputes(bob, 'one')
  assert.equal([first.answered, first.decided], [[paid.txHash], []])
  assert.equal((await followDisputes(bob, 'two')).answered, [])
  world.nowSeconds = disputeOf(world, paid.txHash).exitableAt
  assert.equal((await followDisputes(bob, 'three')).decided, [])
  world.nowSeconds++
  assert.equal((await followDisputes(bob, 'four')).decided, [{ txHash: paid.txHash, verdict: 'canonical' }])
})

flights('does not answer for strangers, nor believe an event that L1 does not confirm', async () => {
  const { world, alice, carol, signed, paid } = await scene()
  const dispute = recordDispute(world, signed, {
    starter: alice.account.address,
    separator: alice.separator,
    exitableAt: 5,
  })
  assert.equal(await followDisputes(carol, 'one'), { answered: [], decided: [], exits: [] })
  world.disputes.set(paid.txHash, { ...world.disputes.get(paid.txHash)!, disputeHash: `0x${'00'.repeat(25)}` })
  assert.equal(await findDisputes(alice), [])
  assert.is(dispute.txHash, paid.txHash)
})

flights('an exit through a dispute is not taken for one of the input in whose place it stands', async () => {
  const { world, bob, paid, input } = await scene()
  mineDisputes(world, bob)
  await exitInFlight(bob, { flight: await findFlight(bob, paid.txHash) })
  assert.is(disputeOf(world, paid.txHash).agePosition, input)
  assert.is(await findExitAt(bob.root, input), undefined)
})

flights('a half-signed swap cannot be disputed by its taker, a completed one can, from the file', async () => {
  const world = createFakeWorld()
  const [maker, taker] = [world.wallet(1), world.wallet(2)]
  world.deposit(maker.account.address, TST, 30n)
  world.deposit(taker.account.address, ETH, 8n)
  const offer = await makeOffer(maker, { give: { token: TST, amount: 30n }, want: { token: ETH, amount: 5n } })
  assert.is(await codeOf(() => swapFlight(maker, formatSwapFile(offer))), 'SWAP_HALF_SIGNED')
  const accepted = formatSwapFile(await acceptOffer(taker, formatSwapFile(offer)))
  const half = await errorOf(() => swapFlight(taker, accepted))
  assert.is(half.code, 'SWAP_HALF_SIGNED')
  assert.match(half.message, 'swap cancel')

  mineDisputes(world, maker)
  const bySelf = await exitInFlight(maker, { flight: await swapFlight(maker, accepted) })
  assert.equal(
    bySelf.exits.map(({ token, amount }) => [token, amount]),
    [[ETH, 5n]],
  )
  endSwap(maker, accepted)
  assert.is(maker.store.swap(swapId(offer), maker.account.address)?.state, 'done')

  // The dispute shows the maker's signatures to everybody.
  mineDisputes(world, taker)
  const joined = await exitInFlight(taker, { flight: await swapFlight(taker, accepted) })
  assert.equal([joined.how, joined.exits.map(({ amount }) => amount)], ['joined', [30n, 3n]])
})

flights('the taker of a swap that was handed in disputes it with what the operator shows', async () => {
  const world = createFakeWorld()
  const [maker, taker] = [world.wallet(1), world.wallet(2)]
  world.deposit(maker.account.address, TST, 30n)
  const ether = world.deposit(taker.account.address, ETH, 8n)
  const offer = await makeOffer(maker, { give: { token: TST, amount: 30n }, want: { token: ETH, amount: 5n } })
  const accepted = formatSwapFile(await acceptOffer(taker, formatSwapFile(offer)))
  await completeSwap(maker, accepted)
  await keepFlights(taker)
  world.down = true
  mineDisputes(world, taker)
  const { exits } = await exitInFlight(taker, { flight: await swapFlight(taker, accepted) })
  assert.is(exits.length, 2)
  assert.is((await taker.root.exitRecord(depositIdOf(ether))).state, 'none')
})

flights.run()
