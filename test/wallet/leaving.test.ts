/** Leaving against a liar, after a halt, with a damaged store or a false file: what the choice does then, and what it must not do. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ExitData } from '../../api/schemas.ts'
import { encodeShowCompetitor } from '../../l1/disputeCalls.ts'
import { type Hash, hexToBytes, ZERO_HASH } from '../../protocol/bytes.ts'
import { invalid, isLifeboatError } from '../../protocol/errors.ts'
import { depositIdOf, encodePosition, outputIdOf } from '../../protocol/position.ts'
import { openDatabase } from '../../service/database.ts'
import { findDispute } from '../../wallet/disputes.ts'
import { startExit } from '../../wallet/exit.ts'
import { followDisputes } from '../../wallet/followUp.ts'
import { exitInFlight } from '../../wallet/inFlight.ts'
import { findFlight, keepFlight, keepFlights } from '../../wallet/keep.ts'
import { leave, leavePayment } from '../../wallet/leave.ts'
import { outputsToLeave } from '../../wallet/owned.ts'
import { pay } from '../../wallet/pay.ts'
import { formatPaymentFile, keepPaymentFile, makePaymentFile, parsePaymentFile } from '../../wallet/paymentFile.ts'
import { keepProofs, obtainExitData } from '../../wallet/proofs.ts'
import { findShown } from '../../wallet/shownOnL1.ts'
import { createWalletStore, WALLET_MIGRATIONS } from '../../wallet/store.ts'
import { callOf, mineDisputes, pushExit, recordDispute, setVerdict } from './fakeDisputes.ts'
import { createFakeWorld, ETH, NO_EXIT } from './fakeWorld.ts'

const test = suite('leaving against the odds')
const AT = { l1Block: 9, l1BlockHash: ZERO_HASH, l1Timestamp: 1, logIndex: 0, txHash: ZERO_HASH }

/** uvu cannot print errors with details, and would count them as passed. */
function leaving(name: string, step: () => unknown): void {
  test(name, async () => {
    try {
      await step()
    } catch (error) {
      if (!isLifeboatError(error)) throw error
      throw new Error(`${error.code}: ${error.stack}`)
    }
  })
}

async function errorOf(run: () => unknown) {
  try {
    await run()
  } catch (error) {
    if (isLifeboatError(error)) return error
    throw error
  }
  throw new Error('no error')
}

/** Alice has 60 and 40 in block 1, and pays Bob 50 of the 60 in block 2, not sealed yet. Bob kept it. */
async function scene() {
  const world = createFakeWorld()
  const [alice, bob, carol] = [world.wallet(1), world.wallet(2), world.wallet(3)]
  const deposit = world.deposit(alice.account.address, ETH, 100n)
  await pay(alice, { to: alice.account.address, token: ETH, amount: 60n })
  world.seal()
  const paid = await pay(alice, { to: bob.account.address, token: ETH, amount: 50n })
  await keepFlights(bob)
  const { signed } = await findFlight(alice, paid.txHash)
  return { world, alice, bob, carol, deposit, paid, signed, input: paid.transaction.inputs[0]! }
}

const wayOf = (left: Awaited<ReturnType<typeof leave>>) =>
  'inFlight' in left ? `in flight ${left.inFlight.how}` : `standard ${left.standard.exit.outputId}`

leaving('a payment whose place went to another transaction leaves in flight, by position and by hash', async () => {
  const { world, bob, carol, paid } = await scene()
  world.deposit(carol.account.address, ETH, 7n)
  world.dropOpen()
  assert.is((await pay(carol, { to: carol.account.address, token: ETH, amount: 7n })).position, paid.position)
  world.seal()
  mineDisputes(world, bob)
  assert.equal((await outputsToLeave(bob)).positions, [], 'the operator lists what it gave away')
  world.down = true
  const byHash = await leavePayment(bob, await findFlight(bob, paid.txHash), {})
  assert.equal(byHash.map(wayOf), ['in flight started'])
  world.events.length = 0
  world.records.clear()
  world.disputes.clear()
  world.down = false
  const byPosition = await leave(bob, { position: paid.position })
  assert.match(byPosition.choice.why, 'another transaction stands where the operator promised it')
  assert.is(wayOf(byPosition), 'in flight started')
})

