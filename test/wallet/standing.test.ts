/** How payments stand: the whole table of the judgement, and an operator that lies about every part of it. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Hash, ZERO_HASH } from '../../protocol/bytes.ts'
import { invalid, isLifeboatError } from '../../protocol/errors.ts'
import { PRESETS } from '../../protocol/parameters.ts'
import { encodePosition } from '../../protocol/position.ts'
import { readHistory } from '../../wallet/history.ts'
import { findFlight, keepFlight, keepFlights } from '../../wallet/keep.ts'
import { pay } from '../../wallet/pay.ts'
import { keepProofs } from '../../wallet/proofs.ts'
import { judgePayment, type PaymentFacts, type Standing } from '../../wallet/standing.ts'
import { standingOf } from '../../wallet/standings.ts'
import { recordDispute, setVerdict } from './fakeDisputes.ts'
import { createFakeWorld, ETH } from './fakeWorld.ts'

const test = suite('how a payment stands')
const T: Hash = `0x${'01'.repeat(32)}`
const parameters = PRESETS.devnet
const MEP = parameters.minExitPeriod
const AGE = parameters.anchorAgeBlocks * parameters.slot
const at = (block: number) => encodePosition({ block, index: 0, output: 0 })

/** uvu cannot print errors with details, and would count them as passed. */
function standings(name: string, step: () => unknown): void {
  test(name, async () => {
    try {
      await step()
    } catch (error) {
      if (!isLifeboatError(error)) throw error
      throw new Error(`${error.code}: ${error.stack}`)
    }
  })
}

/** Proven in block 5 of 10, whose time is 1000; an input of block 2. */
const USUAL: PaymentFacts = {
  txHash: T,
  position: at(5),
  shown: 'it',
  blockTime: 1000,
  isInvalid: false,
  verdict: 'none',
  youngestInput: 2,
  now: { l1Block: 500, timestamp: 1001 },
  head: { newest: 10, voidFrom: 0 },
  parameters,
}
const SOFT: Partial<PaymentFacts> = { position: at(11), shown: 'unshown', softSince: 1001 - AGE }
const receipt = (anchor: number) => {
  const promised = { txHash: T, blockNumber: 11, index: 0, anchor, anchorHash: ZERO_HASH }
  return { receipt: promised, root: ZERO_HASH, count: 1, place: 0, path: [], signature: '0x' } as const
}

const TABLE: readonly (readonly [name: string, changes: Partial<PaymentFacts>, want: Standing])[] = [
  ['proven in a young block', {}, 'included'],
  [
    'proven, at the last moment in which the block can be voided',
    { now: { l1Block: 1, timestamp: 1000 + MEP } },
    'included',
  ],
  ['proven, a second later', { now: { l1Block: 1, timestamp: 1001 + MEP } }, 'final'],
  ['promised for a block to come', SOFT, 'soft'],
  ['promised, and the last moment for it', { ...SOFT, softSince: 1001 - AGE }, 'soft'],
  ['promised, and a second late', { ...SOFT, softSince: 1000 - AGE }, 'unknown'],
  [
    'promised with a receipt whose anchor is just young enough',
    { ...SOFT, softSince: 1, receipt: receipt(500 - 22) },
    'soft',
  ],
  [
    'promised with a receipt whose anchor is too old',
    { ...SOFT, softSince: 1001, receipt: receipt(500 - 23) },
    'unknown',
  ],
  ['its block is on L1 and nobody shows it', { shown: 'unshown' }, 'unknown'],
  [
    'its block is on L1 long since and nobody ever showed it',
    { shown: 'unshown', now: { l1Block: 9, timestamp: 10 ** 6 } },
    'unknown',
  ],
  ['another transaction has its place', { shown: 'another' }, 'unknown'],
  ['nobody said that a block will hold it', { ...SOFT, position: undefined as never, answer: 'sent' }, 'unknown'],
  ['its block is void', { head: { newest: 10, voidFrom: 5 } }, 'void'],
  [
    'its block is void though it seemed final',
    { head: { newest: 10, voidFrom: 5 }, now: { l1Block: 9, timestamp: 10 ** 6 } },
    'void',
  ],
  ['the chain was halted above its block', { head: { newest: 10, voidFrom: 6 } }, 'included'],
  ['promised for a block that a halt keeps from coming', { ...SOFT, head: { newest: 10, voidFrom: 11 } }, 'void'],
  [
    'unanswered when the chain was halted',
    { shown: 'unshown', position: undefined as never, head: { newest: 10, voidFrom: 9 } },
    'void',
  ],
  ['proven invalid', { isInvalid: true }, 'void'],
  ['proven invalid, too late to void its block', { isInvalid: true, now: { l1Block: 9, timestamp: 10 ** 6 } }, 'void'],
  ['judged canonical, in no block', { ...SOFT, verdict: 'canonical' }, 'final'],
  ['judged canonical, its block void', { verdict: 'canonical', head: { newest: 10, voidFrom: 3 } }, 'final'],
  ['judged not canonical, though a block holds it', { verdict: 'not-canonical' }, 'void'],
  ['refused', { shown: 'unshown', position: undefined as never, answer: 'rejected' }, 'refused'],
  [
    'replaced, when the chain was halted',
    { shown: 'unshown', position: undefined as never, answer: 'replaced', head: { newest: 1, voidFrom: 1 } },
    'refused',
  ],
  ['refused by an operator that included it all the same', { answer: 'rejected' }, 'included'],
]

