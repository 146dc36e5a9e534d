/**
 * Mass exits on the root contract (docs/spec.md 6.4) in our own words: events as data, calls as bytes. Nothing here does I/O.
 */
import { decodeEventLog, encodeFunctionData, toEventSelector } from 'viem'
import { iLifeboatAbi } from '../contracts/artifacts.generated.ts'
import type { Header, InclusionProof } from '../protocol/block.ts'
import { type Address, bytesToHex, type Hash, type Hex, hexToBytes, ZERO_HASH } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import type { Exit } from '../protocol/exit.ts'
import type { PlacedTransaction, InputShown as ProvenInput } from '../protocol/fraud.ts'
import {
  type Batch,
  decodeEntries,
  type Entry,
  encodeEntries,
  formatOf,
  type PlacedEntry,
} from '../protocol/massExit.ts'
import { type MerkleTree, proveLeaf } from '../protocol/merkle.ts'
import type { SignedTransaction, Transaction } from '../protocol/transaction.ts'
import {
  call,
  exitArgument,
  lower,
  mandateArgument,
  NO_HEADER,
  offenceArgument,
  provenInputArgument,
  transactionArgument,
} from './rootArguments.ts'
import type { RootCall, SignedMandate } from './rootCalls.ts'
import type { RootLog } from './rootEvents.ts'

export type BatchEventBody =
  | Readonly<{ type: 'BatchStarted'; batchId: Hash; batch: Batch; entries: readonly Entry[] }>
  | Readonly<{ type: 'EntryDemanded'; batchId: Hash; index: number; position: number; demander: Address; bond: bigint }>
  /** `reward` in wei. */
  | Readonly<{ type: 'DemandAnswered'; batchId: Hash; index: number; outputId: Hash; reward: bigint }>
  /** `demanded`: the entry of the demand that nobody answered, null where nobody locked it in time. */
  | Readonly<{ type: 'BatchDissolved'; batchId: Hash; demanded: number | null }>
  /** `item`: the batch in the queue. */
  | Readonly<{ type: 'BatchLocked'; batchId: Hash; item: Exit }>
  | Readonly<{ type: 'BatchClosed'; batchId: Hash; returned: bigint }>
  /** Paid to their owners; amounts are the batch's. */
  | Readonly<{
      type: 'EntriesClaimed'
      batchId: Hash
      claimed: readonly Readonly<{ index: number; outputId: Hash; owner: Address }>[]
    }>
  /** To the coordinator, out of what a claim paid. */
  | Readonly<{ type: 'FeeTaken'; batchId: Hash; outputId: Hash; fee: bigint }>
  /** A spend of the position by `signer`: evidence against the entry if that is the output's owner. */
  | Readonly<{
      type: 'EntryStruck'
      batchId: Hash
      position: number
      spend: number
      signer: Address
      challenger: Address
    }>
  | Readonly<{ type: 'StrikeDropped'; batchId: Hash; position: number; spend: number; signer: Address }>
  /** `reward` in wei, out of the batch's bond. */
  | Readonly<{ type: 'StrikePaid'; batchId: Hash; position: number; challenger: Address; reward: bigint }>
  /** The exit has the entry's share now; `paid` of it at once. */
  | Readonly<{ type: 'EntryPlaced'; batchId: Hash; index: number; outputId: Hash; paid: bigint }>
  | Readonly<{ type: 'EntryReleased'; batchId: Hash; index: number; position: number; amount: bigint }>

const NAMES = [
  'BatchStarted',
  'EntryDemanded',
  'DemandAnswered',
  'BatchDissolved',
  'BatchLocked',
  'BatchClosed',
  'EntriesClaimed',
  'FeeTaken',
  'EntryStruck',
  'StrikeDropped',
  'StrikePaid',
  'EntryPlaced',
  'EntryReleased',
] as const
type BatchEventName = (typeof NAMES)[number]
type BatchAbi = Extract<(typeof iLifeboatAbi)[number], { type: 'event'; name: BatchEventName }>
const EVENTS = iLifeboatAbi.filter(
  (item): item is BatchAbi => item.type === 'event' && (NAMES as readonly string[]).includes(item.name),
)
const TOPICS = new Set<string>(EVENTS.map((event) => toEventSelector(event)))
const LAPSED = 2 ** 32 - 1

