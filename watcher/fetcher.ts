/**
 * Getting bodies (docs/spec.md section 11): from our own store, else from the peers, who may lie, stall or vanish. What comes back is
 * checked against L1's commitment and nothing else; a peer's fault is written to the peer's account.
 */

import type { Commitment } from '../protocol/block.ts'
import { joinBody } from '../protocol/codec.ts'
import { retryable } from '../protocol/errors.ts'
import type { Log } from '../service/log.ts'
import type { Alarm } from './alarm.ts'
import type { BlockStore, ChildBlock } from './blockStore.ts'
import type { Peer, Peers } from './peers.ts'
import { type CommittedBody, checkBody, type Garbage, isHeartbeat, type Prepare } from './verify.ts'

export type FetcherParts = Readonly<{
  blocks: BlockStore
  alarm: Alarm
  peers: Peers
  log: Log
  prepare: Prepare
  separator: Uint8Array
  /** Local clock, ms. */
  now(): number
  /** Resolves after so many ms, or when the signal aborts. */
  pause(ms: number, signal: AbortSignal): Promise<void>
  /** How long a round of asking waits for peers that do not answer. Their answers still count when they come later. Ms. */
  askLimitMs: number
  /** The body of a block as answers on L1 revealed it, if they revealed all of it. */
  revealed?(block: ChildBlock): Uint8Array | undefined
}>

export type Wanted = Readonly<{ number: number; commitment: Commitment }>

/** `askedEveryone`: every peer was asked for this very block, and none gave it in time. */
export type Obtained = Readonly<{ wanted: Wanted; body?: CommittedBody; isNew: boolean; askedEveryone: boolean }>

export const LATE = 'late'

export type Fetcher = ReturnType<typeof createFetcher>

