/**
 * L1 block headers, believed only by their hash (docs/spec.md, "Reading L1"): the hash is recomputed from the fields that the
 * endpoint gave, so a header linked to a known hash can't be altered. Consensus itself is not checked: an endpoint can still
 * invent a whole chain, which a second endpoint is for.
 */
import { RLP } from '@ethereumjs/rlp'
import { z } from 'zod'
import { type Address, bytesToHex, type Hash, type Hex, hexToBytes } from '../protocol/bytes.ts'
import { invalid, type LifeboatError } from '../protocol/errors.ts'
import { keccak256 } from '../protocol/keccak.ts'
import { absent, address, data, fixedData, hash, quantity, smallQuantity } from './rpcSchemas.ts'

/** One block of L1. */
export type BlockRef = Readonly<{ number: number; hash: Hash }>

/** An L1 block whose hash we computed ourselves from these very fields. */
export type L1Block = BlockRef &
  Readonly<{
    parentHash: Hash
    /** Seconds. */
    timestamp: number
    /** Wei; 0 before London. */
    baseFeePerGas: bigint
  }>

/** What the follower needs besides. */
export type L1Header = L1Block &
  Readonly<{
    receiptsRoot: Hash
    logsBloom: Hex
    /** As the endpoint lists them: not checked against the header. */
    transactionHashes: readonly Hash[]
  }>

/** A block as JSON-RPC gives it without transaction bodies; null where the endpoint has no such block. */
export const rpcBlock = z
  .looseObject({
    hash,
    parentHash: hash,
    sha3Uncles: hash,
    miner: address,
    stateRoot: hash,
    transactionsRoot: hash,
    receiptsRoot: hash,
    logsBloom: fixedData(256),
    difficulty: quantity,
    number: smallQuantity,
    gasLimit: quantity,
    gasUsed: quantity,
    timestamp: smallQuantity,
    extraData: data,
    mixHash: hash,
    nonce: fixedData(8),
    baseFeePerGas: absent(quantity),
    withdrawalsRoot: absent(hash),
    blobGasUsed: absent(quantity),
    excessBlobGas: absent(quantity),
    parentBeaconBlockRoot: absent(hash),
    requestsHash: absent(hash),
    transactions: z.array(hash),
  })
  .nullable()

export type RpcBlock = NonNullable<z.infer<typeof rpcBlock>>

/** Fields that come with a block and are no part of the header. */
const BODY_FIELDS: readonly string[] = ['size', 'totalDifficulty', 'uncles', 'withdrawals']

/**
 * Throws ENDPOINT_LIED_HEADER when the fields don't hash to the hash that the endpoint claims, HEADER_FORK_UNKNOWN when that may
 * be because the block has header fields of a fork newer than this program.
 */
export function checkHeader(block: RpcBlock, endpointName: string): L1Header {
  const computed = bytesToHex(hashHeader(block))
  if (computed !== block.hash) throw wrongHash(block, computed, endpointName)
  return {
    number: block.number,
    hash: computed,
    parentHash: block.parentHash,
    timestamp: block.timestamp,
    baseFeePerGas: block.baseFeePerGas ?? 0n,
    receiptsRoot: block.receiptsRoot,
    logsBloom: block.logsBloom,
    transactionHashes: block.transactions,
  }
}

/** keccak256 of the RLP of the header, with the fields of every fork up to Prague and Osaka (yellow paper 4.3, EIP-1559, 4895, 4844, 4788, 7685). */
export function hashHeader(block: RpcBlock): Uint8Array {
  const fields = [
    hexToBytes(block.parentHash),
    hexToBytes(block.sha3Uncles),
    hexToBytes(block.miner),
    hexToBytes(block.stateRoot),
    hexToBytes(block.transactionsRoot),
    hexToBytes(block.receiptsRoot),
    hexToBytes(block.logsBloom),
    minimalBytes(block.difficulty),
    minimalBytes(block.number),
    minimalBytes(block.gasLimit),
    minimalBytes(block.gasUsed),
    minimalBytes(block.timestamp),
    hexToBytes(block.extraData),
    hexToBytes(block.mixHash),
    hexToBytes(block.nonce),
  ]
  if (block.baseFeePerGas !== undefined) fields.push(minimalBytes(block.baseFeePerGas))
  if (block.withdrawalsRoot !== undefined) fields.push(hexToBytes(block.withdrawalsRoot))
  if (block.blobGasUsed !== undefined) fields.push(minimalBytes(block.blobGasUsed))
  if (block.excessBlobGas !== undefined) fields.push(minimalBytes(block.excessBlobGas))
  if (block.parentBeaconBlockRoot !== undefined) fields.push(hexToBytes(block.parentBeaconBlockRoot))
  if (block.requestsHash !== undefined) fields.push(hexToBytes(block.requestsHash))
  return keccak256(RLP.encode(fields))
}

/** Big-endian without leading zeros, nothing for 0: integers in RLP. */
export function minimalBytes(value: bigint | number): Uint8Array {
  if (BigInt(value) === 0n) return new Uint8Array(0)
  const digits = value.toString(16)
  return hexToBytes(`0x${digits.length % 2 === 0 ? digits : `0${digits}`}`)
}

function wrongHash(block: RpcBlock, computed: Hash, endpointName: string): LifeboatError {
  const about = { endpoint: endpointName, block: block.number, got: block.hash, want: computed }
  const known = new Set([...Object.keys(rpcBlock.unwrap().shape), ...BODY_FIELDS])
  const unknown = Object.keys(block).filter((field) => !known.has(field))
  if (unknown.length === 0) {
    const summary = `L1 endpoint ${endpointName} lied: the header of block ${block.number} does not have the hash it claims`
    return invalid('ENDPOINT_LIED_HEADER', summary, about)
  }
  const summary = `L1 endpoint ${endpointName} serves block ${block.number} of a fork newer than this program, or lied`
  return invalid('HEADER_FORK_UNKNOWN', `${summary}: unknown header fields ${unknown.join(', ')}`, about)
}

/** The three bits of a 2,048-bit bloom that an address or topic sets (yellow paper 4.3.1), as bit numbers. */
export function bloomBits(item: Address | Hash): readonly number[] {
  const digest = keccak256(hexToBytes(item))
  return [0, 2, 4].map((i) => (((digest[i] as number) << 8) | (digest[i + 1] as number)) & 2047)
}

/** False only when no log of the block can have touched all these bits. */
export function bloomHolds(bloom: Hex, bits: readonly number[]): boolean {
  return bits.every((bit) => {
    // Bit 0 is the lowest bit of the last byte; a digit holds four.
    const digit = bloom.charCodeAt(bloom.length - 1 - (bit >> 2))
    return (((digit < 58 ? digit - 48 : digit - 87) >> (bit & 3)) & 1) === 1
  })
}

/** False only when the block holds no log with this address and all of these topics. */
export function mayHoldLog(bloom: Hex, contract: Address, topics: readonly Hash[] = []): boolean {
  return [contract, ...topics].every((item) => bloomHolds(bloom, bloomBits(item)))
}
