/**
 * The reorg-aware follower of L1 (docs/spec.md, "Reading L1"): turns what an untrusted endpoint says into one stream of block,
 * reorg and finalised events.
 *
 * Guarantees: blocks are linked by hashes computed here; a block's logs are proven by its receiptsRoot, and a block without any
 * of our logs is proven by its bloom to have none; a reorg is seen by parent hash only and never goes below a finalised block;
 * folding the stream always gives one chain. Not guaranteed: that the endpoint's chain is Ethereum's, or that its head is recent.
 * For the first configure a second endpoint, for the second compare `status().head.timestamp` with a clock.
 */
import { type Address, type Hash, parseAddress } from '../protocol/bytes.ts'
import { bug, configError, invalid, isLifeboatError, retryable } from '../protocol/errors.ts'
import { readHeader, readHeaderByHash, readHeaders, readLogs } from './blocks.ts'
import { applyEvent, assertCursor, blockAt, type Cursor, type FollowerEvent } from './cursor.ts'
import type { Endpoint } from './endpoint.ts'
import { type BlockRef, bloomBits, bloomHolds, type L1Header } from './header.ts'
import type { RawLog } from './receipts.ts'

/** How often one poll starts again when the chain moves under it. */
const ATTEMPTS = 3
/** Blocks whose receipts are fetched at a time. */
const RECEIPTS_AT_ONCE = 8

export type FollowOptions = Readonly<{
  endpoint: Endpoint
  /** Asked for the hash of every block before it is called finalised. */
  secondEndpoint?: Endpoint
  contracts: readonly Readonly<{ address: Address }>[]
  /** First block to report, with its hash where a deployment file knows it. */
  startBlock: Readonly<{ number: number; hash?: Hash }>
  /** A block is final when so many blocks stand on it, or when the endpoint's `finalized` tag has reached it. */
  finality: number | 'finalized'
  /** Where an earlier follower ended; empty or absent starts at `startBlock`. */
  from?: Cursor
  /** Most new blocks per poll. Default 256. */
  maxBlocksPerPoll?: number
}>

export type FollowerStatus = Readonly<{
  /** The endpoint's newest block at the last poll. */
  head?: Readonly<{ number: number; hash: Hash; timestamp: number }>
  /** The last block reported. */
  tip?: BlockRef
  /** The last finalised block, or while there is none the parent of the first block. */
  floor?: BlockRef
}>

export type Follower = Readonly<{
  /**
   * What happened since the last poll, oldest first; empty when nothing did. Events come once, and before any error: an error found
   * on the way is thrown by the next poll. After an error, polling again goes on where the events ended.
   *
   * Throws (retryable) ENDPOINT_INCONSISTENT, SECOND_ENDPOINT_BEHIND; (invalid) ENDPOINT_LIED_HEADER, ENDPOINT_LIED_RECEIPTS,
   * FINALITY_BROKEN, ENDPOINTS_DISAGREE; (config) START_BLOCK_MISMATCH; (bug) POLL_OVERLAP; and what `Endpoint.read` throws.
   */
  poll(): Promise<readonly FollowerEvent[]>
  /** The fold of all events so far: what `from` takes. */
  cursor(): Cursor
  status(): FollowerStatus
}>

type State = { cursor: BlockRef[]; head?: L1Header; late?: unknown; polling: boolean }

/** Why a poll could not go on, in words; undefined when it did. */
type Hindrance = string | undefined

/** Throws CURSOR_MALFORMED, ADDRESS_INVALID. Does not ask the endpoint for anything yet. */
export function followL1(options: FollowOptions): Follower {
  const { from = [], contracts } = options
  assertCursor(from)
  const state: State = { cursor: [...from], polling: false }
  const addresses = new Set(contracts.map(({ address }) => parseAddress(address)))
  const rules = { ...options, addresses, bits: [...addresses].map(bloomBits) }
  return {
    poll: async () => {
      if (state.polling) throw bug('POLL_OVERLAP', 'a follower was polled during a poll', { got: 2, want: 1 })
      state.polling = true
      try {
        return await poll(rules, state)
      } finally {
        state.polling = false
      }
    },
    cursor: () => [...state.cursor],
    status: () => statusOf(state),
  }
}

type Rules = FollowOptions &
  Readonly<{
    addresses: ReadonlySet<Address>
    /** Of each address in a bloom. */
    bits: readonly (readonly number[])[]
  }>
type Emit = (event: FollowerEvent) => void