export function createFetcher(parts: FetcherParts) {
  const { blocks, alarm, peers, log, now, pause, askLimitMs } = parts
  /** The one block that is waited for, and who is still answering. */
  let vigil: { key: string; busy: Map<Peer, Promise<unknown>>; landed?: Obtained } | undefined

  /** The body if it is ours already: stored, or that of a heartbeat. */
  async function recall(wanted: Wanted): Promise<Obtained> {
    const { number, commitment } = wanted
    const stored = blocks.body(number)
    const bytes = isHeartbeat(commitment) ? heartbeatBody(wanted) : (stored ?? revealedAt(number))
    const checked = bytes && (await checkBody(number, commitment, bytes, parts))
    const found = checked && 'body' in checked ? { body: checked.body, isNew: !stored } : { isNew: false }
    return { wanted, ...found, askedEveryone: false }
  }

  function revealedAt(number: number): Uint8Array | undefined {
    const block = blocks.find(number)
    return block && parts.revealed?.(block)
  }

  /** What one peer gives of a list of blocks. Asks again while it makes headway, because servers cut long answers short. */
  async function askPeer(peer: Peer, wanted: readonly Wanted[]): Promise<Obtained[]> {
    const obtained: Obtained[] = []
    let rest = wanted
    for (;;) {
      const [first, last] = [rest[0], rest.at(-1)]
      if (!first || !last) return obtained
      const bodies = await request(peer, first.number, last.number)
      const taken = await Promise.all(bodies.map((bytes) => take(peer, rest, bytes)))
      const fresh = taken.flatMap((one) => one ?? [])
      obtained.push(...fresh)
      if (fresh.length === 0) return obtained
      const numbers = new Set(fresh.map((one) => one.wanted.number))
      rest = rest.filter(({ number }) => !numbers.has(number))
      if (rest[0] === first) return obtained
    }
  }

  async function request(peer: Peer, from: number, to: number): Promise<readonly Uint8Array[]> {
    let txCount = 0
    for (let number = from; number <= to; number++) txCount += blocks.find(number)?.header.txCount ?? 0
    try {
      const bodies = await peer.fetch({ from, to, txCount })
      if (bodies.length === 0)
        throw retryable('PEER_EMPTY', 'a peer answered without a block', { got: 0, want: '1 or more' })
      // More than asked for is not looked at: it would only cost us.
      return bodies.slice(0, to - from + 1)
    } catch (error) {
      log.debug('peer.failed', { peer: peer.name, from, to, error })
      peers.failed(peer, error)
      return []
    }
  }

  async function take(peer: Peer, wanted: readonly Wanted[], bytes: Uint8Array): Promise<Obtained | undefined> {
    const claimed = blockNumberOf(bytes)
    const one = wanted.find(({ number }) => number === claimed)
    if (!one) {
      const [from, to] = [wanted[0] as Wanted, (wanted.at(-1) as Wanted).number]
      // Inside the range it is a block that we asked for because it lies between two that we lack.
      const isInside = claimed !== undefined && claimed >= from.number && claimed <= to
      if (!isInside)
        blame(peer, from, { code: 'OTHER_BLOCK', got: claimed ?? 'no body', want: `${from.number} to ${to}` })
      return undefined
    }
    const checked = await checkBody(one.number, one.commitment, bytes, parts)
    if ('garbage' in checked) {
      blame(peer, one, checked.garbage)
      return undefined
    }
    peers.served(peer, 1, now())
    return { wanted: one, body: checked.body, isNew: true, askedEveryone: false }
  }

  function blame(peer: Peer, { number }: Wanted, { code, got, want }: Garbage): void {
    peers.sentGarbage(peer, code)
    alarm.raise('PEER_SERVED_GARBAGE', peer.name, { peer: peer.name, block: number, fault: code, got, want })
  }

  /** From our store, else from the peers in order: each is asked for what those before it did not give. */
  async function obtainBatch(wanted: readonly Wanted[]): Promise<ReadonlyMap<number, Obtained>> {
    const isOurs = ({ number, commitment }: Wanted) =>
      isHeartbeat(commitment) || blocks.find(number)?.hasBody === true || revealedAt(number) !== undefined
    const obtained = new Map<number, Obtained>()
    for (const one of await Promise.all(wanted.filter(isOurs).map(recall))) obtained.set(one.wanted.number, one)
    let rest = wanted.filter(({ number }) => !obtained.get(number)?.body)
    // Only the first of a range is surely refused when it does not come: what follows may have been cut off.
    const asked = new Map<number, number>()
    // Again those who brought something: who lacked the first of a range may have what comes after it.
    for (let useful = peers.inOrder(); useful.length > 0 && rest.length > 0; ) {
      asked.clear()
      const gave: Peer[] = []
      for (const peer of useful) {
        const first = rest[0]
        if (!first) break
        const given = await askPeer(peer, rest)
        if (given.length > 0) gave.push(peer)
        for (const one of given) obtained.set(one.wanted.number, one)
        rest = rest.filter(({ number }) => !obtained.get(number)?.body)
        if (rest[0] === first) asked.set(first.number, (asked.get(first.number) ?? 0) + 1)
      }
      useful = gave
    }
    for (const one of rest) {
      const askedEveryone = peers.size > 0 && asked.get(one.number) === peers.size
      obtained.set(one.number, { wanted: one, isNew: false, askedEveryone })
    }
    return obtained
  }

  /**
   * Asks every peer at once for one block, and again those who have answered since. A peer that neither gives nor refuses can't hold
   * up the round, and a slow one is not cut off: what it brings is taken in a later round.
   */
  async function askEveryone(wanted: Wanted): Promise<Obtained> {
    const own = await recall(wanted)
    if (own.body) return own
    const key = `${wanted.number} ${wanted.commitment.root} ${wanted.commitment.anchor}`
    if (vigil?.key !== key) vigil = { key, busy: new Map() }
    const current = vigil
    const found = new Promise<void>((resolve) => {
      for (const peer of peers.inOrder()) {
        if (current.busy.has(peer)) continue
        const asked = askPeer(peer, [wanted]).then(([one]) => {
          current.busy.delete(peer)
          if (one) current.landed = one
          if (one) resolve()
        })
        current.busy.set(peer, asked)
      }
    })
    const all = Promise.all(current.busy.values())
    // Rejections are our own faults (workers): they end this round, or nobody's when it is over already.
    all.catch(() => undefined)
    if (!current.landed) await within(Promise.race([found, all]))
    return current.landed ?? { wanted, isNew: false, askedEveryone: peers.size > 0 }
  }

  /** The result, or LATE when it takes longer than a round of asking may. */
  async function within<T>(work: Promise<T>): Promise<T | typeof LATE> {
    const ending = new AbortController()
    const limit = pause(askLimitMs, ending.signal).then((): typeof LATE => LATE)
    try {
      return await Promise.race([work, limit])
    } finally {
      ending.abort()
    }
  }

  return { obtainBatch, askEveryone, within }
}

/** The number that a body claims for itself; undefined when there is none to read. */
function blockNumberOf(bytes: Uint8Array): number | undefined {
  return bytes.length < 8 ? undefined : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4)
}

function heartbeatBody({ number, commitment }: Wanted): Uint8Array {
  return joinBody({ block: number, anchor: commitment.anchor, transactions: [] })
}
