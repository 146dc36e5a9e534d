/** The outbox on the embedded L1, which mines each transaction at once. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { connectEndpoint } from '../../l1/endpoint.ts'
import { openOutbox } from '../../l1/outbox.ts'
import type { Intent } from '../../l1/outboxIntent.ts'
import { createOutboxRpc } from '../../l1/outboxRpc.ts'
import type { Address } from '../../protocol/bytes.ts'
import { network } from './embeddedFixture.ts'
import { calldata, ETHER, openMemoryDatabase, target } from './outboxFixture.ts'

const test = suite('outbox on the embedded L1')

test('creates, sends, recognises what is done, puts a revert in words, and counts the money', async () => {
  const net = await network()
  const endpoint = await connectEndpoint({ url: net.l1.url, expectedChainId: net.l1.chainId })
  const outbox = await openOutbox({
    db: openMemoryDatabase(),
    rpc: createOutboxRpc(endpoint),
    chainId: net.l1.chainId,
    signer: net.alice,
    errorsAbi: target().abi,
    policy: { confirmations: 1 },
  })
  let nowMs = 0
  const settle = async (key: string, to: Address | null, data: Intent['data'], more: Partial<Intent> = {}) => {
    const terms = { deadline: { timestamp: 9e9 }, budgetWei: ETHER, purpose: key, doneErrors: ['AlreadyDone'] }
    outbox.enqueue({ key, to, data, ...terms, ...more })
    for (let i = 0; i < 2; i++) {
      nowMs += 1_000
      await outbox.tick(nowMs)
    }
    return outbox.status(key)!
  }
  const created = await settle('create', null, target().bytecode)
  const contract = created.settled!.contractAddress!
  assert.is((await settle('first', contract, calldata('claim', 1n))).status, 'confirmed')
  assert.is((await settle('second', contract, calldata('claim', 1n))).words, 'AlreadyDone: id 1')
  const refused = await settle('early', contract, calldata('gated', 1n), { onRevert: 'give-up' })
  assert.equal([refused.status, refused.words], ['failed', 'NotYet: got 0, want 1'])
  assert.is((await settle('rich', contract, calldata('add', 1n), { valueWei: 10n ** 30n })).status, 'unfunded')
  await outbox.close()
  await net.l1.close()
})

test.run()