async function poll(rules: Rules, state: State): Promise<readonly FollowerEvent[]> {
  if (state.late !== undefined) {
    const error = state.late
    delete state.late
    throw error
  }
  const events: FollowerEvent[] = []
  const emit: Emit = (event) => {
    applyEvent(state.cursor, event)
    events.push(event)
  }
  try {
    let hindrance: Hindrance
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      hindrance = await advance(rules, state, emit)
      if (hindrance === undefined) await finalise(rules, state.cursor, emit)
      if (hindrance === undefined || events.length > 0) return events
    }
    throw inconsistent(rules.endpoint, hindrance, 'every block from the last known one to the head')
  } catch (error) {
    if (events.length === 0) throw error
    state.late = error
    return events
  }
}

/** Reports blocks towards the endpoint's head, at most `maxBlocksPerPoll` new ones. */
async function advance(rules: Rules, state: State, emit: Emit): Promise<Hindrance> {
  const head = await readHeader(rules.endpoint, 'latest')
  if (!head) return 'no latest block'
  state.head = head
  const run = await readRun(rules, state.cursor, head)
  if (run.length === 0) return isBehind(rules, state.cursor, head) ? undefined : 'blocks below the head are missing'
  const branch = await connect(rules.endpoint, state.cursor, run)
  if (!branch) return 'a parent of the head is missing'
  return report(rules, state.cursor, branch, emit)
}

/** The head is a block we know, or below all that we know: nothing to see, whether it lags or not. */
function isBehind({ startBlock }: Rules, cursor: Cursor, head: L1Header): boolean {
  const floor = cursor[0]
  if (!floor) return head.number < startBlock.number
  return head.number < floor.number || blockAt(cursor, head.number)?.hash === head.hash
}

/** Linked headers from the one after our tip towards the head; of a conflicting head at or below our tip only itself. */
async function readRun(rules: Rules, cursor: Cursor, head: L1Header): Promise<L1Header[]> {
  if (isBehind(rules, cursor, head)) return []
  const { endpoint, startBlock, maxBlocksPerPoll = 256 } = rules
  const tip = cursor.at(-1)
  if (tip && head.number <= tip.number) return [head]
  const first = tip ? tip.number + 1 : startBlock.number
  const last = Math.min(head.number, first + maxBlocksPerPoll - 1)
  const headers = await readHeaders(endpoint, first, Math.min(last, head.number - 1))
  if (last === head.number) headers.push(head)
  // A break is the head moving during the read, or a block that the endpoint lacks: what comes after it waits for the next poll.
  const broken = headers.findIndex((header, i) =>
    i === 0 ? header.number !== first : header.parentHash !== headers[i - 1]?.hash,
  )
  return broken < 0 ? headers : headers.slice(0, broken)
}

/**
 * Extends the run downwards, parent by parent, until it stands on a block of the cursor. Parents are read by hash, so the chain
 * can't move meanwhile. Undefined when the endpoint lacks one. Throws FINALITY_BROKEN when the run does not meet the cursor.
 */
async function connect(endpoint: Endpoint, cursor: Cursor, run: readonly L1Header[]): Promise<L1Header[] | undefined> {
  const floor = cursor[0]
  if (!floor) return [...run]
  const older: L1Header[] = []
  let lowest = run[0] as L1Header
  while (blockAt(cursor, lowest.number - 1)?.hash !== lowest.parentHash) {
    if (lowest.number - 1 <= floor.number) throw finalityBroken(endpoint, floor, lowest)
    const parent = await readHeaderByHash(endpoint, lowest.parentHash)
    if (!parent) return undefined
    if (parent.number !== lowest.number - 1) throw misnumbered(endpoint, parent, lowest)
    older.push(parent)
    lowest = parent
  }
  return [...older.reverse(), ...run]
}

/** Emits the branch in order, after a reorg event where it does not stand on the tip. Stops at a block without receipts. */
async function report(rules: Rules, cursor: Cursor, branch: readonly L1Header[], emit: Emit): Promise<Hindrance> {
  for (let at = 0; at < branch.length; at += RECEIPTS_AT_ONCE) {
    const group = branch.slice(at, at + RECEIPTS_AT_ONCE)
    const pending = group.map((header) => readOurLogs(rules, header))
    // All are awaited below, in order; a later one that fails first must not count as unhandled.
    for (const promise of pending) promise.catch(() => {})
    for (const [i, header] of group.entries()) {
      assertStart(rules, header)
      const logs = await pending[i]
      if (!logs) return `receipts of block ${header.number} are missing`
      if (at + i === 0) emitReorg(cursor, header, emit)
      const { number, hash, parentHash, timestamp, baseFeePerGas } = header
      emit({ type: 'block', block: { number, hash, parentHash, timestamp, baseFeePerGas }, logs })
    }
  }
  return undefined
}

