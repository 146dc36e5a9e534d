/** What a drill cost whom: gas of every transaction, bonds that did not come back, rewards. Pure, from the recorded blocks. */
import type { RootEvent } from '../l1/rootEvents.ts'
import type { Address } from '../protocol/bytes.ts'
import type { Actor } from './actors.ts'
import { type BaseFeeOf, bookBatches } from './batches.ts'
import { baseFees } from './bonds.ts'
import type { LoggedBlock } from './chainLog.ts'
import type { ActorCosts } from './record.ts'

/** A reporter's share of what a slash takes (docs/spec.md 8.7.3). */
const REPORTER_SHARE = 4n

/** A bond that did not come back: whose, for what. `expected`: by the rules also lost by who did nothing wrong. */
export type LostBond = Readonly<{ payer: Address; wei: bigint; what: string; expected: boolean }>

/** In the order of the actors. */
export function sumCosts(actors: readonly Actor[], blocks: readonly LoggedBlock[]): ActorCosts[] {
  const events = blocks.flatMap((block) => block.events)
  const operator = actors.find(({ role }) => role === 'operator')
  const lost = findLostBonds(events, operator?.address, baseFees(blocks))
  const earned = findEarnings(blocks)
  return actors.map(({ name, role, honest, online, address }) => {
    const sent = blocks.flatMap((block) => block.transactions).filter(({ from }) => from === address)
    return {
      name,
      role,
      honest,
      online,
      transactions: sent.length,
      gas: sent.reduce((sum, { gas }) => sum + gas, 0),
      costWei: sumOf(sent.map(({ costWei }) => costWei)).toString(),
      bondsLostWei: sumOf(lost.filter(({ payer }) => payer === address).map(({ wei }) => wei)).toString(),
      earnedWei: sumOf(earned.filter(({ to }) => to === address).map(({ wei }) => wei)).toString(),
    }
  })
}

/**
 * Exit bonds that a challenger was paid from, dispute bonds that fell, challenges of data that was shown, slashes of the operator, and what
 * mass exits cost: a bond that fell with its batch, what removing entries took out of it, demands that were answered.
 */
export function findLostBonds(events: readonly RootEvent[], operator?: Address, baseFeeOf?: BaseFeeOf): LostBond[] {
  return [...findLostOfExits(events, operator), ...findLostOfBatches(events, baseFeeOf)]
}

function findLostOfBatches(events: readonly RootEvent[], baseFeeOf: BaseFeeOf | undefined): LostBond[] {
  const demands = new Map(
    events.flatMap((event) =>
      event.type === 'EntryDemanded' ? [[`${event.batchId}/${event.index}`, event] as const] : [],
    ),
  )
  const answered = events.flatMap((event): LostBond[] => {
    const demand = event.type === 'DemandAnswered' && demands.get(`${event.batchId}/${event.index}`)
    if (!demand) return []
    const what = `bond of a demand of entry ${demand.index} of a mass exit, which was answered`
    return [{ payer: demand.demander, wei: demand.bond, what, expected: true }]
  })
  const bonds = [...bookBatches(events, baseFeeOf).values()].flatMap(({ batch, dissolved, removals }): LostBond[] => {
    const { coordinator: payer, bond, count } = batch
    const of = `of the mass exit of ${count} outputs`
    if (dissolved && dissolved.demanded !== null)
      return [
        { payer, wei: bond, what: `bond ${of}: nobody answered for entry ${dissolved.demanded}`, expected: false },
      ]
    return removals === 0n ? [] : [{ payer, wei: removals, what: `removing entries ${of}`, expected: true }]
  })
  return [...answered, ...bonds]
}

function findLostOfExits(events: readonly RootEvent[], operator: Address | undefined): LostBond[] {
  const exits = new Map(
    events.flatMap((event) => (event.type === 'ExitStarted' ? [[event.exit.outputId, event.exit] as const] : [])),
  )
  const disputes = new Map(
    events.flatMap((event) =>
      event.type === 'DisputeStarted' ? [[event.dispute.txHash, event.dispute] as const] : [],
    ),
  )
  const demands = new Map(
    events.flatMap((event) =>
      event.type === 'DataChallenged' ? [[rangeKey(event.challenge), event.challenge] as const] : [],
    ),
  )
  return events.flatMap((event): LostBond[] => {
    switch (event.type) {
      case 'EvidenceShown': {
        const exit = exits.get(event.outputId)
        if (!exit || event.reward === 0n) return []
        return [{ payer: exit.payer, wei: exit.bond, what: `bond of the exit of ${exit.position}`, expected: false }]
      }
      case 'CompetitorShown': {
        const dispute = disputes.get(event.txHash)
        if (!dispute || event.reward === 0n) return []
        return [
          {
            payer: dispute.starter,
            wei: dispute.bond,
            what: `bond of the dispute of ${event.txHash}`,
            expected: false,
          },
        ]
      }
      case 'DataRevealed': {
        const demand = demands.get(rangeKey(event))
        if (!demand) return []
        const what = `bond of a demand of leaves of block ${event.blockNumber}, which were shown`
        return [{ payer: demand.challenger, wei: demand.bond, what, expected: true }]
      }
      case 'BondSlashed':
        return operator ? [{ payer: operator, wei: event.taken, what: 'bond of the operator', expected: false }] : []
      default:
        return []
    }
  })
}

function findEarnings(blocks: readonly LoggedBlock[]): Readonly<{ to: Address; wei: bigint }>[] {
  const events = blocks.flatMap((block) => block.events)
  const senderOf = new Map(
    blocks.flatMap(({ transactions }) => transactions.map(({ hash, from }) => [hash, from] as const)),
  )
  const batches = bookBatches(events)
  const demanders = new Map(
    events.flatMap((event) =>
      event.type === 'EntryDemanded' ? [[`${event.batchId}/${event.index}` as string, event.demander] as const] : [],
    ),
  )
  return events.flatMap((event) => {
    if (event.type === 'StrikePaid') return [{ to: event.challenger, wei: event.reward }]
    if (event.type === 'DemandAnswered') {
      const to = senderOf.get(event.at.txHash)
      return to ? [{ to, wei: event.reward }] : []
    }
    if (event.type === 'BatchDissolved') {
      const to = demanders.get(`${event.batchId}/${event.demanded}`)
      return to ? [{ to, wei: (batches.get(event.batchId)?.batch.bond ?? 0n) / 2n }] : []
    }
    if (event.type === 'EvidenceShown' || event.type === 'CompetitorShown')
      return [{ to: event.challenger, wei: event.reward }]
    if (event.type === 'DataRevealed') return [{ to: event.answerer, wei: event.paid }]
    if (event.type === 'BondSlashed') return [{ to: event.reporter, wei: event.taken / REPORTER_SHARE }]
    return []
  })
}

const rangeKey = ({ blockNumber, first, levels }: Readonly<{ blockNumber: number; first: number; levels: number }>) =>
  `${blockNumber}/${first}/${levels}`

const sumOf = (values: readonly bigint[]) => values.reduce((sum, value) => sum + value, 0n)
