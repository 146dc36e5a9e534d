/**
 * One L1 endpoint: JSON-RPC over a viem transport, with a timeout, retries and a schema for every reply (docs/spec.md,
 * "Reading L1"). The endpoint is not trusted: a reply that is not what was asked for is an error that names the endpoint, the
 * method, what came and what was wanted. Another chain than expected is refused at once.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { http, type Transport } from 'viem'
import type { z } from 'zod'
import { configError, invalid, isLifeboatError, type LifeboatError, retryable } from '../protocol/errors.ts'
import { smallQuantity } from './rpcSchemas.ts'

/** Bytes. All receipts of the fullest mainnet blocks fit several times over; an endless reply does not. */
const MAX_REPLY_SIZE = 128 * 1024 * 1024
const MAX_BACKOFF_MS = 10_000

/** Resolves after `ms` milliseconds; may reject or never settle once the signal is aborted. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>

export type RpcCall = Readonly<{ method: string; params: readonly unknown[] }>

/** What endpoints may lack; found out once, by their refusal. */
export type Feature = 'blockReceipts' | 'blockHashPins' | 'feeHistory'

export type Endpoint = Readonly<{
  /** For logs and errors. Never holds the path or user of the URL, which may be a key. */
  name: string
  chainId: number
  /**
   * One call, its reply parsed. Retries what is retryable. Throws (retryable) ENDPOINT_TIMEOUT, ENDPOINT_UNREACHABLE,
   * ENDPOINT_BUSY, ENDPOINT_GARBAGE; (config) ENDPOINT_DENIED; (invalid) RPC_METHOD_MISSING, RPC_REFUSED with rpcCode,
   * rpcMessage and rpcData, REPLY_MALFORMED.
   */
  read<T>(call: RpcCall, schema: z.ZodType<T>): Promise<T>
  /**
   * Many calls, in JSON-RPC batches over HTTP. Replies are paired by order, and an endpoint can drop one: use it only where
   * the content says what it answers. Throws like `read`.
   */
  readMany<T>(calls: readonly RpcCall[], schema: z.ZodType<T>): Promise<T[]>
  /** Features that this endpoint was seen to lack. Grows only. */
  lacks: Set<Feature>
}>

export type EndpointOptions = Readonly<{
  /** http: or https: URL. Exactly one of url and transport. */
  url?: string
  /** Any viem transport, for WebSocket or tests. */
  transport?: Transport
  /** Name in logs; the URL's host when absent. */
  name?: string
  /** What eth_chainId must say. */
  expectedChainId: number
  /** Per attempt. Default 10,000. */
  timeoutMs?: number
  /** Attempts after the first. Default 3. */
  retries?: number
  /** Pause before the first retry, doubled for each further one. Default 200. */
  backoffMs?: number
  /** Calls per HTTP batch; 1 switches batches off. Default 100. */
  batchSize?: number
  sleep?: Sleep
}>

/** Asks for the chain id, and refuses another chain with WRONG_CHAIN. Also throws what `Endpoint.read` throws. */
export async function connectEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const channels = openChannels(options)
  const name = options.name ?? nameOf(options.url)
  const attempt = createAttempt(name, options)
  const endpoint: Endpoint = {
    name,
    chainId: options.expectedChainId,
    read: (call, schema) => attempt(channels.single, call, schema),
    readMany: (calls, schema) => Promise.all(calls.map((call) => attempt(channels.batched, call, schema))),
    lacks: new Set(),
  }
  const got = await endpoint.read({ method: 'eth_chainId', params: [] }, smallQuantity)
  if (got !== options.expectedChainId) {
    throw configError('WRONG_CHAIN', `L1 endpoint ${name} is on another chain`, {
      endpoint: name,
      got,
      want: options.expectedChainId,
    })
  }
  return endpoint
}

type Channel = Readonly<{ request(call: RpcCall): Promise<unknown> }>

function openChannels({ url, transport, timeoutMs = 10_000, batchSize = 100 }: EndpointOptions) {
  const open = (factory: Transport) => factory({ retryCount: 0, timeout: timeoutMs }) as unknown as Channel
  if (transport && url === undefined) {
    const channel = open(transport)
    return { single: channel, batched: channel }
  }
  if (url === undefined || transport || !/^https?:\/\//.test(url)) {
    throw configError('ENDPOINT_URL', 'an L1 endpoint needs a URL or a transport', {
      got: url === undefined ? 'none' : url.slice(0, url.indexOf(':') + 1),
      want: 'either an http: or https: URL, or a transport',
    })
  }
  const settings = { maxResponseBodySize: MAX_REPLY_SIZE }
  const single = open(http(url, settings))
  return { single, batched: batchSize > 1 ? open(http(url, { ...settings, batch: { batchSize } })) : single }
}

function nameOf(url: string | undefined): string {
  return url === undefined ? 'L1' : new URL(url).host
}

type Attempt = <T>(channel: Channel, call: RpcCall, schema: z.ZodType<T>) => Promise<T>