async function readOurLogs(rules: Rules, header: L1Header): Promise<readonly RawLog[] | undefined> {
  const { endpoint, addresses, bits } = rules
  return bits.some((three) => bloomHolds(header.logsBloom, three)) ? readLogs(endpoint, header, addresses) : []
}

function emitReorg(cursor: Cursor, first: L1Header, emit: Emit): void {
  const commonAncestor = blockAt(cursor, first.number - 1)
  const dropped = cursor.filter(({ number }) => number >= first.number).reverse()
  if (commonAncestor && dropped.length > 0) emit({ type: 'reorg', commonAncestor, dropped })
}

function assertStart({ endpoint, startBlock }: Rules, header: L1Header): void {
  if (startBlock.hash === undefined || header.number !== startBlock.number || header.hash === startBlock.hash) return
  throw configError(
    'START_BLOCK_MISMATCH',
    `L1 endpoint ${endpoint.name} has another block where this deployment starts`,
    {
      endpoint: endpoint.name,
      block: header.number,
      got: header.hash,
      want: startBlock.hash,
    },
  )
}

async function finalise(rules: Rules, cursor: Cursor, emit: Emit): Promise<void> {
  const [floor, tip] = [cursor[0], cursor.at(-1)]
  if (!floor || !tip) return
  const number = await readFinalNumber(rules, cursor, tip)
  const block = blockAt(cursor, number)
  if (!block || number <= floor.number) return
  if (rules.secondEndpoint) await compare(rules.endpoint, rules.secondEndpoint, block)
  emit({ type: 'finalised', block })
}

/** Depth counts linked blocks, not the head's claim. During a catch-up below the tag our tip is as final as the tag. */
async function readFinalNumber({ endpoint, finality }: Rules, cursor: Cursor, tip: BlockRef): Promise<number> {
  if (finality !== 'finalized') return tip.number - finality
  const tagged = await readHeader(endpoint, 'finalized')
  if (!tagged) return 0
  const known = blockAt(cursor, tagged.number)
  if (known && known.hash !== tagged.hash) {
    throw inconsistent(endpoint, { finalized: tagged.hash, chain: known }, 'a finalized block on the chain of the head')
  }
  return Math.min(tagged.number, tip.number)
}

/** One that does not answer confirms nothing yet, as one that is behind: what the other shows is seen all the same. */
async function compare(endpoint: Endpoint, second: Endpoint, block: BlockRef): Promise<void> {
  const about = { endpoint: endpoint.name, secondEndpoint: second.name, block: block.number }
  const notYet = (got: string, cause?: unknown) =>
    retryable(
      'SECOND_ENDPOINT_BEHIND',
      `L1 endpoint ${second.name} can't confirm a final block yet`,
      { ...about, got, want: block.hash },
      cause,
    )
  const other = await readHeader(second, block.number).catch((error: unknown) => {
    throw isLifeboatError(error) && error.family === 'retryable' ? notYet(error.message, error) : error
  })
  if (!other) throw notYet('no block')
  if (other.hash === block.hash) return
  throw invalid('ENDPOINTS_DISAGREE', `L1 endpoints ${endpoint.name} and ${second.name} disagree on a final block`, {
    ...about,
    got: other.hash,
    want: block.hash,
  })
}

function inconsistent(endpoint: Endpoint, got: unknown, want: string) {
  const summary = `L1 endpoint ${endpoint.name} contradicts itself about its chain`
  return retryable('ENDPOINT_INCONSISTENT', summary, { endpoint: endpoint.name, got, want })
}

function finalityBroken(endpoint: Endpoint, floor: BlockRef, lowest: L1Header) {
  return invalid('FINALITY_BROKEN', `L1 endpoint ${endpoint.name} serves a chain without the final block we stand on`, {
    endpoint: endpoint.name,
    block: floor.number,
    got: { number: lowest.number, hash: lowest.hash, parentHash: lowest.parentHash },
    want: floor,
  })
}

function misnumbered(endpoint: Endpoint, parent: L1Header, child: L1Header) {
  return invalid(
    'ENDPOINT_LIED_HEADER',
    `L1 endpoint ${endpoint.name} serves a block whose parent has the wrong number`,
    {
      endpoint: endpoint.name,
      block: child.number,
      got: parent.number,
      want: child.number - 1,
    },
  )
}

function statusOf({ head, cursor }: State): FollowerStatus {
  const [floor, tip] = [cursor[0], cursor.at(-1)]
  return {
    ...(head && { head: { number: head.number, hash: head.hash, timestamp: head.timestamp } }),
    ...(tip && { tip }),
    ...(floor && { floor }),
  }
}
