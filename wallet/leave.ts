/**
 * Leaving with an output, whichever way is right for it (exitChoice.ts): looks at L1, at what the wallet keeps and at whoever answers,
 * chooses, says why, and starts the exit.
 */
import type { Hash } from '../protocol/bytes.ts'
import { invalid, isLifeboatError } from '../protocol/errors.ts'
import { decodePosition, isDepositPosition, transactionPosition } from '../protocol/position.ts'
import type { WalletContext } from './context.ts'
import { type StartedExit, startExit } from './exit.ts'
import { chooseExit, type ExitChoice, isDead, type KnownTransaction } from './exitChoice.ts'
import type { Flight } from './flight.ts'
import { exitInFlight, type InFlightExit, type InFlightOptions } from './inFlight.ts'
import { findMaker, keepFlights } from './keep.ts'
import { ageOf, isOwnSpend, liveFlights } from './owned.ts'
import { lookAtPlace } from './place.ts'
import { obtainExitData, type ProvenExitData } from './proofs.ts'

export type LeaveOptions = Omit<InFlightOptions, 'flight'> &
  Readonly<{
    position: number
    unsafeMaybeSpent?: boolean
    /** The standard exit, whatever the choice would be. */
    standardOnly?: boolean
  }>

export type Left = Readonly<{ choice: ExitChoice }> &
  (Readonly<{ standard: StartedExit }> | Readonly<{ inFlight: InFlightExit }>)

/** `isStandardOpen`: where leaving in flight turns out to be impossible, a standard exit is not. */
export type Choice = Readonly<{ choice: ExitChoice; flight?: Flight; isStandardOpen?: boolean }>

/** What is wrong with the payment or with what shows its inputs, for good: trying again changes nothing. */
const FLIGHT_FAULTS: readonly string[] = [
  'FLIGHT_WRONG',
  'FLIGHT_UNSIGNED',
  'FLIGHT_UNBALANCED',
  'FLIGHT_DOOMED',
  'INPUT_UNPROVEN',
  'INPUT_SPENT',
]

/** Throws EXIT_IMPOSSIBLE where no way is open, and what startExit and exitInFlight throw. */
export async function leave(wallet: WalletContext, options: LeaveOptions): Promise<Left> {
  const { position, suspectBlock } = options
  const known = suspectBlock === undefined ? {} : { suspectBlock }
  const chosen: Choice = options.standardOnly
    ? { choice: { way: 'standard', why: 'asked for' } }
    : await chooseFor(wallet, position, known)
  const { choice, flight } = chosen
  wallet.report(`output ${position}: ${wayInWords(choice)}`)
  switch (choice.way) {
    case 'none':
      throw invalid('EXIT_IMPOSSIBLE', `output ${position} has no way out now: ${choice.why}`, {
        got: choice.why,
        want: choice.instead,
      })
    case 'standard':
      return { choice, standard: await startExit(wallet, { ...options, ...(await refutedSpends(wallet, position)) }) }
    case 'in-flight': {
      if (!flight) throw invalid('FLIGHT_UNKNOWN', 'the payment is not kept here', { got: choice.txHash })
      try {
        return { choice, inFlight: await exitInFlight(wallet, { ...options, flight }) }
      } catch (error) {
        const isFaulty = isLifeboatError(error) && error.family === 'invalid' && FLIGHT_FAULTS.includes(error.code)
        if (!isFaulty || chosen.isStandardOpen !== true) throw error
        const why = `its payment cannot be disputed (${error.code}), so that no older place is to be had`
        wallet.report(`output ${position}: ${error.message}`)
        wallet.report(`output ${position}: ${wayInWords({ way: 'standard', why })}`)
        const refuted = await refutedSpends(wallet, position)
        return { choice: { way: 'standard', why }, standard: await startExit(wallet, { ...options, ...refuted }) }
      }
    }
  }
}

