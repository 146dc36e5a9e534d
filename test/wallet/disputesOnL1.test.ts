/** Leaving in flight on a real root contract: withheld payments, double spends, disputes of others, verdicts and what follows. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Abi, encodeFunctionData } from 'viem'
import { encodeDepositErc20 } from '../../l1/rootCalls.ts'
import { type Address, bytesToHex, type Hash } from '../../protocol/bytes.ts'
import { makerDeadline } from '../../protocol/dispute.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { createOutput, hashTransaction, type SignedTransaction } from '../../protocol/transaction.ts'
import type { WalletContext } from '../../wallet/context.ts'
import { disputeOutlook, findDispute } from '../../wallet/disputes.ts'
import { startExit } from '../../wallet/exit.ts'
import { exitOutlook, findExit } from '../../wallet/exits.ts'
import { exitInFlight } from '../../wallet/inFlight.ts'
import { findFlight, keepFlight } from '../../wallet/keep.ts'
import { leave } from '../../wallet/leave.ts'
import { formatPaymentFile, keepPaymentFile, makePaymentFile, parsePaymentFile } from '../../wallet/paymentFile.ts'
import { processAll } from '../../wallet/process.ts'
import { swapFlight } from '../../wallet/swap.ts'
import { buildSwap, formatSwapFile } from '../../wallet/swapFile.ts'
import { listCredits, withdraw } from '../../wallet/withdraw.ts'
import { testTokenAbi, testTokenBytecode } from '../contracts/artifacts.generated.ts'
import { deposited, includedIn, showCompetitor, startDispute } from '../support/disputeMoves.ts'
import { challenge, deposit, passTo, place, startExit as startExitOf } from '../support/moves.ts'
import { type Actor, actors, deploy, ETH, ETHER, eventOf } from '../support/rootChain.ts'
import { type ChainWallets, startChainWallets } from './chainWallets.ts'

const test = suite('the wallet in flight on L1')
const { alice, bob, mallory, carol, dave, erin } = actors
let world: ChainWallets
let chain: ChainWallets['chain']

test.before(async () => {
  world = await startChainWallets()
  chain = world.chain
  // What the forgery takes is nobody's of these stories.
  await deposit(chain, dave, 3n * ETHER)
})
test.after(() => world.stop())

/** uvu cannot print errors with details, and would count them as passed. */
const run = (step: () => Promise<void>) => async () => {
  try {
    await step()
  } catch (error) {
    if (!isLifeboatError(error)) throw error
    throw new Error(`${error.code}: ${error.stack}`)
  }
}

const hashOf = ({ transaction }: SignedTransaction): Hash => bytesToHex(hashTransaction(transaction, chain.separator))

/** A deposit of one ether that a block turned into an output. */
async function outputOf(owner: Actor): Promise<number> {
  const position = await deposit(chain, owner)
  return place(await world.seal([await chain.pay(owner, position, [[owner, ETHER]])]))
}

/** Bob gets the payment as payees do when the operator is silent: by the payer's file. */
async function handOver(from: WalletContext, to: WalletContext, signed: SignedTransaction, position?: number) {
  await keepFlight(from, signed, position)
  const text = formatPaymentFile(await makePaymentFile(from, hashOf(signed)))
  return keepPaymentFile(to, parsePaymentFile(text, to.domain))
}

async function paidOf(outputId: Hash, wallet: WalletContext): Promise<bigint> {
  const events = await wallet.root.events({ types: ['ExitPaid'], outputId })
  return events.reduce((sum, event) => (event.type === 'ExitPaid' ? sum + event.amount : sum), 0n)
}

const passVerdict = async (wallet: WalletContext, txHash: Hash) => {
  const known = await findDispute(wallet, txHash)
  await passTo(chain, (await disputeOutlook(wallet.root, known!)).verdictAfter + 1)
}

test(
  'a payment in a withheld block leaves before a forgery of that block, and is paid',
  run(async () => {
    const [a, b] = [await world.openWallet(1), await world.openWallet(2)]
    const input = await outputOf(alice)
    const signed = await chain.pay(alice, input, [
      [bob, ETHER / 2n],
      [alice, ETHER / 2n],
    ])
    const forged = await chain.pay(mallory, input, [[mallory, ETHER]])
    await handOver(a, b, signed, input + 2 ** 25)
    await chain.client.increaseTime({ seconds: 5 })
    const block = await world.seal([signed, forged])
    world.withheld.add(block.number)
    const theft = await startExitOf(chain, mallory, [block, 1, 0])

    const left = await leave(b, { position: place(block), suspectBlock: block.number })
    if (!('inFlight' in left)) throw new Error('want an in-flight exit')
    const [exit] = left.inFlight.exits
    assert.ok(exit!.exitableAt < theft.exitableAt, 'the payee comes first')
    assert.is(exit!.amount, ETHER / 2n)
    assert.equal((await processAll(b, 'early')).decided, [])

    await passVerdict(b, hashOf(signed))
    const done = await processAll(b, 'due')
    assert.equal(done.decided, [{ txHash: hashOf(signed), verdict: 'canonical' }])
    assert.is(await paidOf(exit!.outputId, b), ETHER / 2n)

    // The payer's change leaves after the verdict too, by the same dispute.
    const change = await leave(a, { position: place(block, 0, 1), suspectBlock: block.number })
    assert.is('inFlight' in change && change.inFlight.how, 'joined')
    world.withheld.delete(block.number)
  }),
)