/** True for a log of an event about mass exits. */
export function isBatchLog(log: RootLog): boolean {
  return TOPICS.has(log.topics[0] ?? '')
}

/** Throws ROOT_EVENT_UNKNOWN. */
export function decodeBatchLog(log: RootLog): BatchEventBody {
  const event = readLog(log)
  switch (event.eventName) {
    case 'BatchStarted': {
      const { batchId, batch, format, entries } = event.args
      return {
        type: 'BatchStarted',
        batchId,
        batch: { ...batch, token: lower(batch.token), last: Number(batch.last), coordinator: lower(batch.coordinator) },
        entries: decodeEntries(hexToBytes(entries), { ...format, base: Number(format.base) }),
      }
    }
    case 'EntryDemanded': {
      const { batchId, index, position, demander, bond } = event.args
      return { type: 'EntryDemanded', batchId, index, position: Number(position), demander: lower(demander), bond }
    }
    case 'DemandAnswered':
      return { type: 'DemandAnswered', ...event.args }
    case 'BatchDissolved': {
      const { batchId, index } = event.args
      return { type: 'BatchDissolved', batchId, demanded: index === LAPSED ? null : index }
    }
    case 'BatchLocked': {
      const { batchId, item } = event.args
      const addresses = { owner: lower(item.owner), token: lower(item.token), payer: lower(item.payer) }
      return { type: 'BatchLocked', batchId, item: { ...item, ...addresses, position: Number(item.position) } }
    }
    case 'BatchClosed':
      return { type: 'BatchClosed', ...event.args }
    case 'EntriesClaimed': {
      const { batchId, claimed } = event.args
      return { type: 'EntriesClaimed', batchId, claimed: claimed.map((one) => ({ ...one, owner: lower(one.owner) })) }
    }
    case 'FeeTaken':
      return { type: 'FeeTaken', ...event.args }
    case 'EntryStruck': {
      const { batchId, position, spend, signer, challenger } = event.args
      const place = { position: Number(position), spend: Number(spend) }
      return { type: 'EntryStruck', batchId, ...place, signer: lower(signer), challenger: lower(challenger) }
    }
    case 'StrikeDropped': {
      const { batchId, position, spend, signer } = event.args
      const place = { position: Number(position), spend: Number(spend) }
      return { type: 'StrikeDropped', batchId, ...place, signer: lower(signer) }
    }
    case 'StrikePaid': {
      const { batchId, position, challenger, reward } = event.args
      return { type: 'StrikePaid', batchId, position: Number(position), challenger: lower(challenger), reward }
    }
    case 'EntryPlaced':
      return { type: 'EntryPlaced', ...event.args }
    case 'EntryReleased':
      return { type: 'EntryReleased', ...event.args, position: Number(event.args.position) }
  }
}

function readLog(log: RootLog) {
  try {
    return decodeEventLog({ abi: EVENTS, topics: [...log.topics] as [Hex, ...Hex[]], data: log.data })
  } catch (cause) {
    const got = { got: log.topics[0], want: 'an event of ILifeboat' }
    throw bug('ROOT_EVENT_UNKNOWN', 'the root contract logged something we cannot read', got, cause)
  }
}

/** What stands at an entry's position. `beyond`: the block has no such index. */
export type EntryOutput =
  | Readonly<{ kind: 'output'; transaction: Transaction; header: Header; proof: InclusionProof }>
  | Readonly<{ kind: 'beyond'; header: Header }>
  | Readonly<{ kind: 'deposit'; owner: Address; token: Address; amount: bigint }>
  | Readonly<{ kind: 'nothing' }>

export type EntrySpend = Readonly<{
  /** Of the spending transaction. */
  position: number
  signed: SignedTransaction
  /** Which of its inputs the entry's output is. */
  input: number
  header: Header
  proof: InclusionProof
}>

