/** What L1 takes back of the wallet's acts while it is open. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createEmbeddedL1 } from '../../l1/embedded/embeddedL1.ts'
import { connectEndpoint } from '../../l1/endpoint.ts'
import { createAccount } from '../../wallet/account.ts'
import { openSender } from '../../wallet/sender.ts'

const test = suite('wallet: reorgs of what was sent')

const FINALITY = 20
const TARGET = `0x${'77'.repeat(20)}` as const

test('an act that a reorg as deep as finality forgets is sent again', async () => {
  const l1 = await createEmbeddedL1({
    mining: 'instant',
    devAccounts: { seed: 'sender', count: 1, balanceWei: 10n ** 20n },
    finalityDepth: FINALITY,
  })
  const directory = mkdtempSync(join(tmpdir(), 'lifeboat-sender-'))
  const sender = openSender({
    endpoint: await connectEndpoint({ url: l1.url, expectedChainId: l1.chainId }),
    account: createAccount(l1.devAccounts[0]!.privateKey),
    rootContract: TARGET,
    file: join(directory, 'outbox.sqlite'),
    budgetWei: 10n ** 18n,
    timeoutSeconds: 20,
    confirmations: 1,
    finalityBlocks: FINALITY,
    pollMs: 10,
    report: () => undefined,
  })
  const balance = async () => BigInt((await l1.request('eth_getBalance', [TARGET, 'latest'])) as string)
  const pay = (key: string) => sender.send({ key, purpose: key, call: { data: '0x', valueWei: 1n } })
  try {
    const head = async () => Number(await l1.request('eth_blockNumber'))
    const before = await head()
    await pay('first')
    await l1.request('anvil_mine', [`0x${(before + FINALITY - 1 - (await head())).toString(16)}`])
    // Mined after the outbox has seen how deep the first one lies.
    await pay('second')
    assert.is(await head(), before + FINALITY)
    await l1.request('anvil_reorg', [FINALITY, [], { requeue: false }])
    assert.is(await balance(), 0n)
    const end = Date.now() + 20_000
    while ((await balance()) < 2n && Date.now() < end) await l1.request('anvil_mine', ['0x1'])
    assert.is(await balance(), 2n)
  } finally {
    await sender.close()
    await l1.close()
    rmSync(directory, { recursive: true, force: true })
  }
})

test.run()
