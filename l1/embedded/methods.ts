/**
 * The standard JSON-RPC methods (docs/spec.md, "L1", the embedded L1), one entry each. Parameters are parsed before anything is
 * touched; an unknown block is `null` where Ethereum says so and an error where state is asked for.
 */

import { getMerkleStateProof } from '@ethereumjs/statemanager'
import { createTx } from '@ethereumjs/tx'
import { type Address, bytesToHex, type Hash, type Hex, hexToBytes, ZERO_HASH } from '../../protocol/bytes.ts'
import { keccak256Hex } from '../../protocol/keccak.ts'
import { call, estimateGas } from './calls.ts'
import type { DevAccount } from './crypto.ts'
import { invalidParams, refused } from './errors.ts'
import type { Feeds, Push } from './feeds.ts'
import {
  type CallRequest,
  isAbsent,
  parseAddressParam,
  parseBlockRef,
  parseBoolean,
  parseCallRequest,
  parseCount,
  parseData,
  parseHashParam,
  parseList,
  parseLogQuery,
  parseQuantity,
  parseSlot,
} from './params.ts'
import { type BlockRecord, blockToRpc, quantity, transactionToRpc } from './records.ts'
import { accountOf, toEvmAddress } from './state.ts'
import type { View } from './view.ts'

export interface CallerContext {
  /** How to push to this caller; absent over HTTP. */
  readonly push: Push | undefined
  /** Told which subscriptions live and die, so that they end with the connection. */
  readonly subscriptions: Set<Hex>
}

export type Method = (params: readonly unknown[], caller: CallerContext) => unknown

export type MethodTable = Readonly<Record<string, Method>>

export interface MethodParts {
  readonly view: View
  readonly feeds: Feeds
  readonly chainId: number
  readonly clientVersion: string
  readonly devAccounts: readonly DevAccount[]
  /** Gas that a call may use, and the most one transaction may ask for. */
  readonly gasCap: bigint
  /** Wei per gas suggested as tip. */
  readonly suggestedTip: bigint
}

export function standardMethods(parts: MethodParts): MethodTable {
  return {
    ...identityMethods(parts),
    ...blockMethods(parts),
    ...transactionMethods(parts),
    ...stateMethods(parts),
    ...feeMethods(parts),
    ...logMethods(parts),
    ...sendingMethods(parts),
  }
}

function identityMethods({ chainId, clientVersion, devAccounts, view }: MethodParts): MethodTable {
  return {
    eth_chainId: () => quantity(chainId),
    net_version: () => String(chainId),
    net_listening: () => true,
    net_peerCount: () => '0x0',
    web3_clientVersion: () => clientVersion,
    web3_sha3: ([data]) => keccak256Hex(hexToBytes(parseData(data, 'data'))),
    eth_syncing: () => false,
    eth_protocolVersion: () => '0x44',
    eth_accounts: () => devAccounts.map((account) => account.address),
    eth_coinbase: () => view.miner.upcomingPlan().coinbase,
    eth_mining: () => false,
  }
}

function blockMethods({ view }: MethodParts): MethodTable {
  const byRef = (value: unknown) => view.find(parseBlockRef(value, 'latest'))
  const byHash = (value: unknown) => view.find({ kind: 'hash', hash: parseHashParam(value, 'block hash') })
  const orNull = <T>(record: BlockRecord | undefined, read: (record: BlockRecord) => T) =>
    record === undefined ? null : read(record)
  return {
    eth_blockNumber: () => quantity(view.chain.head().number),
    eth_getBlockByNumber: ([block, full]) => {
      const whole = parseBoolean(full, 'full', false)
      if (block === 'pending') return view.pendingBlock(whole)
      return orNull(byRef(block), (record) => blockToRpc(record, whole))
    },
    eth_getBlockByHash: ([hash, full]) => {
      const whole = parseBoolean(full, 'full', false)
      return orNull(byHash(hash), (record) => blockToRpc(record, whole))
    },
    eth_getBlockTransactionCountByNumber: ([block]) =>
      orNull(byRef(block), (record) => quantity(record.transactions.length)),
    eth_getBlockTransactionCountByHash: ([hash]) =>
      orNull(byHash(hash), (record) => quantity(record.transactions.length)),
    eth_getUncleCountByBlockNumber: ([block]) => orNull(byRef(block), () => '0x0'),
    eth_getUncleCountByBlockHash: ([hash]) => orNull(byHash(hash), () => '0x0'),
    eth_getBlockReceipts: ([block]) => orNull(byRef(hashOrRef(block)), (record) => record.receipts),
  }
}

