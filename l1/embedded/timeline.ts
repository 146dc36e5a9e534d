/**
 * Moving the head anywhere but forward (docs/spec.md, "L1", the embedded L1): reorg, rollback, snapshot and revert. A snapshot
 * stays good after reorgs: what they remove of its chain is kept with it.
 */
import { type Hash, type Hex, hexToBytes } from '../../protocol/bytes.ts'
import type { Chain, HeadChange } from './chain.ts'
import type { ChainTime, ChainTimeState } from './chainTime.ts'
import { invalidParams, refused } from './errors.ts'
import type { Mempool, PooledTransaction } from './mempool.ts'
import { dictatedSource, type Miner } from './mining.ts'
import { type BlockRecord, headerNumbers } from './records.ts'

export interface Timeline {
  /**
   * Replaces the last `depth` blocks by as many new ones, with the same timestamps, other hashes and only the given transactions
   * (`blockIndex` counts the new blocks from 0). With `requeue` the removed transactions go back to the pool, for the next block.
   * Throws RpcError, and nothing has changed, when depth reaches genesis or a given transaction is invalid in its place.
   */
  reorg(depth: number, given: readonly { raw: Hex; blockIndex: number }[], requeue: boolean): Promise<HeadChange>
  /** Removes the last `depth` blocks. */
  rollback(depth: number, requeue: boolean): Promise<HeadChange>
  /** Number of the new snapshot; from 1 up. */
  snapshot(): Promise<number>
  /** Goes back to a snapshot: chain, pool and time. It and all later ones are used up. False when there is none of that number. */
  revert(id: number): Promise<boolean>
}

interface Snapshot {
  readonly id: number
  readonly head: Hash
  readonly number: number
  readonly pool: readonly Hex[]
  readonly time: ChainTimeState
  readonly baseFeePerGas: bigint | undefined
  /** Blocks of its chain, from some height up to its head, that are no longer canonical; oldest first. */
  kept: readonly BlockRecord[]
}

/** Each snapshot may keep a removed branch, so a forgotten loop must not fill the memory. */
const MAX_SNAPSHOTS = 10_000

export function createTimeline(parts: { chain: Chain; pool: Mempool; miner: Miner; time: ChainTime }): Timeline {
  const { chain, pool, miner, time } = parts
  let snapshots: Snapshot[] = []
  let lastId = 0
  let reorgs = 0

  chain.onChange(({ removed }) => {
    const oldestFirst = [...removed].reverse()
    for (const snapshot of snapshots) {
      const first = snapshot.kept[0]
      const newest = first === undefined ? snapshot.number : first.number - 1
      const lost = oldestFirst.filter((record) => record.number <= newest)
      // Blocks that replaced the snapshot's own are not its history.
      if (lost.at(-1)?.hash === (first?.header.parentHash ?? snapshot.head)) snapshot.kept = [...lost, ...snapshot.kept]
    }
  })

  function ancestorOf(depth: number): BlockRecord {
    const head = chain.head().number
    if (depth < 1 || depth > head) throw invalidParams(`depth ${depth} is out of range, want 1 to ${head}`)
    return chain.block(head - depth)
  }

  async function requeueRemoved({ removed, added }: HeadChange): Promise<void> {
    for (const record of [...removed].reverse()) {
      for (const { raw, rpc } of record.transactions) {
        if (chain.store.locate(rpc.hash) === undefined) pool.restore(hexToBytes(raw))
      }
    }
    await miner.prunePool(added)
  }

  async function buildBranch(
    ancestor: BlockRecord,
    replaced: readonly BlockRecord[],
    given: readonly PooledTransaction[][],
  ) {
    const branch: BlockRecord[] = []
    let parent = ancestor
    reorgs++
    for (const [index, old] of replaced.entries()) {
      chain.continueBranch(branch)
      const plan = miner.plan(parent, headerNumbers(old).timestamp, textToHex(`reorg ${reorgs}`))
      const source = dictatedSource(given[index] ?? [], (why) => {
        throw refused(why)
      })
      parent = await miner.buildOn(plan, source)
      branch.push(parent)
    }
    return branch
  }

  return {
    reorg(depth, given, requeue) {
      return miner.queue.run(async () => {
        const ancestor = ancestorOf(depth)
        const replaced = Array.from({ length: depth }, (_, index) => chain.block(ancestor.number + 1 + index))
        const perBlock = replaced.map((_, index) =>
          given.filter((item) => item.blockIndex === index).map((item) => pool.decode(hexToBytes(item.raw))),
        )
        await chain.standOn(ancestor)
        try {
          const change = await chain.switchTo(ancestor.number, await buildBranch(ancestor, replaced, perBlock))
          await (requeue ? requeueRemoved(change) : miner.prunePool(change.added))
          return change
        } catch (error) {
          await chain.standOn(chain.head())
          throw error
        } finally {
          chain.continueBranch([])
        }
      })
    },

    rollback(depth, requeue) {
      return miner.queue.run(async () => {
        const ancestor = ancestorOf(depth)
        await chain.standOn(ancestor)
        const change = await chain.switchTo(ancestor.number, [])
        if (requeue) await requeueRemoved(change)
        return change
      })
    },

    snapshot() {
      return miner.queue.run(async () => {
        if (snapshots.length >= MAX_SNAPSHOTS) throw refused(`too many snapshots, at most ${MAX_SNAPSHOTS}`)
        const head = chain.head()
        lastId++
        snapshots.push({
          id: lastId,
          head: head.hash,
          number: head.number,
          pool: pool.all().map((entry) => entry.raw),
          time: time.state(),
          baseFeePerGas: miner.upcomingBaseFee(),
          kept: [],
        })
        return lastId
      })
    },

    revert(id) {
      return miner.queue.run(async () => {
        const snapshot = snapshots.find((candidate) => candidate.id === id)
        if (snapshot === undefined) return false
        const ancestor = chain.block(snapshot.kept[0] === undefined ? snapshot.number : snapshot.kept[0].number - 1)
        await chain.standOn(snapshot.kept.at(-1) ?? ancestor)
        const earlier = snapshots.filter((candidate) => candidate.id < id)
        snapshots = earlier
        await chain.switchTo(ancestor.number, snapshot.kept)
        pool.clear()
        for (const raw of snapshot.pool) pool.restore(hexToBytes(raw))
        time.restore(snapshot.time)
        miner.setUpcomingBaseFee(snapshot.baseFeePerGas)
        return true
      })
    },
  }
}

function textToHex(text: string): Hex {
  return `0x${Buffer.from(text).toString('hex')}`
}
