/** Payments: value preserved, the fee an output, nothing spent twice when answers are lost. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isLifeboatError } from '../../protocol/errors.ts'
import { listCoins, spendableCoins, sumBalances } from '../../wallet/balance.ts'
import { keepOwnOutputs, pay, resumePayments, waitForStage } from '../../wallet/pay.ts'
import { createFakeWorld, ETH, OPERATOR, TST } from './fakeWorld.ts'

const payments = suite('payments')

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run()
  } catch (error) {
    if (isLifeboatError(error)) return error.code
    throw error
  }
  return 'no error'
}

function scene(options: Parameters<typeof createFakeWorld>[0] = { fee: 1n }) {
  const world = createFakeWorld(options)
  const [alice, bob] = [world.wallet(1), world.wallet(2)]
  return { world, alice, bob, to: bob.account.address }
}
const sums = async (wallet: ReturnType<typeof scene>['alice']) =>
  sumBalances(await listCoins(wallet)).map(({ token, free }) => [token, free])

payments('pays the amount, the fee and the change, and nothing else', async () => {
  const { world, alice, bob, to } = scene()
  world.deposit(alice.account.address, ETH, 100n)
  const { transaction, fee } = await pay(alice, { to, token: ETH, amount: 30n })
  assert.is(fee?.amount, 1n)
  assert.equal(
    transaction.outputs.map(({ owner, amount }) => [owner, amount]),
    [
      [to, 30n],
      [alice.account.address, 69n],
      [OPERATOR, 1n],
    ],
  )
  assert.equal(await sums(bob), [[ETH, 30n]])
})

payments('pays a fee in another token when the operator takes only that', async () => {
  const { world, alice, to } = scene()
  world.deposit(alice.account.address, TST, 10n)
  assert.is(await codeOf(() => pay(alice, { to, token: TST, amount: 3n })), 'BALANCE_TOO_LOW')
  world.deposit(alice.account.address, ETH, 5n)
  await pay(alice, { to, token: TST, amount: 3n })
  assert.equal(await sums(alice), [
    [ETH, 4n],
    [TST, 7n],
  ])
  assert.is(await codeOf(() => pay(alice, { to, token: TST, amount: 3n, feeToken: TST })), 'FEE_TOKEN_REFUSED')
})

payments('merges by itself when the amount lies in more than 16 outputs', async () => {
  const { world, alice, bob, to } = scene()
  for (let i = 0; i < 40; i++) world.deposit(alice.account.address, ETH, 10n)
  const { merges } = await pay(alice, { to, token: ETH, amount: 350n })
  assert.ok(merges >= 1)
  assert.equal(await sums(bob), [[ETH, 350n]])
  assert.equal(await sums(alice), [[ETH, BigInt(400 - 350 - merges - 1)]])
})

payments('refuses to pay nothing, nobody, or more than there is', async () => {
  const { world, alice, to } = scene()
  world.deposit(alice.account.address, ETH, 5n)
  assert.is(await codeOf(() => pay(alice, { to, token: ETH, amount: 0n })), 'AMOUNT_ZERO')
  assert.is(await codeOf(() => pay(alice, { to: ETH, token: ETH, amount: 1n })), 'OWNER_ZERO')
  assert.is(await codeOf(() => pay(alice, { to, token: ETH, amount: 5n })), 'BALANCE_TOO_LOW')
})

payments('a lost answer is asked for again, and paid once', async () => {
  const { world, alice, bob, to } = scene()
  world.deposit(alice.account.address, ETH, 100n)
  world.lostAnswers = 1
  await pay(alice, { to, token: ETH, amount: 30n })
  assert.equal(await sums(bob), [[ETH, 30n]])
})

payments('a payment without an answer holds its coins until its fate is known', async () => {
  const { world, alice, bob, to } = scene()
  world.deposit(alice.account.address, ETH, 100n)
  world.lostAnswers = 3
  assert.is(await codeOf(() => pay(alice, { to, token: ETH, amount: 30n })), 'PAYMENT_UNANSWERED')
  assert.is(alice.store.payments(alice.account.address, 'sent').length, 1)
  await resumePayments(alice)
  assert.is(alice.store.payments(alice.account.address, 'accepted').length, 1)
  assert.equal(await sums(bob), [[ETH, 30n]])
})

payments('a payment that never arrived holds its coins, and its replacement spends one of them', async () => {
  const { world, alice, bob, to } = scene({})
  world.deposit(alice.account.address, ETH, 100n)
  world.deposit(alice.account.address, ETH, 100n)
  const down = { ...alice, child: { ...alice.child, submit: async () => Promise.reject(await lost(alice)) } }
  assert.is(await codeOf(() => pay(down, { to, token: ETH, amount: 30n })), 'PAYMENT_UNANSWERED')
  const [old] = alice.store.payments(alice.account.address, 'sent')
  assert.is(spendableCoins(await listCoins(alice)).length, 1)
  const { transaction } = await pay(alice, { to, token: ETH, amount: 40n, replaces: old!.txHash })
  assert.ok(transaction.inputs.some((input) => old!.signed.transaction.inputs.includes(input)))
  assert.is(alice.store.payment(old!.txHash)!.state, 'replaced')
  assert.equal(await sums(bob), [[ETH, 40n]])
  assert.is(await codeOf(() => pay(alice, { to, token: ETH, amount: 1n, replaces: old!.txHash })), 'REPLACES_NOTHING')
})

async function lost(wallet: ReturnType<typeof scene>['alice']) {
  const { retryable } = await import('../../protocol/errors.ts')
  return retryable('SERVER_UNREACHABLE', `down for ${wallet.account.address}`)
}

payments('a refusal says why and frees the coins', async () => {
  const { world, alice, to } = scene()
  const position = world.deposit(alice.account.address, ETH, 100n)
  world.outputs.set(position, { ...world.outputs.get(position)!, lockedAt: 1 })
  let reason: unknown
  await pay(alice, { to, token: ETH, amount: 3n }).catch((error) => {
    reason = error.details.reason
  })
  assert.is(reason, 'INPUT_LOCKED')
  assert.is(spendableCoins(await listCoins(alice)).length, 1)
})

payments(
  'a refusal for now stays one: the same code, words, got and want, and the same payment may be made later',
  async () => {
    const { world, alice, bob, to } = scene()
    world.deposit(alice.account.address, ETH, 100n)
    const got = 'block 100, 500 s old'
    const want = 'at most 180 s old'
    world.refusesNow = { code: 'L1_STALE', message: 'not accepting: L1 is stale', got, want, retryable: true }
    const refused = await pay(alice, { to, token: ETH, amount: 3n }).then(
      () => assert.unreachable(),
      (error) => error,
    )
    assert.is(refused.family, 'retryable')
    assert.is(refused.code, 'L1_STALE')
    assert.match(refused.message, 'not accepting: L1 is stale')
    assert.equal([refused.details.got, refused.details.want], [got, want])
    assert.is(alice.store.payment(refused.details.txHash)!.state, 'rejected')
    assert.is(spendableCoins(await listCoins(alice)).length, 1)
    world.refusesNow = undefined
    await pay(alice, { to, token: ETH, amount: 3n })
    assert.equal(await sums(bob), [[ETH, 3n]])
  },
)

payments('a payment without an answer is not given up because the operator takes none now', async () => {
  const { world, alice, bob, to } = scene()
  world.deposit(alice.account.address, ETH, 100n)
  const down = { ...alice, child: { ...alice.child, submit: async () => Promise.reject(await lost(alice)) } }
  assert.is(await codeOf(() => pay(down, { to, token: ETH, amount: 30n })), 'PAYMENT_UNANSWERED')
  world.refusesNow = { code: 'L1_STALE', message: 'not accepting', retryable: true }
  await resumePayments(alice)
  assert.is(alice.store.payments(alice.account.address, 'sent').length, 1)
  world.refusesNow = undefined
  await resumePayments(alice)
  assert.equal(await sums(bob), [[ETH, 30n]])
})

payments('never spends an output whose exit runs, as the operator says or as this wallet knows', async () => {
  const { world, alice, to } = scene({})
  const first = world.deposit(alice.account.address, ETH, 10n)
  const second = world.deposit(alice.account.address, ETH, 10n)
  world.exiting.add(first)
  alice.store.saveExit({ outputId: `0x${'01'.repeat(32)}`, owner: alice.account.address, position: second })
  assert.is(await codeOf(() => pay(alice, { to, token: ETH, amount: 1n })), 'BALANCE_TOO_LOW')
})

payments('waits until the block is on L1, then keeps the proofs of its own outputs and inputs', async () => {
  const { world, alice, to } = scene()
  const deposit = world.deposit(alice.account.address, ETH, 100n)
  const paid = await pay(alice, { to, token: ETH, amount: 30n })
  assert.is(await codeOf(() => waitForStage(alice, paid.txHash, 'committed', 2000)), 'WAIT_TIMEOUT')
  world.seal()
  assert.is((await waitForStage(alice, paid.txHash, 'committed', 2000)).stage, 'committed')
  assert.is(await keepOwnOutputs(alice, paid), 0)
  assert.equal(alice.store.provenPositions(alice.account.address), [deposit, paid.position + 1])
})

payments('says so when the operator forgets a payment that it had accepted', async () => {
  const { world, alice, to } = scene()
  world.deposit(alice.account.address, ETH, 100n)
  const paid = await pay(alice, { to, token: ETH, amount: 30n })
  world.accepted.clear()
  assert.is(await codeOf(() => waitForStage(alice, paid.txHash, 'committed', 2000)), 'PAYMENT_FORGOTTEN')
})

payments.run()
