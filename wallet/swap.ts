/**
 * The three steps of an atomic swap (docs/guide-wallet.md, "Swaps"; files in swapFile.ts). Each side checks its own inputs against L1,
 * because their amounts decide what it gives: an operator that lied about them could give the difference to the other side.
 */
import { randomBytes } from 'node:crypto'
import { type Address, bytesToHex, type Hash, ZERO_ADDRESS } from '../protocol/bytes.ts'
import { invalid, isLifeboatError } from '../protocol/errors.ts'
import { hashTransaction, type Transaction, WITNESS_SIZE } from '../protocol/transaction.ts'
import { recoverAddress } from '../signatures/recover.ts'
import { listCoins, spendableCoins } from './balance.ts'
import { type Coin, selectCoins } from './coins.ts'
import type { WalletContext } from './context.ts'
import type { Flight } from './flight.ts'
import { findFlight } from './keep.ts'
import { noteMassExits } from './massExits.ts'
import { submitOwn, submitSigned } from './pay.ts'
import { chooseFee, planReturn, wishOf } from './payment.ts'
import { obtainExitData } from './proofs.ts'
import { findShown } from './shownOnL1.ts'
import {
  type AcceptedSwap,
  buildSwap,
  type Money,
  parseSwapFile,
  type SwapInput,
  type SwapOffer,
  swapId,
} from './swapFile.ts'

/** What one side of a swap gives and gets, the fee included in what is given. */
export type SwapEffect = Readonly<{ gives: readonly Money[]; gets: Money }>

export type OfferOptions = Readonly<{ give: Money; want: Money; onlyFor?: Address }>

/** Chooses and holds the maker's inputs; signs nothing, so an offer binds nobody. */
export async function makeOffer(wallet: WalletContext, { give, want, onlyFor }: OfferOptions): Promise<SwapOffer> {
  await noteMassExits(wallet)
  const coins = spendableCoins(await listCoins(wallet))
  const fee = chooseFee(await wallet.child.fees(), coins, { token: give.token })
  const { coins: chosen } = selectCoins(coins, wishOf([give, ...(fee ? [fee] : [])]), {
    sweepFrom: Number.POSITIVE_INFINITY,
  })
  const makerInputs = await proveInputs(wallet, chosen)
  const offer: SwapOffer = {
    stage: 'offer',
    lifeboatSwap: 1,
    ...wallet.domain,
    maker: wallet.account.address,
    ...(onlyFor ? { onlyFor } : {}),
    give,
    want,
    ...(fee ? { fee } : {}),
    makerInputs,
    nonce: bytesToHex(randomBytes(32)),
  }
  const inputs = makerInputs.map(({ position }) => position)
  wallet.store.saveSwap(swapId(offer), wallet.account.address, 'maker', { file: offer, state: 'open', inputs })
  return offer
}

/** What accepting would do to the taker, and completing to the maker. */
export function swapEffects(swap: SwapOffer | AcceptedSwap): Readonly<{ maker: SwapEffect; taker: SwapEffect }> {
  const { give, want, fee } = swap
  return { maker: { gives: fee ? [give, fee] : [give], gets: want }, taker: { gives: [want], gets: give } }
}

/**
 * Adds the taker's inputs and signatures. Warning: from here on the maker alone decides whether the swap happens, until one of its
 * inputs is spent: `cancelSwap` does that. Throws SWAP_NOT_FOR_YOU, SWAP_FILE_INVALID, BALANCE_TOO_LOW, EXIT_DATA_MISSING.
 */