/** The choice for one output, and the transaction that it would dispute. */
export async function chooseFor(
  wallet: WalletContext,
  position: number,
  { suspectBlock }: Readonly<{ suspectBlock?: number }> = {},
): Promise<Choice> {
  const { newest, voidFrom } = await wallet.root.head()
  const shown = await showOutput(wallet, position)
  const promised = displacedFlight(wallet, position, shown)
  const proven = promised ? undefined : shown
  const txHash = proven?.data.kind === 'transaction' ? proven.data.txHash : undefined
  const made = isDepositPosition(position) ? undefined : (promised ?? (await lookForMaker(wallet, position, txHash)))
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
    isDisplaced: promised !== undefined,
    ...(made ? { made: await knowOf(wallet, made) } : {}),
    ...(spending ? { spending: await knowOf(wallet, spending) } : {}),
  }
  const choice = chooseExit(situation)
  if (choice.way !== 'in-flight') return { choice }
  const flight = [spending, made].find((one) => one?.txHash === choice.txHash)
  const isOpen = proven !== undefined && !isVoidBlock(decodePosition(position).block, voidFrom)
  const isStandardOpen = isOpen && flight !== undefined && flight === made && situation.made?.verdict === 'none'
  return { choice, isStandardOpen, ...(flight ? { flight } : {}) }
}

async function showOutput(wallet: WalletContext, position: number): Promise<ProvenExitData | undefined> {
  try {
    return await obtainExitData(wallet, position)
  } catch (error) {
    if (isLifeboatError(error)) return undefined
    throw error
  }
}

/** A payment to the account that was promised this place, where L1 shows another transaction that makes nothing of the account's there. */
function displacedFlight(
  { store, account }: WalletContext,
  position: number,
  shown: ProvenExitData | undefined,
): Flight | undefined {
  if (shown?.data.kind !== 'transaction' || shown.output.owner === account.address) return undefined
  const kept = store.flightAt(transactionPosition(position))
  if (!kept || kept.txHash === shown.data.txHash) return undefined
  const isOwn = kept.signed.transaction.outputs[position % 16]?.owner === account.address
  return isOwn ? { ...kept, from: 'saved' } : undefined
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
  if (position !== undefined && (await lookAtPlace(wallet, { position, txHash, flight })).what !== 'another') {
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

async function knowOf({ root }: Pick<WalletContext, 'root'>, { txHash, signed }: Flight): Promise<KnownTransaction> {
  const { verdict } = await root.disputeRecord(txHash)
  return { txHash, verdict, ...ageOf(signed) }
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
  const found: Flight[] = []
  for (const flight of liveFlights(wallet, voidFrom)) {
    if (!isOwnSpend(wallet, flight.signed, position)) continue
    if ((await wallet.root.disputeRecord(flight.txHash)).verdict === 'not-canonical') continue
    found.push({ ...flight, from: 'saved' })
    if (flight.position === undefined) continue
    const { block } = decodePosition(flight.position)
    const isOpen = block <= newest && block < suspectBlock && !isVoidBlock(block, voidFrom)
    if (
      isOpen &&
      (await lookAtPlace(wallet, { txHash: flight.txHash, position: flight.position, flight })).what === 'it'
    )
      return undefined
  }
  // Of several that share the output the oldest place counts.
  const placed = found.filter((flight) => flight.position !== undefined)
  return placed.at(-1) ?? found[0]
}

type Heights = Readonly<{ newest: number; voidFrom: number; suspectBlock: number }>

function isVoidBlock(block: number, voidFrom: number): boolean {
  return voidFrom !== 0 && block >= voidFrom
}

/** Own payments of this output that a verdict refuted, or that a halt left without their inputs, do not make it a spent one. */
async function refutedSpends({ store, account, root }: WalletContext, position: number): Promise<{ refuted?: Hash[] }> {
  const refuted: Hash[] = []
  const { voidFrom } = await root.head()
  for (const { txHash, signed } of store.flights(account.address)) {
    if (!signed.transaction.inputs.includes(position)) continue
    const isLost = isDead(ageOf(signed), voidFrom) || (await root.disputeRecord(txHash)).verdict === 'not-canonical'
    if (isLost) refuted.push(txHash)
  }
  return refuted.length === 0 ? {} : { refuted }
}