function transactionMethods({ view }: MethodParts): MethodTable {
  const inBlock = (record: BlockRecord | undefined, index: unknown) =>
    record?.transactions[parseCount(index, 'index')]?.rpc ?? null
  return {
    eth_getTransactionByHash: ([value]) => {
      const hash = parseHashParam(value, 'transaction hash')
      const pooled = view.pool.get(hash)
      if (pooled !== undefined) return transactionToRpc(pooled.transaction, pooled.from)
      const place = view.chain.store.locate(hash)
      return place === undefined ? null : (view.chain.block(place.blockNumber).transactions[place.index]?.rpc ?? null)
    },
    eth_getTransactionReceipt: ([value]) => {
      const place = view.chain.store.locate(parseHashParam(value, 'transaction hash'))
      return place === undefined ? null : (view.chain.block(place.blockNumber).receipts[place.index] ?? null)
    },
    eth_getTransactionByBlockHashAndIndex: ([hash, index]) =>
      inBlock(view.find({ kind: 'hash', hash: parseHashParam(hash, 'block hash') }), index),
    eth_getTransactionByBlockNumberAndIndex: ([block, index]) =>
      inBlock(view.find(parseBlockRef(block, 'latest')), index),
    eth_getRawTransactionByHash: ([value]) => {
      const hash = parseHashParam(value, 'transaction hash')
      const place = view.chain.store.locate(hash)
      if (place === undefined) return view.pool.get(hash)?.raw ?? null
      return view.chain.block(place.blockNumber).transactions[place.index]?.raw ?? null
    },
    txpool_status: () => ({ pending: quantity(view.pool.size), queued: '0x0' }),
    txpool_content: () => poolContent(view),
  }
}

function stateMethods({ view, gasCap }: MethodParts): MethodTable {
  return {
    eth_getBalance: ([address, block]) => {
      const owner = parseAddressParam(address, 'address')
      return view.at(parseBlockRef(block, 'latest'), async ({ state }) =>
        quantity((await accountOf(state, owner)).balance),
      )
    },
    eth_getCode: ([address, block]) => {
      const owner = toEvmAddress(parseAddressParam(address, 'address'))
      return view.at(parseBlockRef(block, 'latest'), async ({ state }) => bytesToHex(await state.getCode(owner)))
    },
    eth_getStorageAt: ([address, slot, block]) => {
      const owner = toEvmAddress(parseAddressParam(address, 'address'))
      const key = hexToBytes(parseSlot(slot, 'slot'))
      return view.at(parseBlockRef(block, 'latest'), async ({ state }) => word(await state.getStorage(owner, key)))
    },
    eth_getTransactionCount: async ([address, block]) =>
      quantity(await view.nonceOf(parseAddressParam(address, 'address'), parseBlockRef(block, 'latest'))),
    eth_getProof: ([address, slots, block]) => {
      const owner = parseAddressParam(address, 'address')
      const keys = parseList(slots ?? [], 'storage keys').map((slot) => parseSlot(slot, 'storage key'))
      if (keys.length > 1024) throw invalidParams(`too many slots (want max 1024): got ${keys.length}`)
      return proofAt(view, owner, keys, block)
    },
    eth_call: ([request, block, overrides]) => {
      if (!isAbsent(overrides)) throw invalidParams('state overrides are not supported')
      const parsed = parseCallRequest(request)
      return view.inContext(parseBlockRef(block, 'latest'), parsed, (machine, context) =>
        call(machine, context, parsed, gasCap),
      )
    },
    eth_estimateGas: async ([request, block, overrides]) => {
      if (!isAbsent(overrides)) throw invalidParams('state overrides are not supported')
      return quantity(await estimate(view, parseCallRequest(request), block, gasCap))
    },
  }
}

function feeMethods({ view, suggestedTip }: MethodParts): MethodTable {
  return {
    eth_gasPrice: () => quantity(view.miner.upcomingBaseFee() + suggestedTip),
    eth_maxPriorityFeePerGas: () => quantity(suggestedTip),
    eth_blobBaseFee: () => '0x1',
    eth_feeHistory: ([count, newest, percentiles]) => {
      const wanted = isAbsent(percentiles) ? [] : parseList(percentiles, 'percentiles').map(parsePercentile)
      if (wanted.some((value, index) => value < (wanted[index - 1] ?? 0))) {
        throw invalidParams('invalid reward percentile: they must not decrease')
      }
      return view.feeHistory(parseCount(count, 'block count'), parseBlockRef(newest, 'latest'), wanted)
    },
  }
}

function logMethods({ view, feeds }: MethodParts): MethodTable {
  const idOf = (value: unknown) => quantity(parseQuantity(value, 'filter id'))
  return {
    eth_getLogs: ([query]) => view.logs(parseLogQuery(query)),
    eth_newFilter: ([query]) => feeds.install({ kind: 'logs', query: parseLogQuery(query) }),
    eth_newBlockFilter: () => feeds.install({ kind: 'blocks' }),
    eth_newPendingTransactionFilter: () => feeds.install({ kind: 'pending' }),
    eth_getFilterChanges: ([id]) => feeds.changes(idOf(id)),
    eth_getFilterLogs: ([id]) => feeds.filterLogs(idOf(id)),
    eth_uninstallFilter: ([id]) => feeds.uninstall(idOf(id)),
    eth_subscribe: ([kind, detail], caller) => {
      if (caller.push === undefined) throw refused('notifications not supported: connect by WebSocket')
      const id = feeds.subscribe(parseSubscription(kind, detail), caller.push)
      caller.subscriptions.add(id)
      return id
    },
    eth_unsubscribe: ([value], caller) => {
      const id = idOf(value)
      // One client can't end another's subscription by guessing its number.
      return caller.subscriptions.delete(id) && feeds.unsubscribe(id)
    },
  }
}

