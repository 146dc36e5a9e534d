/**
 * Judges prepared transactions in order and appends those it takes to the ordered log: validity (protocol/validity.ts) at the exact
 * place that each would have, then this operator's policy. Runs inside one store transaction; a transaction handed in again is
 * answered with the place it has.
 */
import { bodyOf, type ErrorBody } from '../api/errors.ts'
import type { Address } from '../protocol/bytes.ts'
import { decodeTransaction } from '../protocol/codec.ts'
import { DOMAIN_NAME, DOMAIN_VERSION, type Domain, domainSeparator } from '../protocol/eip712.ts'
import { hashTransaction, type SignedTransaction, witnessOf } from '../protocol/transaction.ts'
import { applyTransaction, type Fault, findFault } from '../protocol/validity.ts'
import type { Database } from '../service/database.ts'
import type { RateLimit } from '../service/rateLimit.ts'
import type { Prepared } from '../signatures/jobs.ts'
import { recoverAddress } from '../signatures/recover.ts'
import type { BlockLog, OpenBlock } from './blockLog.ts'
import type { Journal } from './journal.ts'
import type { Ledger } from './ledger.ts'
import { findExiting, findPendingDeposit, findRefusal, type Policy, type Refusal, refusal } from './policy.ts'

export type Candidate = Readonly<{ body: Uint8Array; prepared: Prepared }>

export type Outcome =
  | Readonly<{ status: 'accepted'; txHash: Uint8Array; position: number; isReplay: boolean }>
  | Readonly<{ status: 'rejected'; txHash: Uint8Array; error: ErrorBody }>

export type AdmitOptions = Readonly<{
  db: Database
  ledger: Ledger
  log: BlockLog
  journal: Journal
  policy: Policy
  domain: Domain
  maxBlockTxs: number
  /** By owner of the first input; undefined: no limit. */
  ownerLimit: RateLimit | undefined
  now: () => number
}>

/** Chain ids that wallets are left on by mistake. */
const COMMON_CHAIN_IDS = [1, 11155111, 17000, 560048, 1337, 31337]

const NOT_READY: ErrorBody = bodyOf('NOT_READY', 'the operator has not seen enough of L1 yet; try again', {
  got: 'no anchor',
  want: 'an L1 block at finality depth',
})

/** Call it in a store transaction. */
export function createAdmit(options: AdmitOptions): (batch: readonly Candidate[]) => Outcome[] {
  const { db, log } = options
  const selectKnown = db.prepare<[Uint8Array], { position: number }>('SELECT position FROM transactions WHERE hash = ?')
  return (batch) => {
    let diagnosesLeft = 1
    return batch.map(({ body, prepared }): Outcome => {
      const { txHash } = prepared
      const known = selectKnown.get(txHash)
      if (known) return { status: 'accepted', txHash, position: known.position, isReplay: true }
      const open = log.open()
      if (!open) return { status: 'rejected', txHash, error: NOT_READY }
      const signed = decodeTransaction(body)
      const fault = findFault(signed, contextOf(open, prepared), options.ledger)
      if (fault) {
        const mayDiagnose = fault.rule === 'V4' && diagnosesLeft-- > 0
        return { status: 'rejected', txHash, error: describeFault(fault, signed, open, options, mayDiagnose) }
      }
      const refused = refuse(signed, options)
      if (refused) return { status: 'rejected', txHash, error: bodyOf(refused.code, refused.message, refused) }
      return { status: 'accepted', txHash, position: append(signed, { body, prepared }, options), isReplay: false }
    })
  }
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
  const { ledger, log, journal, now, maxBlockTxs } = options
  const owners = new Set<Address>()
  for (const input of signed.transaction.inputs) owners.add(ledger.find(input)?.owner as Address)
  for (const { owner } of signed.transaction.outputs) owners.add(owner)
  const open = log.open() as OpenBlock
  const position = log.append({ txHash: prepared.txHash, leaf: prepared.leaf, body }, now())
  applyTransaction(signed, { block: open.number, index: open.txCount }, ledger)
  for (const owner of owners) journal.account(owner, 'payment', position)
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
    if (pending) return bodyOf(pending.code, pending.message, pending)
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
