/** JSON-RPC parameters from untrusted callers, parsed once (docs/spec.md, "L1", the embedded L1). Each throws -32602 with got and want. */
import { type Address, equalBytes, type Hash, type Hex, hexToBytes } from '../../protocol/bytes.ts'
import { invalidParams, type RpcError } from './errors.ts'

export type BlockTag = 'latest' | 'pending' | 'safe' | 'finalized' | 'earliest'

/** A block by height, hash (EIP-1898) or tag. */
export type BlockRef =
  | { readonly kind: 'tag'; readonly tag: BlockTag }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'hash'; readonly hash: Hash }

/** A call or a transaction to be, in RPC names parsed. Amounts in wei. */
export interface CallRequest {
  readonly from: Address | undefined
  readonly to: Address | undefined
  readonly gas: bigint | undefined
  readonly gasPrice: bigint | undefined
  readonly maxFeePerGas: bigint | undefined
  readonly maxPriorityFeePerGas: bigint | undefined
  readonly value: bigint
  readonly data: Hex
  readonly nonce: bigint | undefined
  readonly accessList: readonly { address: Address; storageKeys: readonly Hash[] }[] | undefined
  readonly authorizationList: readonly Authorization[] | undefined
}

/** A signed EIP-7702 delegation. */
export interface Authorization {
  readonly chainId: bigint
  readonly address: Address
  readonly nonce: bigint
  readonly yParity: bigint
  readonly r: bigint
  readonly s: bigint
}

/** Matches a log when each given position holds one of the given values. */
export interface LogMatcher {
  readonly addresses: ReadonlySet<Address> | undefined
  readonly topics: readonly (ReadonlySet<Hash> | undefined)[]
}

export interface LogQuery extends LogMatcher {
  readonly blockHash: Hash | undefined
  readonly from: BlockRef | undefined
  readonly to: BlockRef | undefined
}

const TAGS: readonly string[] = ['latest', 'pending', 'safe', 'finalized', 'earliest']
const MAX_TOPIC_OPTIONS = 1000

export function parseQuantity(value: unknown, name: string): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value)
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{1,64}$/.test(value)) return BigInt(value)
  if (typeof value === 'string' && /^[0-9]{1,78}$/.test(value)) return BigInt(value)
  throw wrong(name, value, 'a quantity such as 0x1f')
}

/** A quantity that is a safe integer: heights, counts, seconds. */
export function parseCount(value: unknown, name: string): number {
  const parsed = parseQuantity(value, name)
  if (parsed > BigInt(Number.MAX_SAFE_INTEGER)) throw wrong(name, value, 'at most 2^53 - 1')
  return Number(parsed)
}

export function parseData(value: unknown, name: string): Hex {
  if (typeof value !== 'string' || !/^0x([0-9a-fA-F]{2})*$/.test(value)) throw wrong(name, value, '0x and whole bytes')
  return value.toLowerCase() as Hex
}

export function parseAddressParam(value: unknown, name: string): Address {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(value)) throw wrong(name, value, 'an address')
  return value.toLowerCase() as Address
}

export function parseHashParam(value: unknown, name: string): Hash {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{64}$/.test(value)) throw wrong(name, value, 'a 32-byte hash')
  return value.toLowerCase() as Hash
}

/** A storage slot: up to 32 bytes, leading zeros optional. */
export function parseSlot(value: unknown, name: string): Hash {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(value)) throw wrong(name, value, 'a storage slot')
  return `0x${value.slice(2).toLowerCase().padStart(64, '0')}`
}

export function parseBoolean(value: unknown, name: string, fallback: boolean): boolean {
  if (value === undefined || value === null) return fallback
  if (typeof value !== 'boolean') throw wrong(name, value, 'true or false')
  return value
}

export function parseBlockRef(value: unknown, fallback: BlockTag): BlockRef {
  if (value === undefined || value === null) return { kind: 'tag', tag: fallback }
  if (typeof value === 'string' && TAGS.includes(value)) return { kind: 'tag', tag: value as BlockTag }
  if (isFields(value)) {
    const { blockHash, blockNumber } = value
    if (blockHash !== undefined && blockNumber !== undefined) {
      throw invalidParams('cannot specify both BlockHash and BlockNumber, choose one or the other')
    }
    if (blockHash !== undefined) return { kind: 'hash', hash: parseHashParam(blockHash, 'blockHash') }
    return parseBlockRef(blockNumber, fallback)
  }
  return { kind: 'number', number: parseCount(value, 'block') }
}

