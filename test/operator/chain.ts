/** A real operator over real contracts on a real L1 (anvil), ticked by hand: what the end-to-end tests start from. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient as createApiClient } from '../../api/client.ts'
import { type Deployment, parseDeployment, printDeployment } from '../../l1/deployment.ts'
import { connectEndpoint } from '../../l1/endpoint.ts'
import { encodeDepositErc20, encodeDepositEth } from '../../l1/rootCalls.ts'
import { defaultSettings, type OperatorSettings } from '../../operator/config.ts'
import { createOperator, type Operator } from '../../operator/operator.ts'
import type { Address, Hash } from '../../protocol/bytes.ts'
import { hexToBytes } from '../../protocol/bytes.ts'
import { keccak256Hex } from '../../protocol/keccak.ts'
import { createMemoryLog } from '../../service/log.ts'
import { startAnvil } from '../support/anvil.ts'
import { type Actor, actors, createClient, deployRootChain, eventOf, type RootChain } from '../support/rootChain.ts'

export const HASH_UNKNOWN: Hash = `0x${'00'.repeat(32)}`

export type Network = Awaited<ReturnType<typeof startNetwork>>

export async function startNetwork(overrides: Partial<OperatorSettings> = {}) {
  const anvil = await startAnvil()
  const client = createClient(anvil.url)
  const chain = await deployRootChain(client, { anchorAgeBlocks: 22, maxBlockTxs: 4096 })
  const deployment = await describeDeployment(chain)
  const endpoint = await connectEndpoint({ url: anvil.url, expectedChainId: chain.chainId, retries: 0 })
  const dataDir = mkdtempSync(join(tmpdir(), 'lifeboat-operator-'))
  const memory = createMemoryLog()
  const clock = { ms: 1_000_000 }
  const settings = {
    ...defaultSettings(chain.parameters, actors.operator.address),
    port: 0,
    reorgDepth: 40,
    clientLimit: { perSecond: 0, burst: 1 },
    ...overrides,
  }
  const start = (changes: Partial<OperatorSettings> = {}, onWrite?: () => void) =>
    createOperator({
      deployment,
      endpoint,
      signer: actors.operator.account,
      dataDir,
      settings: { ...settings, ...changes },
      log: memory.log,
      now: () => clock.ms,
      manual: true,
      ...(onWrite && { onWrite }),
    })
  let operator = await start()
  const network = {
    client,
    chain,
    url: anvil.url,
    deployment,
    endpoint,
    dataDir,
    memory,
    clock,
    settings,
    get operator(): Operator {
      return operator
    },
    api: () => createApiClient({ url: operator.url }),
    start,
    /** Mines so many L1 blocks and lets the operator look. */
    mine: async (blocks = 1) => {
      await client.mine({ blocks })
      await operator.tick()
    },
    /** The block interval passes; then until the operator's blocks are on L1. */
    cut: async () => {
      clock.ms += settings.blockIntervalSeconds * 1000
      for (let round = 0; round < 6; round++) {
        clock.ms += 1_000
        await operator.tick()
        await client.mine({ blocks: 1 })
      }
      await operator.tick()
    },
    deposit: async (owner: Actor, amount: bigint) => {
      const { events } = await chain.send(owner.account, encodeDepositEth(owner.address, amount))
      return eventOf(events, 'Deposited').position
    },
    depositErc20: async (owner: Actor, token: Address, amount: bigint) => {
      const { events } = await chain.send(owner.account, encodeDepositErc20(token, amount, owner.address))
      return eventOf(events, 'Deposited').position
    },
    restart: async (onWrite?: () => void) => {
      await operator.stop()
      operator = await start({}, onWrite)
      // Nothing is promised before L1 was looked at.
      await operator.tick()
    },
    stop: async () => {
      await operator.stop()
      anvil.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
  await network.mine(3)
  return network
}

/** What deploy would have written about this chain. */
export async function describeDeployment(chain: RootChain): Promise<Deployment> {
  const contract = async (address: Address) => ({
    address,
    transactionHash: HASH_UNKNOWN,
    codeHash: keccak256Hex(hexToBytes((await chain.client.getCode({ address })) ?? '0x')),
    compilerHash: HASH_UNKNOWN,
  })
  const { number, hash } = await chain.client.getBlock({ blockNumber: 0n })
  return parseDeployment(
    printDeployment({
      version: 1,
      chainId: chain.chainId,
      contracts: {
        root: await contract(chain.root),
        surety: await contract(chain.surety),
        evidence: await contract(chain.evidence),
      },
      parameters: { ...chain.parameters },
      startBlock: { number: Number(number), hash },
    }),
  )
}
