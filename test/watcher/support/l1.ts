/**
 * An L1 made by hand for the watcher's tests: blocks of root contract events, reorgs at will, seen through a follower that behaves
 * as l1/follower.ts does. Logs are encoded as the contract would, so that decoding is tested along the way.
 */
import { encodeAbiParameters, encodeEventTopics } from 'viem'
import { iLifeboatAbi, iSuretyAbi } from '../../../contracts/artifacts.generated.ts'
import { type Cursor, type FollowerEvent, foldCursor } from '../../../l1/cursor.ts'
import type { L1Block } from '../../../l1/header.ts'
import type { RawLog } from '../../../l1/receipts.ts'
import type { RootEventBody } from '../../../l1/rootEvents.ts'
import type { Hash, Hex } from '../../../protocol/bytes.ts'
import { bytesToHex, concatBytes } from '../../../protocol/bytes.ts'
import { keccak256Text } from '../../../protocol/keccak.ts'
import { encodeEntries, formatOf } from '../../../protocol/massExit.ts'
import type { L1Source } from '../../../watcher/l1Reader.ts'

const ROOT = `0x${'cc'.repeat(20)}` as const
const REASONS = ['void', 'invalid', 'spent', 'not-canonical']
const VERDICTS = ['none', 'running', 'canonical', 'not-canonical']

export type FakeBlock = Readonly<{ block: L1Block; events: readonly RootEventBody[]; logs: readonly RawLog[] }>

export type FakeL1 = ReturnType<typeof createFakeL1>

/** `slot`: seconds between blocks. `start`: timestamp of block 0. */
export function createFakeL1({ slot = 12, start = 1_000_000, finality = 1_000 } = {}) {
  let chain: FakeBlock[] = []
  let forks = 0
  let failure: unknown
  let polls = 0

  function tip(): L1Block {
    return (chain.at(-1) as FakeBlock).block
  }

  function mine(events: readonly RootEventBody[] = [], seconds = slot): L1Block {
    const parent = chain.at(-1)?.block
    const number = parent ? parent.number + 1 : 0
    const timestamp = parent ? parent.timestamp + seconds : start
    const hash = bytesToHex(keccak256Text(`L1 ${number} ${forks} ${timestamp} ${parent?.hash ?? ''}`))
    const block: L1Block = {
      number,
      hash,
      parentHash: parent?.hash ?? (`0x${'00'.repeat(32)}` as Hash),
      timestamp,
      baseFeePerGas: 1n,
    }
    chain.push({ block, events, logs: events.map((event, i) => encodeLog(event, i)) })
    return block
  }

  mine()

  return {
    mine,
    tip,
    block: (number: number) => chain[number] as FakeBlock,
    now: () => tip().timestamp,
    polls: () => polls,

    /** Drops the newest `depth` blocks; what is mined next is another chain. */
    reorg(depth: number): void {
      chain = chain.slice(0, chain.length - depth)
      forks++
    },

    /** Every poll fails with this until it is undefined again. */
    fail(error: unknown): void {
      failure = error
    },

    source(name = 'fake'): L1Source {
      return {
        name,
        head: async () => {
          if (failure !== undefined) throw failure
          return tip()
        },
        follow: (from: Cursor) => {
          let cursor = from
          return {
            status: () => ({ head: tip() }),
            poll: async () => {
              polls++
              if (failure !== undefined) throw failure
              const events: FollowerEvent[] = []
              const emit = (event: FollowerEvent) => {
                cursor = foldCursor(cursor, event)
                events.push(event)
              }
              const shared = cursor.findLast(({ number, hash }) => chain[number]?.block.hash === hash)
              const dropped = cursor.filter(({ number }) => shared && number > shared.number)
              if (shared && dropped.length > 0 && tip().number > shared.number) {
                emit({ type: 'reorg', commonAncestor: shared, dropped: [...dropped].reverse() })
              } else if (dropped.length > 0) return []
              for (const { block, logs } of chain.slice(cursor.length === 0 ? 0 : (cursor.at(-1)?.number ?? -1) + 1)) {
                emit({ type: 'block', block, logs })
              }
              const final = chain[tip().number - finality]?.block
              const floor = cursor[0]?.number ?? 0
              if (final && final.number > floor) emit({ type: 'finalised', block: final })
              return events
            },
          }
        },
      }
    },
  }
}