export async function acceptOffer(wallet: WalletContext, text: string): Promise<AcceptedSwap> {
  const offer = parseSwapFile(text, wallet.domain)
  const taker = wallet.account.address
  if (offer.stage !== 'offer') {
    throw invalid('SWAP_FILE_INVALID', 'this swap is accepted already', { got: offer.stage, want: 'an offer' })
  }
  if (offer.maker === taker || (offer.onlyFor !== undefined && offer.onlyFor !== taker)) {
    const want = offer.maker === taker ? 'somebody else than the maker' : offer.onlyFor
    throw invalid('SWAP_NOT_FOR_YOU', 'this offer is not for this account', { got: taker, want })
  }
  await refuseHollow(wallet, offer)
  await noteMassExits(wallet)
  const coins = spendableCoins(await listCoins(wallet, offer.want.token))
  const { coins: chosen } = selectCoins(coins, wishOf([offer.want]), { sweepFrom: Number.POSITIVE_INFINITY })
  const takerInputs = await proveInputs(wallet, chosen)
  const transaction = buildSwap(offer, taker, takerInputs)
  const witness = wallet.account.sign(hashTransaction(transaction, wallet.separator))
  const accepted: AcceptedSwap = {
    ...offer,
    stage: 'accepted',
    taker,
    takerInputs,
    takerWitnesses: takerInputs.map(() => witness),
  }
  const inputs = takerInputs.map(({ position }) => position)
  wallet.store.saveSwap(swapId(offer), taker, 'taker', { file: accepted, state: 'open', inputs })
  return accepted
}

/**
 * Signs and hands in the swap: both sides or neither. Every term is held against the offer that this wallet made, and the taker's
 * signatures against the transaction built again from the terms. Throws SWAP_UNKNOWN, SWAP_FORGED, PAYMENT_REJECTED.
 */
export async function completeSwap(wallet: WalletContext, text: string) {
  const swap = parseSwapFile(text, wallet.domain)
  if (swap.stage !== 'accepted') {
    throw invalid('SWAP_FILE_INVALID', 'nobody has accepted this offer yet', {
      got: swap.stage,
      want: 'an accepted swap',
    })
  }
  const id = swapId(ownSwap(wallet, swap, 'open'))
  const transaction = buildSwap(swap, swap.taker, swap.takerInputs)
  const witnesses = signSwap(wallet, swap, transaction)
  const submitted = await submitSigned(wallet, { transaction, witnesses })
  wallet.store.setSwapState(id, wallet.account.address, 'done')
  return { ...submitted, transaction, id }
}

/**
 * The whole swap as a transaction that can be disputed; nothing is saved or sent. The maker's side is signed for it: whoever sees it from
 * then on can have it included. The taker needs the maker's signatures, which anybody may show once the maker completed the swap. Throws
 * SWAP_HALF_SIGNED, SWAP_UNKNOWN, SWAP_FORGED.
 */
export async function swapFlight(wallet: WalletContext, text: string): Promise<Flight> {
  const swap = parseSwapFile(text, wallet.domain)
  if (swap.stage !== 'accepted') {
    throw invalid('SWAP_HALF_SIGNED', 'nobody has signed this offer yet: there is nothing to dispute', {
      got: swap.stage,
      want: 'an accepted swap',
    })
  }
  const transaction = buildSwap(swap, swap.taker, swap.takerInputs)
  const txHash = bytesToHex(hashTransaction(transaction, wallet.separator))
  if (swap.maker === wallet.account.address) {
    const witnesses = signSwap(wallet, ownSwap(wallet, swap), transaction)
    const position = wallet.store.flight(txHash)?.position
    return { txHash, signed: { transaction, witnesses }, ...(position === undefined ? {} : { position }), from: 'file' }
  }
  try {
    return await findFlight(wallet, txHash)
  } catch (error) {
    if (!isLifeboatError(error)) throw error
    const own = swap.takerInputs.flatMap(({ position }) => wallet.store.proof(position)?.outputId ?? [])
    const shown = await findShown(wallet, txHash, own)
    if (shown) return shown
    throw invalid(
      'SWAP_HALF_SIGNED',
      'only the taker has signed as far as anybody shows: a half-signed swap cannot be disputed, and stays live until an input is spent',
      {
        got: `signatures of ${swap.taker} alone`,
        want: 'the swap as the maker completed it; or `lifeboat swap cancel`, or an exit of your inputs',
        txHash,
      },
      error,
    )
  }
}

/** After the swap itself is disputed on L1: its inputs are locked there, and the offer holds nothing any more. */
export function endSwap(wallet: WalletContext, text: string): void {
  wallet.store.setSwapState(swapId(parseSwapFile(text, wallet.domain)), wallet.account.address, 'done')
}

