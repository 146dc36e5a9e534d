/** Mass exits by the wallet on a real root contract: planned, started, demanded, locked, turned, claimed for several owners. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { describeBatch } from '../../cli/massExitWords.ts'
import { encodeDemandEntry, encodeOpenEntry } from '../../l1/massExitContract.ts'
import { encodeCloseChain, type SignedMandate } from '../../l1/rootCalls.ts'
import { invalid, isLifeboatError } from '../../protocol/errors.ts'
import { leavingOf, listCoins } from '../../wallet/balance.ts'
import { claim } from '../../wallet/claim.ts'
import { shownOf } from '../../wallet/claimState.ts'
import type { WalletContext } from '../../wallet/context.ts'
import { type CoverDesk, cover } from '../../wallet/cover.ts'
import { deposit } from '../../wallet/deposit.ts'
import { startExit } from '../../wallet/exit.ts'
import { giveMandate } from '../../wallet/mandate.ts'
import { findOwnBatches, tendAll, tendBatch } from '../../wallet/massExitDefence.ts'
import type { MassExitWish } from '../../wallet/massExitFile.ts'
import { type MassExitPlan, planMassExit, startMassExit } from '../../wallet/massExitStart.ts'
import { findBatches, findEntries, type KnownBatch, noteMassExits, treeOf } from '../../wallet/massExits.ts'
import { outputsToLeave } from '../../wallet/owned.ts'
import { collectTurns, processAll, processDue } from '../../wallet/process.ts'
import { obtainExitData } from '../../wallet/proofs.ts'
import { adoptExit, depositAt, lockBatch, openEntry, startBatch } from '../support/batchMoves.ts'
import { decide, deposited, showCompetitor, startDispute, startDisputedExit } from '../support/disputeMoves.ts'
import { createBait, haltAt, memoOf, submitBad } from '../support/haltMoves.ts'
import { passTo, place, process, startDepositExit, stateOf, turnsOf } from '../support/moves.ts'
import { actors, ETH, ETHER } from '../support/rootChain.ts'
import { type ChainWallets, startChainWallets } from './chainWallets.ts'

const test = suite('mass exits of the wallet on L1')
let started: ChainWallets
let chain: ChainWallets['chain']
let alice: WalletContext
let bob: WalletContext
let carol: WalletContext
let coordinator: WalletContext
const MEP = () => chain.parameters.minExitPeriod

test.before.each(async () => {
  started = await startChainWallets()
  chain = started.chain
  ;[alice, bob, carol, coordinator] = (await Promise.all([1, 2, 4, 5].map(started.openWallet))) as [
    WalletContext,
    WalletContext,
    WalletContext,
    WalletContext,
  ]
})
test.after.each(() => started.stop())

/** uvu cannot print errors with details, and would count them as passed. */
async function run(step: () => Promise<void>): Promise<void> {
  try {
    await step()
  } catch (error) {
    throw new Error(
      error instanceof Error
        ? `${(error as { code?: string }).code ?? ''} ${JSON.stringify((error as { details?: unknown }).details, (_k, v) => (typeof v === 'bigint' ? `${v}` : v))} ${error.stack}`
        : String(error),
    )
  }
}

async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act()
  } catch (error) {
    if (isLifeboatError(error)) return error.code
    throw error
  }
  return 'no error'
}

/** A deposit of each, and a payment of alice to bob in a block: three old entries and a young one. */
async function crowd(): Promise<{ wish: MassExitWish; positions: number[] }> {
  const deposits = []
  for (const [i, wallet] of [alice, bob, carol].entries())
    deposits.push(await deposit(wallet, { token: ETH, amount: ETHER * BigInt(i + 1), key: 'crowd' }))
  const mine = await deposit(alice, { token: ETH, amount: ETHER, key: 'to spend' })
  const block = await started.seal([await chain.pay(actors.alice, mine.position, [[actors.bob, ETHER]])])
  const positions = [...deposits.map(({ position }) => position), place(block, 0, 0)]
  const mandates = []
  for (const wallet of [alice, bob, carol])
    mandates.push(await giveMandate(wallet, { delegate: coordinator.account.address }))
  return { wish: { outputs: positions.map((position) => ({ position })), mandates }, positions }
}

