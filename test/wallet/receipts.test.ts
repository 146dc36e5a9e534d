/** Receipts that come with an acknowledgement: kept where they bind the operator, told where they do not. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesToHex, type Hash, type Hex, ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { keccak256Text } from '../../protocol/keccak.ts'
import { batchReceipts, hashReceiptBatch, type SignedReceipt } from '../../protocol/receipt.ts'
import { addressOfKey, signDigest } from '../../signatures/sign.ts'
import { pay } from '../../wallet/pay.ts'
import { findReceiptProblem } from '../../wallet/receipts.ts'
import { standingOf } from '../../wallet/standings.ts'
import { createFakeWorld, ETH } from './fakeWorld.ts'

const test = suite('wallet: receipts')
const key = keccak256Text('operator of the receipts')
const stranger = keccak256Text('somebody else')
const position = 7 * 2 ** 25 + 3 * 16
const txHash: Hash = `0x${'11'.repeat(32)}`

function scene() {
  const world = createFakeWorld()
  const wallet = world.wallet(1)
  const said: string[] = []
  const root = { ...wallet.root, operator: async () => addressOfKey(key) }
  return { world, said, alice: { ...wallet, root, report: (words: string) => void said.push(words) } }
}

function receiptFor(separator: Uint8Array, about: object = {}, signer = key): SignedReceipt {
  const receipt = { txHash, blockNumber: 7, index: 3, anchor: 90, anchorHash: txHash, ...about }
  const batch = batchReceipts([receipt, { ...receipt, index: 99 }])
  const digest = hashReceiptBatch(batch.root, batch.count, separator)
  return batch.give(0, bytesToHex(signDigest(digest, signer)))
}

test('a receipt binds where payment, place, batch and key are right, and nowhere else', async () => {
  const { alice } = scene()
  const good = receiptFor(alice.separator)
  const problem = async (signed: SignedReceipt, promised: object = {}) =>
    (await findReceiptProblem(alice, signed, { txHash, position, ...promised })) ?? 'none'
  assert.is(await problem(good), 'none')
  assert.match(await problem(good, { txHash: `0x${'22'.repeat(32)}` }), /about payment 0x1111/)
  assert.match(await problem(good, { position: position + 16 }), /index 3; the answer said 7, 4/)
  assert.match(await problem({ ...good, place: 1 }), /not of the batch/)
  assert.match(await problem(receiptFor(alice.separator, {}, stranger)), /signed it, not the operator/)
  assert.match(await problem({ ...good, signature: `0x${'00'.repeat(64)}` as Hex }), /nobody signed it/)
  assert.match(await problem(receiptFor(new Uint8Array(32))), /signed it, not the operator/, 'of another contract')
})

/** Pays through an operator whose answer `bend` fills in. */
async function payWith(bend: (separator: Uint8Array, paid: { txHash: Hash; position: number }) => SignedReceipt) {
  const { world, said, alice } = scene()
  world.deposit(alice.account.address, ETH, 100n)
  const child: typeof alice.child = {
    ...alice.child,
    submit: async (transactions) => {
      const results = await alice.child.submit(transactions)
      return results.map((one) => (one.status === 'accepted' ? { ...one, receipt: bend(alice.separator, one) } : one))
    },
  }
  const paid = await pay({ ...alice, child }, { to: ZERO_ADDRESS.replace(/0$/, '9') as Hash, token: ETH, amount: 30n })
  return { alice, paid, said }
}

const placeOf = (at: number) => ({ blockNumber: Math.floor(at / 2 ** 25), index: Math.floor(at / 16) % 2 ** 21 })

test('a payment keeps its receipt, and its standing names it', async () => {
  const { alice, paid } = await payWith((separator, one) =>
    receiptFor(separator, { txHash: one.txHash, ...placeOf(one.position) }),
  )
  assert.is(alice.store.receipt(paid.txHash)?.receipt.txHash, paid.txHash)
  assert.equal((await standingOf(alice, paid.txHash)).receipt, alice.store.receipt(paid.txHash))
})

test('a worthless receipt is told and not kept, and the payment stands', async () => {
  const { alice, paid, said } = await payWith((separator, one) =>
    receiptFor(separator, { txHash: one.txHash, ...placeOf(one.position) }, stranger),
  )
  assert.is(alice.store.receipt(paid.txHash), undefined)
  assert.match(said.join(), /receipt is worth nothing/)
  assert.is(alice.store.payment(paid.txHash)?.state, 'accepted')
})

test.run()