test(
  'a verdict that L1 holds back for the dispute about what made an input costs nothing, and is given in time',
  run(async () => {
    const [m, b] = [await world.openWallet(3), await world.openWallet(2)]
    const made = await world.seal([await chain.pay(mallory, await deposit(chain, mallory), [[mallory, ETHER]])])
    const toBob = await chain.pay(mallory, place(made), [[bob, ETHER]])
    await handOver(m, b, toBob)
    const { exits } = await exitInFlight(b, { flight: await findFlight(b, hashOf(toBob)) })
    const { exitableAt } = (await findDispute(b, hashOf(toBob)))!.dispute
    await passTo(chain, exitableAt - 20)
    await startDispute(chain, made.transactions[0]!, [deposited(mallory)], { from: mallory })

    await passVerdict(b, hashOf(toBob))
    const since = await chain.client.getBlockNumber()
    assert.equal((await processAll(b, 'early')).decided, [])
    for (let number = since + 1n; number <= (await chain.client.getBlockNumber()); number++) {
      const { transactions } = await chain.client.getBlock({ blockNumber: number })
      for (const hash of transactions)
        assert.is(
          (await chain.client.getTransactionReceipt({ hash })).status,
          'success',
          'nothing that L1 refuses is sent',
        )
    }

    await passTo(chain, makerDeadline(exitableAt, b.root.parameters.minExitPeriod) + 1)
    const { decided } = await processAll(b, 'late')
    assert.equal(decided.at(-1), { txHash: hashOf(toBob), verdict: 'canonical' })
    assert.is(await paidOf(exits[0]!.outputId, b), ETHER)
  }),
)

test(
  'the payee of a double spend gets the bonds back and nothing else, and is told',
  run(async () => {
    const [m, b] = [await world.openWallet(3), await world.openWallet(2)]
    const input = await outputOf(mallory)
    const toBob = await chain.pay(mallory, input, [[bob, ETHER]])
    await handOver(m, b, toBob)
    const block = await world.seal([await chain.pay(mallory, input, [[mallory, ETHER]])])
    const { exits } = await exitInFlight(b, { flight: await findFlight(b, hashOf(toBob)) })
    const started = (await findDispute(b, hashOf(toBob)))!
    await showCompetitor(chain, started, block.transactions[0]!, { included: includedIn(chain, block) })
    const known = (await findDispute(b, hashOf(toBob)))!
    assert.match((await disputeOutlook(b.root, known)).words, 'not canonical unless')

    await passVerdict(b, hashOf(toBob))
    const done = await processAll(b, 'double')
    assert.equal(done.decided, [{ txHash: hashOf(toBob), verdict: 'not-canonical' }])
    assert.equal(done.exits, [], 'no input is his')
    const exit = await findExit(b.root, exits[0]!.outputId)
    assert.is(exit?.record.state, 'removed')
    const [credit] = await listCredits(b, bob.address, [ETH])
    assert.is(credit!.amount, exits[0]!.bond - (exits[0]!.bond * 60_000n) / 400_000n)
    assert.is((await withdraw(b, { token: ETH, key: 'bond' })).amount, credit!.amount)
    const lost = await exitInFlight(b, { flight: await findFlight(b, hashOf(toBob)) }).catch((error) => error)
    assert.is(lost.code, 'DISPUTE_LOST')
    const standard = await startExit(m, { position: place(block) })
    assert.is(standard.exit.amount, ETHER, 'what the chain holds leaves as ever')
  }),
)

test(
  'two payees leave by one dispute: the second joins',
  run(async () => {
    const [a, b, c] = [await world.openWallet(1), await world.openWallet(2), await world.openWallet(4)]
    const input = await outputOf(alice)
    const signed = await chain.pay(alice, input, [
      [bob, ETHER / 4n],
      [carol, (ETHER * 3n) / 4n],
    ])
    const [flight] = [await handOver(a, b, signed), await handOver(a, c, signed)]
    const first = await exitInFlight(b, { flight })
    const second = await exitInFlight(c, { flight })
    assert.equal([first.how, second.how], ['started', 'joined'])
    await passVerdict(c, hashOf(signed))
    await processAll(c, 'both')
    for (const { exits } of [first, second]) assert.is(await paidOf(exits[0]!.outputId, c), exits[0]!.amount)
  }),
)