const etherOf = (wallet: WalletContext) => wallet.root.etherOf(wallet.account.address)

async function onlyBatch(): Promise<KnownBatch> {
  const [known, ...others] = await findBatches(alice.root)
  assert.is(others.length, 0)
  return known!
}

async function lockNow(known: KnownBatch): Promise<void> {
  await passTo(chain, known.batch.startedAt + MEP() / 4 + 1)
  const tended = await tendBatch(coordinator, known, { key: 'lock' })
  assert.equal(tended.did, ['locked it'])
}

async function start(wish: MassExitWish): Promise<MassExitPlan> {
  const plan = await planMassExit(coordinator, { wish })
  await startMassExit(coordinator, plan, { wish })
  return plan
}

test('plans, starts, answers, locks, gives the turn, pays each owner, and gets the bond back', () =>
  run(async () => {
    const { wish, positions } = await crowd()
    const plan = await planMassExit(coordinator, { wish })
    assert.equal(plan.refused, [])
    assert.equal([plan.transactions, plan.entries, plan.owners], [2, 4, 3])
    assert.is(plan.costAtTenWei, plan.costWei * 10n)
    const again = await startMassExit(coordinator, plan, { wish })
    assert.equal(
      again.map(({ isKnown }) => isKnown),
      [false, false],
    )
    assert.equal(
      (await startMassExit(coordinator, plan, { wish })).map(({ isKnown }) => isKnown),
      [true, true],
    )

    const [old, young] = await findOwnBatches(coordinator)
    assert.equal([old!.entries.length, young!.entries.length, old!.stage], [3, 1, 'started'])
    const at = { entry: old!.entries[1]!, tree: treeOf(old!) }
    const bondWei = (await chain.read<bigint>('demandBond', [old!.id])) * 2n
    await chain.send(actors.mallory.account, encodeDemandEntry(old!.batch, at, bondWei))
    const [demanded] = await findOwnBatches(coordinator)
    assert.is(demanded!.stage, 'demanded')
    assert.match((await tendBatch(coordinator, demanded!, { key: 'one' })).did[0]!, 'answered the demand of entry 1')
    for (const known of await findOwnBatches(coordinator)) await lockNow(known)

    const [locked, lockedYoung] = await findOwnBatches(coordinator)
    assert.equal([locked!.stage, locked!.item!.young, lockedYoung!.item!.young], ['locked', false, true])
    const early = await claim(alice, { positions: 'all', key: 'early' })
    assert.equal(
      early.outputs.map(({ state }) => state.kind),
      ['waits'],
    )
    await passTo(chain, lockedYoung!.item!.exitableAt + 1)
    assert.is((await collectTurns(alice.root)).due, 2, 'the mass exits are in the queue')
    const before = await etherOf(carol)
    const paid = await claim(bob, { positions: [positions[2]!], owner: carol.account.address, key: 'for carol' })
    assert.equal([paid.paid, paid.outputs[0]!.state.kind], [1, 'paid'])
    assert.is((await etherOf(carol)) - before, 3n * ETHER)

    const [turned] = await findOwnBatches(coordinator)
    assert.is(turned!.stage, 'turned')
    assert.equal((await tendBatch(coordinator, turned!, { key: 'pay' })).did, ['paid 2 entries'])
    assert.is((await claim(bob, { positions: [positions[3]!], key: 'own' })).paid, 1)
    const over = await tendBatch(coordinator, (await findOwnBatches(coordinator))[1]!, { key: 'late' })
    assert.equal([over.isOver, over.did], [false, []])
    await passTo(chain, over.at! + 1)
    for (const known of await findOwnBatches(coordinator)) {
      const closed = await tendBatch(coordinator, known, { key: 'close' })
      assert.equal([closed.did, closed.isOver], [['took the rest of the bond'], true])
    }
    for (const known of await findOwnBatches(coordinator)) assert.is(known.record.isClosed, true)
  }))