/** Frees the inputs of an open swap. A taker has signed, so one of its inputs is spent back to itself (a payment with its fee). */
export async function cancelSwap(wallet: WalletContext, id: Hash): Promise<Readonly<{ id: Hash; txHash?: Hash }>> {
  const swap = wallet.store.swap(id, wallet.account.address)
  if (swap?.state !== 'open') {
    throw invalid('SWAP_UNKNOWN', 'no open swap of this account has this id', {
      got: id,
      want: 'an id from `lifeboat swap list`',
    })
  }
  if (swap.role === 'maker') {
    wallet.store.setSwapState(id, wallet.account.address, 'cancelled')
    return { id }
  }
  const listed = await listCoins(wallet)
  const signedAway = listed.filter(({ position, state }) => state === 'unspent' && swap.inputs.includes(position))
  // An input that is gone ends the swap by itself.
  if (signedAway.length < swap.inputs.length) {
    wallet.store.setSwapState(id, wallet.account.address, 'done')
    return { id }
  }
  const coins = [...spendableCoins(listed), ...signedAway]
  const fee = chooseFee(await wallet.child.fees(), coins, { token: signedAway[0]?.token ?? ZERO_ADDRESS })
  const { txHash } = await submitOwn(wallet, planReturn(coins, wallet.account.address, signedAway, fee))
  wallet.store.setSwapState(id, wallet.account.address, 'cancelled')
  return { id, txHash }
}

/** Throws SWAP_UNKNOWN unless the terms are exactly those that this wallet offered, and, where asked for, not done or cancelled. */
function ownSwap(wallet: WalletContext, swap: AcceptedSwap, state?: 'open'): AcceptedSwap {
  const id = swapId(swap)
  const own = wallet.store.swap(id, wallet.account.address)
  if (own?.role === 'maker' && own.state !== 'cancelled' && (state === undefined || own.state === state)) return swap
  throw invalid('SWAP_UNKNOWN', `no ${state ?? 'such'} offer of this account has exactly these terms`, {
    got: own ? `an offer that is ${own.state}` : id,
    want: 'the terms that were offered; a changed amount, owner, token or input makes another offer',
  })
}

function signSwap(wallet: WalletContext, swap: AcceptedSwap, transaction: Transaction): Uint8Array {
  const digest = hashTransaction(transaction, wallet.separator)
  const own = wallet.account.sign(digest)
  const witnesses = new Uint8Array(transaction.inputs.length * WITNESS_SIZE)
  transaction.inputs.forEach((position, i) => {
    const theirs = swap.takerInputs.findIndex((input) => input.position === position)
    const witness = theirs < 0 ? own : (swap.takerWitnesses[theirs] as Uint8Array)
    const want = theirs < 0 ? swap.maker : swap.taker
    const got = recoverAddress(digest, witness)
    if (got !== want) {
      throw invalid('SWAP_FORGED', 'a signature does not fit these terms', {
        got: got ?? 'no signer',
        want,
        input: position,
      })
    }
    witnesses.set(witness, i * WITNESS_SIZE)
  })
  return witnesses
}

/** An offer of outputs that are not what it says could only fail later; better said now. Unknown ones pass: they cannot harm. */
async function refuseHollow(wallet: WalletContext, { maker, makerInputs }: SwapOffer): Promise<void> {
  for (const { position, token, amount } of makerInputs) {
    const proven = await obtainExitData(wallet, position, 'any').catch((error: unknown) => {
      if (isLifeboatError(error)) return undefined
      throw error
    })
    if (!proven) wallet.report(`nobody can show output ${position} of the offer yet`)
    const output = proven?.output
    if (!output || (output.owner === maker && output.token === token && output.amount === amount)) continue
    throw invalid('SWAP_HOLLOW', 'the offer brings an output that is not what it says', {
      got: { position, owner: output.owner, token: output.token, amount: output.amount },
      want: { position, owner: maker, token, amount },
    })
  }
}

/** The chosen coins as L1 knows them. Throws COIN_MISREPRESENTED when the operator listed another token or amount. */
async function proveInputs(wallet: WalletContext, coins: readonly Coin[]): Promise<SwapInput[]> {
  const inputs: SwapInput[] = []
  for (const { position, token, amount } of coins) {
    const { output } = await obtainExitData(wallet, position)
    if (output.owner !== wallet.account.address || output.token !== token || output.amount !== amount) {
      throw invalid('COIN_MISREPRESENTED', 'the operator lists an output other than it is', {
        got: { position, token, amount },
        want: output,
      })
    }
    inputs.push({ position, token, amount })
  }
  return inputs
}