/** An entry and the tree of its batch, from which its path is taken. */
export type EntryAt = Readonly<{ entry: PlacedEntry; tree: MerkleTree }>

/** Throws ENTRIES_MALFORMED. `lastBlock`: header of the last position's block; none for block 0. */
export function encodeStartBatch(
  input: Readonly<{ token: Address; entries: readonly Entry[]; lastBlock?: Header; bondWei: bigint }>,
): RootCall {
  const format = formatOf(input.entries)
  const entries = bytesToHex(encodeEntries(input.entries, format))
  const words = { ...format, base: BigInt(format.base) }
  const args = [input.token, words, entries, input.lastBlock ?? NO_HEADER] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'startBatch', args }), input.bondWei)
}

export function encodeDemandEntry(batch: Batch, at: EntryAt, bondWei: bigint): RootCall {
  const pool = createPool()
  const entry = pool.entry(at)
  const args = [batchArgument(batch), pool.shared, entry] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'demandEntry', args }), bondWei)
}

/** `mandate`: none on a halted chain. */
export function encodeAnswerDemand(batch: Batch, at: EntryAt, shown: EntryOutput, mandate?: SignedMandate): RootCall {
  const pool = createPool()
  const entry = pool.entry(at)
  const output = pool.output(shown)
  const permission = mandate ? mandateArgument(mandate.mandate) : NO_MANDATE
  const args = [batchArgument(batch), pool.shared, entry, output, permission, mandate?.signature ?? '0x'] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'answerDemand', args }))
}

/** `demanded`: the entry of a demand that nobody answered, null when the time to lock is over. */
export function encodeDissolveBatch(batch: Batch, demanded: number | null): RootCall {
  const args = [batchArgument(batch), demanded ?? LAPSED] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'dissolveBatch', args }))
}

export function encodeReclaimDemand(batch: Batch, index: number): RootCall {
  const args = [batchArgument(batch), index] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'reclaimDemand', args }))
}

/** `youngHint`: a child block with young exits below the batch's last; 0 when unknown. */
export function encodeLockBatch(batch: Batch, youngHint = 0): RootCall {
  const args = [batchArgument(batch), youngHint] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'lockBatch', args }))
}

export function encodeCloseBatch(batch: Batch): RootCall {
  const args = [batchArgument(batch)] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'closeBatch', args }))
}

export function encodeClaimEntries(
  batch: Batch,
  claims: readonly Readonly<{ at: EntryAt; shown: EntryOutput }>[],
): RootCall {
  const pool = createPool()
  const list = claims.map(({ at, shown }) => ({ entry: pool.entry(at), shown: pool.output(shown) }))
  const args = [batchArgument(batch), pool.shared, list] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'claimEntries', args }))
}

export function encodeClaimForFee(
  batch: Batch,
  at: EntryAt,
  shown: EntryOutput,
  mandate: SignedMandate,
  fee: bigint,
): RootCall {
  const pool = createPool()
  const entry = pool.entry(at)
  const output = pool.output(shown)
  const permission = [mandateArgument(mandate.mandate), mandate.signature, fee] as const
  const args = [batchArgument(batch), pool.shared, entry, output, ...permission] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'claimForFee', args }))
}

export function encodeOpenEntry(batch: Batch, at: EntryAt, shown: EntryOutput): RootCall {
  const pool = createPool()
  const entry = pool.entry(at)
  const output = pool.output(shown)
  const args = [batchArgument(batch), pool.shared, entry, output] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'openEntry', args }))
}

/** Each spend says by its input which position it strikes. */
export function encodeStrikeEntries(batch: Batch, spends: readonly EntrySpend[]): RootCall {
  const pool = createPool()
  const list = spends.map(pool.spend)
  const args = [batchArgument(batch), pool.shared, list] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'strikeEntries', args }))
}

export function encodeDropStrike(batch: Batch, position: number, signer: Address): RootCall {
  const args = [batchArgument(batch), BigInt(position), signer] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'dropStrike', args }))
}

export function encodePlaceEntry(batch: Batch, at: EntryAt, exit: Exit): RootCall {
  const pool = createPool()
  const entry = pool.entry(at)
  const args = [batchArgument(batch), pool.shared, entry, exitArgument(exit)] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'placeEntry', args }))
}

