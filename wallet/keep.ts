/**
 * Keeping what an in-flight exit needs while everybody still answers (docs/guide-wallet.md, "What is kept"): of every payment made or
 * received the signed transaction with all witnesses, and for each of its inputs what shows that it exists. When a block is withheld it
 * is too late to ask for them.
 */
import type { TransactionStatus } from '../api/schemas.ts'
import { bytesToHex, type Hash } from '../protocol/bytes.ts'
import { invalid, isLifeboatError } from '../protocol/errors.ts'
import { decodePosition, transactionPosition } from '../protocol/position.ts'
import { hashTransaction, type SignedTransaction } from '../protocol/transaction.ts'
import type { WalletContext } from './context.ts'
import { checkForm, checkWitnesses, collectInputs, type Flight } from './flight.ts'
import { keepProofs } from './proofs.ts'

const PAGE = 100
/** Of the operator's history, newest first; what is older than this lies in blocks of long ago and leaves by ordinary exits. */
const MOST_PAGES = 10
/** Transactions whose missing proofs are asked for at a time, newest first. */
const MOST_FLIGHTS = 200

export type Kept = Readonly<{
  /** Transactions that were not known before. */
  added: number
  /** Inputs, and own outputs in blocks on L1, that nobody shows. */
  unproven: number
  /** Transactions that somebody gave wrong or did not give, with why. */
  refused: readonly Readonly<{ txHash: Hash; reason: string }>[]
}>

/** Fetches and saves whatever is missing. Best effort: throws nothing that a missing answer causes. */
export async function keepFlights(wallet: WalletContext): Promise<Kept> {
  const { added, refused } = await readHistory(wallet)
  const { newest } = await wallet.root.head()
  let unproven = 0
  for (const flight of wallet.store.flights(wallet.account.address).slice(0, MOST_FLIGHTS)) {
    unproven += await keepProofs(wallet, flight.signed.transaction.inputs, 'any')
    unproven += await keepProofs(wallet, ownOutputs(wallet, flight, newest))
  }
  return { added, unproven, refused }
}

/**
 * Saves one transaction after checking it, with what shows its inputs. Throws FLIGHT_WRONG, FLIGHT_UNSIGNED; returns how many inputs
 * nobody shows yet.
 */
export async function keepFlight(wallet: WalletContext, signed: SignedTransaction, position?: number): Promise<number> {
  const txHash = checkForm(signed, wallet.separator)
  const { proven, unproven } = await collectInputs(wallet, signed)
  const outputs = proven.map(({ output }) => output)
  checkWitnesses(signed, txHash, { outputs, separator: wallet.separator })
  wallet.store.saveFlight({
    txHash,
    owner: wallet.account.address,
    signed,
    ...(position === undefined ? {} : { position }),
  })
  await noteSoft(wallet, txHash, position)
  return unproven.length
}

/** From now on its block is waited for, if it is not on L1. Best effort: whoever asks later notes it then. */
export async function noteSoft(wallet: WalletContext, txHash: Hash, position?: number): Promise<void> {
  try {
    const { newest } = await wallet.root.head()
    if (position !== undefined && decodePosition(position).block <= newest) return
    wallet.store.saveSoftSince(txHash, (await wallet.root.now()).timestamp)
  } catch (error) {
    if (!isLifeboatError(error)) throw error
  }
}

/** The signed transaction as it is kept here, or as a source or a dispute on L1 shows it. Throws FLIGHT_UNKNOWN. */
export async function findFlight(wallet: WalletContext, txHash: Hash): Promise<Flight> {
  const saved = wallet.store.flight(txHash)
  // What the disk damaged has another hash.
  if (saved && bytesToHex(hashTransaction(saved.signed.transaction, wallet.separator)) === txHash)
    return { ...saved, from: 'saved' }
  const said: Record<string, string> = {}
  for await (const flight of askAll(wallet, txHash, said)) return flight
  throw invalid('FLIGHT_UNKNOWN', 'nobody shows this transaction with its signatures', {
    got: said,
    want: 'a payment that this wallet keeps; ask the payer for the file of `lifeboat payment save`',
    txHash,
  })
}

/** The same transaction as everybody but the wallet itself shows it: the operator, watchers, a dispute on L1. */
export async function findElsewhere(wallet: WalletContext, txHash: Hash): Promise<SignedTransaction[]> {
  const found: SignedTransaction[] = []
  for await (const { signed } of askAll(wallet, txHash, {})) found.push(signed)
  return found
}