for (const [name, changes, want] of TABLE)
  standings(`${name}: ${want}`, () => {
    const facts = { ...USUAL, ...changes }
    const judged = judgePayment(facts)
    assert.is(judged.standing, want)
    assert.ok(judged.why.length > 5)
    if (want === 'unknown') assert.ok(judged.todo)
    if (want === 'included') assert.is(judged.finalAfter, 1000 + MEP)
  })

standings('says by when to leave with what nobody shows, and what a void payment can still do', () => {
  const unshown = judgePayment({ ...USUAL, shown: 'unshown' })
  assert.is(unshown.doBy, 1000 + MEP - parameters.reaction)
  assert.match(unshown.todo!, `lifeboat exit --in-flight ${T}`)
  const late = judgePayment({ ...USUAL, shown: 'unshown', now: { l1Block: 1, timestamp: 1000 + MEP } })
  assert.match(late.todo!, 'do it now')
  assert.is(
    judgePayment({ ...USUAL, shown: 'unshown', disputeUntil: 1010 }).doBy,
    1010,
    'the payer leaves with an input',
  )
  const head = { newest: 10, voidFrom: 5 }
  assert.is(judgePayment({ ...USUAL, head, disputeUntil: 1300 }).doBy, 1300)
  assert.is(judgePayment({ ...USUAL, head, disputeUntil: 1300, verdict: 'running' }).doBy, undefined)
  assert.match(judgePayment({ ...USUAL, head }).todo!, '--in-flight')
  assert.match(judgePayment({ ...USUAL, head, youngestInput: 5 }).todo!, '--all')
  assert.match(judgePayment({ ...USUAL, head, youngestInput: 5 }).why, 'never count')
  assert.match(judgePayment({ ...USUAL, head, verdict: 'running' }).todo!, 'lifeboat process')
})

/** Alice pays Bob 50 in block 2, which is not sealed yet. */
async function scene() {
  const world = createFakeWorld()
  const [alice, bob] = [world.wallet(1), world.wallet(2)]
  world.deposit(alice.account.address, ETH, 100n)
  await pay(alice, { to: alice.account.address, token: ETH, amount: 60n })
  world.seal()
  const paid = await pay(alice, { to: bob.account.address, token: ETH, amount: 50n })
  const standing = async (wallet = bob) => (await standingOf(wallet, paid.txHash)).standing
  return { world, alice, bob, paid, standing }
}

standings('a payment goes from soft to included to final, for payer and payee', async () => {
  const { world, alice, bob, paid, standing } = await scene()
  await keepFlights(bob)
  for (const wallet of [alice, bob]) assert.is(await standing(wallet), 'soft')
  world.seal()
  for (const wallet of [alice, bob]) assert.is(await standing(wallet), 'included')
  const [entry] = (await readHistory(bob)).entries
  assert.equal([entry?.txHash, entry?.payment?.standing, entry?.from], [paid.txHash, 'included', 'operator'])
  world.nowSeconds += MEP + 1
  world.down = true
  for (const wallet of [alice, bob]) assert.is(await standing(wallet), 'final', 'by what is kept, with nobody to ask')
  world.voidFrom = 2
  assert.is(await standing(), 'void')
})

standings('an operator that calls a payment final does not make it so', async () => {
  const { world, standing } = await scene()
  world.bendTransaction = (status) => ({ ...status, stage: 'final' })
  assert.is(await standing(), 'soft')
  world.nowSeconds += AGE
  assert.is(await standing(), 'soft')
  world.nowSeconds++
  assert.is(await standing(), 'unknown', 'the block never came')
  world.withheld.add(world.seal())
  assert.is(await standing(), 'unknown', 'it came, and nobody shows what is in it')
  world.withheld.clear()
  assert.is(await standing(), 'included')
})

standings('an operator that promises later and later places does not keep a payment soft', async () => {
  const { world, bob, paid } = await scene()
  const standing = async () => (await standingOf(bob, paid.txHash)).standing
  assert.is(await standing(), 'soft')
  world.nowSeconds += AGE + 1
  world.bendTransaction = (status) => ({ ...status, position: at(900) })
  assert.is(await standing(), 'unknown')
})