test('own outputs in a locked mass exit are leaving: not spent, not exited a second time', () =>
  run(async () => {
    const { wish, positions } = await crowd()
    await start({ ...wish, outputs: wish.outputs.slice(0, 3) })
    await noteMassExits(alice)
    assert.equal(alice.store.lockedBatches(), [], 'a mass exit that is only started locks nothing')
    await lockNow(await onlyBatch())
    await noteMassExits(alice)
    const own = { position: positions[0]!, token: ETH, amount: ETHER }
    assert.is(leavingOf(alice.store)(own), true)
    assert.is(leavingOf(alice.store)({ ...own, amount: ETHER - 1n }), false, 'one wei off names nothing')
    assert.equal((await outputsToLeave(alice)).leaving, [positions[0]])
    const listed = { outputs: [{ ...own, outputId: `0x${'11'.repeat(32)}`, state: 'unspent' }] }
    const child = { ...alice.child, outputs: async () => listed as never }
    assert.is((await listCoins({ ...alice, child }))[0]?.held, 'leaving')
    assert.is(await codeOf(() => startExit(alice, { position: positions[0]! })), 'PLACE_HELD')
    const second = await startExit(alice, { position: positions[0]!, secondPlace: true })
    assert.match(second.warnings.join(), 'gains nothing')
    await passTo(chain, second.outlook.payableAfter + 1)
    await processDue(bob, 'both')
    assert.equal((await claim(alice, { positions: 'all', key: 'after' })).outputs[0]!.state.kind, 'paid')
  }))

test('an exit that was started besides keeps its own turn, and then the output is paid once', () =>
  run(async () => {
    const { wish, positions } = await crowd()
    await start({ ...wish, outputs: wish.outputs.slice(0, 3) })
    await lockNow(await onlyBatch())
    const { item } = await onlyBatch()
    await passTo(chain, item!.exitableAt - 20)
    await startExit(alice, { position: positions[0]!, secondPlace: true })
    await passTo(chain, item!.exitableAt + 5)
    const before = await etherOf(alice)
    const owner = alice.account.address
    const done = await claim(carol, { positions: [positions[0]!], owner, key: 'beside' })
    assert.equal([done.paid, done.outputs[0]!.state.kind], [0, 'waits'])
    await passTo(chain, item!.exitableAt + 2 * MEP())
    await processDue(carol, 'its turn')
    const late = await claim(carol, { positions: [positions[0]!], owner, key: 'late' })
    assert.is(late.outputs[0]!.state.kind, 'paid')
    const gained = (await etherOf(alice)) - before
    assert.ok(gained >= ETHER && gained < 2n * ETHER)
  }))

test('an opened entry is placed and settled by a claim, and has no turn of its own', () =>
  run(async () => {
    const { wish, positions } = await crowd()
    await start({ ...wish, outputs: wish.outputs.slice(0, 3) })
    await lockNow(await onlyBatch())
    const known = await onlyBatch()
    const proven = await obtainExitData(alice, positions[0]!)
    const entry = findEntries([known], proven.output)[0]!.entry
    const opening = encodeOpenEntry(known.batch, { entry, tree: treeOf(known) }, shownOf(proven))
    await chain.send(actors.alice.account, opening)
    await passTo(chain, known.item!.exitableAt + 1)
    assert.is((await collectTurns(alice.root)).due, 1)
    const before = await etherOf(alice)
    const done = await claim(bob, { positions: [positions[0]!], owner: alice.account.address, key: 'opened' })
    assert.equal([done.placed, done.paid, done.outputs[0]!.state.kind], [1, 1, 'paid'])
    assert.is((await etherOf(alice)) - before, ETHER)
  }))

test('refuses what could not be defended, each with its reason', () =>
  run(async () => {
    const { wish, positions } = await crowd()
    await startExit(bob, { position: positions[1]! })
    const plan = await planMassExit(coordinator, {
      wish: {
        mandates: wish.mandates.slice(0, 2),
        outputs: [
          { position: positions[0]!, amount: ETHER - 1n },
          { position: positions[1]! },
          { position: positions[2]! },
          { position: positions[3]! },
          { position: positions[3]! + 16 },
        ],
      },
      suspectBlock: 1,
    })
    assert.equal(plan.batches, [])
    const reasons = plan.refused.map(({ reason }) => reason)
    for (const [i, want] of ['its amount is', 'its exit is queued', 'no mandate', 'not older', 'not older'].entries())
      assert.match(reasons[i]!, want)
    assert.is(await codeOf(() => startMassExit(coordinator, plan, { wish })), 'MASS_EXIT_EMPTY')
    assert.is(plan.hurry?.block, 1)
  }))

