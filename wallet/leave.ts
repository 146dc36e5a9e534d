/**
 * Leaving with an output, whichever way is right for it (exitChoice.ts): looks at L1, at what the wallet keeps and at whoever answers,
 * chooses, says why, and starts the exit.
 */
import { bytesToHex, type Hash } from '../protocol/bytes.ts'
import { invalid, isLifeboatError } from '../protocol/errors.ts'
import { decodePosition, isDepositPosition } from '../protocol/position.ts'
import { hashTransaction, type SignedTransaction } from '../protocol/transaction.ts'
import type { WalletContext } from './context.ts'
import { type StartedExit, startExit } from './exit.ts'
import { chooseExit, type ExitChoice, type KnownTransaction } from './exitChoice.ts'
import { type Flight, isSpentBy } from './flight.ts'
import { exitInFlight, type InFlightExit, type InFlightOptions } from './inFlight.ts'
import { findMaker, keepFlights } from './keep.ts'
import { obtainExitData, type ProvenExitData } from './proofs.ts'
import type { StoredFlight } from './store.ts'

export type LeaveOptions = Omit<InFlightOptions, 'flight'> &
  Readonly<{
    position: number
    unsafeMaybeSpent?: boolean
    /** The standard exit, whatever the choice would be. */
    standardOnly?: boolean
  }>

export type Left = Readonly<{ choice: ExitChoice }> &
  (Readonly<{ standard: StartedExit }> | Readonly<{ inFlight: InFlightExit }>)

export type Choice = Readonly<{ choice: ExitChoice; flight?: Flight }>

/** Throws EXIT_IMPOSSIBLE where no way is open, and what startExit and exitInFlight throw. */
export async function leave(wallet: WalletContext, options: LeaveOptions): Promise<Left> {
  const { position, suspectBlock } = options
  const known = suspectBlock === undefined ? {} : { suspectBlock }
  const { choice, flight } = options.standardOnly
    ? { choice: { way: 'standard', why: 'asked for' } as const }
    : await chooseFor(wallet, position, known)
  wallet.report(`output ${position}: ${wayInWords(choice)}`)
  switch (choice.way) {
    case 'none':
      throw invalid('EXIT_IMPOSSIBLE', `output ${position} has no way out now: ${choice.why}`, {
        got: choice.why,
        want: choice.instead,
      })
    case 'standard':
      return { choice, standard: await startExit(wallet, { ...options, ...(await refutedSpends(wallet, position)) }) }
    case 'in-flight':
      if (!flight) throw invalid('FLIGHT_UNKNOWN', 'the payment is not kept here', { got: choice.txHash })
      return { choice, inFlight: await exitInFlight(wallet, { ...options, flight }) }
  }
}

/** The choice for one output, and the transaction that it would dispute. */
export async function chooseFor(
  wallet: WalletContext,
  position: number,
  { suspectBlock }: Readonly<{ suspectBlock?: number }> = {},
): Promise<Choice> {
  const { newest, voidFrom } = await wallet.root.head()
  const proven = await obtainExitData(wallet, position).catch((error: unknown): ProvenExitData | undefined => {
    if (isLifeboatError(error)) return undefined
    throw error
  })
  const txHash = proven?.data.kind === 'transaction' ? proven.data.txHash : undefined
  const made = isDepositPosition(position) ? undefined : await lookForMaker(wallet, position, txHash)
  const spending = await findSpending(wallet, position, {
    newest,
    voidFrom,
    ...(suspectBlock === undefined ? {} : { suspectBlock }),
  })
  const situation = {
    position,
    newest,
    voidFrom,
    ...(suspectBlock === undefined ? {} : { suspectBlock }),
    isProven: proven !== undefined,
    ...(made ? { made: await knowOf(wallet, made) } : {}),
    ...(spending ? { spending: await knowOf(wallet, spending) } : {}),
  }
  const choice = chooseExit(situation)
  const flight = choice.way !== 'in-flight' ? undefined : [spending, made].find((one) => one?.txHash === choice.txHash)
  return { choice, ...(flight ? { flight } : {}) }
}

/**
 * Leaves with all that the account has in a payment: each own output on L1 by the way that is right for it, all others, and a payment
 * that nobody shows on L1, in flight. Throws PAYMENT_ON_L1 where it is on L1 and nothing in it is the account's.
 */
export async function leavePayment(
  wallet: WalletContext,
  flight: Flight,
  options: Omit<LeaveOptions, 'position'>,
): Promise<Left[]> {
  const { position, signed, txHash } = flight
  const own = signed.transaction.outputs.flatMap(({ owner }, i) => (owner === wallet.account.address ? [i] : []))
  if (position !== undefined) {
    const known = options.suspectBlock === undefined ? {} : { suspectBlock: options.suspectBlock }
    const first = position + (own[0] ?? 0)
    const { choice } = await chooseFor(wallet, first, known)
    const isOpen = choice.way === 'standard' || (choice.way === 'in-flight' && choice.txHash !== txHash)
    if (isOpen && own.length === 0) {
      throw invalid('PAYMENT_ON_L1', 'this payment is in a block on L1, and none of its outputs is yours', {
        got: position,
        want: 'nothing: its payees hold it',
      })
    }
    if (isOpen) {
      const left: Left[] = []
      for (const i of own) left.push(await leave(wallet, { ...options, position: position + i }))
      return left
    }
  }
  const choice: ExitChoice = { way: 'in-flight', why: 'nobody shows it in a block on L1', txHash }
  wallet.report(`payment ${txHash}: ${wayInWords(choice)}`)
  return [{ choice, inFlight: await exitInFlight(wallet, { ...options, flight }) }]
}

