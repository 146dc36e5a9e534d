/** L1 in words, for the timeline: what actors sent and what came of it. */
import { type Abi, decodeFunctionData, type Hex } from 'viem'
import { iLifeboatAbi, iSuretyAbi } from '../contracts/artifacts.generated.ts'
import type { RootEvent } from '../l1/rootEvents.ts'
import { type Address, type Hash, ZERO_ADDRESS } from '../protocol/bytes.ts'
import type { Exit } from '../protocol/exit.ts'
import { isBatchItem } from '../protocol/massExit.ts'
import { decodePosition, isDepositPosition } from '../protocol/position.ts'
import { formatAmount } from '../wallet/amounts.ts'
import type { Actor } from './actors.ts'
import type { LoggedBlock, SentTransaction } from './chainLog.ts'
import type { TimelineEntry } from './record.ts'

type Names = Readonly<{
  nameOf(address: Address): string
  actors: readonly Actor[]
  exitOf(outputId: Hash): Exit | undefined
}>

const DECIMALS = 18

/** One entry for each transaction of an actor, one for each payment. */
export function describeBlock({ at, transactions, events }: LoggedBlock, names: Names): TimelineEntry[] {
  const { nameOf, actors } = names
  const known = new Set(actors.map(({ address }) => address))
  return transactions
    .filter(({ from }) => known.has(from))
    .flatMap((sent): TimelineEntry[] => {
      const own = events.filter((event) => event.at.txHash === sent.hash)
      const actor = nameOf(sent.from)
      const paid = own.filter(isPayment)
      const did = own.filter((event) => !isPayment(event)).flatMap((event) => describeEvent(event, names) ?? [])
      const what = did.length > 0 ? did.join('; ') : nameOfCall(sent)
      return [
        { at, actor, kind: 'transaction', text: sent.ok ? what : `${nameOfCall(sent)}, which L1 refused` },
        ...paid.map(
          (event): TimelineEntry => ({ at, actor, kind: 'payment', text: describeEvent(event, names) ?? '' }),
        ),
      ]
    })
}

const isPayment = ({ type }: RootEvent) => type === 'ExitPaid' || type === 'EntriesClaimed'

function nameOfCall({ data, to }: SentTransaction): string {
  if (to === undefined) return 'deploys a contract'
  for (const abi of [iLifeboatAbi, iSuretyAbi] as readonly Abi[]) {
    try {
      return `calls ${decodeFunctionData({ abi, data: data as Hex }).functionName}`
    } catch {
      // Of another contract.
    }
  }
  return data === '0x' ? 'sends ETH' : `calls ${data.slice(0, 10)}`
}

/** Undefined for what says nothing by itself. */
function describeEvent(event: RootEvent, { nameOf, exitOf }: Names): string | undefined {
  switch (event.type) {
    case 'BlocksSubmitted': {
      const { firstBlock, commitments } = event
      const last = firstBlock + commitments.length - 1
      return `commits block ${firstBlock}${last > firstBlock ? ` to ${last}` : ''}`
    }
    case 'Deposited':
      return `deposits ${amountOf(event)} for ${nameOf(event.owner)}`
    case 'ExitStarted':
      return `starts the exit of ${amountOf(event.exit)} of ${nameOf(event.exit.owner)} (${placeOf(event.exit.position)})`
    case 'EvidenceShown':
      return 'shows that an exiting output was spent'
    case 'EvidenceDropped':
      return 'drops evidence that does not count any more'
    case 'DisputeStarted':
      return 'starts the dispute of a payment'
    case 'CompetitorShown':
      return 'shows a competitor of a disputed payment'
    case 'DisputeAnswered':
      return 'answers a dispute with the inclusion'
    case 'DisputeDecided':
      return `gives a verdict: ${event.verdict}`
    case 'HaltMoved':
      return `the chain is halted, void from block ${event.voidFrom}`
    case 'TransactionDisproved':
      return 'proves a transaction invalid'
    case 'ExitPaid':
      return `the exit of ${whose(exitOf(event.outputId), nameOf)} is paid`
    case 'ExitPostponed': {
      const exit = exitOf(event.outputId)
      if (exit && isBatchItem(exit)) return `a mass exit of ${amountOf(exit)} has its turn`
      return `the exit of ${whose(exit, nameOf)} has its turn and waits for its payment`
    }
    case 'ExitRemoved':
      return `the exit of ${whose(exitOf(event.outputId), nameOf)} is removed: ${event.reason}`
    case 'Credited':
      return `credits ${amountOf(event)} to ${nameOf(event.account)}`
    case 'Withdrawn':
      return `fetches ${amountOf(event)} for ${nameOf(event.account)}`
    case 'MandatesRevoked':
      return `revokes mandates of ${nameOf(event.owner)}`
    case 'BondPosted':
      return `posts the operator's bond`
    case 'BondSlashed':
      return `the operator's bond is slashed`
    case 'DataChallenged':
      return `demands leaves of block ${event.challenge.blockNumber}`
    case 'DataRevealed':
      return `reveals leaves of block ${event.blockNumber}`
    case 'DataChallengeEnded':
      return event.isHalt ? 'ends a demand that nobody answered' : 'ends a demand'
    case 'ReceiptBroken':
      return 'proves a broken receipt'
    default:
      return describeBatchEvent(event, nameOf)
  }
}

function describeBatchEvent(event: RootEvent, nameOf: Names['nameOf']): string | undefined {
  switch (event.type) {
    case 'BatchStarted': {
      const { count, total, token, coordinator } = event.batch
      return `starts a mass exit of ${count} outputs, ${amountOf({ token, amount: total })}, as ${nameOf(coordinator)}`
    }
    case 'EntryDemanded':
      return `demands what entry ${event.index} of a mass exit names`
    case 'DemandAnswered':
      return `answers for entry ${event.index} of a mass exit`
    case 'BatchDissolved':
      return event.demanded === null
        ? 'ends a mass exit that nobody locked in time'
        : `dissolves a mass exit: nobody answered for entry ${event.demanded}`
    case 'BatchLocked':
      return 'locks a mass exit'
    case 'BatchClosed':
      return 'closes a mass exit: the rest of its bond goes back'
    case 'EntriesClaimed': {
      const owners = [...new Set(event.claimed.map(({ owner }) => nameOf(owner)))]
      const { length } = event.claimed
      return `${length} output${length === 1 ? '' : 's'} of ${owners.join(', ')} ${length === 1 ? 'is' : 'are'} paid out of a mass exit`
    }
    case 'EntryStruck':
      return `strikes an output that ${nameOf(event.signer)} spent out of a mass exit`
    case 'StrikeDropped':
      return 'drops a strike whose spend fell'
    case 'EntryPlaced':
      return `gives entry ${event.index} of a mass exit its place`
    case 'EntryReleased':
      return `frees the share of entry ${event.index} of a mass exit`
    default:
      return undefined
  }
}

function amountOf({ token, amount }: Readonly<{ token: Address; amount: bigint }>): string {
  return `${formatAmount(amount, DECIMALS)} ${token === ZERO_ADDRESS ? 'ETH' : 'tokens'}`
}

function whose(exit: Exit | undefined, nameOf: Names['nameOf']): string {
  return exit ? `${amountOf(exit)} of ${nameOf(exit.owner)}` : 'somebody'
}

function placeOf(position: number): string {
  return isDepositPosition(position) ? 'a deposit' : `block ${decodePosition(position).block}`
}
