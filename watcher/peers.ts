/**
 * Block peers: the operator and other watchers, who all may lie, stall or vanish (docs/spec.md section 11). What they send is checked
 * against L1 by the caller; here it is bounded in size and time, and their conduct is remembered for the order of asking.
 */
import { BINARY_TYPE, splitBodies } from '../api/bodies.ts'
import { request } from '../api/http.ts'
import { MAX_TRANSACTION_SIZE } from '../protocol/codec.ts'
import { configError, isLifeboatError } from '../protocol/errors.ts'

const BODY_HEADER_SIZE = 16
const LENGTH_SIZE = 4
/** A peer that moves less than this is stalling. */
const MIN_BYTES_PER_SECOND = 65_536
const LONGEST_ANSWER_MS = 120_000

export type BlockRange = Readonly<{
  from: number
  to: number
  /** Transactions that the range holds by L1: bounds the size of an honest answer. */
  txCount: number
}>

export type Peer = Readonly<{
  /** For logs and alerts: host and port, never a path or user, which may be a secret. */
  name: string
  /** Bodies of the range, as many as the peer gives. Rejects when it refuses or fails. Unchecked bytes. */
  fetch(range: BlockRange): Promise<readonly Uint8Array[]>
}>

/** How a peer did since start; the order of asking follows from it. */
export type PeerRecord = {
  served: number
  failures: number
  garbage: number
  lastError?: string
  lastServedAt?: number
}

export type Peers = ReturnType<typeof createPeers>

export function createPeers(list: readonly Peer[]) {
  const records = new Map<Peer, PeerRecord>(list.map((peer) => [peer, { served: 0, failures: 0, garbage: 0 }]))

  return {
    size: list.length,

    /** Best conduct first; equal ones in the configured order. Failures fade with every success, garbage only slowly. */
    inOrder(): Peer[] {
      const score = (peer: Peer) => {
        const { failures, garbage } = records.get(peer) as PeerRecord
        return failures + 10 * garbage
      }
      return [...list].sort((a, b) => score(a) - score(b))
    },

    served(peer: Peer, count: number, at: number): void {
      const record = records.get(peer) as PeerRecord
      record.served += count
      record.failures = Math.floor(record.failures / 2)
      if (record.served % 1_000 < count) record.garbage = Math.max(0, record.garbage - 1)
      record.lastServedAt = at
    },

    failed(peer: Peer, error: unknown): void {
      const record = records.get(peer) as PeerRecord
      record.failures = Math.min(record.failures + 1, 100)
      record.lastError = isLifeboatError(error) ? error.code : String(error)
    },

    sentGarbage(peer: Peer, code: string): void {
      const record = records.get(peer) as PeerRecord
      record.garbage = Math.min(record.garbage + 1, 100)
      record.lastError = code
    },

    report(): readonly Readonly<PeerRecord & { name: string }>[] {
      return list.map((peer) => ({ name: peer.name, ...(records.get(peer) as PeerRecord) }))
    },
  }
}

/** `timeoutMs`: for an empty answer; a large one may take as long as a slow line needs. */
export type HttpPeerOptions = Readonly<{ url: string; timeoutMs: number; fetch?: typeof fetch; signal?: AbortSignal }>

/** A peer that serves GET /v1/blocks?from&to. Throws PEER_URL for something that is not an http(s) URL. */
export function createHttpPeer({ url, timeoutMs, ...rest }: HttpPeerOptions): Peer {
  const { host, href } = parseUrl(url)
  return {
    name: host,
    async fetch({ from, to, txCount }) {
      const limit = (to - from + 1) * (BODY_HEADER_SIZE + LENGTH_SIZE) + txCount * MAX_TRANSACTION_SIZE
      const total = timeoutMs + Math.ceil((limit / MIN_BYTES_PER_SECOND) * 1000)
      const options = { ...rest, url: href, timeoutMs: Math.min(total, LONGEST_ANSWER_MS), maxAnswerBytes: limit }
      return splitBodies(
        (await request(options, { path: `/v1/blocks?from=${from}&to=${to}`, accept: BINARY_TYPE })).bytes,
      )
    },
  }
}

function parseUrl(url: string): URL {
  if (URL.canParse(url) && /^https?:/.test(url)) return new URL(url)
  throw configError('PEER_URL', 'not the URL of a block peer', { got: url, want: 'http://host:port or https://host' })
}