export function encodeAdoptExit(batch: Batch, at: EntryAt, shown: EntryOutput, exit: Exit): RootCall {
  const pool = createPool()
  const entry = pool.entry(at)
  const output = pool.output(shown)
  const args = [batchArgument(batch), pool.shared, entry, output, exitArgument(exit)] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'adoptExit', args }))
}

export function encodeReleaseEntry(batch: Batch, at: EntryAt, shown: EntryOutput): RootCall {
  const pool = createPool()
  const entry = pool.entry(at)
  const output = pool.output(shown)
  const args = [batchArgument(batch), pool.shared, entry, output] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'releaseEntry', args }))
}

/** V6 by the lock of a batch whose entry names the offence's `input`. */
export function encodeProveLockedInBatch(
  offence: PlacedTransaction,
  input: number,
  shown: ProvenInput,
  batch: Batch,
  at: EntryAt,
): RootCall {
  const pool = createPool()
  const entry = pool.entry(at)
  const args = [
    offenceArgument(offence),
    BigInt(input),
    provenInputArgument(shown),
    batchArgument(batch),
    pool.shared,
    entry,
  ] as const
  return call(encodeFunctionData({ abi: iLifeboatAbi, functionName: 'proveLockedInBatch', args }))
}

function batchArgument(batch: Batch) {
  return { ...batch, last: BigInt(batch.last) }
}

const NO_TRANSACTION = { inputs: [] as bigint[], outputs: [], memo: ZERO_HASH } as const
const ZERO = `0x${'00'.repeat(20)}` as const
const NO_MANDATE = {
  owner: ZERO,
  delegate: ZERO,
  validFrom: 0n,
  validUntil: 0n,
  position: 0n,
  minAmount: 0n,
  maxFee: 0n,
  epoch: 0n,
} as const

/** Collects what the proofs of one call have in common: each header and each sibling once, paths by number. */
function createPool() {
  const headers: Header[] = []
  const nodes: Hash[] = []
  const places = new Map<Hash, number>()
  const pick = (path: readonly Hash[]): Hex => {
    let picks = '0x'
    for (const node of path) {
      const place = places.get(node) ?? nodes.push(node) - 1
      places.set(node, place)
      picks += place.toString(16).padStart(4, '0')
    }
    return picks as Hex
  }
  const headerOf = (header: Header): bigint => {
    const place = headers.findIndex(
      (other) => other.root === header.root && other.anchor === header.anchor && other.timestamp === header.timestamp,
    )
    return BigInt(place === -1 ? headers.push(header) - 1 : place)
  }
  const nothing = { transaction: NO_TRANSACTION, witnessesHash: ZERO_HASH, header: 0n, picks: '0x' as Hex }
  return {
    shared: { headers, nodes },
    entry({ entry, tree }: EntryAt) {
      const { index, position, amount, before } = entry
      const picks = pick(proveLeaf(tree, index).map(bytesToHex))
      return { index, position: BigInt(position), amount, before, picks }
    },
    output(shown: EntryOutput) {
      switch (shown.kind) {
        case 'nothing':
          return nothing
        case 'beyond':
          return { ...nothing, header: headerOf(shown.header) }
        case 'deposit': {
          const { owner, token, amount } = shown
          const outputs = [{ owner, token, amount, condition: ZERO_HASH }]
          return { ...nothing, transaction: { ...NO_TRANSACTION, outputs } }
        }
        case 'output':
          return {
            transaction: transactionArgument(shown.transaction),
            witnessesHash: shown.proof.witnessesHash,
            header: headerOf(shown.header),
            picks: pick(shown.proof.path),
          }
      }
    },
    spend({ position, signed, input, header, proof }: EntrySpend) {
      return {
        position: BigInt(position),
        transaction: transactionArgument(signed.transaction),
        witnesses: bytesToHex(signed.witnesses),
        input: BigInt(input),
        header: headerOf(header),
        picks: pick(proof.path),
      }
    },
  }
}
