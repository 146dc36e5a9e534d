/** Disputes about transactions whose inclusion is unknown (spec 6.3): start, pieces, verdict, bond. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { encodeSettle, type InputShown, type StartedDispute } from '../../l1/rootContract.ts'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import {
  answerDeadline,
  competitorDeadline,
  hashDispute,
  hashDisputeInputs,
  judgeDispute,
} from '../../protocol/dispute.ts'
import { createOutput, type SignedTransaction } from '../../protocol/transaction.ts'
import { printSeed, seed } from '../protocol/random.ts'
import {
  answer,
  decide,
  deposited,
  includedIn,
  madeIn,
  showCompetitor,
  startDispute,
  startDisputedExit,
} from '../support/disputeMoves.ts'
import {
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
import { type Actor, actors, type ChildBlock, ETH, eventOf } from '../support/rootChain.ts'
import { refuses, rootSuite, setByHand } from './rootSuite.ts'

const { alice, bob, mallory, watcher, carol, dave } = actors
const { test, world } = rootSuite('disputes')
printSeed('disputes')
const mep = () => world.chain.parameters.minExitPeriod

type RecordView = readonly [string, number, bigint, boolean, boolean, bigint]
const recordOf = (outputId: string) => world.chain.read<RecordView>('exitRecord', [outputId])

/** Alice's deposit, and a payment of it to Bob that no block holds. */
async function inFlight(
  to: Actor = bob,
): Promise<{ position: number; signed: SignedTransaction; inputs: InputShown[] }> {
  const position = await deposit(world.chain, alice)
  const signed = await world.chain.pay(alice, position, [[to, ETHER]])
  return { position, signed, inputs: [deposited(alice)] }
}

async function dispute(): Promise<StartedDispute & { position: number; l1Block: number }> {
  const { position, signed, inputs } = await inFlight()
  return { position, ...(await startDispute(world.chain, signed, inputs)) }
}

const afterE = (started: StartedDispute) => passTo(world.chain, started.dispute.exitableAt + 1)

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

test('a dispute that nobody contests is canonical after its time, once, and its input is spent for good', async () => {
  const { chain } = world
  const started = await dispute()
  await nextAt(chain, started.dispute.exitableAt)
  await refuses('DisputeUndecidable', () => decide(chain, started))
  await chain.client.mine({ blocks: 1 })
  await afterE(started)
  assert.is((await decide(chain, started)).verdict, 'canonical')
  await refuses('VerdictUnexpected', () => decide(chain, started))
  await refuses('AlreadyExiting', () => startDepositExit(chain, alice, started.position))
  const other = await startDispute(chain, await chain.pay(alice, started.position, [[carol, ETHER]]), [
    deposited(alice),
  ])
  await afterE(other)
  assert.is((await decide(chain, other)).verdict, 'not-canonical')
})

test('a competitor that is in no block needs one witness only, and makes it not canonical', async () => {
  const { chain } = world
  const started = await dispute()
  const other = await deposit(chain, bob)
  const both = {
    inputs: [started.position, other],
    outputs: [createOutput(carol.address, ETH, 2n * ETHER)],
    memo: ZERO_HASH,
  }
  const signed = await chain.sign(both, [alice, mallory])
  await refuses('WitnessForged', async () =>
    showCompetitor(chain, started, await chain.sign(both, [mallory, bob]), { spends: 0 }),
  )
  const { events } = await showCompetitor(chain, started, signed)
  assert.is(eventOf(events, 'CompetitorShown').reward, 0n)
  await refuses('CompetitorRefused', () => showCompetitor(chain, started, signed))
  await afterE(started)
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
})

test('the disputed transaction itself, or one that shares no input, is no competitor', async () => {
  const { chain } = world
  const started = await dispute()
  await refuses('CompetitorRefused', () => showCompetitor(chain, started, started.signed))
  const stranger = await chain.pay(alice, await deposit(chain, alice), [[carol, ETHER]])
  await refuses('InputMismatch', () => showCompetitor(chain, started, stranger))
})

