/** A root chain whose every call is written down: events in their order, gas by sender. Rivals can share one L1 block. */
import { type Account, type TransactionReceipt, toHex } from 'viem'
import type { RootCall } from '../../l1/rootCalls.ts'
import { decodeRootEvents, type RootEvent } from '../../l1/rootEvents.ts'
import type { Address, Hash } from '../../protocol/bytes.ts'
import { asReverted, Reverted, type RootChain } from '../support/rootChain.ts'
import type { Wire } from './wire.ts'

export type Sent = Readonly<{ from: Account; call: RootCall; to?: Address }>
export type Tracked = ReturnType<typeof track>

const GAS = 16_000_000n
/** Several of them share a block. */
const RIVAL_GAS = 3_000_000n
const GWEI = 10n ** 9n

export function track(base: RootChain, wire: Wire) {
  const events: RootEvent[] = []
  const gas = new Map<Address, bigint>()
  let calls = 0

  function pay(from: Account, receipt: Readonly<{ gasUsed: bigint; effectiveGasPrice: bigint }>): void {
    const address = from.address.toLowerCase() as Address
    gas.set(address, (gas.get(address) ?? 0n) + receipt.gasUsed * receipt.effectiveGasPrice)
    calls++
  }

  /** As the chain's own, in fewer questions: the accounts are the node's. Throws `Reverted`, and then nothing was sent. */
  async function send(from: Account, { data, valueWei }: RootCall, to: Address = base.root) {
    const transaction = { from: from.address, to, data, value: toHex(valueWei) }
    try {
      await wire.call({ method: 'eth_call', params: [transaction, 'pending'] })
    } catch (error) {
      throw asReverted(error)
    }
    const hash = await wire.call({ method: 'eth_sendTransaction', params: [{ ...transaction, gas: toHex(GAS) }] })
    await wire.call({ method: 'evm_mine', params: [] })
    const receipt = await base.client.getTransactionReceipt({ hash: hash as Hash })
    if (receipt.status !== 'success') throw new Error('the transaction failed on chain although its simulation passed')
    pay(from, receipt)
    const { timestamp } = await base.client.getBlock({ blockHash: receipt.blockHash })
    const block = { number: Number(receipt.blockNumber), hash: receipt.blockHash, timestamp: Number(timestamp) }
    const fresh = decodeRootEvents(block, ourLogs(receipt))
    events.push(...fresh)
    return { receipt, events: fresh, timestamp: block.timestamp, l1Block: block.number }
  }

  function ourLogs({ logs }: Pick<TransactionReceipt, 'logs'>) {
    return logs
      .filter((log) => [base.root, base.surety].includes(log.address.toLowerCase() as Address))
      .map(({ topics, data, logIndex, transactionHash }) => ({
        topics: topics as Hash[],
        data,
        logIndex: Number(logIndex),
        transactionHash: transactionHash as Hash,
      }))
  }

  /** All in one L1 block, in this order. Returns who had success. */
  async function together(list: readonly Sent[]): Promise<boolean[]> {
    const { client, root } = base
    const hashes: Hash[] = []
    for (const [i, { from, call, to = root }] of list.entries()) {
      // A miner takes the better paid first.
      const tip = BigInt(list.length - i) * GWEI
      const transaction = {
        from: from.address,
        to,
        data: call.data,
        value: toHex(call.valueWei),
        gas: toHex(RIVAL_GAS),
        maxPriorityFeePerGas: toHex(tip),
        maxFeePerGas: toHex(100n * GWEI + tip),
      }
      hashes.push((await wire.call({ method: 'eth_sendTransaction', params: [transaction] })) as Hash)
    }
    await wire.call({ method: 'evm_mine', params: [] })
    const receipts = await Promise.all(hashes.map((hash) => client.getTransactionReceipt({ hash })))
    for (const [i, receipt] of receipts.entries()) pay((list[i] as Sent).from, receipt)
    const ordered = [...receipts].sort((a, b) => a.transactionIndex - b.transactionIndex)
    for (const receipt of ordered) {
      const { timestamp } = await client.getBlock({ blockHash: receipt.blockHash })
      const block = { number: Number(receipt.blockNumber), hash: receipt.blockHash, timestamp: Number(timestamp) }
      events.push(...decodeRootEvents(block, ourLogs(receipt)))
    }
    return receipts.map(({ status }) => status === 'success')
  }

  async function now(): Promise<number> {
    return Number((await base.client.getBlock()).timestamp)
  }

  return {
    ...base,
    send,
    together,
    events,
    gas,
    calls: () => calls,
    now,

    /** L1 time goes on to this second, with more blocks than an anchor may be old. */
    async passTo(timestamp: number): Promise<void> {
      if (timestamp <= (await now())) return
      await base.client.setNextBlockTimestamp({ timestamp: BigInt(timestamp) })
      await base.client.mine({ blocks: base.parameters.anchorAgeBlocks + 1, interval: 0 })
    },
  }
}

/** What L1 refuses changes nothing; undefined then. */
export async function attempt<T>(move: () => Promise<T>): Promise<T | undefined> {
  try {
    return await move()
  } catch (error) {
    if (error instanceof Reverted) return undefined
    throw error
  }
}