leaving('a payer does not take a stranger’s transaction at the promised place for its own spend', async () => {
  const { world, alice, carol, paid, input } = await scene()
  world.deposit(carol.account.address, ETH, 7n)
  world.dropOpen()
  await pay(carol, { to: carol.account.address, token: ETH, amount: 7n })
  world.seal()
  mineDisputes(world, alice)
  const left = await leave(alice, { position: input })
  assert.is(left.choice.way === 'in-flight' && left.choice.txHash, paid.txHash)
})

leaving('where the transaction that got the place pays the same owner, each leaves by its own way', async () => {
  const { world, bob, carol, paid } = await scene()
  world.deposit(carol.account.address, ETH, 7n)
  world.dropOpen()
  const other = await pay(carol, { to: bob.account.address, token: ETH, amount: 7n })
  world.seal()
  mineDisputes(world, bob)
  const [left] = await leavePayment(bob, await findFlight(bob, paid.txHash), {})
  assert.is(left && 'inFlight' in left && left.inFlight.txHash, paid.txHash)
  assert.match(wayOf(await leave(bob, { position: other.position })), 'standard')
})

leaving('exit data that names another transaction or output than it proves is refused', async () => {
  const { world, bob, paid } = await scene()
  world.seal()
  const lies: readonly ((data: ExitData) => ExitData)[] = [
    (data) => (data.kind === 'transaction' ? { ...data, txHash: `0x${'09'.repeat(32)}` } : data),
    (data) => ({ ...data, outputId: `0x${'09'.repeat(32)}` }),
    (data) => ({ ...data, output: { ...data.output, amount: 51n } }),
  ]
  for (const lie of lies) {
    world.bendExitData = lie
    assert.is((await errorOf(() => obtainExitData(bob, paid.position))).code, 'EXIT_DATA_MISSING')
  }
})

leaving('after a halt a void output leaves by its dispute, and what rests on it by what it was made from', async () => {
  const { world, alice, bob, paid, deposit } = await scene()
  world.seal()
  const onward = await pay(bob, { to: bob.account.address, token: ETH, amount: 20n })
  world.seal()
  await keepFlights(bob)
  world.voidFrom = 2
  mineDisputes(world, bob)
  const lost = await errorOf(() => leave(bob, { position: onward.position }))
  assert.is(lost.code, 'EXIT_IMPOSSIBLE')
  assert.match(lost.message, 'it can never count')
  // The operator lists the two outputs that rest on a void one; what is Bob's is the one that they spent.
  assert.equal((await outputsToLeave(bob)).positions, [paid.position])
  assert.is(wayOf(await leave(bob, { position: paid.position })), 'in flight started')
  world.down = true
  assert.equal((await outputsToLeave(alice)).positions.includes(deposit), false, 'block 1 spent it, and stands')
  mineDisputes(world, alice)
  const change = await leave(alice, { position: paid.position + 1 })
  assert.is(wayOf(change), 'in flight joined')
})

leaving('after a halt a payment that can never count does not hold back what it spent', async () => {
  const { world, alice, bob } = await scene()
  world.seal()
  await keepFlights(alice)
  // Out of change of block 2 and a fresh deposit: the deposit is Alice's again when block 2 is void.
  const fresh = world.deposit(alice.account.address, ETH, 500n)
  const both = await pay(alice, { to: bob.account.address, token: ETH, amount: 545n })
  assert.ok(both.transaction.inputs.includes(fresh) && both.transaction.inputs.length > 1)
  world.seal()
  mineDisputes(world, alice)
  const live = await errorOf(() => leave(alice, { position: fresh }))
  assert.is(live.code, 'OUTPUT_SPENT')
  const youngest = both.transaction.inputs.filter((input) => input !== fresh).at(-1)!
  world.voidFrom = Math.floor(youngest / 2 ** 25)
  assert.ok((await outputsToLeave(alice)).positions.includes(fresh))
  assert.is(wayOf(await leave(alice, { position: fresh })), `standard ${depositIdOf(fresh)}`)
})

leaving(
  'an exit by a block that became void bars the dispute’s until its turn, and `process` starts that then',
  async () => {
    const { world, alice, bob, paid } = await scene()
    world.seal()
    const outputId = outputIdOf(hexToBytes(paid.txHash), 0)
    const fields = { outputId, owner: bob.account.address, token: ETH, amount: 50n, bond: 1n, disputed: ZERO_HASH }
    pushExit(world, { ...fields, position: paid.position, exitableAt: 2_000_000 })
    mineDisputes(world, bob)
    world.voidFrom = 2
    const { exits, warnings } = await exitInFlight(bob, { flight: await findFlight(bob, paid.txHash) })
    assert.equal(exits, [])
    assert.ok(warnings.some((warning) => /ends unpaid at its turn, after L1 time 2000000/.test(warning)))
    await followDisputes(bob, 'before')
    assert.is(world.acts.length, 1)
    world.records.set(outputId, { ...NO_EXIT, exitHash: `0x${'00'.repeat(25)}`, state: 'locked' })
    world.events.push({ type: 'ExitRemoved', outputId, reason: 'void', at: AT })
    await followDisputes(bob, 'after')
    assert.is(callOf(world.acts.at(-1)!).functionName, 'startDisputedExits')
    assert.is((await bob.root.exitRecord(outputId)).state, 'queued')
    assert.ok(alice)
  },
)

