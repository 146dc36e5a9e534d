/** A node as the outbox sees it, in memory and scripted: mines by hand, and answers wrongly when told to. */
import { parseTransaction } from 'viem'
import type { OutboxReceipt, OutboxRpc, SendAnswer } from '../../l1/outboxRpc.ts'
import type { Hash, Hex } from '../../protocol/bytes.ts'
import { hexToBytes } from '../../protocol/bytes.ts'
import { retryable } from '../../protocol/errors.ts'
import { keccak256Hex } from '../../protocol/keccak.ts'
import { ETHER, GWEI } from './outboxFixture.ts'

export type FakeNode = ReturnType<typeof createFakeNode>

export function createFakeNode() {
  const blockHash = (number: number) => `0x${number.toString(16).padStart(64, '0')}` as Hash
  /** By nonce: what the pool holds. */
  const pool = new Map<number, Hex>()
  const receipts = new Map<Hash, OutboxReceipt>()
  const state = {
    chainId: 31337,
    head: 10,
    mined: 0,
    baseFee: GWEI,
    tip: GWEI,
    balance: ETHER,
    /** Methods that fail as an endpoint that is down. */
    down: new Set<string>(),
    /** What is mined reverts, though it simulated well. */
    reverts: false,
    /** Receipts that the node does not show yet. */
    hidesReceipts: false,
    /** Next answers to `send`; after them it takes everything. */
    answers: [] as (SendAnswer | 'taken, then timed out')[],
    /** Every transaction offered, in order. */
    offered: [] as Hex[],
    calls: 0,
  }

  const call = <T>(method: string, answer: () => T) => {
    state.calls++
    if (state.down.has(method) || state.down.has('all')) {
      return Promise.reject(retryable('ENDPOINT_UNREACHABLE', 'the fake is down', { method }))
    }
    return Promise.resolve().then(answer)
  }

  const rpc: OutboxRpc = {
    chainId: () => call('chainId', () => state.chainId),
    block: (asked) =>
      call('block', () => {
        const number = asked === 'latest' ? state.head : asked
        return {
          number,
          hash: blockHash(number),
          parentHash: blockHash(number - 1),
          timestamp: 1_000_000 + number * 12,
        }
      }),
    transactionCount: (_account, at) =>
      call('transactionCount', () => state.mined + (at === 'pending' ? pool.size : 0)),
    balance: () => call('balance', () => state.balance),
    fees: () => call('fees', () => ({ baseFeePerGas: state.baseFee, priorityFeePerGas: state.tip })),
    simulate: () => call('simulate', () => ({ reverted: false })),
    estimateGas: () => call('estimateGas', () => ({ reverted: false, gas: 40_000n })),
    receipt: (hash) => call('receipt', () => (state.hidesReceipts ? undefined : receipts.get(hash))),
    send: (raw) =>
      call('send', () => {
        state.offered.push(raw)
        const answer = state.answers.shift()
        if (typeof answer === 'object') return answer
        pool.set(nonceOf(raw), raw)
        if (answer) throw retryable('ENDPOINT_TIMEOUT', 'no answer', {})
        return { result: 'taken', words: '' }
      }),
  }

  return {
    rpc,
    state,
    pool,
    /** A block with the pool's next transaction, or an empty one. */
    mine(): void {
      state.head++
      const raw = pool.get(state.mined)
      if (!raw) return
      pool.delete(state.mined++)
      const receipt = {
        l1Block: state.head,
        l1BlockHash: blockHash(state.head),
        succeeded: !state.reverts,
        feeWei: 1n,
        contractAddress: null,
      }
      receipts.set(keccak256Hex(hexToBytes(raw)), receipt)
    },
  }
}

export function nonceOf(raw: Hex): number {
  return parseTransaction(raw).nonce ?? 0
}

export function feesOf(raw: Hex): Readonly<{ max: bigint; tip: bigint }> {
  const { maxFeePerGas, maxPriorityFeePerGas } = parseTransaction(raw) as {
    maxFeePerGas?: bigint
    maxPriorityFeePerGas?: bigint
  }
  return { max: maxFeePerGas ?? 0n, tip: maxPriorityFeePerGas ?? 0n }
}
