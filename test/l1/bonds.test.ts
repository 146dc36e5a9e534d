/** The bond that is reckoned here is the bond that L1 asks for, whatever the fees. */
import * as assert from 'uvu/assert'
import { readHeader } from '../../l1/blocks.ts'
import { readExitBond } from '../../l1/bonds.ts'
import { connectEndpoint } from '../../l1/endpoint.ts'
import { encodeStartDepositExit } from '../../l1/rootCalls.ts'
import { ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { BOND_GAS } from '../../protocol/exit.ts'
import { refuses, rootSuite } from '../contracts/rootSuite.ts'
import { deposit, ETHER, passTime, submit } from '../support/moves.ts'
import { actors } from '../support/rootChain.ts'

const GWEI = 10n ** 9n
const { alice } = actors
const { test, world } = rootSuite('bonds')

for (const [name, slow, now] of [
  ['as dear as ever', 1n, 1n],
  ['dear', 3n, 250n],
  ['cheap after dear days', 300n, 40n],
] as const) {
  test(`is enough to the wei, and a wei less is not, when L1 is ${name}`, async () => {
    const { chain, url } = world
    const position = await deposit(chain, alice)
    await chain.client.setNextBlockBaseFeePerGas({ baseFeePerGas: slow * GWEI })
    await submit(chain, [await chain.pay(alice, await deposit(chain, alice), [[alice, ETHER]])])
    await passTime(chain, 60)
    await chain.client.setNextBlockBaseFeePerGas({ baseFeePerGas: now * GWEI })
    await chain.client.mine({ blocks: 1 })
    const endpoint = await connectEndpoint({ url, expectedChainId: chain.chainId })
    const bondWei = await readExitBond(endpoint, chain.root, (await readHeader(endpoint, 'latest'))!)
    assert.ok(bondWei >= (BOND_GAS * now * GWEI * 8n) / 10n, 'it knows the fees of now')
    const start = (wei: bigint) =>
      chain.send(alice.account, encodeStartDepositExit({ position, token: ZERO_ADDRESS, amount: ETHER, bondWei: wei }))
    await refuses('BondTooSmall', () => start(bondWei - 1n))
    const { events } = await start(bondWei)
    assert.ok(events.some(({ type }) => type === 'ExitStarted'))
  })
}

test.run()