/** For when the operator does not answer: what the wallet itself knows that the account owns. */
export type KeptOutputs = Readonly<{
  /** Own outputs with a place that no transaction kept here spends. */
  positions: readonly number[]
  /** Transactions that make own outputs, of which nobody said where they stand. */
  unplaced: readonly Flight[]
}>

export function keptOutputs(wallet: Pick<WalletContext, 'store' | 'account' | 'separator'>): KeptOutputs {
  const { store, account } = wallet
  const flights = liveFlights(wallet)
  const own = flights.map((flight) => ({
    flight,
    outputs: flight.signed.transaction.outputs.flatMap(({ owner }, i) => (owner === account.address ? [i] : [])),
  }))
  const made = own.flatMap(({ flight: { position }, outputs }) =>
    position === undefined ? [] : outputs.map((i) => position + i),
  )
  const isSpent = (position: number) => flights.some(({ signed }) => isOwnSpend(wallet, signed, position))
  const positions = [...new Set([...store.provenPositions(account.address), ...made])]
  return {
    positions: positions.filter((position) => !isSpent(position)).sort((a, b) => a - b),
    unplaced: own.flatMap(({ flight, outputs }) =>
      flight.position === undefined && outputs.length > 0 ? [{ ...flight, from: 'saved' }] : [],
    ),
  }
}

/** For people: which exit, and why. */
export function wayInWords(choice: ExitChoice): string {
  switch (choice.way) {
    case 'standard':
      return `leaves by a standard exit (${choice.why})`
    case 'in-flight':
      return `leaves in flight, by the dispute of payment ${choice.txHash} (${choice.why})`
    case 'none':
      return `cannot leave (${choice.why})`
  }
}

/** As it is kept; else the operator is asked for the account's payments once more. */
async function lookForMaker(wallet: WalletContext, position: number, txHash: Hash | undefined) {
  const found = await findMaker(wallet, position, txHash)
  if (found || txHash !== undefined) return found
  await keepFlights(wallet)
  return findMaker(wallet, position)
}

async function knowOf({ root, separator }: WalletContext, { signed }: Flight): Promise<KnownTransaction> {
  const txHash = bytesToHex(hashTransaction(signed.transaction, separator))
  const made = signed.transaction.inputs.filter((input) => !isDepositPosition(input)).at(-1)
  const { verdict } = await root.disputeRecord(txHash)
  return { txHash, verdict, ...(made === undefined ? {} : { youngestInput: decodePosition(made).block }) }
}

/**
 * A transaction of which no open block on L1 is known to hold it, and by which the owner spent this output: an own payment, accepted or
 * without an answer, or a swap that the other side completed. A refused payment is none: its owner may not want it any more.
 */
async function findSpending(
  wallet: WalletContext,
  position: number,
  heights: Partial<Heights> & Pick<Heights, 'newest' | 'voidFrom'>,
): Promise<Flight | undefined> {
  const { newest, voidFrom, suspectBlock = Number.POSITIVE_INFINITY } = heights
  const found = liveFlights(wallet).find(({ signed }) => isOwnSpend(wallet, signed, position))
  if (!found) return undefined
  const flight: Flight = { ...found, from: 'saved' }
  if (found.position === undefined) return flight
  const { block } = decodePosition(found.position)
  if (block > newest || block >= suspectBlock || (voidFrom !== 0 && block >= voidFrom)) return flight
  return (await isShown(wallet, found.position)) ? undefined : flight
}

/** Kept transactions that may count: all but own payments that were refused or replaced and have no place. */
function liveFlights({ store, account }: Pick<WalletContext, 'store' | 'account'>): StoredFlight[] {
  const refused = new Set(
    (['rejected', 'replaced'] as const).flatMap((state) =>
      store.payments(account.address, state).map(({ txHash }) => txHash),
    ),
  )
  return store.flights(account.address).filter(({ txHash, position }) => position !== undefined || !refused.has(txHash))
}

/** A file may hold a spend that nobody signed: it must not keep its owner from leaving. */
function isOwnSpend(
  { account, separator }: Pick<WalletContext, 'account' | 'separator'>,
  signed: SignedTransaction,
  input: number,
) {
  return isSpentBy(signed, input, { owner: account.address, separator })
}

type Heights = Readonly<{ newest: number; voidFrom: number; suspectBlock: number }>

async function isShown(wallet: WalletContext, position: number): Promise<boolean> {
  try {
    await obtainExitData(wallet, position, 'any')
    return true
  } catch (error) {
    if (isLifeboatError(error)) return false
    throw error
  }
}

/** Own payments of this output that a verdict refuted do not make it a spent one. */
async function refutedSpends({ store, account, root }: WalletContext, position: number): Promise<{ refuted?: Hash[] }> {
  const refuted: Hash[] = []
  for (const { txHash, signed } of store.flights(account.address)) {
    if (!signed.transaction.inputs.includes(position)) continue
    if ((await root.disputeRecord(txHash)).verdict === 'not-canonical') refuted.push(txHash)
  }
  return refuted.length === 0 ? {} : { refuted }
}
