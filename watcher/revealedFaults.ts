/**
 * A leaf of a hidden block that answers on L1 revealed may be invalid by itself (docs/spec.md section 8.6): then the chain can be halted with
 * it, though the rest of the block stays hidden. Judged is what the verified blocks, L1 and the other revealed leaves can say; an input
 * made by a leaf that is still hidden says nothing, and takes nothing away from what the other inputs say.
 */
import { bytesToHex, type Hash } from '../protocol/bytes.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import { buildFraudProof, type FraudProof, type FraudSource, type PlacedTransaction } from '../protocol/fraud.ts'
import {
  decodePosition,
  depositIdOf,
  encodePosition,
  isDepositPosition,
  outputIdAt,
  transactionPosition,
} from '../protocol/position.ts'
import { hashTransaction, witnessOf } from '../protocol/transaction.ts'
import { type BlockFault, type Context, type ExistingOutput, type Fault, findFault } from '../protocol/validity.ts'
import { recoverAddress } from '../signatures/recover.ts'
import type { BatchBook } from './batchBook.ts'
import type { BlockStore, ChildBlock } from './blockStore.ts'
import type { FaultCase } from './court/faults.ts'
import type { DataBook, RevealedLeaf } from './dataBook.ts'
import type { ExitBook } from './exitBook.ts'
import type { Ledger } from './ledger.ts'

export type RevealedFaultParts = Readonly<{
  data: Pick<DataBook, 'revealedLeaves'>
  blocks: Pick<BlockStore, 'find' | 'verifiedBlock' | 'proveAny' | 'txHashAt'>
  ledger: Pick<Ledger, 'find'>
  exits: Pick<ExitBook, 'record'>
  batches: Pick<BatchBook, 'lockingEntry'>
  /** Of the EIP-712 domain. */
  separator: Uint8Array
}>

type Leaves = ReadonlyMap<number, RevealedLeaf>
type Told = Readonly<{ leaves: Leaves; spends: ReadonlyMap<number, number> }>

