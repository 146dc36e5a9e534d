/** A child chain by hand: keys, payments, blocks valid and not, and the L1 events that commit to them. */
import type { SignedMandate } from '../../../l1/rootCalls.ts'
import type { RootEventBody } from '../../../l1/rootEvents.ts'
import { type Commitment, hashWitnesses } from '../../../protocol/block.ts'
import { type Address, bytesToHex, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../../../protocol/bytes.ts'
import { encodeTransaction, joinBody } from '../../../protocol/codec.ts'
import { domainSeparator } from '../../../protocol/eip712.ts'
import type { Exit } from '../../../protocol/exit.ts'
import { keccak256Text } from '../../../protocol/keccak.ts'
import { hashMandate, type Mandate } from '../../../protocol/mandate.ts'
import { createTree } from '../../../protocol/merkle.ts'
import { DEPOSIT_INDEX, encodePosition, outputIdAt } from '../../../protocol/position.ts'
import {
  createOutput,
  hashTransaction,
  leafOf,
  type SignedTransaction,
  type Transaction,
} from '../../../protocol/transaction.ts'
import { addressOfKey, signDigest } from '../../../signatures/sign.ts'
import type { BlockRange, Peer } from '../../../watcher/peers.ts'

export const ROOT_CONTRACT = `0x${'cc'.repeat(20)}` as Address
export const SEPARATOR = domainSeparator({ chainId: 31_337, rootContract: ROOT_CONTRACT })
export const ETH = ZERO_ADDRESS

export type Actor = Readonly<{ name: string; key: Uint8Array; address: Address }>

export function createActor(name: string): Actor {
  const key = keccak256Text(`key of ${name}`)
  return { name, key, address: addressOfKey(key) }
}

export const alice = createActor('alice')
export const bob = createActor('bob')
export const mallory = createActor('mallory')
export const carol = createActor('carol')

export function sign(transaction: Transaction, signers: readonly Actor[]): SignedTransaction {
  const digest = hashTransaction(transaction, SEPARATOR)
  const witnesses = new Uint8Array(64 * signers.length)
  signers.forEach(({ key }, i) => {
    witnesses.set(signDigest(digest, key), 64 * i)
  })
  return { transaction, witnesses }
}

export type To = readonly [owner: Actor, amount: bigint, token?: Address]

export function pay(
  signers: Actor | readonly Actor[],
  inputs: number | readonly number[],
  outputs: readonly To[],
  memo: Hash = ZERO_HASH,
): SignedTransaction {
  const made = outputs.map(([owner, amount, token]) => createOutput(owner.address, token ?? ETH, amount))
  const list = typeof inputs === 'number' ? [inputs] : inputs
  return sign({ inputs: list, outputs: made, memo }, 'key' in signers ? [signers] : signers)
}

/** Of `owner` for Carol, for anything, at any time, unless `changes` say otherwise; signed by `signer`. */
export function mandateOf(owner: Actor, changes: Partial<Mandate> = {}, signer = owner): SignedMandate {
  const mandate: Mandate = {
    owner: owner.address,
    delegate: carol.address,
    validFrom: 0,
    validUntil: 2 ** 40,
    position: 0,
    minAmount: 0n,
    maxFee: 0n,
    epoch: 0,
    ...changes,
  }
  return { mandate, signature: bytesToHex(signDigest(hashMandate(mandate, SEPARATOR), signer.key)) }
}

export function hashOf(signed: SignedTransaction): Hash {
  return bytesToHex(hashTransaction(signed.transaction, SEPARATOR))
}

export function depositPosition(newest: number, counter: number): number {
  return encodePosition({ block: newest, index: DEPOSIT_INDEX + counter, output: 0 })
}

export function at(block: number, index: number, output = 0): number {
  return encodePosition({ block, index, output })
}

/** A block with its body. Encoded transactions may be given as bytes, so that they may be malformed. */
export type MadeBlock = Readonly<{ number: number; commitment: Commitment; body: Uint8Array }>

export function makeBlock(number: number, anchor: number, transactions: readonly SignedTransaction[]): MadeBlock {
  return makeRawBlock(
    number,
    anchor,
    transactions.map((signed) => ({ signed, encoded: encodeTransaction(signed) })),
  )
}

/** The canonical layout, whatever V1 says. */
export function encodeLoosely({ transaction, witnesses }: SignedTransaction): Uint8Array {
  const increasing = transaction.inputs.map((_, i) => i + 1)
  const outputs = transaction.outputs.map((output) => ({ ...output, amount: output.amount || 1n }))
  const bytes = encodeTransaction({ transaction: { ...transaction, inputs: increasing, outputs }, witnesses })
  transaction.inputs.forEach((input, i) => {
    new DataView(bytes.buffer).setBigUint64(2 + i * 7 - 1, (BigInt(bytes[1 + i * 7] as number) << 56n) | BigInt(input))
  })
  transaction.outputs.forEach(({ amount }, i) => {
    if (amount === 0n)
      bytes.fill(0, 2 + transaction.inputs.length * 7 + i * 56 + 40, 2 + transaction.inputs.length * 7 + i * 56 + 56)
  })
  return bytes
}

/** Leaves from `signed`, bytes from `encoded`. */
export function makeRawBlock(
  number: number,
  anchor: number,
  transactions: readonly Readonly<{ signed: SignedTransaction; encoded: Uint8Array }>[],
): MadeBlock {
  const leaves = transactions.map(({ signed }) =>
    leafOf(hashTransaction(signed.transaction, SEPARATOR), hashWitnesses(signed.witnesses)),
  )
  const root = bytesToHex(createTree(leaves).root)
  return {
    number,
    commitment: { root, txCount: transactions.length, anchor },
    body: joinBody({ block: number, anchor, transactions: transactions.map(({ encoded }) => encoded) }),
  }
}

export function submitted(blocks: readonly MadeBlock[], timestamp: number): RootEventBody {
  const commitments = blocks.map(({ commitment }) => commitment)
  return { type: 'BlocksSubmitted', firstBlock: (blocks[0] as MadeBlock).number, timestamp, commitments }
}

export function deposited(position: number, owner: Actor, amount: bigint, token: Address = ETH): RootEventBody {
  return { type: 'Deposited', position, owner: owner.address, token, amount }
}

export type ExitParts = Readonly<{
  position: number
  owner: Actor
  amount: bigint
  signed?: SignedTransaction
  lockedAt: number
  startedAt: number
  payer?: Address
  seq?: number
}>

export function exitOf({ position, owner, amount, signed, lockedAt, startedAt, payer, seq = 0 }: ExitParts): Exit {
  return {
    outputId: outputIdAt(position, signed ? hashOf(signed) : ZERO_HASH),
    position,
    owner: owner.address,
    token: ETH,
    amount,
    young: false,
    seq,
    startedAt,
    exitableAt: startedAt + 7 * 86_400,
    lockedAt,
    payer: payer ?? owner.address,
    bond: 1n,
    disputed: ZERO_HASH,
  }
}

/** A peer that serves what it was given, byte for byte; `mode` lets it misbehave. */
export function createFakePeer(name: string) {
  const bodies = new Map<number, Uint8Array>()
  const requests: BlockRange[] = []
  const state = { mode: 'honest' as 'honest' | 'silent' | 'refusing', atOnce: 64 }
  const peer: Peer = {
    name,
    async fetch(range) {
      requests.push(range)
      if (state.mode === 'refusing') throw new Error('refused')
      if (state.mode === 'silent') return []
      const found: Uint8Array[] = []
      for (let number = range.from; number <= range.to && found.length < state.atOnce; number++) {
        const body = bodies.get(number)
        if (!body) break
        found.push(body)
      }
      return found
    },
  }
  return {
    peer,
    requests,
    state,
    serve(...blocks: readonly MadeBlock[]): void {
      for (const { number, body } of blocks) bodies.set(number, body)
    },
    serveBytes(number: number, body: Uint8Array): void {
      bodies.set(number, body)
    },
    withhold(number: number): void {
      bodies.delete(number)
    },
  }
}