test('an answer, the inclusion of the disputed transaction, beats a competitor that is in no block', async () => {
  const { chain } = world
  const { position, signed, inputs } = await inFlight()
  const block = await submit(chain, [signed])
  const started = await startDispute(chain, signed, inputs)
  await showCompetitor(chain, started, await chain.pay(alice, position, [[alice, ETHER]]))
  await answer(chain, started, includedIn(chain, block))
  await refuses('PieceKnown', () => answer(chain, started, includedIn(chain, block)))
  await afterE(started)
  assert.is((await decide(chain, started)).verdict, 'canonical')
})

test('of a competitor and an answer that are both included, the older one decides', async () => {
  const { chain } = world
  for (const older of ['competitor', 'answer'] as const) {
    const { position, signed, inputs } = await inFlight()
    const rival = await chain.pay(alice, position, [[alice, ETHER]])
    const [first, second] = older === 'answer' ? [signed, rival] : [rival, signed]
    const [one, two] = [await submit(chain, [first]), await submit(chain, [second])]
    const [ours, theirs] = older === 'answer' ? [one, two] : [two, one]
    const started = await startDispute(chain, signed, inputs)
    await showCompetitor(chain, started, rival, { included: includedIn(chain, theirs) })
    await answer(chain, started, includedIn(chain, ours))
    await afterE(started)
    assert.is((await decide(chain, started)).verdict, older === 'answer' ? 'canonical' : 'not-canonical')
  }
})

test('a block that was built after the lock says nothing: neither as competitor nor as answer (H4)', async () => {
  const { chain } = world
  const { position, signed, inputs } = await inFlight()
  const started = await startDispute(chain, signed, inputs)
  const rival = await chain.pay(alice, position, [[alice, ETHER]])
  const block = await submit(chain, [signed, rival], started.l1Block)
  await refuses('SpendTooYoung', () => answer(chain, started, includedIn(chain, block, 0)))
  await refuses('SpendTooYoung', () => showCompetitor(chain, started, rival, { included: includedIn(chain, block, 1) }))
  const before = await submit(chain, [rival], started.l1Block)
  await refuses('SpendTooYoung', () => showCompetitor(chain, started, rival, { included: includedIn(chain, before) }))
})

test('a block anchored before the lock counts though it was submitted after it (C1)', async () => {
  const { chain } = world
  const { position, signed, inputs } = await inFlight()
  const anchor = Number(await chain.client.getBlockNumber())
  const first = await submit(chain, [], anchor)
  const started = await startDispute(chain, signed, inputs)
  const rival = await chain.pay(alice, position, [[alice, ETHER]])
  const block = await submit(chain, [rival], first.header.anchor)
  await showCompetitor(chain, started, rival, { included: includedIn(chain, block) })
  await afterE(started)
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
})

test('competitors are taken until half a period before the verdict, answers until a quarter', async () => {
  const { chain } = world
  const { position, signed, inputs } = await inFlight()
  const block = await submit(chain, [signed])
  const started = await startDispute(chain, signed, inputs)
  const rival = await chain.pay(alice, position, [[alice, ETHER]])
  const { exitableAt } = started.dispute
  const id = await chain.client.snapshot()
  await nextAt(chain, competitorDeadline(exitableAt, mep()))
  await showCompetitor(chain, started, rival)
  await nextAt(chain, answerDeadline(exitableAt, mep()))
  await answer(chain, started, includedIn(chain, block))
  await chain.client.revert({ id })
  await nextAt(chain, competitorDeadline(exitableAt, mep()) + 1)
  await refuses('DisputeTooLate', () => showCompetitor(chain, started, rival))
  await chain.client.mine({ blocks: 1 })
  await nextAt(chain, answerDeadline(exitableAt, mep()) + 1)
  await refuses('DisputeTooLate', () => answer(chain, started, includedIn(chain, block)))
  await chain.client.mine({ blocks: 1 })
})

