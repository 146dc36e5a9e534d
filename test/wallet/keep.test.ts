/** What an in-flight exit needs is kept while everybody answers, survives a restart, and is believed of nobody. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isLifeboatError } from '../../protocol/errors.ts'
import { openDatabase } from '../../service/database.ts'
import { findFlight, keepFlight, keepFlights } from '../../wallet/keep.ts'
import { keptOutputs } from '../../wallet/owned.ts'
import { pay } from '../../wallet/pay.ts'
import { formatPaymentFile, keepPaymentFile, makePaymentFile, parsePaymentFile } from '../../wallet/paymentFile.ts'
import { createWalletStore, WALLET_MIGRATIONS } from '../../wallet/store.ts'
import { createFakeWorld, ETH } from './fakeWorld.ts'

const keeping = suite('keeping payments')

async function errorOf(run: () => unknown) {
  try {
    await run()
  } catch (error) {
    if (isLifeboatError(error)) return error
    throw error
  }
  throw new Error('no error')
}

/** Alice has an output in block 1 and pays Bob with it; nothing is sealed after that. */
async function scene() {
  const world = createFakeWorld()
  const [alice, bob] = [world.wallet(1), world.wallet(2)]
  world.deposit(alice.account.address, ETH, 100n)
  await pay(alice, { to: alice.account.address, token: ETH, amount: 60n })
  world.seal()
  const paid = await pay(alice, { to: bob.account.address, token: ETH, amount: 50n })
  return { world, alice, bob, paid }
}

keeping('a payer keeps the signed payment and the proofs of its inputs as it is accepted', async () => {
  const { world, alice, paid } = await scene()
  world.down = true
  const flight = await findFlight(alice, paid.txHash)
  assert.equal([flight.from, flight.position], ['saved', paid.position])
  for (const input of paid.transaction.inputs) assert.ok(alice.store.proof(input))
})

keeping('a payee fetches payments received, with what shows their inputs, page by page', async () => {
  const { world, alice, bob, paid } = await scene()
  for (const amount of [1n, 2n, 3n]) await pay(alice, { to: bob.account.address, token: ETH, amount })
  const kept = await keepFlights(bob)
  assert.is(kept.added, 4)
  // The later three spend change of the open block.
  assert.is(kept.unproven, 3)
  assert.equal(await keepFlights(bob), { added: 0, unproven: 3, refused: [] })
  world.seal()
  assert.is((await keepFlights(bob)).unproven, 0)
  world.down = true
  assert.is((await findFlight(bob, paid.txHash)).from, 'saved')
  for (const input of paid.transaction.inputs) assert.ok(bob.store.proof(input))
  assert.is(keptOutputs(bob).positions.length, 4)
})

keeping('what failed is asked for again the next time', async () => {
  const { world, bob, paid } = await scene()
  world.bendTransaction = (status) => ({
    ...status,
    transaction: { ...status.transaction, memo: `0x${'01'.repeat(32)}` },
  })
  const lied = await keepFlights(bob)
  assert.equal([lied.added, lied.refused.length, lied.refused[0]?.txHash], [0, 1, paid.txHash])
  assert.match(lied.refused[0]!.reason, `want ${paid.txHash}`)
  world.bendTransaction = (status) => status
  assert.is((await keepFlights(bob)).added, 1)
})

keeping('refuses a payment whose witness is not the owner’s, with got and want', async () => {
  const { alice, bob, paid } = await scene()
  const { signed } = await findFlight(alice, paid.txHash)
  const forged = { ...signed, witnesses: new Uint8Array(signed.witnesses.length).fill(7) }
  const error = await errorOf(() => keepFlight(bob, forged))
  assert.equal([error.code, error.details.want], ['FLIGHT_UNSIGNED', alice.account.address])
  const short = await errorOf(() => keepFlight(bob, { ...signed, witnesses: signed.witnesses.slice(1) }))
  assert.is(short.code, 'FLIGHT_WRONG')
  assert.ok(short.details.got !== undefined && short.details.want !== undefined)
  assert.is(bob.store.flights(bob.account.address).length, 0)
})

keeping('an operator that began anew is read anew', async () => {
  const { bob } = await scene()
  bob.store.setHistoryMark(bob.account.address, 1_000)
  assert.is((await keepFlights(bob)).added, 1)
})

