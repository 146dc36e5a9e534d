/**
 * Finds the facts of standing.ts for payments of an account: the records of L1, the proof of the place, who else says where it stands.
 * What the operator says of a stage is not asked.
 */
import type { Hash } from '../protocol/bytes.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import { decodePosition, isDepositPosition, transactionPosition } from '../protocol/position.ts'
import type { SignedReceipt } from '../protocol/receipt.ts'
import { placesOf } from './answer.ts'
import type { WalletContext } from './context.ts'
import { disputeBy } from './deadlines.ts'
import { findHeaders } from './exits.ts'
import type { Flight } from './flight.ts'
import { findFlight, keepFlight } from './keep.ts'
import { ageOf } from './owned.ts'
import { lookAtPlace } from './place.ts'
import { judgePayment, type PaymentFacts, type PaymentStanding } from './standing.ts'

export type StandingOptions = Readonly<{
  /** The operator's receipt for it, checked; by default the one that came with its acknowledgement. */
  receipt?: SignedReceipt
  /** A place that somebody named, such as the operator's history: looked at like any other. */
  hint?: number
}>

/** Throws what L1 reads throw; a payment that nobody shows with its signatures is `unknown`. */
export async function standingOf(
  wallet: WalletContext,
  txHash: Hash,
  { hint, ...options }: StandingOptions = {},
): Promise<PaymentStanding> {
  const receipt = options.receipt ?? wallet.store.receipt(txHash)
  const { root, store, account } = wallet
  const [now, head, flight] = [await root.now(), await root.head(), await knownFlight(wallet, txHash)]
  const place = await findPlace(wallet, txHash, {
    newest: head.newest,
    flight,
    ...(hint === undefined ? {} : { hint }),
  })
  const { position, shown } = place
  const block = position === undefined ? undefined : decodePosition(position).block
  const isOnL1 = block !== undefined && block <= head.newest
  if (shown === 'it') store.clearSoftSince(txHash)
  else if (!isOnL1) store.saveSoftSince(txHash, now.timestamp)
  const payment = store.payment(txHash)
  const blockTime =
    place.blockTime ?? (isOnL1 ? (await findHeaders(root, new Set([block]))).get(block)?.timestamp : undefined)
  const softSince = store.softSince(txHash)
  const inputIds = (flight?.signed.transaction.inputs ?? []).flatMap((input) => store.proof(input)?.outputId ?? [])
  const mayHurry = shown !== 'it' || head.voidFrom !== 0
  const disputeUntil = mayHurry ? await disputeBy(root, inputIds) : undefined
  const facts: PaymentFacts = {
    txHash,
    shown,
    isInvalid: position !== undefined && (await root.isInvalid(position)),
    verdict: (await root.disputeRecord(txHash)).verdict,
    now,
    head,
    parameters: root.parameters,
    ...(position === undefined ? {} : { position }),
    ...(blockTime === undefined ? {} : { blockTime }),
    ...(flight ? ageOf(flight.signed) : {}),
    ...(payment?.owner === account.address ? { answer: payment.state } : {}),
    ...(softSince === undefined ? {} : { softSince }),
    ...(disputeUntil === undefined ? {} : { disputeUntil }),
    ...(receipt ? { receipt } : {}),
  }
  return judgePayment(facts)
}

type Found = Readonly<{ position?: number; shown: PaymentFacts['shown']; blockTime?: number }>

/** The first place of those named at which the payment is proven; else the one that was promised first, and what stands there. */
async function findPlace(
  wallet: WalletContext,
  txHash: Hash,
  { newest, hint, flight }: Readonly<{ newest: number; hint?: number; flight?: Flight | undefined }>,
): Promise<Found> {
  const lookAt = async (position: number): Promise<Found> => {
    const { what, ...rest } = await lookAtPlace(wallet, { position, txHash, flight })
    return { shown: what, ...rest }
  }
  let first: Found | undefined
  const tried = new Set<number>()
  const kept = wallet.store.flight(txHash)?.position
  const named = [kept, hint].filter((position) => position !== undefined)
  for (const list of [async () => named, () => placesOf(wallet, txHash)]) {
    for (const position of await list()) {
      if (tried.has(position) || isDepositPosition(position) || transactionPosition(position) !== position) continue
      tried.add(position)
      const isThere = decodePosition(position).block <= newest
      const found = isThere ? await lookAt(position) : { shown: 'unshown' as const }
      if (found.shown === 'it') return { ...found, position }
      first ??= { ...found, position }
    }
  }
  return first ?? { shown: 'unshown' }
}

/** As it is kept; else it is kept now, while somebody shows it. */
async function knownFlight(wallet: WalletContext, txHash: Hash): Promise<Flight | undefined> {
  try {
    const flight = await findFlight(wallet, txHash)
    if (flight.from !== 'saved') await keepFlight(wallet, flight.signed, flight.position)
    return flight
  } catch (error) {
    if (isLifeboatError(error)) return undefined
    throw error
  }
}
