/** What stories do with the surety (docs/spec.md 8.6 to 8.8): demand leaves, hand in receipts, look at the operator's bond. */
import { createPublicClient, http } from 'viem'
import { createClient } from '../../api/client.ts'
import { iSuretyAbi } from '../../contracts/artifacts.generated.ts'
import { encodeChallengeData } from '../../l1/suretyContract.ts'
import type { Header } from '../../protocol/block.ts'
import type { Address } from '../../protocol/bytes.ts'
import type { DataChallenge, LeafRange } from '../../protocol/dataChallenge.ts'
import { type Parameters, PRESETS } from '../../protocol/parameters.ts'
import type { SignedReceipt } from '../../protocol/receipt.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import type { Account } from '../../wallet/account.ts'
import type { DataRecord } from '../../watcher/court/dataTypes.ts'
import type { Peer } from '../../watcher/peers.ts'
import type { ReceiptState } from '../../watcher/receipts.ts'
import { send } from './acts.ts'
import { type RunningWatcher, until, type World } from './world.ts'

/** Periods with room: stories jump to what they wait for, and a slow machine is late for nothing. */
export const ROOMY: Parameters = {
  ...PRESETS.devnet,
  minExitPeriod: 960,
  dataChallengePeriod: 120,
  dataResponsePeriod: 120,
  anchorAgeBlocks: 60,
  abandonPeriod: 1_920,
}

/** Stories over the surety: L1 blocks four times a second, one second of L1 time each. */
export const FAST = { parameters: ROOMY, l1BlockSeconds: 0.25 }

async function readSurety<T>(world: World, functionName: string, args: readonly unknown[] = []): Promise<T> {
  const client = createPublicClient({ transport: http(world.url) })
  const address = world.deployment.contracts['surety']!.address as Address
  return (await client.readContract({ address, abi: iSuretyAbi, functionName, args } as never)) as T
}

/** What is left of the operator's bond, in wei. */
export async function bondLeft(world: World): Promise<bigint> {
  const [bond] = await readSurety<readonly [bigint, bigint, number]>(world, 'surety')
  return bond
}

/** The least bond of a challenge now, in wei. */
export function leastBond(world: World, { blockNumber, first, levels }: LeafRange): Promise<bigint> {
  return readSurety(world, 'challengeBond', [blockNumber, first, levels])
}

/** Somebody's demand, with twice the bond that it takes: the base fee may rise. */
export async function demand(world: World, by: Account, range: LeafRange, header: Header): Promise<DataChallenge> {
  const call = encodeChallengeData(range, header, 2n * (await leastBond(world, range)))
  const made = (await send(world, by, call, 'surety')).find((event) => event.type === 'DataChallenged')
  if (made?.type !== 'DataChallenged') throw new Error('nothing was demanded')
  return made.challenge
}

/** Every demand of the block that the watcher has seen, when there are so many; in the order of the leaves. */
export function untilDemanded(watcher: RunningWatcher, block: number, count: number): Promise<DataRecord[]> {
  const seen = () => watcher.watcher.core.data.ofBlock(block)
  return until(
    () => `${count} demands of block ${block}, seen are ${seen().length}`,
    () => seen().length >= count && [...seen()].sort((a, b) => a.challenge.first - b.challenge.first),
  )
}

/** A block peer that can be cut off. */
export function createShutter(peer: Peer): Peer & Readonly<{ shut(): void; open(): void }> {
  let isShut = false
  return {
    name: peer.name,
    fetch: (range) => (isShut ? Promise.reject(new Error('cut off')) : peer.fetch(range)),
    shut: () => {
      isShut = true
    },
    open: () => {
      isShut = false
    },
  }
}

/** Gives receipts to a watcher as a wallet does, over HTTP; what it says of each. */
export async function handIn({ watcher }: RunningWatcher, receipts: readonly SignedReceipt[]): Promise<ReceiptState[]> {
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ receipts })
  const answer = await fetch(`${watcher.url}/v1/receipts`, { method: 'POST', headers, body })
  const { results } = (await answer.json()) as { results: { state: ReceiptState }[] }
  return results.map(({ state }) => state)
}

export type Acknowledged = Readonly<{ position: number; receipt: SignedReceipt }>

/** Handed in to the operator's program together; each was accepted, with its receipt. */
export async function acknowledge(world: World, signed: readonly SignedTransaction[]): Promise<Acknowledged[]> {
  const results = await createClient({ url: world.operator.url }).submit(signed)
  return results.map((result) => {
    if (result.status === 'accepted' && result.receipt) return { position: result.position, receipt: result.receipt }
    throw new Error(`got ${JSON.stringify(result)}, want it accepted with a receipt`)
  })
}