keeping('throws nothing when the operator does not answer', async () => {
  const { world, bob } = await scene()
  world.down = true
  assert.equal(await keepFlights(bob), { added: 0, unproven: 0, refused: [] })
})

keeping('all of it is there after a restart', async () => {
  const { world, paid } = await scene()
  const file = join(mkdtempSync(join(tmpdir(), 'lifeboat-keep-')), 'wallet.sqlite')
  const open = () => openDatabase({ file, applicationId: 7, migrations: WALLET_MIGRATIONS })
  const first = open()
  const before = world.wallet(2, { store: createWalletStore(first) })
  await keepFlights(before)
  first.close()
  world.down = true
  const second = open()
  const after = world.wallet(2, { store: createWalletStore(second) })
  assert.equal((await findFlight(after, paid.txHash)).signed.transaction, paid.transaction)
  assert.is((await findFlight(after, paid.txHash)).position, paid.position)
  for (const input of paid.transaction.inputs) assert.ok(after.store.proof(input))
  second.close()
})

keeping('a wallet file of the first version is taken over', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'lifeboat-keep-')), 'wallet.sqlite')
  openDatabase({ file, applicationId: 7, migrations: WALLET_MIGRATIONS.slice(0, 1) }).close()
  const db = openDatabase({ file, applicationId: 7, migrations: WALLET_MIGRATIONS })
  assert.equal(createWalletStore(db).disputes(`0x${'01'.repeat(20)}`), [])
  db.close()
})

keeping('a payer’s file gives the payee everything while the operator is silent', async () => {
  const { world, alice, bob, paid } = await scene()
  const text = formatPaymentFile(await makePaymentFile(alice, paid.txHash))
  world.down = true
  const kept = await keepPaymentFile(bob, parsePaymentFile(text, bob.domain))
  assert.equal([kept.txHash, kept.unproven, kept.position], [paid.txHash, 0, paid.position])
  assert.is((await findFlight(bob, paid.txHash)).from, 'saved')
})

keeping('refuses a payment file with a change anywhere', async () => {
  const { alice, bob, paid } = await scene()
  const file = JSON.parse(formatPaymentFile(await makePaymentFile(alice, paid.txHash)))
  const codeWith = async (change: (copy: typeof file) => void) => {
    const copy = structuredClone(file)
    change(copy)
    return (await errorOf(() => keepPaymentFile(bob, parsePaymentFile(JSON.stringify(copy), bob.domain)))).code
  }
  assert.is(await codeWith((copy) => (copy.chainId = 1)), 'PAYMENT_OTHER_CHAIN')
  assert.is(await codeWith((copy) => (copy.more = 1)), 'PAYMENT_FILE_INVALID')
  assert.is(await codeWith((copy) => (copy.transaction.outputs[0].amount = '51')), 'FLIGHT_UNSIGNED')
  assert.is(await codeWith((copy) => (copy.transaction.outputs[0].owner = alice.account.address)), 'FLIGHT_UNSIGNED')
  assert.is(await codeWith((copy) => (copy.inputs[0].transaction.memo = `0x${'01'.repeat(32)}`)), 'EXIT_DATA_WRONG')
  assert.is(await codeWith((copy) => (copy.inputs[0].header.timestamp += 1)), 'EXIT_DATA_WRONG')
  assert.is(await codeWith((copy) => (copy.inputs[0].position += 16)), 'PAYMENT_FILE_INVALID')
  assert.is(bob.store.flights(bob.account.address).length, 0)
})

keeping('a file cannot displace what is known to stand at a place, nor make an output look spent', async () => {
  const { world, alice, bob, paid } = await scene()
  await keepFlights(bob)
  const mallory = world.wallet(6)
  world.deposit(mallory.account.address, ETH, 5n)
  const trap = await pay(mallory, { to: bob.account.address, token: ETH, amount: 1n })
  const file = await makePaymentFile(mallory, trap.txHash)
  await keepPaymentFile(bob, { ...file, position: paid.position })
  assert.is(bob.store.flightAt(paid.position)?.txHash, paid.txHash)

  // Nobody shows Bob's output yet, so that the false witness cannot be told from a true one.
  const { signed } = await findFlight(alice, paid.txHash)
  await keepFlight(bob, { ...signed, transaction: { ...signed.transaction, inputs: [paid.position] } })
  assert.ok(keptOutputs(bob).positions.includes(paid.position))
  assert.is(keptOutputs(bob).unplaced.length, 2)
})

keeping.run()