test('a mandate that ends before a late start is mined is none: the owner is asked for another, an own one is renewed', () =>
  run(async () => {
    const { wish, positions } = await crowd()
    const mine = await deposit(coordinator, { token: ETH, amount: ETHER, key: 'own' })
    const terms = { delegate: coordinator.account.address, days: 1 }
    const ends = (await giveMandate(coordinator, terms)).mandate.validUntil
    const short = await giveMandate(bob, terms)
    const soon = { outputs: [{ position: positions[1]! }, { position: mine.position }], mandates: [short] }
    await passTo(chain, ends - MEP() / 8 - 10)
    assert.equal((await planMassExit(coordinator, { wish: soon })).refused, [])
    await passTo(chain, ends - MEP() / 8 + 10)
    const plan = await planMassExit(coordinator, { wish: soon })
    assert.equal(plan.entries, 1)
    assert.match(plan.refused[0]!.reason, 'ends before the start is sure to be mined')
    assert.equal((await planMassExit(coordinator, { wish: { ...soon, mandates: wish.mandates } })).refused, [])
    await startMassExit(coordinator, plan, { wish: soon })
    const own = coordinator.store.mandates(coordinator.account.address)
    assert.is(Math.max(...own.map(({ mandate }) => mandate.validUntil)) > ends, true, 'renewed')
  }))

test('names no output twice, and tells what no mass exit names', () =>
  run(async () => {
    const { wish, positions } = await crowd()
    const plan = await start({ ...wish, outputs: [...wish.outputs.slice(0, 2), wish.outputs[0]!] })
    assert.is(plan.entries, 2)
    assert.is(await codeOf(() => claim(carol, { positions: [positions[2]!], key: 'none' })), 'ENTRY_MISSING')
    assert.is(await codeOf(() => claim(carol, { positions: [positions[0]!], key: 'other' })), 'NOT_OWNER')
    const rival = await planMassExit(carol, { wish: { ...wish, outputs: wish.outputs.slice(0, 1) } })
    assert.match(rival.refused[0]!.reason, 'names it already')
  }))

test('a second start with one owner more takes that one out, and nobody twice', () =>
  run(async () => {
    const { wish, positions } = await crowd()
    await start({ ...wish, outputs: wish.outputs.slice(0, 2) })
    const plan = await start({ ...wish, outputs: wish.outputs.slice(0, 3) })
    const named = (await findOwnBatches(coordinator)).flatMap(({ entries }) => entries.map(({ position }) => position))
    assert.equal(
      named.sort((a, b) => a - b),
      positions.slice(0, 3).sort((a, b) => a - b),
    )
    assert.match(plan.refused[0]?.reason ?? '', 'of your own names it already')
    const same = await planMassExit(coordinator, { wish: { ...wish, outputs: wish.outputs.slice(0, 2) } })
    const [again] = await startMassExit(coordinator, same, { wish })
    assert.is(again?.isKnown, true, 'the same once more is told of, not refused')
  }))

test('a mass exit that can be locked no more keeps nobody from another, whether its own or not', () =>
  run(async () => {
    const { wish, positions } = await crowd()
    const first = { ...wish, outputs: wish.outputs.slice(0, 2) }
    await start(first)
    const known = await onlyBatch()
    const at = { entry: known.entries[1]!, tree: treeOf(known) }
    const bondWei = (await chain.read<bigint>('demandBond', [known.id])) * 2n
    await chain.send(actors.mallory.account, encodeDemandEntry(known.batch, at, bondWei))
    await passTo(chain, known.batch.startedAt + MEP() / 4 + 1)
    const [lost, head, { timestamp }] = [await onlyBatch(), await alice.root.head(), await alice.root.now()]
    assert.match((await describeBatch(alice, lost, { head, timestamp })).text, 'demanded, can be locked no more')
    assert.is(await codeOf(() => claim(alice, { positions: [positions[0]!], key: 'lost' })), 'ENTRY_MISSING')
    const plan = await planMassExit(coordinator, { wish: first })
    assert.equal([plan.entries, plan.refused], [2, []])
    const [anew] = await startMassExit(coordinator, plan, { wish: first })
    assert.is(anew?.isKnown, false)
    assert.is.not(anew?.batchId, known.id)
    const mandates = []
    for (const wallet of [alice, bob]) mandates.push(await giveMandate(wallet, { delegate: carol.account.address }))
    await passTo(chain, (await findBatches(alice.root))[1]!.batch.startedAt + MEP() / 2 + 1)
    const rival = await planMassExit(carol, { wish: { ...first, mandates } })
    assert.equal([rival.entries, rival.refused], [2, []])
  }))

