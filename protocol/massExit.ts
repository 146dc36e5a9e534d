/**
 * Mass exits (docs/spec.md 6.4) as pure arithmetic: how entries are written and hashed, where each one's share of the batch's place lies,
 * what an opened entry is, bonds and deadlines. Solidity repeats it (contracts/BatchTree.sol, Entries.sol, Batches.sol).
 */
import { type Address, bytesToHex, type Hash, hexToBytes, ZERO_ADDRESS, ZERO_HASH } from './bytes.ts'
import { hashWords } from './eip712.ts'
import { invalid } from './errors.ts'
import { BOND_GAS, type Exit, payableAfter } from './exit.ts'
import { createTree, EMPTY_ROOT, type MerkleTree } from './merkle.ts'
import { DEPOSIT_INDEX, decodePosition, encodePosition, POSITION_LIMIT } from './position.ts'

export const MAX_ENTRIES = 2 ** 15

/** An output that a batch names, if token and amount are its own. */
export type Entry = Readonly<{ position: number; amount: bigint }>

/** `before`: the sum of the amounts of the entries in front of it. */
export type PlacedEntry = Entry & Readonly<{ index: number; before: bigint }>

/** A mass exit as it started: never changes; its id is its hash. Times in L1 seconds, bond in wei. */
export type Batch = Readonly<{
  root: Hash
  count: number
  token: Address
  total: bigint
  /** Its greatest position. */
  last: number
  /** Time of the block of that position; 0 for block 0. */
  madeAt: number
  startedAt: number
  coordinator: Address
  bond: bigint
}>

export type BatchState = 'none' | 'started' | 'locked' | 'dissolved'

export function hashBatch(batch: Batch): Hash {
  const { root, count, token, total, last, madeAt, startedAt, coordinator, bond } = batch
  return bytesToHex(hashWords([hexToBytes(root), count, token, total, last, madeAt, startedAt, coordinator, bond]))
}

/** How entries are written, big-endian: each position as its distance from the one before (the first from `base`), then the amount. */
export type EntryFormat = Readonly<{ base: number; positionBytes: number; amountBytes: number }>

/** What L1's nodes pass on: a transaction of at most 128 KiB. The rest of the call and the envelope take less than 1 KiB. */
export const MAX_ENTRIES_SIZE = 2 ** 17 - 1024

/** The narrowest that holds them; `base` is one below the first position. */
export function formatOf(entries: readonly Entry[]): EntryFormat {
  const base = Math.max((entries[0]?.position ?? 1) - 1, 0)
  let [farthest, greatest, previous] = [1, 1n, base]
  for (const { position, amount } of entries) {
    farthest = Math.max(farthest, position - previous)
    if (amount > greatest) greatest = amount
    previous = position
  }
  return { base, positionBytes: bytesFor(BigInt(farthest)), amountBytes: bytesFor(greatest) }
}

/** Throws ENTRIES_MALFORMED for what the contract refuses: no entry, too many, positions that don't grow, values that don't fit the format. */
export function encodeEntries(entries: readonly Entry[], format = formatOf(entries)): Uint8Array {
  const { base, positionBytes, amountBytes } = format
  assertEntries(entries, format)
  const size = positionBytes + amountBytes
  const bytes = new Uint8Array(entries.length * size)
  let previous = base
  entries.forEach(({ position, amount }, i) => {
    writeUint(bytes, i * size, BigInt(position - previous), positionBytes)
    writeUint(bytes, i * size + positionBytes, amount, amountBytes)
    previous = position
  })
  return bytes
}

/** The reverse. Throws ENTRIES_MALFORMED. */
export function decodeEntries(bytes: Uint8Array, format: EntryFormat): Entry[] {
  const { base, positionBytes, amountBytes } = format
  const size = positionBytes + amountBytes
  if (size === 0 || !Number.isInteger(bytes.length / size)) {
    throw malformed('bytes left over', bytes.length, `a multiple of ${size} bytes`)
  }
  let previous = base
  const entries = Array.from({ length: bytes.length / size }, (_, i) => {
    previous += Number(readUint(bytes, i * size, positionBytes))
    return { position: previous, amount: readUint(bytes, i * size + positionBytes, amountBytes) }
  })
  assertEntries(entries, format)
  return entries
}

export function placeEntries(entries: readonly Entry[]): PlacedEntry[] {
  let before = 0n
  return entries.map((entry, index) => {
    const placed = { ...entry, index, before }
    before += entry.amount
    return placed
  })
}

export function hashEntry({ position, amount, before }: PlacedEntry): Uint8Array {
  return hashWords([position, amount, before])
}

/** The batch's tree: that of spec 3.1, always whole. What lies past the entries are zeros, which no entry hashes to. */
export function entryTree(entries: readonly PlacedEntry[]): MerkleTree {
  const size = 2 ** Math.ceil(Math.log2(entries.length))
  const padding = Array.from({ length: size - entries.length }, () => EMPTY_ROOT)
  return createTree([...entries.map(hashEntry), ...padding])
}

/** What the batch's item in the queue has as position: like a deposit it is never void. */
export function itemPosition(last: number): number {
  return encodePosition({ block: decodePosition(last).block, index: DEPOSIT_INDEX, output: 0 })
}

/** True for an item of the queue that is a mass exit: no output has such an owner. */
export function isBatchItem(exit: Exit): boolean {
  return exit.owner === ZERO_ADDRESS
}

/** `seq` of an opened entry is this and its index. */
export const OPENED_SEQ = 2 ** 39

/** True for an exit that is an opened entry: it has no turn of its own, and its bond is 0. */
export function isOpenedEntry(exit: Exit): boolean {
  return exit.seq >= OPENED_SEQ
}