test(
  'an inclusion that the wallet holds answers a rival, and the payment stands',
  run(async () => {
    const [m, b] = [await world.openWallet(3), await world.openWallet(2)]
    const input = await outputOf(mallory)
    const signed = await chain.pay(mallory, input, [[bob, ETHER]])
    const rival = await chain.pay(mallory, input, [[mallory, ETHER]])
    const block = await world.seal([signed])
    const flight = await handOver(m, b, signed, place(block))
    const { exits } = await exitInFlight(b, { flight })
    await showCompetitor(chain, (await findDispute(b, hashOf(signed)))!, rival, { from: mallory })
    assert.equal((await processAll(b, 'answer')).answered, [hashOf(signed)])
    assert.equal((await processAll(b, 'again')).answered, [])
    await passVerdict(b, hashOf(signed))
    assert.is((await processAll(b, 'verdict')).decided[0]?.verdict, 'canonical')
    assert.is(await paidOf(exits[0]!.outputId, b), ETHER)
  }),
)

test(
  'a co-signer whose partner spent elsewhere gets the input back by itself after the verdict',
  run(async () => {
    const a = await world.openWallet(1)
    const [mine, theirs] = [await outputOf(alice), await outputOf(mallory)]
    const outputs = [createOutput(bob.address, ETH, ETHER), createOutput(alice.address, ETH, ETHER)]
    const transaction = { inputs: [mine, theirs], outputs, memo: `0x${'00'.repeat(32)}` as Hash }
    const signed = await chain.sign(transaction, [alice, mallory])
    const block = await world.seal([await chain.pay(mallory, theirs, [[mallory, ETHER]])])
    await keepFlight(a, signed)
    const left = await exitInFlight(a, { flight: await findFlight(a, hashOf(signed)) })
    const shown = { included: includedIn(chain, block), input: 1 }
    await showCompetitor(chain, (await findDispute(a, hashOf(signed)))!, block.transactions[0]!, shown)
    await passVerdict(a, hashOf(signed))
    const done = await processAll(a, 'back')
    assert.equal(
      done.exits.map(({ exit }) => [exit.position, exit.amount]),
      [[mine, ETHER]],
    )
    assert.is(await paidOf(left.exits[0]!.outputId, a), 0n)
    await passTo(chain, done.exits[0]!.outlook.payableAfter + 1)
    await processAll(a, 'paid')
    assert.is(await paidOf(done.exits[0]!.exit.outputId, a), ETHER)
  }),
)

test(
  'shows the exit that an input has, which the verdict cancels, and its bond comes back',
  run(async () => {
    const [a, b] = [await world.openWallet(1), await world.openWallet(2)]
    const input = await outputOf(alice)
    const signed = await chain.pay(alice, input, [[bob, ETHER]])
    const flight = await handOver(a, b, signed)
    const own = await startExit(a, { position: input, unsafeMaybeSpent: true })
    const { exits, warnings } = await exitInFlight(b, { flight })
    assert.match(warnings[0]!, 'waits for the verdict')
    const waiting = (await findExit(a.root, own.exit.outputId))!
    assert.is(waiting.record.running, 1)
    assert.match(
      exitOutlook(waiting, a.root.parameters, await a.root.now(), await a.root.head()).words,
      'the verdict of a dispute',
    )
    await passVerdict(b, hashOf(signed))
    await processAll(b, 'cancelled')
    assert.is(await paidOf(exits[0]!.outputId, b), ETHER)
    assert.is((await processAll(a, 'bond back')).released, 1)
    const ended = (await findExit(a.root, own.exit.outputId))!
    assert.equal([ended.record.state, ended.isPassedOn], ['settled', true])
    const [credit] = await listCredits(a, alice.address, [ETH])
    assert.ok(credit!.amount > 0n)
  }),
)

