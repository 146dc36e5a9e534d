/** The verdict of a dispute (spec 6.3): competitors and answers, until when they are taken, what falls of them, whose the bond is. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import { answerDeadline, competitorDeadline, judgeDispute } from '../../protocol/dispute.ts'
import { createOutput, type SignedTransaction } from '../../protocol/transaction.ts'
import { printSeed, seed } from '../protocol/random.ts'
import { answer, decide, deposited, includedIn, showCompetitor, startDispute } from '../support/disputeMoves.ts'
import { deposit, ETHER, nextAt, passTo, place, startDepositExit, submit } from '../support/moves.ts'
import { actors, type ChildBlock, ETH, eventOf } from '../support/rootChain.ts'
import { paymentScenes } from './disputeScenes.ts'
import { refuses, rootSuite, setByHand } from './rootSuite.ts'

const { alice, bob, mallory, watcher, carol, dave } = actors
const { test, world, mep } = rootSuite('verdicts of disputes')
const { inFlight, dispute, afterE } = paymentScenes(world)
printSeed('disputes')

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

test.run()