export function parseCallRequest(value: unknown): CallRequest {
  const fields = parseFields(value, 'transaction')
  const quantityOf = (name: string) => (isAbsent(fields[name]) ? undefined : parseQuantity(fields[name], name))
  const data = isAbsent(fields['data']) ? undefined : parseData(fields['data'], 'data')
  const input = isAbsent(fields['input']) ? undefined : parseData(fields['input'], 'input')
  if (data !== undefined && input !== undefined && !equalBytes(hexToBytes(data), hexToBytes(input))) {
    throw invalidParams(
      'both "data" and "input" are set and not equal. Please use "input" to pass transaction call data',
    )
  }
  const request = {
    from: isAbsent(fields['from']) ? undefined : parseAddressParam(fields['from'], 'from'),
    to: isAbsent(fields['to']) ? undefined : parseAddressParam(fields['to'], 'to'),
    gas: quantityOf('gas'),
    gasPrice: quantityOf('gasPrice'),
    maxFeePerGas: quantityOf('maxFeePerGas'),
    maxPriorityFeePerGas: quantityOf('maxPriorityFeePerGas'),
    value: quantityOf('value') ?? 0n,
    data: input ?? data ?? '0x',
    nonce: quantityOf('nonce'),
    accessList: isAbsent(fields['accessList']) ? undefined : parseAccessList(fields['accessList']),
    authorizationList: isAbsent(fields['authorizationList'])
      ? undefined
      : parseList(fields['authorizationList'], 'authorizationList').map(parseAuthorization),
  } as const
  if (request.gasPrice !== undefined && (request.maxFeePerGas ?? request.maxPriorityFeePerGas) !== undefined) {
    throw invalidParams('both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified')
  }
  return request
}

export function parseLogQuery(value: unknown): LogQuery {
  const fields = parseFields(value ?? {}, 'filter')
  const blockHash = isAbsent(fields['blockHash']) ? undefined : parseHashParam(fields['blockHash'], 'blockHash')
  const hasRange = !isAbsent(fields['fromBlock']) || !isAbsent(fields['toBlock'])
  if (blockHash !== undefined && hasRange) {
    throw invalidParams('cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other')
  }
  return {
    blockHash,
    from: isAbsent(fields['fromBlock']) ? undefined : parseBlockRef(fields['fromBlock'], 'latest'),
    to: isAbsent(fields['toBlock']) ? undefined : parseBlockRef(fields['toBlock'], 'latest'),
    addresses: parseAddresses(fields['address']),
    topics: isAbsent(fields['topics']) ? [] : parseTopics(fields['topics']),
  }
}

export function parseFields(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (!isFields(value)) throw wrong(name, value, 'an object')
  return value
}

export function parseList(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(name, value, 'a list')
  return value
}

export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseAddresses(value: unknown): ReadonlySet<Address> | undefined {
  if (isAbsent(value)) return undefined
  const list = Array.isArray(value) ? value : [value]
  if (list.length === 0) return undefined
  if (list.length > MAX_TOPIC_OPTIONS) throw wrong('address', list.length, `at most ${MAX_TOPIC_OPTIONS} addresses`)
  return new Set(list.map((item) => parseAddressParam(item, 'address')))
}

function parseTopics(value: unknown): (ReadonlySet<Hash> | undefined)[] {
  const list = parseList(value, 'topics')
  if (list.length > 4) throw wrong('topics', list.length, 'at most 4 positions')
  return list.map((position) => {
    if (isAbsent(position)) return undefined
    const options = Array.isArray(position) ? position : [position]
    if (options.length > MAX_TOPIC_OPTIONS) throw wrong('topics', options.length, `at most ${MAX_TOPIC_OPTIONS} values`)
    // An empty list, or null among the alternatives, matches anything.
    if (options.length === 0 || options.some(isAbsent)) return undefined
    return new Set(options.map((topic) => parseHashParam(topic, 'topic')))
  })
}

function parseAccessList(value: unknown) {
  return parseList(value, 'accessList').map((item) => {
    const fields = parseFields(item, 'accessList entry')
    return {
      address: parseAddressParam(fields['address'], 'accessList address'),
      storageKeys: parseList(fields['storageKeys'] ?? [], 'storageKeys').map((key) =>
        parseHashParam(key, 'storageKey'),
      ),
    }
  })
}

function parseAuthorization(value: unknown): Authorization {
  const fields = parseFields(value, 'authorization')
  return {
    chainId: parseQuantity(fields['chainId'], 'authorization chainId'),
    address: parseAddressParam(fields['address'], 'authorization address'),
    nonce: parseQuantity(fields['nonce'], 'authorization nonce'),
    yParity: parseQuantity(fields['yParity'] ?? 0, 'authorization yParity'),
    r: parseQuantity(fields['r'], 'authorization r'),
    s: parseQuantity(fields['s'], 'authorization s'),
  }
}

function wrong(name: string, got: unknown, want: string): RpcError {
  const shown = JSON.stringify(got) ?? 'nothing'
  return invalidParams(
    `invalid argument ${name}: got ${shown.length > 80 ? `${shown.slice(0, 80)}...` : shown}, want ${want}`,
  )
}
