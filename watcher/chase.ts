/**
 * Chasing the child chain (docs/spec.md section 11): fetch what L1 committed, from whoever has it, check it, verify it in order, write
 * it. Fetching and recovering run ahead of the fold by a few batches; the fold writes the blocks of a batch in one transaction, because
 * their effects fall on the same pages. A missing or invalid block stops the fold; bodies behind it are still gathered, because they
 * may be gone tomorrow. What a halt made void is not verified: whatever it holds never happened.
 */
import type { Commitment } from '../protocol/block.ts'
import { encodePosition } from '../protocol/position.ts'
import type { BlockFault } from '../protocol/validity.ts'
import { type Database, inTransaction } from '../service/database.ts'
import type { ChildBlock } from './blockStore.ts'
import type { ExitBook } from './exitBook.ts'
import { createFetcher, type FetcherParts, LATE, type Obtained, type Wanted } from './fetcher.ts'
import { type Ledger, stageBlock } from './ledger.ts'
import { type CommittedBody, verifyBody } from './verify.ts'

/** Blocks and transactions of one fetch. */
const BATCH_BLOCKS = 64
const BATCH_TRANSACTIONS = 8_192
/** Batches fetched and recovered ahead of the fold. */
const BATCHES_AHEAD = 4

export type ChaseParts = FetcherParts &
  Readonly<{
    db: Database
    ledger: Ledger
    exits: ExitBook
    /** The chain was halted at this block or below. */
    isVoid(block: number): boolean
    /** Of the newest L1 block. */
    l1Seconds(): number
    /** A body that came after more attended silence than this is told as late. Seconds. */
    lateSeconds: number
  }>

export type ChaseReport = Readonly<{
  verified: number
  blocks: number
  transactions: number
  stop:
    | Readonly<{ reason: 'caught-up' | 'budget' }>
    /** Peers are slow; the fetch goes on meanwhile. */
    | Readonly<{ reason: 'waiting'; block: number }>
    | Readonly<{ reason: 'invalid'; block: number; fault: BlockFault }>
    /** `askedEveryone`: every peer was asked for this very block in this call, and none had it. */
    | Readonly<{ reason: 'missing'; block: number; askedEveryone: boolean }>
}>

export type Chase = ReturnType<typeof createChase>

type Batch = Readonly<{ from: number; to: number; obtained: Promise<ReadonlyMap<number, Obtained>> }>

