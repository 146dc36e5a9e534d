/**
 * Judges prepared transactions in order and appends those it takes to the ordered log: validity (protocol/validity.ts) at the exact
 * place that each would have, then this operator's policy. Runs inside one store transaction; a transaction handed in again is
 * answered with the place it has.
 */
import { bodyOf, type ErrorBody } from '../api/errors.ts'
import { equalBytes } from '../protocol/bytes.ts'
import { DOMAIN_NAME, DOMAIN_VERSION, type Domain, domainSeparator } from '../protocol/eip712.ts'
import { hashTransaction, type SignedTransaction, witnessOf } from '../protocol/transaction.ts'
import { type Fault, findFault } from '../protocol/validity.ts'
import type { RateLimit } from '../service/rateLimit.ts'
import type { Prepared } from '../signatures/packing.ts'
import { recoverAddress } from '../signatures/recover.ts'
import { createReader } from '../signatures/wire.ts'
import type { BlockLog, OpenBlock } from './blockLog.ts'
import type { Ledger } from './ledger.ts'
import type { Pending } from './pending.ts'
import { findExiting, findPendingDeposit, findRefusal, PASSING, type Policy, type Refusal, refusal } from './policy.ts'
import type { TransactionLog } from './transactionLog.ts'

export type Candidate = Readonly<{ body: Uint8Array; prepared: Prepared }>

export type Outcome =
  | Readonly<{ status: 'accepted'; txHash: Uint8Array; position: number; isReplay: boolean }>
  | Readonly<{ status: 'rejected'; txHash: Uint8Array; error: ErrorBody }>

export type AdmitOptions = Readonly<{
  ledger: Ledger
  log: BlockLog
  transactions: TransactionLog
  pending: Pending
  policy: Policy
  domain: Domain
  maxBlockTxs: number
  /** By owner of the first input; undefined: no limit. */
  ownerLimit: RateLimit | undefined
  now: () => number
}>

/** Chain ids that wallets are left on by mistake. */
const COMMON_CHAIN_IDS = [1, 11155111, 17000, 560048, 1337, 31337]

const NOT_READY: ErrorBody = passing('NOT_READY', 'the operator has not seen enough of L1 yet; try again', {
  got: 'no anchor',
  want: 'an L1 block at finality depth',
})

/** `disputed`: transactions that L1 disputes are taken whatever our policy says, if they are valid. */
export type Admit = (batch: readonly Candidate[], how?: Readonly<{ disputed: boolean }>) => Outcome[]

/** Call it in a store transaction. */
export function createAdmit(options: AdmitOptions): Admit {
  const { log } = options
  return (batch, { disputed } = { disputed: false }) => {
    let diagnosesLeft = 1
    return batch.map(({ body, prepared }): Outcome => {
      const { txHash } = prepared
      const signed = createReader(body)(0, body.length)
      const known = findKnown(signed, txHash, options)
      if (known !== undefined) return { status: 'accepted', txHash, position: known, isReplay: true }
      const open = log.open()
      if (!open) return { status: 'rejected', txHash, error: NOT_READY }
      const fault = findFault(signed, contextOf(open, prepared), options.ledger)
      if (fault) {
        const mayDiagnose = fault.rule === 'V4' && diagnosesLeft-- > 0
        return { status: 'rejected', txHash, error: describeFault(fault, signed, open, options, mayDiagnose) }
      }
      const refused = disputed ? undefined : refuse(signed, options)
      if (refused) return { status: 'rejected', txHash, error: refusalBody(refused) }
      return { status: 'accepted', txHash, position: append(signed, { body, prepared }, options), isReplay: false }
    })
  }
}

/** What time alone mends is told as such. */
function refusalBody(refused: Refusal): ErrorBody {
  return PASSING.includes(refused.code)
    ? passing(refused.code, refused.message, refused)
    : bodyOf(refused.code, refused.message, refused)
}

