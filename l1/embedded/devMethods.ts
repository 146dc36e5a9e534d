/**
 * Methods that real networks don't have (docs/spec.md, "L1", the embedded L1), under the names that Hardhat and Anvil gave
 * them: mining, time, snapshots, reorgs, state by decree. A decree takes a block of its own, so that every state that can be read
 * belongs to a header.
 */
import { type Hex, hexToBytes } from '../../protocol/bytes.ts'
import type { ChainTime } from './chainTime.ts'
import { invalidParams } from './errors.ts'
import type { MethodTable } from './methods.ts'
import {
  isAbsent,
  parseAddressParam,
  parseBoolean,
  parseCount,
  parseData,
  parseFields,
  parseHashParam,
  parseList,
  parseQuantity,
  parseSlot,
} from './params.ts'
import { headerNumbers, quantity } from './records.ts'
import { accountOf, toEvmAddress } from './state.ts'
import type { Timeline } from './timeline.ts'
import type { View } from './view.ts'

export interface DevParts {
  readonly view: View
  readonly time: ChainTime
  readonly timeline: Timeline
}

export function devMethods(parts: DevParts): MethodTable {
  const table = { ...miningMethods(parts), ...timeMethods(parts), ...timelineMethods(parts), ...decrees(parts) }
  const aliases: Record<string, string> = {
    hardhat_mine: 'anvil_mine',
    hardhat_setBalance: 'anvil_setBalance',
    hardhat_setCode: 'anvil_setCode',
    hardhat_setNonce: 'anvil_setNonce',
    hardhat_setStorageAt: 'anvil_setStorageAt',
    hardhat_setNextBlockBaseFeePerGas: 'anvil_setNextBlockBaseFeePerGas',
    hardhat_dropTransaction: 'anvil_dropTransaction',
    anvil_snapshot: 'evm_snapshot',
    anvil_revert: 'evm_revert',
    anvil_increaseTime: 'evm_increaseTime',
    anvil_setNextBlockTimestamp: 'evm_setNextBlockTimestamp',
    anvil_setAutomine: 'evm_setAutomine',
    anvil_setIntervalMining: 'evm_setIntervalMining',
  }
  for (const [alias, name] of Object.entries(aliases)) {
    const method = table[name]
    if (method !== undefined) table[alias] = method
  }
  return table
}

function miningMethods({ view }: DevParts): Record<string, MethodTable[string]> {
  const { miner, pool } = view
  return {
    evm_mine: async ([option]) => {
      const fields =
        typeof option === 'object' && option !== null ? parseFields(option, 'options') : { timestamp: option }
      const { timestamp, blocks } = fields
      await miner.mine(isAbsent(blocks) ? 1 : parseCount(blocks, 'blocks'), {
        ...(!isAbsent(timestamp) && { timestamp: parseCount(timestamp, 'timestamp') }),
      })
      return '0x0'
    },
    anvil_mine: async ([count, interval]) => {
      const intervalSeconds = isAbsent(interval) ? undefined : parseCount(interval, 'interval')
      await miner.mine(isAbsent(count) ? 1 : parseCount(count, 'count'), {
        ...(intervalSeconds !== undefined && intervalSeconds > 0 && { intervalSeconds }),
      })
      return null
    },
    evm_setAutomine: async ([enabled]) => {
      if (isAbsent(enabled)) throw invalidParams('invalid argument enabled: got nothing, want true or false')
      if (parseBoolean(enabled, 'enabled', true)) miner.setMode('instant')
      else if (miner.currentMode() === 'instant') miner.setMode('manual')
      await miner.mineReadyIfInstant()
      return true
    },
    anvil_getAutomine: () => miner.currentMode() === 'instant',
    evm_setIntervalMining: ([seconds]) => {
      const intervalSeconds = parseCount(seconds, 'interval')
      if (intervalSeconds > 86_400)
        throw invalidParams(`invalid argument interval: got ${intervalSeconds}, want at most 86400`)
      miner.setMode(intervalSeconds === 0 ? 'manual' : { intervalSeconds })
      return true
    },
    anvil_setNextBlockBaseFeePerGas: ([wei]) => {
      miner.setUpcomingBaseFee(parseQuantity(wei, 'base fee'))
      return null
    },
    anvil_dropTransaction: ([hash]) => pool.drop(parseHashParam(hash, 'transaction hash'))?.hash ?? null,
    anvil_dropAllTransactions: () => {
      pool.clear()
      return null
    },
  }
}