standings(
  'an operator that gives the place to another transaction is found out, and told from one that withholds',
  async () => {
    const { world, alice, bob, paid } = await scene()
    const carol = world.wallet(3)
    world.deposit(carol.account.address, ETH, 7n)
    await keepFlights(bob)
    world.dropOpen()
    const other = await pay(carol, { to: carol.account.address, token: ETH, amount: 7n })
    assert.is(other.position, paid.position)
    world.seal()
    for (const wallet of [alice, bob]) {
      const judged = await standingOf(wallet, paid.txHash)
      assert.is(judged.standing, 'unknown')
      assert.match(judged.why, 'another transaction stands')
    }
    assert.is((await standingOf(carol, other.txHash)).standing, 'included')
  },
)

standings('a false place in the operator’s history does not hide a true one, nor does a file’s', async () => {
  const { world, bob, paid } = await scene()
  world.seal()
  const { signed } = await findFlight(bob, paid.txHash)
  bob.store.saveFlight({ txHash: paid.txHash, owner: bob.account.address, signed, position: at(1) })
  assert.is((await standingOf(bob, paid.txHash)).standing, 'included', 'found where it stands')
  assert.is((await standingOf(bob, paid.txHash, { hint: at(700) })).position, paid.position)
})

standings('the proof of any output shows it: watchers show none of spent ones', async () => {
  const { world, alice, paid } = await scene()
  world.seal()
  const { signed } = await findFlight(alice, paid.txHash)
  const [operator] = alice.sources
  const exitData = async (position: number) => {
    if (position === paid.position) throw invalid('OUTPUT_SPENT', 'a watcher says so')
    return operator!.exitData(position)
  }
  const payee = { ...world.wallet(2), sources: [{ name: 'watcher', exitData }] }
  await keepFlight(payee, signed, paid.position)
  assert.is((await standingOf(payee, paid.txHash)).standing, 'included')
  // Who keeps the proof of the change only needs nobody.
  const payer = world.wallet(1)
  await keepFlight(payer, signed, paid.position)
  await keepProofs(payer, [paid.position + 1])
  world.down = true
  assert.is((await standingOf(payer, paid.txHash)).standing, 'included')
})

standings('what the operator leaves out of the history is shown from what is kept', async () => {
  const { world, alice, bob, paid } = await scene()
  await keepFlights(bob)
  world.accepted.delete(paid.txHash)
  const { entries, source } = await readHistory(bob)
  assert.is(source, 'operator')
  assert.equal(
    entries.map(({ txHash, from, changes }) => [txHash, from, changes]),
    [[paid.txHash, 'wallet', [{ token: ETH, change: 50n }]]],
  )
  world.down = true
  const own = await readHistory(alice)
  assert.is(own.source, 'wallet')
  assert.is(own.entries[0]?.changes[0]?.change, -50n)
})

standings('a payment that nobody answered for is unknown, and says so', async () => {
  const { world, alice, bob } = await scene()
  world.lostAnswers = 9
  const lost = await pay(alice, { to: bob.account.address, token: ETH, amount: 1n }).catch((error) => error)
  const txHash = lost.details.txHash as Hash
  world.accepted.delete(txHash)
  const judged = await standingOf(alice, txHash)
  assert.equal([judged.standing, judged.position], ['unknown', undefined])
})

standings('after an L1 reorg that drops the block it is soft again, and not overdue at once', async () => {
  const { world, bob, standing } = await scene()
  assert.is(await standing(), 'soft')
  world.nowSeconds += AGE - 1
  const number = world.seal()
  assert.is(await standing(), 'included')
  const dropped = world.blocks.get(number)!
  world.blocks.delete(number)
  world.nowSeconds += 10
  assert.is(await standing(), 'soft')
  // The operator submits it again: another time, another header.
  const header = { ...dropped.header, timestamp: Math.floor(world.nowSeconds) }
  world.blocks.set(number, { ...dropped, header })
  const judged = await standingOf(bob, (await readHistory(bob)).entries[0]!.txHash!)
  assert.equal([judged.standing, judged.finalAfter], ['included', header.timestamp + MEP])
})

standings('a verdict decides, whatever blocks say', async () => {
  const { world, alice, bob, paid, standing } = await scene()
  world.seal()
  const { signed } = await findFlight(bob, paid.txHash)
  recordDispute(world, signed, { starter: alice.account.address, separator: alice.separator })
  assert.is(await standing(), 'included')
  setVerdict(world, paid.txHash, 'not-canonical')
  assert.is(await standing(), 'void')
  setVerdict(world, paid.txHash, 'canonical')
  assert.is(await standing(), 'final')
})

test.run()
