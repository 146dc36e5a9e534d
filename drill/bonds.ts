/** What the root contract owes to whoever posted a bond and has not got it back, by L1's events. Pure. */
import { decodeFunctionData } from 'viem'
import { iLifeboatAbi } from '../contracts/artifacts.generated.ts'
import type { RootEvent } from '../l1/rootEvents.ts'
import type { Address, Hash, Hex } from '../protocol/bytes.ts'
import { hashBatch } from '../protocol/massExit.ts'
import { type BaseFeeOf, type BookedBatch, bookBatches } from './batches.ts'
import type { LoggedBlock } from './chainLog.ts'

/** Of exits, disputes and mass exits that go on; what was paid out of a bond is no debt any more. Wei. */
export function openBonds(blocks: readonly LoggedBlock[]): bigint {
  const events = blocks.flatMap((block) => block.events)
  const batches = bookBatches(events, baseFees(blocks))
  const reclaimed = new Set(blocks.flatMap(reclaimsOf))
  let sum = bondsOfExits(events)
  for (const book of batches.values()) sum += book.bondLeft + demandsLeft(book, reclaimed)
  return sum
}

/** By L1 block. */
export function baseFees(blocks: readonly LoggedBlock[]): BaseFeeOf {
  const fees = new Map(blocks.map(({ at, baseFeeWei }) => [at.block, baseFeeWei ?? 0n]))
  return (l1Block) => fees.get(l1Block) ?? 0n
}

function bondsOfExits(events: readonly RootEvent[]): bigint {
  const over = new Set<string>()
  const paid = new Map<Hash, bigint>()
  const amounts = new Map(
    events.flatMap((event) =>
      event.type === 'ExitStarted' ? [[event.exit.outputId, event.exit.amount] as const] : [],
    ),
  )
  for (const event of events) {
    if (event.type === 'ExitRemoved') over.add(event.outputId)
    // Paid in parts, the bond comes back with the last one.
    if (event.type === 'ExitPaid') {
      const sum = (paid.get(event.outputId) ?? 0n) + event.amount
      paid.set(event.outputId, sum)
      if (sum >= (amounts.get(event.outputId) ?? 0n)) over.add(event.outputId)
    }
    if (event.type === 'EvidenceShown' && event.reward > 0n) over.add(event.outputId)
    if (event.type === 'DisputeDecided') over.add(event.txHash)
    if (event.type === 'CompetitorShown' && event.reward > 0n) over.add(event.txHash)
  }
  let sum = 0n
  for (const event of events) {
    if (event.type === 'ExitStarted' && !over.has(event.exit.outputId)) sum += event.exit.bond
    if (event.type === 'DisputeStarted' && !over.has(event.dispute.txHash)) sum += event.dispute.bond
  }
  return sum
}

function demandsLeft({ id, open }: BookedBatch, reclaimed: ReadonlySet<string>): bigint {
  let sum = 0n
  for (const [index, { wei }] of open) if (!reclaimed.has(keyOf(id, index))) sum += wei
  return sum
}

const keyOf = (batchId: Hash, index: number) => `${batchId}/${index}`

/** No event tells that a demand's bond was fetched after another one had dissolved the batch. */
function reclaimsOf({ transactions }: LoggedBlock): readonly string[] {
  return transactions.flatMap(({ ok, data }) => {
    const call = ok ? decodeReclaim(data) : undefined
    return call ? [keyOf(call.batchId, call.index)] : []
  })
}

function decodeReclaim(data: Hex): Readonly<{ batchId: Hash; index: number }> | undefined {
  try {
    const { functionName, args } = decodeFunctionData({ abi: iLifeboatAbi, data })
    if (functionName !== 'reclaimDemand') return undefined
    const [batch, index] = args
    const addresses = { token: lower(batch.token), coordinator: lower(batch.coordinator) }
    return { batchId: hashBatch({ ...batch, ...addresses, last: Number(batch.last) }), index }
  } catch {
    // Of another contract.
    return undefined
  }
}

const lower = (address: string) => address.toLowerCase() as Address
