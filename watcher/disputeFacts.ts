/**
 * What the verified blocks say about disputed transactions (docs/spec.md section 6.3): where one stands, what else spends its inputs, what
 * became of its outputs. Read-only; a part of the facts of watcher/facts.ts.
 */
import { type Hash, hexToBytes, ZERO_HASH } from '../protocol/bytes.ts'
import { decodePosition, OUTPUT_LIMIT, outputIdOf } from '../protocol/position.ts'
import type { BlockStore } from './blockStore.ts'
import type { DisputeBook } from './disputeBook.ts'
import { type ExitBook, mayStartAgain } from './exitBook.ts'
import type { CompetitorFact, DisputedOutput, DisputeFacts, DisputeRecord, PlaceFact, SpendFact } from './facts.ts'
import type { Ledger } from './ledger.ts'

export type DisputeFactParts = Readonly<{
  ledger: Ledger
  blocks: BlockStore
  exits: ExitBook
  disputes: DisputeBook
  /** Everything a challenge shows of the verified transaction at `spend`. */
  spendFact(position: number, spend: number): SpendFact
}>

type DisputedInput = DisputeRecord['inputs'][number]

export type DisputeFactBook = ReturnType<typeof createDisputeFacts>

export function createDisputeFacts({ ledger, blocks, exits, disputes, spendFact }: DisputeFactParts) {
  /** Where the disputed transaction stands in a verified block, with what shows it. */
  function placeFact(txHash: Hash): PlaceFact | undefined {
    const made = disputes.madeAt(txHash)
    const placed = made === undefined ? undefined : blocks.prove(made)
    return placed && { position: placed.position, header: placed.header, proof: placed.proof }
  }

  function competitorOf(input: DisputedInput, made: number | undefined): CompetitorFact | undefined {
    const twin = twinOf(input)
    const position = twin ? twin.position + (input.position % OUTPUT_LIMIT) : input.position
    const by = ledger.find(position)?.spentBy
    if (by === undefined || by === made) return undefined
    const fact = spendFact(position, by)
    if (fact.header.anchor >= input.lockedAt) return undefined
    return twin ? { ...fact, made: twin } : fact
  }

  /** Where a verified block holds what made the input, if the dispute names it in one that is not verified. */
  function twinOf({ position, madeBy }: DisputedInput): PlaceFact | undefined {
    if (madeBy === ZERO_HASH || decodePosition(position).block <= blocks.verifiedBlock()) return undefined
    const made = blocks.positionOf(madeBy)
    const placed = made === undefined ? undefined : blocks.prove(made)
    return placed && { position: placed.position, header: placed.header, proof: placed.proof }
  }

  function outputsOf({ dispute, signed }: DisputeRecord, made: number | undefined): DisputedOutput[] {
    const txHash = hexToBytes(dispute.txHash)
    return signed.transaction.outputs.map(({ owner, token, amount }, output) => {
      const outputId = outputIdOf(txHash, output)
      const newest = exits.record(outputId)
      // Of one whose inclusion did not stand nothing is left: the output may leave through the dispute, and nobody waits for its share.
      const exit = newest && mayStartAgain(newest) ? undefined : newest
      const spentBy = made === undefined ? undefined : ledger.find(made + output)?.spentBy
      return {
        output,
        outputId,
        owner,
        token,
        amount,
        ...(exit && { exit }),
        ...(spentBy !== undefined && { spentBy }),
      }
    })
  }

  return {
    placeFact,

    disputeFacts(txHash: Hash): DisputeFacts | undefined {
      const record = disputes.record(txHash)
      if (!record) return undefined
      const place = placeFact(txHash)
      const answers = place !== undefined && place.header.anchor < record.dispute.lockedAt
      return {
        ...record,
        ...(answers && { made: place }),
        spends: record.inputs.map((input) => competitorOf(input, place?.position)),
        inputExits: record.inputs.map(({ outputId }) => exits.record(outputId)),
        outputs: outputsOf(record, place?.position),
      }
    },

    /** True for the spend of an output by a transaction that was judged not canonical: on L1 it never happened. */
    isRefuted(position: number, spend: number): boolean {
      return disputes.spendersOf(position).some(({ state, made }) => state === 'not-canonical' && made === spend)
    },
  }
}
