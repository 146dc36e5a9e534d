/** An L1 with a fresh root contract and a token that everybody has, for as many cells as wanted: each starts from the same state. */

import { createTestClient, publicActions, walletActions } from 'viem'
import { anvil as anvilChain } from 'viem/chains'
import { connectEndpoint } from '../../l1/endpoint.ts'
import { testTokenAbi } from '../contracts/artifacts.generated.ts'
import { callOf, createToken } from '../contracts/rootSuite.ts'
import { startAnvil } from '../support/anvil.ts'
import { actors, deployRootChain, type TestClient } from '../support/rootChain.ts'
import type { Stage } from './play.ts'
import { CHEATER_PARAMETERS, OWNERS } from './theatre.ts'
import { openWire, type Wire } from './wire.ts'

export type OpenStage = Stage & Readonly<{ close(): void }>

export async function openStage(): Promise<OpenStage> {
  const anvil = await startAnvil()
  const wire = openWire(anvil.url)
  const close = () => {
    wire.close()
    anvil.stop()
  }
  try {
    const { transport } = wire
    const base = await deployRootChain(createClient(transport), CHEATER_PARAMETERS)
    const endpoint = await connectEndpoint({ transport, name: 'anvil', expectedChainId: base.chainId })
    const supply = 10n ** 24n
    const token = await createToken(base, actors.mallory, supply)
    for (const { account, address } of OWNERS) {
      await base.send(account, callOf(testTokenAbi, 'mint', [address, supply]), token)
      await base.send(account, callOf(testTokenAbi, 'approve', [base.root, supply]), token)
    }
    // From here on a block comes when it is asked for.
    await base.client.setAutomine(false)
    return { base, wire, endpoint, token, close }
  } catch (error) {
    close()
    throw error
  }
}

function createClient(transport: Wire['transport']): TestClient {
  return createTestClient({ chain: anvilChain, mode: 'anvil', transport, pollingInterval: 5, cacheTime: 0 })
    .extend(publicActions)
    .extend(walletActions) as unknown as TestClient
}