export function createRevealedFaults({ data, blocks, ledger, exits, batches, separator }: RevealedFaultParts) {
  let known: Readonly<{ leaves: Leaves; verified: number; fault: BlockFault | undefined }> | undefined

  /** Of each input the position of the first revealed transaction that spends it. */
  function firstSpends(sorted: readonly RevealedLeaf[], block: number): ReadonlyMap<number, number> {
    const spent = new Map<number, number>()
    for (const { index, signed } of sorted) {
      const place = encodePosition({ block, index, output: 0 })
      for (const input of signed.transaction.inputs) if (!spent.has(input)) spent.set(input, place)
    }
    return spent
  }

  function faultOf({ index, signed }: RevealedLeaf, { number: block, header }: ChildBlock, told: Told) {
    const { leaves, spends } = told
    const { transaction, witnesses } = signed
    const digest = hashTransaction(transaction, separator)
    const signers = transaction.inputs.map((_, i) => recoverAddress(digest, witnessOf(witnesses, i)))
    const context: Context = { block, index, anchor: header.anchor, signers }
    const own = encodePosition({ block, index, output: 0 })
    const unknown = new Set<number>()

    function find(position: number): ExistingOutput | undefined {
      const place = decodePosition(position)
      if (isDepositPosition(position) || place.block !== block) return withSpend(position, ledger.find(position))
      const maker = leaves.get(place.index)
      if (maker) return withSpend(position, maker.signed.transaction.outputs[place.output])
      if (place.index >= header.txCount) return undefined
      unknown.add(position)
      const signer = signers[transaction.inputs.indexOf(position)]
      // Whoever signed may own it, for all that we know.
      return { owner: signer as ExistingOutput['owner'], token: '0x', amount: 0n, spentBy: spentBefore(position) }
    }

    function withSpend(position: number, output: ExistingOutput | undefined): ExistingOutput | undefined {
      return output && { ...output, spentBy: output.spentBy ?? spentBefore(position) }
    }

    function spentBefore(position: number): number | undefined {
      const by = spends.get(position)
      return by !== undefined && by < own ? by : undefined
    }

    const fault = findFault(signed, context, { find })
    if (!fault || unknown.size === 0) return fault
    // A proof shows the input of which it speaks, so that one has to be known; sums need all of them.
    const isShown = fault.input !== undefined && !unknown.has(transaction.inputs[fault.input] as number)
    if (fault.rule === 'V1' || isShown) return fault
    return lockedAmong(transaction.inputs, unknown, find, header.anchor)
  }

  function lockedAmong(
    inputs: readonly number[],
    unknown: ReadonlySet<number>,
    find: (position: number) => ExistingOutput | undefined,
    anchor: number,
  ): Fault | undefined {
    const input = inputs.findIndex((position) => {
      const lockedAt = unknown.has(position) ? undefined : find(position)?.lockedAt
      return lockedAt !== undefined && lockedAt <= anchor
    })
    return input < 0 ? undefined : { rule: 'V6', code: 'INPUT_LOCKED', input, got: inputs[input], want: 'no lock' }
  }

  function judge(block: ChildBlock, leaves: Leaves): BlockFault | undefined {
    const verified = blocks.verifiedBlock()
    if (known?.leaves === leaves && known.verified === verified) return known.fault
    let found: BlockFault | undefined
    const sorted = [...leaves.values()].sort((a, b) => a.index - b.index)
    const told = { leaves, spends: firstSpends(sorted, block.number) }
    for (const leaf of sorted) {
      const fault = faultOf(leaf, block, told)
      if (!fault) continue
      found = { ...fault, index: leaf.index }
      break
    }
    known = { leaves, verified, fault: found }
    return found
  }

  function sourceOf({ number: block, header }: ChildBlock, leaves: Leaves, fault: BlockFault): FraudSource {
    const offender = leaves.get(fault.index)?.signed.transaction.inputs[fault.input ?? 0]
    const transactionAt = (position: number): PlacedTransaction | undefined => {
      const place = decodePosition(position)
      if (place.block !== block) return blocks.proveAny(position)
      const leaf = leaves.get(place.index)
      if (!leaf) return undefined
      const { signed, witnessesHash, path } = leaf
      return { position: transactionPosition(position), signed, header, proof: { witnessesHash, path } }
    }
    const txHashAt = (position: number): Hash | undefined => {
      const { block: number, index } = decodePosition(position)
      if (number !== block) return blocks.txHashAt(position)
      const leaf = leaves.get(index)
      return leaf && bytesToHex(hashTransaction(leaf.signed.transaction, separator))
    }
    return {
      transactionAt,
      header: (number) => (number <= block ? blocks.find(number)?.header : undefined),
      deposit: (position) => ledger.find(position),
      spentBy: (position) => {
        const isDoubled = fault.rule === 'V3' && position === offender && typeof fault.got === 'number'
        return isDoubled ? (fault.got as number) : ledger.find(position)?.spentBy
      },
      exitOf: (position) => {
        if (isDepositPosition(position)) return exits.record(depositIdOf(position))?.exit
        const txHash = txHashAt(position)
        return txHash && exits.record(outputIdAt(position, txHash))?.exit
      },
      lockingEntry: batches.lockingEntry,
    }
  }

  /** Undefined where a part is still hidden that the proof would show. */
  function build(block: ChildBlock, leaves: Leaves, fault: BlockFault): FraudProof | undefined {
    try {
      return buildFraudProof(block.number, fault, sourceOf(block, leaves, fault))
    } catch (error) {
      if (isLifeboatError(error) && error.code === 'FRAUD_UNPROVABLE') return undefined
      throw error
    }
  }

  return {
    /** The fault of the first block that is not verified, while its body is hidden and a revealed leaf of it shows one; with the proof. */
    find(): FaultCase | undefined {
      const block = blocks.find(blocks.verifiedBlock() + 1)
      if (!block || block.hasBody || block.fault) return undefined
      const leaves = data.revealedLeaves(block.number)
      const fault = leaves.size === 0 ? undefined : judge(block, leaves)
      if (!fault) return undefined
      const position = encodePosition({ block: block.number, index: fault.index, output: 0 })
      const proof = build(block, leaves, fault)
      // Hidden leaves may spend more; what is known of them is what is revealed.
      const spends = new Set([...leaves.values()].flatMap(({ signed }) => signed.transaction.inputs))
      return { fault: { block: block.number, header: block.header, fault, position, spends }, ...(proof && { proof }) }
    },
  }
}
