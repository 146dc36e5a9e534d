/** What L1 told, taken up into a walk's facts. */
import type { RootEvent } from '../../../l1/rootEvents.ts'
import type { Hash } from '../../../protocol/bytes.ts'
import { place } from '../../support/moves.ts'
import type { ActorName, ChildBlock } from '../../support/rootChain.ts'
import {
  type Coin,
  type Crowd,
  type Dispute,
  type Facts,
  type OpenExit,
  type Payment,
  type Place,
  strikeKey,
} from './world.ts'

/** `from` sent the call. Of a batch that starts the walk learns by itself. */
export function note(facts: Facts, events: readonly RootEvent[], from: ActorName, l1Block: number): void {
  for (const event of events) {
    noteExit(facts, event, from)
    noteBatch(facts, event, l1Block)
    noteDispute(facts, event, from, l1Block)
    if (event.type === 'HaltMoved') {
      facts.voidFrom = Math.min(facts.voidFrom, event.voidFrom)
      if (event.isMove) facts.lastMove = facts.l1.now()
    }
  }
}

function noteExit(facts: Facts, event: RootEvent, from: ActorName): void {
  switch (event.type) {
    case 'ExitStarted': {
      const coin = coinOf(facts, event.exit.outputId)
      coin.lock = Math.min(coin.lock, event.exit.lockedAt)
      facts.exits.push({ exit: event.exit, coin, payer: from, pieces: [], isRewarded: false, isRemoved: false })
      return
    }
    case 'ExitPaid':
      coinOf(facts, event.outputId).paid += event.amount
      return
    case 'EvidenceShown': {
      const exit = exitOf(facts, event.outputId)
      exit?.pieces.push({ spend: placeAt(facts, event.spend), names: event.place })
      if (exit && event.reward > 0n) exit.isRewarded = true
      return
    }
    case 'EvidenceDropped': {
      const exit = exitOf(facts, event.outputId)
      const isThis = ({ spend, names }: OpenExit['pieces'][number]) =>
        place(spend.block, spend.index) === event.spend && (event.place === 0 || names === event.place)
      const index = exit?.pieces.findIndex(isThis) ?? -1
      if (index >= 0) exit?.pieces.splice(index, 1)
      return
    }
    case 'ExitRemoved': {
      const exit = exitOf(facts, event.outputId)
      if (exit && (event.reason === 'void' || event.reason === 'invalid')) exit.isRemoved = true
    }
  }
}

function noteBatch(facts: Facts, event: RootEvent, l1Block: number): void {
  if (!('batchId' in event)) return
  const crowd = facts.crowds.find(({ test }) => test.id === event.batchId)
  if (!crowd) return
  switch (event.type) {
    case 'EntriesClaimed':
      for (const { index, outputId } of event.claimed)
        coinOf(facts, outputId).paid += crowd.test.placed[index]?.amount ?? 0n
      return
    case 'BatchLocked':
      crowd.test.item = event.item
      crowd.state = 'locked'
      crowd.lockedAt = l1Block
      for (const coin of crowd.names) if (coin) coin.lock = Math.min(coin.lock, l1Block)
      return
    case 'BatchDissolved':
      crowd.state = 'dissolved'
      return
    case 'BatchClosed':
      crowd.state = 'closed'
      return
    case 'EntryReleased':
    case 'StrikePaid':
      crowd.removals++
      return
    default:
      noteEntry(facts, event, crowd)
  }
}

function noteEntry(facts: Facts, event: RootEvent, { demands, strikes }: Crowd): void {
  if (event.type === 'EntryDemanded') demands.set(event.index, true)
  if (event.type === 'DemandAnswered') demands.set(event.index, false)
  if (event.type === 'EntryStruck') strikes.set(strikeKey(event.position, event.signer), placeAt(facts, event.spend))
  if (event.type === 'StrikeDropped') strikes.delete(strikeKey(event.position, event.signer))
}

function noteDispute(facts: Facts, event: RootEvent, from: ActorName, l1Block: number): void {
  const disputeOf = (txHash: Hash) => facts.disputes.find(({ payment }) => payment.txHash === txHash) as Dispute
  if (event.type === 'DisputeStarted') {
    const payment = facts.payments.find(({ txHash }) => txHash === event.dispute.txHash) as Payment
    for (const coin of payment.inputs) coin.lock = Math.min(coin.lock, l1Block)
    const { type: _, at: __, ...started } = event
    const none = { hasOffer: false, verdict: 'running' } as const
    facts.disputes.push({ payment, started, from, competitors: [], answers: [], ...none })
  }
  if (event.type === 'CompetitorShown') {
    const dispute = disputeOf(event.txHash)
    if (event.position === 0) dispute.hasOffer = true
    else dispute.competitors.push(placeAt(facts, event.position))
  }
  if (event.type === 'DisputeAnswered') disputeOf(event.txHash).answers.push(placeAt(facts, event.position))
}

function coinOf(facts: Facts, id: Hash): Coin {
  const coin = facts.coins.find(({ outputId }) => outputId === id)
  if (!coin) throw new RangeError(`got output ${id}, want one of the walk`)
  return coin
}

function exitOf(facts: Facts, outputId: Hash): OpenExit | undefined {
  return facts.exits.findLast(({ coin, isRemoved }) => coin.outputId === outputId && !isRemoved)
}

function placeAt(facts: Facts, position: number): Place {
  const block = facts.blocks[Math.floor(position / 2 ** 25) - 1] as ChildBlock
  return { block, index: Math.floor(position / 16) % 2 ** 21 }
}