async function* askAll(wallet: WalletContext, txHash: Hash, said: Record<string, string>): AsyncGenerator<Flight> {
  const child = { name: 'operator', transaction: wallet.child.transaction }
  for (const { name, transaction } of [child, ...wallet.sources.slice(1)]) {
    try {
      const status = await transaction?.(txHash)
      if (status) yield { ...readStatus(status, txHash, wallet.separator), from: name }
      else said[name] = 'does not have it'
    } catch (error) {
      if (!isLifeboatError(error)) throw error
      said[name] = error.message
    }
  }
  for (const event of await wallet.root.events({ types: ['DisputeStarted'], disputed: txHash })) {
    if (event.type !== 'DisputeStarted' || event.dispute.txHash !== txHash) continue
    if (bytesToHex(hashTransaction(event.signed.transaction, wallet.separator)) !== txHash) continue
    yield { txHash, signed: event.signed, from: 'L1' }
  }
}

/** The transaction that made the output at this position: as it is kept, else by its hash, where that is known. */
export async function findMaker(wallet: WalletContext, position: number, txHash?: Hash): Promise<Flight | undefined> {
  const kept = wallet.store.flightAt(transactionPosition(position))
  if (kept && (txHash === undefined || kept.txHash === txHash)) return { ...kept, from: 'saved' }
  if (txHash === undefined) return undefined
  try {
    return await findFlight(wallet, txHash)
  } catch (error) {
    if (isLifeboatError(error)) return undefined
    throw error
  }
}

/** A source's answer. Throws FLIGHT_WRONG when it is about another transaction. */
export function readStatus(
  { transaction, witnesses, position }: Pick<TransactionStatus, 'transaction' | 'witnesses' | 'position'>,
  want: Hash,
  separator: Uint8Array,
): Omit<Flight, 'from'> & Readonly<{ position: number }> {
  const signed = { transaction, witnesses }
  const got = checkForm(signed, separator)
  if (got === want) return { txHash: got, signed, position }
  throw invalid('FLIGHT_WRONG', 'the answer is about another transaction', { got, want })
}

/** Newest first, down to where it was read the last time. What fails is asked for again the next time. */
async function readHistory(wallet: WalletContext): Promise<Pick<Kept, 'added' | 'refused'>> {
  const { store, account, child } = wallet
  const refused: { txHash: Hash; reason: string }[] = []
  let mark = store.historyMark(account.address)
  let added = 0
  let newest: number | undefined
  let cursor: number | undefined
  try {
    for (let page = 0; page < MOST_PAGES; page++) {
      const asked = { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) }
      const { entries, nextCursor } = await child.history(account.address, asked)
      newest ??= entries[0]?.cursor
      // An operator that began anew counts anew.
      if (newest !== undefined && newest < mark) mark = -1
      for (const { kind, txHash, cursor: at, position } of entries) {
        if (kind !== 'payment' || txHash === undefined || at <= mark) continue
        // A file may have said another place.
        if (store.hasPlaced(txHash, account.address) && store.flight(txHash)?.position === position) continue
        const reason = await keepEntry(wallet, txHash)
        if (reason === undefined) added++
        else refused.push({ txHash, reason })
      }
      if (nextCursor === undefined || entries.some(({ cursor: at }) => at <= mark)) break
      cursor = nextCursor
    }
    if (newest !== undefined && refused.length === 0) store.setHistoryMark(account.address, newest)
  } catch (error) {
    if (!isLifeboatError(error)) throw error
    wallet.report(`the operator's history cannot be read (${error.message})`)
  }
  return { added, refused }
}

/** Why it is not kept; undefined when it is. Throws retryable errors: whoever does not answer now is not asked for the rest. */
async function keepEntry(wallet: WalletContext, txHash: Hash): Promise<string | undefined> {
  const status = await wallet.child.transaction(txHash)
  if (!status) return 'the operator names it and does not show it'
  try {
    const { signed, position } = readStatus(status, txHash, wallet.separator)
    await keepFlight(wallet, signed, position)
    wallet.store.clearPlace(position, txHash)
    return undefined
  } catch (error) {
    if (!isLifeboatError(error) || error.family === 'retryable') throw error
    return error.message
  }
}

function ownOutputs(
  wallet: WalletContext,
  { signed, position }: Readonly<{ signed: SignedTransaction; position?: number }>,
  newest: number,
) {
  if (position === undefined || decodePosition(position).block > newest) return []
  return signed.transaction.outputs.flatMap(({ owner }, i) => (owner === wallet.account.address ? [position + i] : []))
}
