/** The operator's key on a real root contract: handed on in two steps, refused to everybody else, and the orderly end of the chain. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isLifeboatError } from '../../protocol/errors.ts'
import type { WalletContext } from '../../wallet/context.ts'
import { acceptOperator, closeChain, nominateOperator, planClose, readOperatorKeys } from '../../wallet/operatorKey.ts'
import { actors } from '../support/rootChain.ts'
import { type ChainWallets, startChainWallets } from './chainWallets.ts'

const test = suite('the operator’s key on L1')
const { alice, bob, operator } = actors
const ZERO = `0x${'00'.repeat(20)}` as const
let world: ChainWallets

test.before(async () => {
  world = await startChainWallets()
})
test.after(() => world.stop())

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run()
  } catch (error) {
    if (isLifeboatError(error)) return error.code
    throw error
  }
  return 'no error'
}

const running = (wallet: WalletContext): WalletContext => ({
  ...wallet,
  child: { ...wallet.child, status: async () => ({ sealed: 3, committed: 2 }) as never },
})

test('hands the key on only when the nominee accepts, and to nobody else', async () => {
  const [old, a, b] = [await world.openWallet(0), await world.openWallet(1), await world.openWallet(2)]
  assert.equal(await readOperatorKeys(a.root), { operator: operator.address })
  assert.is(await codeOf(() => nominateOperator(a, alice.address, { key: '1' })), 'NOT_OPERATOR')
  assert.is(await codeOf(() => acceptOperator(a, { key: '1' })), 'NOT_NOMINATED')
  assert.is(await codeOf(() => nominateOperator(old, operator.address, { key: '1' })), 'NOMINEE_IS_OPERATOR')
  assert.is(await codeOf(() => nominateOperator(running(old), alice.address, { key: '1' })), 'OPERATOR_RUNS')
  assert.equal(await readOperatorKeys(a.root), { operator: operator.address })

  await nominateOperator(old, alice.address, { key: '2' })
  assert.equal(await readOperatorKeys(b.root), { operator: operator.address, nominee: alice.address })
  assert.is(await codeOf(() => acceptOperator(b, { key: '2' })), 'NOT_NOMINATED')
  await nominateOperator(old, ZERO, { key: '3' })
  assert.is(await codeOf(() => acceptOperator(a, { key: '3' })), 'NOT_NOMINATED')
  await nominateOperator(old, alice.address, { key: '4' })
  await nominateOperator(old, bob.address, { key: '5' })
  assert.is(await codeOf(() => acceptOperator(a, { key: '5' })), 'NOT_NOMINATED')
  assert.is(await codeOf(() => acceptOperator(running(b), { key: '5' })), 'OPERATOR_RUNS')
  await acceptOperator(running(b), { key: '6', unsafeRunning: true })
  assert.equal(await readOperatorKeys(a.root), { operator: bob.address })
  assert.is(await codeOf(() => nominateOperator(old, alice.address, { key: '7' })), 'NOT_OPERATOR')
  assert.is(await codeOf(() => acceptOperator(b, { key: '8' })), 'NOT_NOMINATED')
})

test('closes the chain by the operator’s key alone, once, and says what follows', async () => {
  const [old, b] = [await world.openWallet(0), await world.openWallet(2)]
  assert.is(await codeOf(() => closeChain(old, { key: '1' })), 'NOT_OPERATOR')
  assert.is(await codeOf(() => closeChain(running(b), { key: '1' })), 'OPERATOR_RUNS')
  const head = await b.root.head()
  assert.is(head.voidFrom, 0)
  const plan = await planClose(b)
  const { minExitPeriod } = b.root.parameters
  const until = head.newestTime + minExitPeriod
  assert.equal(plan, { newest: head.newest, voidableUntil: until, bondAfter: until + minExitPeriod })
  const closed = await closeChain(b, { key: '2' })
  assert.ok(closed.txHash)
  assert.equal((await b.root.head()).voidFrom, head.newest + 1)
  assert.is(await codeOf(() => planClose(b)), 'CHAIN_HALTED')
  assert.is(await codeOf(() => closeChain(b, { key: '3' })), 'CHAIN_HALTED')
})

test.run()