test(
  'a half-signed swap that is shown complete as evidence on L1 can be disputed from the file at once',
  run(async () => {
    const b = await world.openWallet(2)
    const token = await deploy(chain.client, testTokenAbi, testTokenBytecode, ['Silver', 'SLV', 6])
    const [theirs, mine] = [await depositTokens(token, mallory, 100n), await outputOf(bob)]
    const [give, want] = [
      { token, amount: 100n },
      { token: ETH, amount: ETHER },
    ]
    const terms = {
      ...{ stage: 'accepted' as const, lifeboatSwap: 1 as const, chainId: chain.chainId, rootContract: chain.root },
      ...{ maker: mallory.address, taker: bob.address, give, want, nonce: hashOf(await anyPayment()) },
      makerInputs: [{ position: theirs, ...give }],
      takerInputs: [{ position: mine, ...want }],
    }
    const transaction = buildSwap({ ...terms, takerWitnesses: [] }, bob.address, terms.takerInputs)
    const signers = transaction.inputs.map((input) => (input === mine ? bob : mallory))
    const whole = await chain.sign(transaction, signers)
    const text = formatSwapFile({
      ...terms,
      takerWitnesses: [whole.witnesses.slice(transaction.inputs.indexOf(mine) * 64).slice(0, 64)],
    })
    const own = await startExit(b, { position: mine })
    assert.is((await swapFlight(b, text).catch((error) => error)).code, 'SWAP_HALF_SIGNED')

    const block = await world.seal([whole], own.exit.lockedAt - 1)
    world.withheld.add(block.number)
    await challenge(chain, own.exit, [block, 0], { from: mallory })
    const flight = await swapFlight(b, text)
    assert.equal([flight.from, flight.position], ['L1', place(block)])
    const left = await exitInFlight(b, { flight })
    assert.equal([left.how, left.exits.map(({ amount }) => amount)], ['started', [100n]])
    assert.match(left.warnings[0]!, `exit of input ${mine} waits`)
  }),
)

test(
  'a payee who comes late is paid out of the place that an input had, before a forgery in between',
  run(async () => {
    const token = await deploy(chain.client, testTokenAbi, testTokenBytecode, ['Gold', 'GLD', 6])
    const position = await depositTokens(token, alice, 100n)
    const b = await world.openWallet(2)
    const signed = await chain.pay(alice, position, [[bob, 100n, token]])
    const block = await world.seal([await chain.pay(mallory, position, [[mallory, 100n, token]])])
    const a = await world.openWallet(1)
    const early = await startExit(a, { position, unsafeMaybeSpent: true })
    const theft = await startExitOf(chain, mallory, [block, 0, 0])
    const shown = { deposit: { owner: alice.address, token, amount: 100n } }
    await startDispute(chain, signed, [shown], { from: dave, exits: [early.exit] })
    await keepFlight(b, signed)
    await passTo(chain, Math.max(theft.exitableAt, early.exit.exitableAt) + 1)
    const first = await processAll(b, 'turns')
    assert.is(first.decided[0]?.verdict, 'canonical')

    const late = await exitInFlight(b, { flight: await findFlight(b, hashOf(signed)) })
    assert.is(late.how, 'joined')
    await passTo(chain, late.exits[0]!.exitableAt + 1)
    const done = await processAll(b, 'late')
    assert.is(done.inherited, 1)
    assert.is(await paidOf(late.exits[0]!.outputId, b), 100n)
    assert.is(await paidOf(theft.outputId, b), 0n)
    assert.is((await withdraw(b, { token, key: 'gold' })).amount, 100n)
    assert.is((await processAll(a, 'bond')).released, 1)
  }),
)

test(
  'a bond that became too small is refused by L1 in words, and nothing is kept as leaving',
  run(async () => {
    const e = await world.openWallet(7)
    const signed = await chain.pay(erin, await outputOf(erin), [[erin, ETHER]])
    await keepFlight(e, signed)
    const cheap: WalletContext = { ...e, root: { ...e.root, disputeBond: async () => 1n } }
    const refused = await exitInFlight(cheap, { flight: await findFlight(e, hashOf(signed)) }).catch((error) => error)
    assert.is(refused.code, 'L1_ACT_FAILED')
    assert.match(refused.message, 'BondTooSmall')
    assert.equal([e.store.disputes(erin.address), e.store.exits(erin.address)], [[], []])
    await chain.client.increaseTime({ seconds: 5 })
    await chain.client.mine({ blocks: 1 })
    const again = await exitInFlight(e, { flight: await findFlight(e, hashOf(signed)) })
    assert.is(again.how, 'started')
  }),
)

const anyPayment = async () => chain.pay(bob, await deposit(chain, bob), [[bob, 1n]])

async function depositTokens(token: Address, owner: Actor, amount: bigint): Promise<number> {
  const call = (functionName: string, args: readonly unknown[]) => ({
    data: encodeFunctionData({ abi: testTokenAbi as Abi, functionName, args }),
    valueWei: 0n,
  })
  await chain.send(actors.operator.account, call('mint', [owner.address, amount]), token)
  await chain.send(owner.account, call('approve', [chain.root, amount]), token)
  const { events } = await chain.send(owner.account, encodeDepositErc20(token, amount, owner.address))
  return eventOf(events, 'Deposited').position
}

test.run()