leaving('no dispute is started for a payment of which everything has an exit already', async () => {
  const { world, bob, paid } = await scene()
  world.seal()
  mineDisputes(world, bob)
  await leave(bob, { position: paid.position })
  assert.is(bob.store.exits(bob.account.address).length, 1)
  const error = await errorOf(() => leave(bob, { position: paid.position, suspectBlock: 2 }))
  assert.equal([error.code, error.details['txHash'], world.acts.length], ['NOTHING_LEAVES', paid.txHash, 1])
})

leaving(
  'a suspected block whose payment cannot be disputed leaves by the standard exit rather than not at all',
  async () => {
    const { world, bob, paid, input, alice } = await scene()
    world.seal()
    mineDisputes(world, bob)
    const inputId = outputIdOf(hexToBytes((await findFlight(alice, [...world.accepted.keys()][0]!)).txHash), input % 16)
    world.records.set(inputId, { ...NO_EXIT, exitHash: `0x${'00'.repeat(25)}`, state: 'removed' })
    const left = await leave(bob, { position: paid.position, suspectBlock: 2 })
    assert.match(left.choice.why, 'cannot be disputed (INPUT_SPENT)')
    assert.ok('standard' in left && left.standard.warnings[0]?.includes('block 2 is withheld or invalid'))
  },
)

leaving('a source that cannot be reached does not force the younger place', async () => {
  const { world, bob, paid, input } = await scene()
  world.seal()
  await keepProofs(bob, [paid.position])
  const db = createWalletStore(openDatabase({ file: ':memory:', applicationId: 7, migrations: WALLET_MIGRATIONS }))
  db.saveFlight(bob.store.flight(paid.txHash)!)
  const output = (await obtainExitData(bob, paid.position)).output
  db.saveProof({ output, data: bob.store.proof(paid.position)! })
  world.down = true
  const fresh = world.wallet(2, { store: db })
  const error = await errorOf(() => leave(fresh, { position: paid.position, suspectBlock: 2 }))
  assert.equal([error.code, error.family, error.details['inputs']], ['INPUT_UNPROVEN', 'retryable', [input]])
})

leaving('a watcher that cries wolf about an old block costs nobody the older place', async () => {
  const { world, bob, paid } = await scene()
  world.seal()
  mineDisputes(world, bob)
  assert.is(wayOf(await leave(bob, { position: paid.position, suspectBlock: 1 })), 'in flight started')
})

leaving('a file with false signatures does not take the place of true ones, whichever came first', async () => {
  for (const order of ['true first', 'false first']) {
    const { world, alice, bob } = await scene()
    // An input in no block yet: nobody can tell whose signature it needs.
    const sent = await pay(alice, { to: bob.account.address, token: ETH, amount: 5n })
    const { signed } = await findFlight(alice, sent.txHash)
    const forged = { ...signed, witnesses: signed.witnesses.map((byte, i) => (i > 40 ? byte : 7)) }
    const store = createWalletStore(openDatabase({ file: ':memory:', applicationId: 7, migrations: WALLET_MIGRATIONS }))
    const fresh = world.wallet(2, { store })
    for (const one of order === 'true first' ? [signed, forged] : [forged, signed])
      await keepFlight(fresh, one, sent.position)
    world.seal()
    await keepProofs(fresh, signed.transaction.inputs, 'any')
    world.down = true
    mineDisputes(world, fresh)
    const { exits } = await exitInFlight(fresh, { flight: await findFlight(fresh, sent.txHash) })
    assert.is(exits.length, 1, order)
    const [, witnesses] = callOf(world.acts.at(-1)!).args as readonly [unknown, string]
    assert.equal(hexToBytes(witnesses as Hash), signed.witnesses)
  }
})