function encodeLog(event: RootEventBody, logIndex: number): RawLog {
  const type = eventNameOf(event)
  const args = argumentsOf(event)
  const abi = [...iLifeboatAbi, ...iSuretyAbi.filter((entry) => entry.type === 'event')]
  const item = abi.find((entry) => entry.type === 'event' && entry.name === type)
  if (item?.type !== 'event') throw new Error(`no event ${type}`)
  const inputs = item.inputs as readonly { name: string; type: string; indexed?: boolean }[]
  for (const { name, type: abiType } of inputs) {
    const bits = Number(/^uint(\d+)$/.exec(abiType)?.[1] ?? 0)
    if (bits > 48 && typeof args[name] === 'number') args[name] = BigInt(args[name] as number)
  }
  const plain = inputs.filter(({ indexed }) => !indexed)
  return {
    address: ROOT,
    topics: encodeEventTopics({ abi, eventName: type, args } as never) as Hash[],
    data: encodeAbiParameters(plain as never, plain.map(({ name }) => args[name]) as never) as Hex,
    logIndex,
    transactionIndex: 0,
    transactionHash: bytesToHex(keccak256Text(`transaction of log ${logIndex} ${event.type}`)),
  }
}

function eventNameOf(event: RootEventBody): string {
  return event.type === 'EvidenceShown' && event.place !== 0 ? 'DisputedEvidenceShown' : event.type
}

/** As the contract names and numbers them. */
function argumentsOf(event: RootEventBody): Record<string, unknown> {
  const { type: _, ...fields } = event
  switch (event.type) {
    case 'ExitStarted':
      return { ...event.exit }
    case 'ExitRemoved':
      return { ...fields, reason: REASONS.indexOf(event.reason) }
    case 'DisputeDecided':
      return { ...fields, verdict: VERDICTS.indexOf(event.verdict) }
    case 'DataChallenged':
      return { ...fields, blockNumber: BigInt(event.challenge.blockNumber) }
    case 'LeavesRevealed': {
      const { transactions } = event
      const plain = transactions.map(({ transaction }) => ({ ...transaction, inputs: transaction.inputs.map(BigInt) }))
      return {
        ...fields,
        blockNumber: BigInt(event.blockNumber),
        transactions: plain,
        witnesses: bytesToHex(concatBytes(...transactions.map(({ witnesses }) => witnesses))),
      }
    }
    case 'BatchStarted': {
      const { batchId, batch, entries } = event
      const format = formatOf(entries)
      return {
        batchId,
        batch: { ...batch, last: BigInt(batch.last) },
        format: { ...format, base: BigInt(format.base) },
        entries: bytesToHex(encodeEntries(entries, format)),
      }
    }
    case 'BatchLocked':
      return { ...fields, item: { ...event.item, position: BigInt(event.item.position) } }
    case 'BatchDissolved':
      return { ...fields, index: event.demanded ?? 2 ** 32 - 1 }
    case 'ShareReleased':
      return { ...fields, outputId: event.toOutputId }
    case 'DisputeStarted': {
      const { dispute, inputs, signed } = event
      return {
        txHash: dispute.txHash,
        dispute: { ...dispute, agePosition: BigInt(dispute.agePosition) },
        inputs: inputs.map((input) => ({ ...input, position: BigInt(input.position) })),
        outputs: signed.transaction.outputs,
        memo: signed.transaction.memo,
        witnesses: bytesToHex(signed.witnesses),
      }
    }
    default:
      return { ...fields }
  }
}