export function createChase(parts: ChaseParts) {
  const { db, blocks, ledger, exits, isVoid, alarm, log, now, l1Seconds, lateSeconds } = parts
  const fetcher = createFetcher(parts)
  const ahead: Batch[] = []
  let stuckAt: number | undefined
  let lateAt: number | undefined
  let gathering: Promise<void> | undefined
  /** After a transaction that failed, while a call lasts: one block at a time, so that what we can't write does not take others along. */
  let isCautious = false

  /** Consecutive blocks from `from` on, as many as make a good fetch. */
  function plan(from: number): Wanted[] {
    const wanted: Wanted[] = []
    let transactions = 0
    for (let number = from; wanted.length < BATCH_BLOCKS; number++) {
      const block = blocks.find(number)
      if (!block || isVoid(number)) break
      transactions += block.header.txCount
      if (wanted.length > 0 && transactions > BATCH_TRANSACTIONS) break
      wanted.push({ number, commitment: block.header })
    }
    return wanted
  }

  /** Keeps a few batches in flight, the first of which holds `next`. */
  function lookAhead(next: number): Batch | undefined {
    while (ahead[0] && ahead[0].to < next) ahead.shift()
    if (ahead[0] && ahead[0].from > next) ahead.length = 0
    while (ahead.length < BATCHES_AHEAD) {
      const wanted = plan(ahead.at(-1) ? (ahead.at(-1) as Batch).to + 1 : next)
      const [first, last] = [wanted[0], wanted.at(-1)]
      if (!first || !last) break
      const obtained = fetcher.obtainBatch(wanted)
      // Awaited when its turn comes; until then a failure must not count as unhandled.
      obtained.catch(() => {})
      ahead.push({ from: first.number, to: last.number, obtained })
    }
    return ahead[0]
  }

  function settle({ wanted, body, isNew }: ObtainedBody): Settled {
    const { number, commitment } = wanted
    const block = blocks.find(number)
    if (!block || !isCurrent(wanted) || block.verified || blocks.verifiedBlock() !== number - 1) return 'stale'
    if (isVoid(number)) return 'stale'
    if (isNew) keepBody(block, body)
    const staged = stageBlock(ledger)
    const fault = verifyBody(number, commitment, body, staged)
    if (fault) {
      blocks.markInvalid(number, fault)
      alarm.raise('INVALID_BLOCK', String(number), { block: number, fault })
      return { fault }
    }
    ledger.write(staged)
    blocks.markVerified(number, body.txHashes)
    exits.relock(
      encodePosition({ block: number, index: 0, output: 0 }),
      encodePosition({ block: number + 1, index: 0, output: 0 }),
    )
    return 'verified'
  }

  /** Settles the block and those after it that came with it, up to the first that does not go through. */
  function settleRun(first: ObtainedBody, more: ReadonlyMap<number, Obtained>) {
    let last = settle(first)
    const done = { blocks: 0, transactions: 0 }
    for (let one: Obtained | undefined = first; one?.body && last === 'verified'; ) {
      done.blocks++
      done.transactions += one.body.ends.length
      one = isCautious ? undefined : more.get(one.wanted.number + 1)
      if (one?.body) last = settle({ ...one, body: one.body })
    }
    return { last, ...done }
  }

  function store({ wanted, body }: ObtainedBody): void {
    const block = blocks.find(wanted.number)
    if (block && isCurrent(wanted) && !block.hasBody) keepBody(block, body)
  }

  /** L1 still commits to what was fetched. */
  function isCurrent({ number, commitment }: Wanted): boolean {
    const header = blocks.find(number)?.header
    return header !== undefined && isSame(header, commitment)
  }

  /** Stores the body; one that kept us waiting is told. */
  function keepBody(block: ChildBlock, { bytes, leaves }: CommittedBody): void {
    const arrived = { arrivedAt: now(), arrivedL1: l1Seconds() }
    blocks.addBody({ block: block.number, commitment: block.header, body: bytes, leaves, ...arrived })
    alarm.clear('BLOCK_SUSPECT', String(block.number))
    alarm.clear('BLOCK_WITHHELD', String(block.number))
    if (block.observedSeconds < lateSeconds) return
    alarm.raise('BLOCK_SERVED_LATE', `${block.number} ${block.header.root}`, {
      block: block.number,
      observedSeconds: Math.floor(block.observedSeconds),
    })
  }

  function write<T>(step: () => T): T {
    try {
      return inTransaction(db, step)
    } catch (error) {
      ledger.forget()
      blocks.forget()
      ahead.length = 0
      isCautious = true
      throw error
    }
  }

  /**
   * Bodies behind a block that stops the fold, kept for when it goes on: what was fetched ahead, then one batch of what lacks. Goes on by
   * itself when peers are slow.
   */
  async function gather(after: number): Promise<void> {
    for (const { obtained } of ahead.splice(0)) keepAll((await obtained).values())
    const wanted = blocks.withoutBody(after + 1, BATCH_BLOCKS).map(wantedAt)
    keepAll((await fetcher.obtainBatch(wanted)).values())
  }

  function keepAll(all: Iterable<Obtained>): void {
    for (const one of all) {
      const { body } = one
      if (body && one.isNew) write(() => store({ ...one, body }))
    }
  }

  function wantedAt(number: number): Wanted {
    return { number, commitment: (blocks.find(number) as ChildBlock).header }
  }

  /** The block's body, and what came with it. Looks ahead, except behind a block that was missing last time: only that one is asked for. */
  async function obtain(number: number): Promise<ReadonlyMap<number, Obtained> | typeof LATE | undefined> {
    if (stuckAt === number) return new Map([[number, await fetcher.askEveryone(wantedAt(number))]])
    const batch = lookAhead(number)
    if (!batch) return undefined
    try {
      return await fetcher.within(batch.obtained)
    } catch (error) {
      ahead.length = 0
      throw error
    }
  }

  /** From now on the fold waits for this block alone. */
  async function getStuck(number: number): Promise<void> {
    stuckAt = number
    gathering ??= gather(number)
      .catch((error: unknown) => log.warn('blocks.gather.failed', { error }))
      .finally(() => {
        gathering = undefined
      })
    await fetcher.within(gathering)
  }

  return {
    /**
     * Verifies what it can until the newest block, the first block that is missing or invalid, or until `budgetMs` is used up.
     * Rejects only for faults of our own: database, workers.
     */
    async advance(budgetMs: number): Promise<ChaseReport> {
      const started = now()
      const done = { blocks: 0, transactions: 0 }
      const report = (stop: ChaseReport['stop']): ChaseReport => {
        isCautious = false
        return { verified: blocks.verifiedBlock(), ...done, stop }
      }
      for (;;) {
        const next = blocks.verifiedBlock() + 1
        const block = blocks.find(next)
        if (!block || isVoid(next)) return report({ reason: 'caught-up' })
        if (block.fault) {
          await getStuck(next)
          return report({ reason: 'invalid', block: next, fault: block.fault })
        }
        const batch = await obtain(next)
        if (batch === LATE) {
          // A second time, and it is not left to the peer whose turn it is: all are asked at once.
          if (lateAt === next) stuckAt = next
          lateAt = next
          return report({ reason: 'waiting', block: next })
        }
        const obtained = batch?.get(next)
        // L1 may have moved meanwhile: what came is then of another commitment.
        if (!batch || !obtained || !isCurrent(obtained.wanted)) {
          ahead.length = 0
          continue
        }
        const { body } = obtained
        if (!body) {
          await getStuck(next)
          return report({ reason: 'missing', block: next, askedEveryone: obtained.askedEveryone })
        }
        const settled = write(() => settleRun({ ...obtained, body }, batch))
        done.blocks += settled.blocks
        done.transactions += settled.transactions
        if (settled.last === 'verified' || settled.last === 'stale') stuckAt = undefined
        if (settled.last === 'stale') ahead.length = 0
        if (now() - started >= budgetMs) return report({ reason: 'budget' })
      }
    },

    /** L1 moved: what was fetched ahead may be of commitments that are gone. */
    forgetAhead(): void {
      ahead.length = 0
      stuckAt = undefined
    },
  }
}

type ObtainedBody = Obtained & Readonly<{ body: CommittedBody }>
type Settled = 'verified' | 'stale' | Readonly<{ fault: BlockFault }>

function isSame(a: Commitment, b: Commitment): boolean {
  return a.root === b.root && a.txCount === b.txCount && a.anchor === b.anchor
}