leaving('an outdated payment file does not move a payment from where it is known to stand', async () => {
  const { world, alice, bob, paid } = await scene()
  const file = await makePaymentFile(alice, paid.txHash)
  const elsewhere = encodePosition({ block: 9, index: 3, output: 0 })
  const kept = await keepPaymentFile(bob, { ...file, position: elsewhere })
  assert.equal([kept.position, bob.store.flight(paid.txHash)?.position], [paid.position, paid.position])
  for (const position of [paid.position + 1, encodePosition({ block: 9, index: 2 ** 20, output: 0 })]) {
    assert.is((await errorOf(() => keepPaymentFile(bob, { ...file, position }))).code, 'PAYMENT_FILE_INVALID')
  }
  // A false place that came first is put right as soon as the operator says another.
  const carol = world.wallet(2)
  await keepPaymentFile(carol, { ...file, position: elsewhere })
  await keepFlights(carol)
  assert.is(carol.store.flight(paid.txHash)?.position, paid.position)
})

leaving('rows that the disk damaged are as if they were not there', async () => {
  const { world, alice, bob, paid, input } = await scene()
  const file = join(mkdtempSync(join(tmpdir(), 'lifeboat-damage-')), 'wallet.sqlite')
  const db = openDatabase({ file, applicationId: 7, migrations: WALLET_MIGRATIONS })
  const hurt = world.wallet(2, { store: createWalletStore(db) })
  const text = formatPaymentFile(await makePaymentFile(alice, paid.txHash))
  await keepPaymentFile(hurt, parsePaymentFile(text, hurt.domain))
  db.prepare('UPDATE proofs SET data = substr(data, 1, 40)').run()
  assert.is(hurt.store.proof(input), undefined)
  assert.is((await obtainExitData(hurt, input, 'any')).from, 'operator')
  // One byte of the memo flag's neighbour: it decodes, and is another transaction.
  const { encoded } = db.prepare('SELECT encoded FROM flights').get() as { encoded: Buffer }
  const changed = Buffer.from(encoded)
  changed[30] = changed[30]! ^ 1
  db.prepare('UPDATE flights SET encoded = ?').run(changed)
  assert.is((await findFlight(hurt, paid.txHash)).from, 'operator')
  db.prepare('UPDATE flights SET encoded = ?').run(changed.subarray(0, 20))
  assert.equal([hurt.store.flights(hurt.account.address), hurt.store.flight(paid.txHash)], [[], undefined])
  mineDisputes(world, hurt)
  assert.is(wayOf(await leave(hurt, { position: paid.position })), 'in flight started')
  assert.ok(bob)
  db.close()
})

leaving('a proof from before an L1 reorg is fetched anew while somebody still serves it', async () => {
  const { world, bob, paid } = await scene()
  const number = world.seal()
  assert.is(await keepProofs(bob, [paid.position]), 0)
  const { header, placed } = world.blocks.get(number)!
  world.blocks.set(number, { placed, header: { ...header, timestamp: header.timestamp + 12 } })
  assert.is(await keepProofs(bob, [paid.position]), 0)
  world.down = true
  assert.is((await obtainExitData(bob, paid.position)).from, 'saved')
})

leaving('what the operator leaves out of its list is named', async () => {
  const { world, alice, bob, paid } = await scene()
  world.seal()
  await keepFlights(bob)
  world.outputs.delete(paid.position)
  const { positions, unlisted } = await outputsToLeave(bob)
  assert.equal([positions, unlisted], [[], [paid.position]])
  assert.equal((await outputsToLeave(alice)).unlisted, [])
})

leaving('of two accounts on one store each leaves with its own', async () => {
  const { world, alice, paid } = await scene()
  const bob = world.wallet(2, { store: alice.store })
  mineDisputes(world, alice)
  assert.is(wayOf(await leave(alice, { position: paid.position + 1 })), 'in flight started')
  mineDisputes(world, bob)
  assert.is(wayOf(await leave(bob, { position: paid.position })), 'in flight joined')
  const held = (wallet: typeof bob) => wallet.store.exits(wallet.account.address).map(({ position }) => position)
  assert.equal([held(alice), held(bob)], [[paid.position + 1], [paid.position]])
})

leaving('an answer that L1 refuses keeps nothing else from being done', async () => {
  const { world, bob, paid } = await scene()
  world.seal()
  mineDisputes(world, bob)
  await exitInFlight(bob, { flight: await findFlight(bob, paid.txHash) })
  const mined = world.onSend
  world.onSend = (act) => {
    if (callOf(act).functionName === 'answerDispute') throw invalid('L1_ACT_FAILED', 'DisputeTooLate')
    return mined(act)
  }
  assert.equal((await followDisputes(bob, 'one')).answered, [])
  world.nowSeconds = 2_000_000
  assert.is((await followDisputes(bob, 'two')).decided.length, 1)
})