function createAttempt(name: string, options: EndpointOptions): Attempt {
  const { timeoutMs = 10_000, retries = 3, backoffMs = 200, sleep = sleepForReal } = options
  const once: Attempt = async (channel, call, schema) => {
    const timer = new AbortController()
    const expiry = sleep(timeoutMs, timer.signal).then(() => {
      throw retryable('ENDPOINT_TIMEOUT', `L1 endpoint ${name} did not answer ${call.method}`, {
        endpoint: name,
        method: call.method,
        got: 'no reply',
        want: `a reply within ${timeoutMs} ms`,
      })
    })
    try {
      return parseReply(name, call, await Promise.race([channel.request(call), expiry]), schema)
    } catch (error) {
      throw isLifeboatError(error) ? error : classify(name, call, error)
    } finally {
      timer.abort()
    }
  }
  return async (channel, call, schema) => {
    for (let retry = 0; ; retry++) {
      try {
        return await once(channel, call, schema)
      } catch (error) {
        if (retry >= retries || !isLifeboatError(error) || error.family !== 'retryable') throw error
        await sleep(Math.min(backoffMs * 2 ** retry, MAX_BACKOFF_MS), new AbortController().signal)
      }
    }
  }
}

function sleepForReal(ms: number, signal: AbortSignal): Promise<void> {
  return wait(ms, undefined, { signal })
}

function parseReply<T>(name: string, { method, params }: RpcCall, reply: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(reply)
  if (parsed.success) return parsed.data
  const [first] = parsed.error.issues
  throw invalid('REPLY_MALFORMED', `L1 endpoint ${name} gave a malformed reply to ${method}`, {
    endpoint: name,
    method,
    params,
    got: { at: first?.path.join('.') || 'reply', value: excerpt(valueAt(reply, first?.path ?? [])) },
    want: parsed.error.issues.slice(0, 5).map(({ path, message }) => `${path.join('.') || 'reply'}: ${message}`),
  })
}

function valueAt(reply: unknown, path: readonly PropertyKey[]): unknown {
  let value = reply
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key]
  return value
}

/** At most 100 characters of anything: replies may be huge, and error details end in logs. */
function excerpt(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  return text.length > 100 ? `${text.slice(0, 100)}...` : text
}

const BUSY_CODES: readonly number[] = [-32005, -32007, -32002, -32603, 429]
const MISSING_CODES: readonly number[] = [-32601, -32004, 4200]

function classify(name: string, { method }: RpcCall, error: unknown): LifeboatError {
  const about = { endpoint: name, method }
  const rpc = findRpcError(error)
  if (rpc) {
    const details = { ...about, got: rpc.message, rpcCode: rpc.code, rpcMessage: rpc.message, rpcData: rpc.data }
    if (MISSING_CODES.includes(rpc.code)) {
      return invalid('RPC_METHOD_MISSING', `L1 endpoint ${name} does not know ${method}`, details)
    }
    // Some nodes report a revert as an internal error; asking again would not change it.
    if (BUSY_CODES.includes(rpc.code) && !/revert/i.test(rpc.message))
      return retryable('ENDPOINT_BUSY', `L1 endpoint ${name} refused for now`, details)
    return invalid('RPC_REFUSED', `L1 endpoint ${name} refused ${method}`, { ...details, want: 'a result' })
  }
  const status = statusOf(error)
  const got = status ?? excerpt(messageOf(error))
  if (status === 401 || status === 403) {
    return configError('ENDPOINT_DENIED', `L1 endpoint ${name} wants other credentials`, { ...about, got, want: 200 })
  }
  if (status === 429) return retryable('ENDPOINT_BUSY', `L1 endpoint ${name} refused for now`, { ...about, got })
  if (namesOf(error).includes('TimeoutError')) {
    return retryable('ENDPOINT_TIMEOUT', `L1 endpoint ${name} did not answer ${method}`, { ...about, got: 'no reply' })
  }
  const garbled = namesOf(error).some((part) => part === 'SyntaxError' || part === 'UnknownRpcError')
  if (garbled) {
    return retryable('ENDPOINT_GARBAGE', `L1 endpoint ${name} answered ${method} with something else than JSON-RPC`, {
      ...about,
      got,
      want: 'a JSON-RPC reply',
    })
  }
  return retryable('ENDPOINT_UNREACHABLE', `L1 endpoint ${name} can't be reached`, { ...about, got })
}

/** viem wraps what the node said in classes of its own; the node's words are at the end of the chain of causes. */
function* causesOf(error: unknown): Generator<Record<string, unknown>> {
  let cause: unknown = error
  for (let depth = 0; depth < 10 && typeof cause === 'object' && cause !== null; depth++) {
    yield cause as Record<string, unknown>
    cause = (cause as { cause?: unknown }).cause
  }
}

function findRpcError(error: unknown): { code: number; message: string; data: unknown } | undefined {
  const found = [...causesOf(error)].filter((part) => typeof part['code'] === 'number' && part['code'] !== -1).at(-1)
  if (!found) return undefined
  const said = found['details'] ?? found['message']
  return { code: found['code'] as number, message: excerpt(said), data: found['data'] }
}

function statusOf(error: unknown): number | undefined {
  const found = [...causesOf(error)].find((part) => typeof part['status'] === 'number')
  return found?.['status'] as number | undefined
}

function namesOf(error: unknown): string[] {
  return [...causesOf(error)].map((part) => String(part['name']))
}

/** Not viem's own message: it quotes the URL, which may hold a key. */
function messageOf(error: unknown): unknown {
  const last = [...causesOf(error)].at(-1)
  return last?.['code'] ?? last?.['details'] ?? last?.['name'] ?? String(error)
}
