/**
 * What an account owns as far as the wallet itself can tell: from the transactions and proofs that it keeps, not from what the operator
 * lists. That is needed when the operator is silent, when its chain has ended, and to see what it leaves out.
 */
import { isLifeboatError } from '../protocol/errors.ts'
import { decodePosition, isDepositPosition, transactionPosition } from '../protocol/position.ts'
import type { SignedTransaction } from '../protocol/transaction.ts'
import { leavingOf, listCoins, type OwnedCoin } from './balance.ts'
import type { WalletContext } from './context.ts'
import { isDead, type KnownTransaction } from './exitChoice.ts'
import { type Flight, isSpentBy } from './flight.ts'
import { keepFlights } from './keep.ts'
import { noteMassExits } from './massExits.ts'
import type { StoredFlight } from './store.ts'

export type KeptOutputs = Readonly<{
  /** Own outputs with a place that no transaction kept here spends. */
  positions: readonly number[]
  /** Transactions that make own outputs, of which nobody said where they stand. */
  unplaced: readonly Flight[]
}>

/** `voidFrom`: of a halted chain; what rests on a void output counts as if it had never been, so that what it spent is found instead. */
export function keptOutputs(wallet: Pick<WalletContext, 'store' | 'account' | 'separator'>, voidFrom = 0): KeptOutputs {
  const { store, account } = wallet
  const flights = liveFlights(wallet, voidFrom).map((flight) => unplaceDisplaced(wallet, flight))
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

/** Child block of the youngest input that is no deposit. */
export function ageOf({ transaction }: SignedTransaction): Pick<KnownTransaction, 'youngestInput'> {
  const made = transaction.inputs.filter((input) => !isDepositPosition(input)).at(-1)
  return made === undefined ? {} : { youngestInput: decodePosition(made).block }
}

/**
 * Kept transactions that may count: all but own payments that were refused or replaced and have no place, and after a halt those that
 * rest on what is void.
 */
export function liveFlights(
  { store, account }: Pick<WalletContext, 'store' | 'account'>,
  voidFrom: number,
): StoredFlight[] {
  const refused = new Set(
    (['rejected', 'replaced'] as const).flatMap((state) =>
      store.payments(account.address, state).map(({ txHash }) => txHash),
    ),
  )
  return store.flights(account.address).filter(({ txHash, position, signed }) => {
    const mayCount = position !== undefined || !refused.has(txHash)
    return mayCount && !isDead(ageOf(signed), voidFrom)
  })
}

/** A place at which the wallet holds the proof of another transaction is none. */
function unplaceDisplaced({ store }: Pick<WalletContext, 'store'>, flight: StoredFlight): StoredFlight {
  const { position, ...unplaced } = flight
  if (position === undefined) return flight
  const isOther = flight.signed.transaction.outputs.some((_, i) => {
    const data = store.proof(position + i)
    return data?.kind === 'transaction' && data.txHash !== flight.txHash
  })
  return isOther ? unplaced : flight
}

/** A file may hold a spend that nobody signed: it must not keep its owner from leaving. */
export function isOwnSpend(
  { account, separator }: Pick<WalletContext, 'account' | 'separator'>,
  signed: SignedTransaction,
  input: number,
) {
  return isSpentBy(signed, input, { owner: account.address, separator })
}

export type ToLeave = KeptOutputs &
  Readonly<{
    /** Kept here as unspent and not listed by the operator: it lies, or another copy of this wallet spent them. */
    unlisted: readonly number[]
    /** Mass exits hold their places. */
    leaving: readonly number[]
  }>

/**
 * Everything of the account that has no exit yet, oldest first: what the operator lists; where it does not answer, what is kept; after a
 * halt both, with what void payments spent in the place of what they made.
 */
export async function outputsToLeave(wallet: WalletContext): Promise<ToLeave> {
  const { voidFrom } = await wallet.root.head()
  await noteMassExits(wallet)
  const listed = await listAll(wallet)
  if (listed && voidFrom !== 0) await keepFlights(wallet)
  const kept = keptOutputs(wallet, voidFrom)
  const exiting = new Set(wallet.store.exits(wallet.account.address).map(({ position }) => position))
  const isLeaving = createIsLeaving(wallet, listed ?? [])
  const leaving = [...new Set([...(listed ?? []).map(({ position }) => position), ...kept.positions])].filter(isLeaving)
  const isFree = (position: number) => !exiting.has(position) && !isLeaving(position)
  const sorted = (positions: readonly number[]) => [...new Set(positions)].filter(isFree).sort((a, b) => a - b)
  const named = (listed ?? []).filter(({ held }) => held !== 'exiting').map(({ position }) => position)
  if (voidFrom !== 0) {
    const all = sorted([...named, ...kept.positions])
    const positions = all.filter((position) => !isOfDead(wallet, position, voidFrom))
    return { positions, unplaced: kept.unplaced, unlisted: [], leaving }
  }
  if (!listed) return { ...kept, positions: sorted(kept.positions), unlisted: [], leaving }
  const all = new Set(listed.map(({ position }) => position))
  const unlisted = sorted(kept.positions.filter((one) => !all.has(one)))
  return { positions: sorted(named), unplaced: [], unlisted, leaving }
}

/** As listed, or as its proof that is kept here shows it. */
function createIsLeaving({ store }: Pick<WalletContext, 'store'>, listed: readonly OwnedCoin[]) {
  const isNamed = leavingOf(store)
  const coins = new Map(listed.map((coin) => [coin.position, coin]))
  return (position: number): boolean => {
    const output = coins.get(position) ?? store.proof(position)?.output
    return output !== undefined && isNamed({ position, token: output.token, amount: output.amount })
  }
}

async function listAll(wallet: WalletContext): Promise<OwnedCoin[] | undefined> {
  try {
    return await listCoins(wallet)
  } catch (error) {
    if (!isLifeboatError(error)) throw error
    wallet.report(`the operator does not answer (${error.message}); using what is kept here`)
    return undefined
  }
}

function isOfDead({ store }: Pick<WalletContext, 'store'>, position: number, voidFrom: number): boolean {
  const maker = isDepositPosition(position) ? undefined : store.flightAt(transactionPosition(position))
  return maker !== undefined && isDead(ageOf(maker.signed), voidFrom)
}