leaving('shows an inclusion of which only a watcher knows the place', async () => {
  const { world, alice, bob, signed, paid } = await scene()
  world.seal()
  const store = createWalletStore(openDatabase({ file: ':memory:', applicationId: 7, migrations: WALLET_MIGRATIONS }))
  const fresh = world.wallet(2, { store })
  recordDispute(world, signed, { starter: alice.account.address, separator: alice.separator })
  mineDisputes(world, fresh)
  assert.equal((await followDisputes(fresh, 'one')).answered, [paid.txHash])
  assert.ok(bob)
})

leaving(
  'an input that a void competitor spent leaves after the verdict; hidden competitors are not guessed',
  async () => {
    const { world, alice, paid } = await scene()
    mineDisputes(world, alice)
    await exitInFlight(alice, { flight: await findFlight(alice, paid.txHash) })
    setVerdict(world, paid.txHash, 'not-canonical')
    world.disputes.set(paid.txHash, { ...world.disputes.get(paid.txHash)!, hasCompetitor: true })
    assert.equal((await followDisputes(alice, 'hidden')).exits, [])
    const shown = { competitor: ZERO_HASH, input: 0, challenger: alice.account.address, reward: 0n }
    const position = encodePosition({ block: 5, index: 0, output: 0 })
    world.events.push({ type: 'CompetitorShown', txHash: paid.txHash, ...shown, position, at: AT })
    assert.equal((await followDisputes(alice, 'stands')).exits, [])
    world.voidFrom = 5
    assert.is((await followDisputes(alice, 'void')).exits.length, 1)
  },
)

leaving('a dispute that an L1 reorg took away is told, and can be started again', async () => {
  const { world, bob, paid } = await scene()
  const words: string[] = []
  const loud = { ...bob, report: (text: string) => void words.push(text) }
  mineDisputes(world, bob)
  await exitInFlight(loud, { flight: await findFlight(bob, paid.txHash) })
  world.events.length = 0
  world.disputes.clear()
  world.records.clear()
  await followDisputes(loud, 'one')
  assert.match(words.at(-1)!, `lifeboat exit --in-flight ${paid.txHash}`)
  assert.is((await exitInFlight(loud, { flight: await findFlight(bob, paid.txHash) })).how, 'started')
  assert.is((await findDispute(bob, paid.txHash))?.record.verdict, 'running')
})

leaving(
  'a swap that is shown complete as a competitor on L1 is found there, one with a missing signature is not',
  async () => {
    const { world, bob, alice, carol, signed, paid } = await scene()
    const age = { agePosition: 0, ageTime: 0, startedAt: 0, exitableAt: 0, lockedAt: 0, suspends: 0 }
    const begun = { txHash: ZERO_HASH, ...age, starter: carol.account.address, bond: 0n, inputsHash: ZERO_HASH }
    const asCall = (witnesses: Uint8Array) => {
      const competitor = { signed: { ...signed, witnesses }, input: 0, spends: 0 }
      return encodeShowCompetitor({ dispute: begun, inputs: [] }, competitor).data
    }
    const event = { competitor: paid.txHash, position: 0, input: 0, challenger: carol.account.address, reward: 0n }
    world.events.push({ type: 'CompetitorShown', txHash: ZERO_HASH, ...event, at: AT })
    const found = async (witnesses: Uint8Array) =>
      findShown({ ...bob, root: { ...bob.root, callData: async () => asCall(witnesses) } }, paid.txHash, [])
    assert.equal((await found(signed.witnesses))?.signed, signed)
    assert.is(await found(signed.witnesses.slice(0, 63)), undefined)
    assert.is(await findShown(alice, paid.txHash, []), undefined, 'an endpoint without the call')
  },
)

leaving('a refuted payment does not stand before one that is in flight', async () => {
  const { world, alice, bob, input, paid, signed } = await scene()
  recordDispute(world, signed, { starter: bob.account.address, separator: alice.separator })
  setVerdict(world, paid.txHash, 'not-canonical')
  mineDisputes(world, alice)
  const left = await leave(alice, { position: input })
  assert.is(left.choice.way, 'standard')
  assert.is((await errorOf(() => startExit(alice, { position: input }))).code, 'EXIT_EXISTS')
})

test.run()
