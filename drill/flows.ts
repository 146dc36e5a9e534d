/**
 * L1's own books against the events: the ether of each owner moved by what they sent, what their exits paid and what came back of their bonds,
 * and by nothing else. Pure.
 */
import type { RootEvent } from '../l1/rootEvents.ts'
import { type Address, type Hash, ZERO_ADDRESS } from '../protocol/bytes.ts'
import { splitBond } from '../protocol/exit.ts'
import { claimsOf } from './batches.ts'
import type { LoggedBlock } from './chainLog.ts'
import type { Finding } from './record.ts'

/** Wei on L1; `after` with what the root contract holds as a credit. */
export type Purse = Readonly<{ name: string; address: Address; before: bigint; after: bigint }>

/** For owners, who take no part in disputes and earn no rewards. */
export function judgeFlows(purses: readonly Purse[], blocks: readonly LoggedBlock[]): Finding {
  const off = purses.flatMap(({ name, address, before, after }) => {
    const want = before + flowOf(address, blocks)
    return want === after ? [] : [`${name} has ${after} wei on L1, ${want} by the events`]
  })
  const detail =
    off.length === 0 ? 'the ether of every owner on L1 moved by what the events say, to the wei' : off.join('; ')
  return { invariant: 'FUNDS-2', held: off.length === 0, detail }
}

/** In and out since the first block, wei. */
export function flowOf(address: Address, blocks: readonly LoggedBlock[]): bigint {
  let flow = 0n
  for (const { transactions } of blocks)
    for (const { from, valueWei, costWei, ok } of transactions)
      if (from === address) flow -= costWei + (ok ? valueWei : 0n)
  const events = blocks.flatMap((block) => block.events)
  const exits = new Map(
    events.flatMap((event) => (event.type === 'ExitStarted' ? [[event.exit.outputId, event.exit] as const] : [])),
  )
  const fallen = new Set(
    events.flatMap((event) => (event.type === 'EvidenceShown' && event.reward > 0n ? [event.outputId] : [])),
  )
  // Paid in parts, the bond comes back with the last one.
  const paid = new Map<Hash, bigint>()
  const isEnd = (event: RootEvent): boolean => {
    if (event.type !== 'ExitPaid') return true
    const before = paid.get(event.outputId) ?? 0n
    const whole = exits.get(event.outputId)?.amount ?? 0n
    paid.set(event.outputId, before + event.amount)
    return before < whole && before + event.amount >= whole
  }
  for (const event of events) {
    if (event.type !== 'ExitPaid' && event.type !== 'ExitRemoved') continue
    const exit = exits.get(event.outputId)
    if (!exit) continue
    if (event.type === 'ExitPaid' && exit.owner === address && exit.token === ZERO_ADDRESS) flow += event.amount
    if (exit.payer === address && !fallen.has(event.outputId) && isEnd(event))
      flow += exit.bond - splitBond(exit.bond).bounty
  }
  for (const { owner, token, amount, fee } of claimsOf(events))
    if (owner === address && token === ZERO_ADDRESS) flow += amount - fee
  return flow
}