function timeMethods({ view, time }: DevParts): Record<string, MethodTable[string]> {
  return {
    evm_increaseTime: ([seconds]) => quantity(time.increase(parseCount(seconds, 'seconds'))),
    evm_setNextBlockTimestamp: ([timestamp]) => {
      time.setNext(parseCount(timestamp, 'timestamp'), headerNumbers(view.chain.head()).timestamp)
      return null
    },
  }
}

function timelineMethods({ timeline }: DevParts): Record<string, MethodTable[string]> {
  return {
    evm_snapshot: async () => quantity(await timeline.snapshot()),
    evm_revert: ([id]) => timeline.revert(parseCount(id, 'snapshot')),
    anvil_reorg: async ([depth, pairs, options]) => {
      const blocks = parseCount(depth, 'depth')
      const given = isAbsent(pairs) ? [] : parseList(pairs, 'transactions').map((pair) => parsePair(pair, blocks))
      await timeline.reorg(blocks, given, parseRequeue(options, true))
      return null
    },
    anvil_rollback: async ([depth, options]) => {
      await timeline.rollback(isAbsent(depth) ? 1 : parseCount(depth, 'depth'), parseRequeue(options, false))
      return null
    },
  }
}

function decrees({ view }: DevParts): Record<string, MethodTable[string]> {
  const { miner } = view
  return {
    anvil_setBalance: async ([address, wei]) => {
      const owner = parseAddressParam(address, 'address')
      const balance = parseQuantity(wei, 'balance')
      await miner.mineEdit(async ({ state }) => {
        const account = await accountOf(state, owner)
        account.balance = balance
        await state.putAccount(toEvmAddress(owner), account)
      })
      return null
    },
    anvil_setNonce: async ([address, value]) => {
      const owner = parseAddressParam(address, 'address')
      const nonce = parseQuantity(value, 'nonce')
      await miner.mineEdit(async ({ state }) => {
        const account = await accountOf(state, owner)
        account.nonce = nonce
        await state.putAccount(toEvmAddress(owner), account)
      })
      return null
    },
    anvil_setCode: async ([address, code]) => {
      const owner = toEvmAddress(parseAddressParam(address, 'address'))
      const bytes = hexToBytes(parseData(code, 'code'))
      await miner.mineEdit(({ state }) => state.putCode(owner, bytes))
      return null
    },
    anvil_setStorageAt: async ([address, slot, value]) => {
      const owner = parseAddressParam(address, 'address')
      const key = hexToBytes(parseSlot(slot, 'slot'))
      const content = hexToBytes(parseSlot(value, 'value'))
      await miner.mineEdit(async ({ state }) => {
        await state.putAccount(toEvmAddress(owner), await accountOf(state, owner))
        await state.putStorage(toEvmAddress(owner), key, content)
      })
      return true
    },
  }
}

/** Anvil's [transaction, block index]; only signed bytes, since nobody here signs for strangers. */
function parsePair(value: unknown, depth: number): { raw: Hex; blockIndex: number } {
  const pair = parseList(value, 'transaction pair')
  const blockIndex = parseCount(pair[1], 'block index')
  if (blockIndex >= depth) throw invalidParams(`invalid argument block index: got ${blockIndex}, want below ${depth}`)
  return { raw: parseData(pair[0], 'raw transaction'), blockIndex }
}

/** `{ requeue }`: whether transactions of removed blocks go back to the pool. */
function parseRequeue(value: unknown, fallback: boolean): boolean {
  return isAbsent(value) ? fallback : parseBoolean(parseFields(value, 'options')['requeue'], 'requeue', fallback)
}