function sendingMethods(parts: MethodParts): MethodTable {
  const { view } = parts
  return {
    eth_sendRawTransaction: ([raw]) => view.miner.submit(hexToBytes(parseData(raw, 'raw transaction'))),
    eth_sendTransaction: async ([request]) => view.miner.submit(await signFor(parts, parseCallRequest(request))),
    eth_signTransaction: async ([request]) => ({ raw: bytesToHex(await signFor(parts, parseCallRequest(request))) }),
  }
}

/** Completes and signs a transaction of a development account. Throws RpcError when its key isn't held here. */
async function signFor(parts: MethodParts, request: CallRequest): Promise<Uint8Array> {
  const { view, devAccounts, suggestedTip } = parts
  const account = devAccounts.find(({ address }) => address === request.from)
  if (account === undefined) throw refused(`unknown account: got ${request.from ?? 'none'}, want one of eth_accounts`)
  const fields = {
    nonce: request.nonce ?? (await view.nonceOf(account.address, { kind: 'tag', tag: 'pending' })),
    gasLimit: request.gas ?? (await estimate(view, request, undefined, parts.gasCap)),
    value: request.value,
    data: hexToBytes(request.data),
    ...(request.to !== undefined && { to: hexToBytes(request.to) }),
  }
  const tip = request.maxPriorityFeePerGas ?? suggestedTip
  const options = { common: view.chain.rules }
  const transaction =
    request.gasPrice === undefined
      ? createTx(
          {
            type: 2,
            chainId: parts.chainId,
            ...fields,
            maxPriorityFeePerGas: tip,
            maxFeePerGas: request.maxFeePerGas ?? view.miner.upcomingBaseFee() * 2n + tip,
            accessList: (request.accessList ?? []).map(({ address, storageKeys }) => ({
              address,
              storageKeys: [...storageKeys],
            })),
          },
          options,
        )
      : createTx({ type: 0, ...fields, gasPrice: request.gasPrice }, options)
  return transaction.sign(account.privateKey, false).serialize()
}

/** Without a block named, in the block that would come now: that is where the transaction will be. */
function estimate(view: View, request: CallRequest, block: unknown, gasCap: bigint): Promise<bigint> {
  return view.inContext(parseBlockRef(block, 'pending'), request, (machine, context) =>
    estimateGas(machine, context, request, gasCap),
  )
}

async function proofAt(view: View, owner: Address, keys: readonly Hash[], block: unknown) {
  return view.at(parseBlockRef(block, 'latest'), async ({ state }) => {
    const slots = keys.map((key) => hexToBytes(key))
    const proof = await getMerkleStateProof(state, toEvmAddress(owner), slots)
    const absent = proof.storageProof.length === 0
    return {
      ...proof,
      storageProof: absent
        ? keys.map((key) => ({ key, value: '0x0', proof: [] }))
        : proof.storageProof.map((item) => ({ ...item, value: quantity(BigInt(item.value)) })),
    }
  })
}

function parseSubscription(kind: unknown, detail: unknown) {
  if (kind === 'newHeads') return { kind } as const
  if (kind === 'logs') return { kind, matcher: parseLogQuery(detail) } as const
  if (kind === 'newPendingTransactions') return { kind, full: parseBoolean(detail, 'full', false) } as const
  throw invalidParams(`no "${String(kind)}" subscription: want newHeads, logs or newPendingTransactions`)
}

function parsePercentile(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= 100)) {
    throw invalidParams(`invalid reward percentile: got ${String(value)}, want 0 to 100`)
  }
  return value
}

/** `eth_getBlockReceipts` takes a bare hash too. */
function hashOrRef(value: unknown): unknown {
  return typeof value === 'string' && value.length === 66 ? { blockHash: value } : value
}

function poolContent(view: View) {
  const pending: Record<Address, Record<string, unknown>> = {}
  for (const entry of view.pool.all()) {
    const ofSender = pending[entry.from] ?? {}
    ofSender[entry.nonce.toString()] = transactionToRpc(entry.transaction, entry.from)
    pending[entry.from] = ofSender
  }
  return { pending, queued: {} }
}

function word(bytes: Uint8Array): Hash {
  return `0x${(ZERO_HASH.slice(2) + bytesToHex(bytes).slice(2)).slice(-64)}`
}