test('a mass exit that fails to be locked does not keep the other from it', () =>
  run(async () => {
    const { wish } = await crowd()
    await start(wish)
    const [first, second] = await findOwnBatches(coordinator)
    await passTo(chain, second!.batch.startedAt + MEP() / 4 + 1)
    const failing: WalletContext = {
      ...coordinator,
      send: async (intent) => {
        if (intent.key.startsWith(`lock:${first!.id}`)) throw invalid('L1_REFUSED', 'it is refused', {})
        return coordinator.send(intent)
      },
    }
    const { tended, failed } = await tendAll(failing, await findOwnBatches(coordinator), { key: 'both' })
    assert.equal([tended.map(({ did }) => did), failed.map(({ batchId }) => batchId)], [[['locked it']], [first!.id]])
  }))

test('a mass exit that nobody locked gives the bond back', () =>
  run(async () => {
    const { wish } = await crowd()
    await start({ ...wish, outputs: wish.outputs.slice(0, 3) })
    const known = await onlyBatch()
    await passTo(chain, known.batch.startedAt + MEP() / 2 + 1)
    assert.is((await tendBatch(coordinator, known, { key: 'late' })).isOver, true)
    assert.is((await onlyBatch()).stage, 'dissolved')
    const { outputs } = await claim(alice, { positions: 'all', key: 'nothing' })
    assert.equal(outputs, [])
  }))

test('after a halt no mandate is needed, and everybody who is known is paid a period after it', () =>
  run(async () => {
    const { wish, positions } = await crowd()
    const live = await planMassExit(coordinator, { wish: { outputs: wish.outputs, mandates: [] } })
    assert.equal([live.entries, live.refused.length], [0, 4])
    await chain.send(actors.operator.account, encodeCloseChain())
    const plan = await start({ outputs: wish.outputs, mandates: [] })
    assert.equal([plan.entries, plan.refused], [4, []])
    for (const known of await findOwnBatches(coordinator)) await lockNow(known)
    const items = (await findOwnBatches(coordinator)).map(({ item }) => item!.exitableAt)
    await passTo(chain, Math.max(...items) + 1)
    const before = await Promise.all([alice, bob, carol].map(etherOf))
    for (const known of await findOwnBatches(coordinator)) await tendBatch(coordinator, known, { key: 'turn' })
    for (const known of await findOwnBatches(coordinator)) await tendBatch(coordinator, known, { key: 'claims' })
    const after = await Promise.all([alice, bob, carol].map(etherOf))
    assert.equal(
      after.map((wei, i) => wei - before[i]!),
      [ETHER, 3n * ETHER, 3n * ETHER],
    )
    assert.is((await claim(bob, { positions: [positions[3]!], key: 'again' })).outputs[0]!.state.kind, 'paid')
  }))

test('after a halt by proof no void block sets a last moment', () =>
  run(async () => {
    const bait = await createBait(chain)
    const mine = await deposit(alice, { token: ETH, amount: ETHER, key: 'mine' })
    const bad = await submitBad(chain, bait)
    const wish: MassExitWish = { outputs: [{ position: mine.position }], mandates: [] }
    const before = await planMassExit(coordinator, { wish, suspectBlock: bad.number })
    assert.equal([before.hurry?.block, before.hurry?.isSuspect], [bad.number, true])
    await haltAt(chain, bad)
    for (const suspect of [{}, { suspectBlock: bad.number }]) {
      const plan = await planMassExit(coordinator, { wish, ...suspect })
      assert.equal([plan.entries, plan.hurry], [1, undefined])
    }
  }))