test('pieces add up: a competitor that falls shields no other, and an answer neither (H-C)', async () => {
  const { chain } = world
  const { position, signed, inputs } = await inFlight()
  const [decoy, real] = [
    await chain.pay(alice, position, [[mallory, ETHER]]),
    await chain.pay(alice, position, [[alice, ETHER]]),
  ]
  const blocks = [
    await submit(chain, [decoy]),
    await submit(chain, [real]),
    await submit(chain, [signed]),
    await submit(chain, [signed]),
  ]
  const started = await startDispute(chain, signed, inputs)
  const show = (transaction: SignedTransaction, block: ChildBlock) =>
    showCompetitor(chain, started, transaction, { included: includedIn(chain, block) })
  await show(decoy, blocks[0]!)
  await refuses('PieceKnown', () => show(decoy, blocks[0]!))
  await show(real, blocks[1]!)
  await refuses('PieceKnown', () => show(real, blocks[1]!))
  await answer(chain, started, includedIn(chain, blocks[3]!))
  await answer(chain, started, includedIn(chain, blocks[2]!))
  await setByHand(chain, 'setInvalid', [BigInt(place(blocks[0]!)), true])
  await afterE(started)
  await refuses('PiecesMissing', () => decide(chain, started))
  const pieces = { competitors: [place(blocks[1]!)], answers: [place(blocks[2]!)] }
  const id = await chain.client.snapshot()
  assert.is((await decide(chain, started, pieces)).verdict, 'not-canonical', 'the real competitor stands')
  await chain.client.revert({ id })
  await setByHand(chain, 'setInvalid', [BigInt(place(blocks[1]!)), true])
  assert.is((await decide(chain, started, { answers: pieces.answers })).verdict, 'running')
  assert.is((await decide(chain, started, { answers: pieces.answers })).verdict, 'running', 'weighed once')
  assert.is((await decide(chain, started, pieces)).verdict, 'canonical', 'no included competitor stands')
})

test('the contract gives the verdict that protocol/dispute.ts gives, on random pieces, halts and proofs', async () => {
  const { chain } = world
  const draw = fc.record(
    {
      blocks: fc.array(fc.constantFrom('ours', 'theirs'), { minLength: 1, maxLength: 5 }),
      shown: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
      fallen: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
      loose: fc.boolean(),
      voidFrom: fc.option(fc.nat(5), { nil: undefined, freq: 3 }),
    },
    { noNullPrototype: true },
  )
  const verdicts = new Set<string>()
  for (const { blocks, shown, fallen, loose, voidFrom } of fc.sample(draw, { seed, numRuns: 12 })) {
    const id = await chain.client.snapshot()
    const { position, signed, inputs } = await inFlight()
    const rivals = await Promise.all(
      blocks.map((_, i) => chain.pay(alice, position, [[alice, ETHER]], `0x${(i + 1).toString(16).padStart(64, '0')}`)),
    )
    const made: ChildBlock[] = []
    for (const [i, whose] of blocks.entries()) made.push(await submit(chain, [whose === 'ours' ? signed : rivals[i]!]))
    const started = await startDispute(chain, signed, inputs)
    const chosen = made.flatMap((block, i) => (shown[i] ? [{ block, i, whose: blocks[i]! }] : []))
    for (const { block, i, whose } of chosen) {
      if (whose === 'ours') await answer(chain, started, includedIn(chain, block))
      else await showCompetitor(chain, started, rivals[i]!, { included: includedIn(chain, block) })
    }
    const hasTheirs = chosen.some(({ whose }) => whose === 'theirs')
    if (loose && !hasTheirs) await showCompetitor(chain, started, rivals[0]!)
    for (const { block, i } of chosen) if (fallen[i]) await setByHand(chain, 'setInvalid', [BigInt(place(block)), true])
    const voidBlock = voidFrom === undefined ? undefined : made[voidFrom % made.length]!.number
    if (voidBlock !== undefined) await setByHand(chain, 'setHalt', [voidBlock, started.dispute.startedAt])
    await afterE(started)
    const piecesOf = (whose: string) =>
      chosen
        .filter((one) => one.whose === whose)
        .map(({ block, i }) => ({
          position: place(block),
          stands: !fallen[i] && !(block.number >= (voidBlock ?? 2 ** 28)),
        }))
    const competitors = piecesOf('theirs')
    const want = judgeDispute({
      inputs: ['free'],
      competitors: loose && !hasTheirs ? [{ position: 0, stands: true }] : competitors,
      answers: piecesOf('ours'),
    })
    const rest = (whose: string) =>
      piecesOf(whose)
        .slice(1)
        .map((piece) => piece.position)
    const { verdict } = await decide(chain, started, { competitors: rest('theirs'), answers: rest('ours') })
    assert.is(verdict, want)
    verdicts.add(verdict)
    await chain.client.revert({ id })
  }
  assert.is(verdicts.size, 2, 'both verdicts occur')
})