function passing(code: string, message: string, details: Readonly<{ got: unknown; want: unknown }>): ErrorBody {
  return { ...bodyOf(code, message, details), retryable: true }
}

/** The place of this very transaction, if it was accepted before: it is then what spent its inputs. */
function findKnown(
  { transaction }: SignedTransaction,
  txHash: Uint8Array,
  { ledger, transactions }: AdmitOptions,
): number | undefined {
  const spentBy = ledger.find(transaction.inputs[0] as number)?.spentBy
  if (spentBy === undefined) return undefined
  const spender = transactions.at(spentBy)
  return spender && equalBytes(spender.txHash, txHash) ? spentBy : undefined
}

function contextOf({ number, txCount, anchor }: OpenBlock, { signers }: Prepared) {
  return { block: number, index: txCount, anchor: anchor.number, signers }
}

function refuse(signed: SignedTransaction, { ledger, policy, ownerLimit }: AdmitOptions): Refusal | undefined {
  const { inputs } = signed.transaction
  const refused = findRefusal(signed, policy) ?? findExiting(inputs, ledger.find)
  if (refused) return refused
  const owner = ledger.find(inputs[0] as number)?.owner
  if (!ownerLimit || owner === undefined || ownerLimit.take(owner) === 0) return undefined
  return refusal('RATE_LIMITED', 'too many payments of this account; try again', owner, 'fewer payments a second')
}

function append(signed: SignedTransaction, { body, prepared }: Candidate, options: AdmitOptions): number {
  const { log, pending, now, maxBlockTxs } = options
  const open = log.open() as OpenBlock
  const { txHash, leaf } = prepared
  const position = log.append({ txHash, leaf, body }, now())
  pending.take(signed, txHash, position)
  if (open.txCount + 1 >= maxBlockTxs) log.seal(now())
  return position
}

function describeFault(
  fault: Fault,
  signed: SignedTransaction,
  open: OpenBlock,
  options: AdmitOptions,
  mayDiagnose: boolean,
): ErrorBody {
  if (fault.rule === 'V2') {
    const pending = findPendingDeposit(signed.transaction.inputs, open.anchor.number, options.ledger.find)
    if (pending) return refusalBody(pending)
  }
  if (fault.rule === 'V4') return describeForgery(fault, signed, options, mayDiagnose)
  return bodyOf(fault.code, `the transaction breaks ${fault.rule}${ofInput(fault)}`, fault)
}

/** A signature for another chain or contract recovers to a stranger: say which domain is ours, and which it was if it is a common one. */
function describeForgery(
  fault: Fault,
  signed: SignedTransaction,
  { domain }: AdmitOptions,
  mayDiagnose: boolean,
): ErrorBody {
  const want = {
    signer: fault.want,
    domain: {
      name: DOMAIN_NAME,
      version: DOMAIN_VERSION,
      chainId: domain.chainId,
      verifyingContract: domain.rootContract,
    },
  }
  const chainId = mayDiagnose ? findSigningChain(fault, signed, domain) : undefined
  if (chainId !== undefined)
    return bodyOf('WRONG_CHAIN_ID', 'the transaction is signed for another chain', { got: { chainId }, want })
  const got = { signer: fault.got }
  return bodyOf(fault.code, `the transaction breaks V4${ofInput(fault)}: not its owner's signature in this domain`, {
    got,
    want,
  })
}

function findSigningChain(
  fault: Fault,
  { transaction, witnesses }: SignedTransaction,
  domain: Domain,
): number | undefined {
  const witness = witnessOf(witnesses, fault.input ?? 0)
  return COMMON_CHAIN_IDS.filter((chainId) => chainId !== domain.chainId).find(
    (chainId) =>
      recoverAddress(hashTransaction(transaction, domainSeparator({ ...domain, chainId })), witness) === fault.want,
  )
}

function ofInput({ input }: Fault): string {
  return input === undefined ? '' : ` (input ${input})`
}