test('a watcher that lost a mandate is handed it again', () =>
  run(async () => {
    let held: SignedMandate[] = []
    const desk: CoverDesk = {
      url: 'http://watcher',
      delegate: async () => coordinator.account.address,
      handIn: async (signed) => void held.push(signed),
      mandatesOf: async () => held,
    }
    const how = async () => (await cover(alice, [desk])).covered.map((one) => one.how)
    assert.equal([await how(), await how()], [['given'], ['kept']])
    held = []
    assert.equal([await how(), held.length], [['handed'], 1])
  }))

test('what L1 took back in a reorg is not leaving any more', () =>
  run(async () => {
    const { wish, positions } = await crowd()
    await start({ ...wish, outputs: wish.outputs.slice(0, 3) })
    const known = await onlyBatch()
    await passTo(chain, known.batch.startedAt + MEP() / 4 + 1)
    const before = await chain.client.snapshot()
    await tendBatch(coordinator, known, { key: 'lock' })
    await noteMassExits(alice)
    const own = { position: positions[0]!, token: ETH, amount: ETHER }
    assert.is(leavingOf(alice.store)(own), true)
    await chain.client.revert({ id: before })
    await noteMassExits(alice)
    assert.is(leavingOf(alice.store)(own), false)
  }))

test('an opened entry that a stranger put into a younger share is paid out of its own', () =>
  run(async () => {
    const { position } = await deposit(alice, { token: ETH, amount: ETHER, key: 'hers' })
    const entries = [{ position, amount: ETHER }]
    const older = await startBatch(chain, entries)
    const younger = await startBatch(chain, entries, { from: actors.mallory })
    await lockBatch(chain, older)
    await lockBatch(chain, younger)
    const shown = depositAt(actors.alice, ETHER)
    const exit = await openEntry(chain, older, 0, shown)
    await passTo(chain, younger.item!.exitableAt + 1)
    await process(chain, turnsOf([older.item!, younger.item!]))
    await adoptExit(chain, younger, [0, shown, exit])
    await passTo(chain, exit.exitableAt + 1)
    await claim(alice, { positions: 'all', key: 'moved' })
    assert.is(await stateOf(chain, exit), 'settled')
  }))

test('an exit that a verdict cancelled, and that got a share before its turn, keeps nobody from theirs', () =>
  run(async () => {
    const { position } = await deposit(alice, { token: ETH, amount: ETHER, key: 'paid on' })
    const { position: last } = await deposit(carol, { token: ETH, amount: ETHER, key: 'behind' })
    const payment = await chain.pay(actors.alice, position, [[actors.bob, ETHER]])
    const batch = await startBatch(chain, [{ position, amount: ETHER }])
    const dispute = await startDispute(chain, payment, [deposited(actors.alice)])
    await lockBatch(chain, batch)
    await passTo(chain, batch.item!.startedAt + 60)
    const cancelled = await startDepositExit(chain, actors.alice, position)
    const behind = await startDepositExit(chain, actors.carol, last)
    await passTo(chain, batch.item!.exitableAt + 1)
    await processDue(carol, 'batch')
    await decide(chain, dispute)
    await adoptExit(chain, batch, [0, depositAt(actors.alice, ETHER), cancelled])
    assert.is(await stateOf(chain, cancelled), 'cancelled-ticket')
    await passTo(chain, behind.exitableAt + 1)
    await processDue(carol, 'behind')
    assert.is(await stateOf(chain, behind), 'settled')
  }))

test('the bond of a place that a verdict ended comes back, however far from it the line is', () =>
  run(async () => {
    const { position } = await deposit(alice, { token: ETH, amount: ETHER, key: 'once' })
    const exits = []
    const disputes = []
    for (const [i, to] of [actors.carol, actors.carol, actors.bob].entries()) {
      const payment = await chain.pay(actors.alice, position, [[to, ETHER]], memoOf(String(i)))
      const dispute = await startDispute(chain, payment, [deposited(actors.alice)])
      exits.push(await startDisputedExit(chain, to, dispute))
      await showCompetitor(chain, dispute, await chain.pay(actors.alice, position, [[actors.mallory, ETHER]]))
      disputes.push(dispute)
    }
    const last = exits.at(-1)!
    await passTo(chain, last.exitableAt + 1)
    await process(chain, turnsOf(exits))
    for (const dispute of disputes) await decide(chain, dispute)
    assert.is((await processAll(bob, 'far')).released, 1)
    assert.is(await stateOf(chain, last), 'removed')
  }))

test.run()
