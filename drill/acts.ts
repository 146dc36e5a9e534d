/** What people of a drill do on L1 by hand, beside every program. */

import type { RootCall } from '../l1/rootCalls.ts'
import { decodeRootEvents, type RootEvent } from '../l1/rootEvents.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { bug, invalid, isLifeboatError } from '../protocol/errors.ts'
import type { Exit } from '../protocol/exit.ts'
import type { Person } from './actors.ts'
import { clientOf } from './l1.ts'
import type { World } from './world.ts'

const GAS = 3_000_000n

export type Target = 'root' | 'surety' | Address

/** Somebody's call; its events. Throws DRILL_CALL_REFUSED when L1 refuses it. */
export async function send(
  world: Pick<World, 'l1' | 'deployment' | 'timeoutMs'>,
  by: Pick<Person, 'name' | 'account'>,
  { data, valueWei }: RootCall,
  contract: Target = 'root',
): Promise<RootEvent[]> {
  const { l1, deployment } = world
  const client = clientOf(l1.url, l1.chainId, by.account)
  const to = contract.startsWith('0x') ? (contract as Address) : (deployment.contracts[contract]?.address as Address)
  const hash = await client.sendTransaction({ to, data, value: valueWei, gas: GAS })
  const receipt = await client.waitForTransactionReceipt({ hash, timeout: world.timeoutMs })
  if (receipt.status !== 'success')
    throw invalid('DRILL_CALL_REFUSED', 'L1 refused a call of a drill', { got: by.name, txHash: hash })
  const own = new Set<string>(Object.values(deployment.contracts).map(({ address }) => address))
  const { timestamp } = await client.getBlock({ blockHash: receipt.blockHash })
  const logs = receipt.logs
    .filter(({ address }) => own.has(address.toLowerCase()))
    .map(({ topics, data: words, logIndex }) => ({
      topics: topics as Hash[],
      data: words,
      logIndex,
      transactionHash: hash,
    }))
  return decodeRootEvents(
    { number: Number(receipt.blockNumber), hash: receipt.blockHash, timestamp: Number(timestamp) },
    logs,
  )
}

/** True when L1 refused somebody's call; any other trouble is thrown on. */
export async function isRefused(sent: Promise<unknown>): Promise<boolean> {
  try {
    await sent
    return false
  } catch (error) {
    if (isLifeboatError(error) && error.code === 'DRILL_CALL_REFUSED') return true
    throw error
  }
}

/** The exit that a call started. */
export function exitOf(events: readonly RootEvent[]): Exit {
  const started = events.find((event) => event.type === 'ExitStarted')
  if (started?.type !== 'ExitStarted')
    throw bug('EXIT_MISSING', 'no exit was started', { got: events.map(({ type }) => type) })
  return started.exit
}