test('an answer whose block became void is none, a competitor whose block became void is still one (C3)', async () => {
  const { chain } = world
  const { position, signed, inputs } = await inFlight()
  const block = await submit(chain, [signed])
  const started = await startDispute(chain, signed, inputs)
  await showCompetitor(chain, started, await chain.pay(alice, position, [[alice, ETHER]]))
  await answer(chain, started, includedIn(chain, block))
  await setByHand(chain, 'setHalt', [block.number, started.dispute.startedAt + 1])
  await refuses('BlockVoid', () => answer(chain, started, includedIn(chain, block)))
  await passTo(chain, started.dispute.startedAt + 1 + mep() + 1)
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
})

test('a move of the halt gives every period again (C3)', async () => {
  const { chain } = world
  const started = await dispute()
  const move = started.dispute.exitableAt - 10
  await passTo(chain, move - 20)
  await setByHand(chain, 'setHalt', [1, move])
  await passTo(chain, started.dispute.exitableAt + 1)
  await refuses('DisputeUndecidable', () => decide(chain, started))
  const rival = await chain.pay(alice, started.position, [[alice, ETHER]])
  await nextAt(chain, move + mep() - Math.floor(mep() / 2))
  await showCompetitor(chain, started, rival)
  await passTo(chain, move + mep() + 1)
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
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

test('the bond falls only to a competitor that was public before the start (M1)', async () => {
  const { chain } = world
  const reveal = chain.parameters.dataChallengePeriod + chain.parameters.dataResponsePeriod
  const { position, signed, inputs } = await inFlight()
  const rival = await chain.pay(alice, position, [[alice, ETHER]])
  const block = await submit(chain, [rival])
  const id = await chain.client.snapshot()
  for (const wait of [reveal - 1, reveal]) {
    await nextAt(chain, block.header.timestamp + wait)
    const started = await startDispute(chain, signed, inputs, { from: dave })
    const before = await chain.client.getBalance({ address: watcher.address })
    const { events, receipt } = await showCompetitor(chain, started, rival, { included: includedIn(chain, block) })
    const { reward } = eventOf(events, 'CompetitorShown')
    const cost = receipt.gasUsed * receipt.effectiveGasPrice
    assert.is((await chain.client.getBalance({ address: watcher.address })) - before, reward - cost)
    assert.is(reward > 0n, wait === reveal)
    await refuses('PieceKnown', () => showCompetitor(chain, started, rival, { included: includedIn(chain, block) }))
    await afterE(started)
    const bonded = await chain.client.getBalance({ address: dave.address })
    await decide(chain, started)
    const back = (await chain.client.getBalance({ address: dave.address })) - bonded
    assert.is(back, wait === reveal ? 0n : started.dispute.bond)
    await chain.client.revert({ id })
  }
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
