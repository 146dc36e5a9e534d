/**
 * The receipts of an L1 block, believed only by their trie (docs/spec.md, "Reading L1"): the trie is rebuilt from what the
 * endpoint gave and compared with the receiptsRoot of a header whose hash was checked, so that no event of the block can be
 * hidden, invented, changed or reordered.
 */
import { RLP } from '@ethereumjs/rlp'
import { Trie } from '@ethereumjs/trie'
import { z } from 'zod'
import { type Address, bytesToHex, concatBytes, type Hash, type Hex, hexToBytes } from '../protocol/bytes.ts'
import { invalid } from '../protocol/errors.ts'
import { keccak256 } from '../protocol/keccak.ts'
import { type L1Header, minimalBytes } from './header.ts'
import { absent, address, data, fixedData, hash, quantity, smallQuantity } from './rpcSchemas.ts'

/** One log, proven by the header except for `transactionHash`. */
export type RawLog = Readonly<{
  address: Address
  topics: readonly Hash[]
  data: Hex
  /** Place among all logs of the block, counted by us. */
  logIndex: number
  /** Place of its transaction in the block. */
  transactionIndex: number
  /** The endpoint's word: receipts don't commit to it. For people and links, never for decisions. */
  transactionHash: Hash
}>

/** A receipt as JSON-RPC gives it. */
export const rpcReceipt = z.looseObject({
  type: absent(smallQuantity.refine((type) => type < 0x80, 'want a transaction type below 0x80')),
  status: absent(smallQuantity),
  root: absent(hash),
  cumulativeGasUsed: quantity,
  logsBloom: fixedData(256),
  logs: z.array(z.looseObject({ address, topics: z.array(hash).max(4), data })),
  transactionHash: hash,
  blockHash: hash,
})

export type RpcReceipt = z.infer<typeof rpcReceipt>

/** Types of Prague and Osaka: legacy, EIP-2930, 1559, 4844, 7702. Their receipts differ in the first byte only (EIP-2718). */
const KNOWN_TYPES: readonly number[] = [0, 1, 2, 3, 4]

/**
 * The block's logs, from receipts in block order. Throws ENDPOINT_LIED_RECEIPTS when their trie does not have the header's
 * receiptsRoot, RECEIPT_TYPE_UNKNOWN when that may be because of a transaction type newer than this program.
 */
export async function checkReceipts(
  header: L1Header,
  receipts: readonly RpcReceipt[],
  endpointName: string,
): Promise<RawLog[]> {
  const root = await receiptsRoot(receipts)
  if (root === header.receiptsRoot) return logsOf(receipts)
  const about = {
    endpoint: endpointName,
    block: header.number,
    blockHash: header.hash,
    got: root,
    want: header.receiptsRoot,
  }
  const unknown = receipts.map(({ type = 0 }) => type).filter((type) => !KNOWN_TYPES.includes(type))
  if (unknown.length > 0) {
    const summary = `block ${header.number} from L1 endpoint ${endpointName} has receipts of unknown types ${[...new Set(unknown)].join(', ')}`
    throw invalid('RECEIPT_TYPE_UNKNOWN', `${summary}, or it lied`, about)
  }
  const summary = `L1 endpoint ${endpointName} lied: the receipts of block ${header.number} don't have the header's root`
  throw invalid('ENDPOINT_LIED_RECEIPTS', summary, about)
}

/** Root of the trie from RLP(index) to the encoded receipt (yellow paper 4.3.2). */
export async function receiptsRoot(receipts: readonly RpcReceipt[]): Promise<Hash> {
  const trie = new Trie({ useKeyHashingFunction: keccak256 })
  for (const [index, receipt] of receipts.entries()) {
    await trie.put(RLP.encode(minimalBytes(index)), encodeReceipt(receipt))
  }
  return bytesToHex(trie.root())
}

/** The consensus encoding: RLP, after the type byte unless legacy. A state root stands for the status before Byzantium. */
export function encodeReceipt(receipt: RpcReceipt): Uint8Array {
  const outcome =
    receipt.status === undefined && receipt.root ? hexToBytes(receipt.root) : minimalBytes(receipt.status ?? 0)
  const body = RLP.encode([
    outcome,
    minimalBytes(receipt.cumulativeGasUsed),
    hexToBytes(receipt.logsBloom),
    receipt.logs.map((log) => [hexToBytes(log.address), log.topics.map(hexToBytes), hexToBytes(log.data)]),
  ])
  return receipt.type ? concatBytes(minimalBytes(receipt.type), body) : body
}

function logsOf(receipts: readonly RpcReceipt[]): RawLog[] {
  const logs: RawLog[] = []
  for (const [transactionIndex, { transactionHash, logs: own }] of receipts.entries()) {
    for (const { address, topics, data } of own) {
      logs.push({ address, topics, data, logIndex: logs.length, transactionIndex, transactionHash })
    }
  }
  return logs
}
