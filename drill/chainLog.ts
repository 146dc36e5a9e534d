/**
 * L1 as a drill records it: every block since its start, with what the actors sent, what it cost them, and what the contracts said. Follows
 * replaced blocks, so that what is left at the end is the chain that counts.
 */
import { decodeRootEvents, type RootEvent, type RootLog } from '../l1/rootEvents.ts'
import type { Address, Hash, Hex } from '../protocol/bytes.ts'
import type { DrillL1 } from './l1.ts'
import type { Moment } from './record.ts'

export type SentTransaction = Readonly<{
  hash: Hash
  from: Address
  to: Address | undefined
  data: Hex
  valueWei: bigint
  gas: number
  costWei: bigint
  ok: boolean
}>

export type LoggedBlock = Readonly<{
  at: Moment
  hash: Hash
  parent: Hash
  /** Wei; left out where nothing depends on it. */
  baseFeeWei?: bigint
  /** Of actors only. */
  transactions: readonly SentTransaction[]
  events: readonly RootEvent[]
}>

export type ChainLog = Readonly<{
  blocks(): readonly LoggedBlock[]
  /** Reads what is new; resolves with it, and how many recorded blocks were replaced. */
  pull(): Promise<Readonly<{ added: readonly LoggedBlock[]; dropped: number }>>
}>

type Rpc = Readonly<Record<string, unknown>>
type RpcTransaction = Readonly<{ hash: Hash; from: Hex; to: Hex | null; input: Hex; value: Hex }>
type RpcLog = Readonly<{ topics: Hex[]; data: Hex; logIndex: Hex; transactionHash: Hash }>

const lower = (hex: Hex) => hex.toLowerCase() as Address

/** `contracts`: whose events are read; `isActor`: whose transactions. From the block after `from` on. */
export function createChainLog(
  l1: Pick<DrillL1, 'request'>,
  {
    contracts,
    isActor,
    from,
  }: Readonly<{ contracts: () => readonly Address[]; isActor(address: Address): boolean; from: number }>,
): ChainLog {
  const blocks: LoggedBlock[] = []

  async function readBlock(number: number): Promise<LoggedBlock | undefined> {
    const block = (await l1.request('eth_getBlockByNumber', [hex(number), true])) as Rpc | null
    if (!block) return undefined
    const all = block['transactions'] as readonly RpcTransaction[]
    const at = { block: number, time: Number(block['timestamp']) }
    const hash = block['hash'] as Hash
    const transactions = await Promise.all(all.filter((one) => isActor(lower(one.from))).map(readSent))
    const logs =
      all.length === 0 || contracts().length === 0
        ? []
        : ((await l1.request('eth_getLogs', [{ blockHash: hash, address: contracts() }])) as readonly RpcLog[])
    const events = decodeRootEvents({ number, hash, timestamp: at.time }, logs.map(toRootLog))
    const baseFeeWei = BigInt((block['baseFeePerGas'] as Hex | undefined) ?? '0x0')
    return { at, hash, parent: block['parentHash'] as Hash, baseFeeWei, transactions, events }
  }

  async function readSent({ hash, from: sender, to, input, value }: RpcTransaction): Promise<SentTransaction> {
    const receipt = (await l1.request('eth_getTransactionReceipt', [hash])) as Rpc
    const gas = Number(receipt['gasUsed'])
    return {
      hash,
      from: lower(sender),
      to: to === null ? undefined : lower(to),
      data: input,
      valueWei: BigInt(value),
      gas,
      costWei: BigInt(gas) * BigInt(receipt['effectiveGasPrice'] as Hex),
      ok: receipt['status'] === '0x1',
    }
  }

  return {
    blocks: () => blocks,
    pull: async () => {
      let dropped = 0
      const added: LoggedBlock[] = []
      for (;;) {
        const last = blocks.at(-1)
        const next = await readBlock((last?.at.block ?? from) + 1)
        if (next && (!last || next.parent === last.hash)) {
          blocks.push(next)
          added.push(next)
          continue
        }
        if (!last || (!next && (await isSame(last)))) return { added, dropped }
        blocks.pop()
        if (added.at(-1) === last) added.pop()
        else dropped++
      }
    },
  }

  async function isSame({ at, hash }: LoggedBlock): Promise<boolean> {
    const block = (await l1.request('eth_getBlockByNumber', [hex(at.block), false])) as Rpc | null
    return block?.['hash'] === hash
  }
}

function toRootLog({ topics, data, logIndex, transactionHash }: RpcLog): RootLog {
  return { topics, data, logIndex: Number(logIndex), transactionHash }
}

const hex = (number: number): Hex => `0x${number.toString(16)}`