/** Which entry of which batch an opened entry is; `payer` names the batch. */
export function isEntryOf(exit: Exit, batchId: Hash, index: number): boolean {
  return exit.seq === OPENED_SEQ + index && isOfBatch(exit, batchId)
}

/** Of an opened entry. */
export function isOfBatch({ payer }: Exit, batchId: Hash): boolean {
  return payer === payerOf(batchId)
}

/**
 * Last second for dropping a strike that fell (docs/spec.md 6.4.8): another one still finds a quarter of the period. `exitableAt`: of the
 * batch's item; `lastMove`: time of the last move of the halt, 0 for none.
 */
export function dropDeadline(exitableAt: number, minExitPeriod: number, lastMove = 0): number {
  return payableAfter(exitableAt, minExitPeriod, lastMove) - Math.floor(minExitPeriod / 2)
}

export type Opening = Readonly<{
  batchId: Hash
  /** The batch's item in the queue. */
  item: Exit
  entry: PlacedEntry
  outputId: Hash
  owner: Address
  /** L1 seconds. */
  openedAt: number
  minExitPeriod: number
  /** L1 block of an earlier lock of the output. */
  lockedBefore?: number
  /** The transaction that makes the output, while a dispute about it runs. */
  disputed?: Hash
}>

/** The exit that an entry becomes when it is opened. What stands in a hidden block is seen only then, so evidence has a whole period from there. */
export function openedExit(opening: Opening): Exit {
  const { batchId, item, entry, outputId, owner, openedAt, minExitPeriod, lockedBefore, disputed } = opening
  return {
    outputId,
    position: entry.position,
    owner,
    token: item.token,
    amount: entry.amount,
    young: false,
    seq: OPENED_SEQ + entry.index,
    startedAt: item.startedAt,
    exitableAt: Math.max(item.exitableAt, openedAt + minExitPeriod),
    lockedAt: Math.min(lockedBefore ?? item.lockedAt, item.lockedAt),
    payer: payerOf(batchId),
    bond: 0n,
    disputed: disputed ?? ZERO_HASH,
  }
}

/** Where an entry's share lies on the line, given the batch's ticket. `due` is less than the amount only where the line was full. */
export function shareOf(
  ticket: Readonly<{ from: bigint; due: bigint }>,
  { before, amount }: PlacedEntry,
): Readonly<{ from: bigint; due: bigint }> {
  const left = before >= ticket.due ? 0n : ticket.due - before
  return { from: ticket.from + before, due: left < amount ? left : amount }
}

/** Last seconds, all inclusive; a batch is locked later than `answer` and by `lock`. */
export function batchDeadlines(startedAt: number, minExitPeriod: number) {
  return {
    demand: startedAt + Math.floor(minExitPeriod / 8),
    answer: startedAt + Math.floor(minExitPeriod / 4),
    lock: startedAt + Math.floor(minExitPeriod / 2),
  } as const
}

/** What removing an entry costs: in gas, for each entry of a bond. */
export const ENTRY_GAS = 60_000n
export const DEMAND_GAS = 250_000n

/** Least bond in wei; `feeGwei` is F. */
export function batchBond(count: number, feeGwei: bigint): bigint {
  return (BOND_GAS + ENTRY_GAS * BigInt(count)) * feeGwei * 10n ** 9n
}

/** The part of the bond that goes with the batch's item in the queue; the rest is the fund that removals are paid from. */
export function itemBond(bond: bigint, count: number): bigint {
  return (bond * BOND_GAS) / (BOND_GAS + ENTRY_GAS * BigInt(count))
}

/** Least bond of a demand in wei, with so many open already. */
export function demandBond(open: number, feeGwei: bigint): bigint {
  return (DEMAND_GAS * feeGwei * 10n ** 9n * BigInt(64 + open)) / 64n
}

function payerOf(batchId: Hash): Address {
  return `0x${batchId.slice(26)}`
}

function bytesFor(value: bigint): number {
  return Math.ceil(value.toString(16).length / 2)
}

function assertEntries(entries: readonly Entry[], { base, positionBytes, amountBytes }: EntryFormat): void {
  for (const [what, got, most] of [
    ['amounts', amountBytes, 16],
    ['positions', positionBytes, 7],
  ] as const) {
    if (!Number.isInteger(got) || got < 1 || got > most)
      throw malformed(`${what} of so many bytes`, got, `1 to ${most}`)
  }
  if (entries.length === 0 || entries.length > MAX_ENTRIES) {
    throw malformed('a number of entries', entries.length, `1 to ${MAX_ENTRIES}`)
  }
  let previous = base
  for (const [index, { position, amount }] of entries.entries()) {
    const last = Math.min(previous + 2 ** (8 * positionBytes) - 1, POSITION_LIMIT - 1)
    if (position <= previous || position > last) {
      throw malformed(`a position at entry ${index}`, position, `${previous + 1} to ${last}`)
    }
    if (amount <= 0n || amount >= 1n << BigInt(8 * amountBytes)) {
      throw malformed(`an amount at entry ${index}`, amount, `1 to 2^${8 * amountBytes} - 1`)
    }
    previous = position
  }
}

function malformed(what: string, got: unknown, want: string) {
  return invalid('ENTRIES_MALFORMED', `entries of a mass exit have ${what} that no batch can have`, { got, want })
}

function writeUint(bytes: Uint8Array, offset: number, value: bigint, size: number): void {
  let rest = value
  for (let i = offset + size - 1; i >= offset; i--) {
    bytes[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
}

function readUint(bytes: Uint8Array, offset: number, size: number): bigint {
  let value = 0n
  for (let i = offset; i < offset + size; i++) value = (value << 8n) | BigInt(bytes[i] as number)
  return value
}
