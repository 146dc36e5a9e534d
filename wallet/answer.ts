/**
 * Answers to disputes (docs/spec.md section 6.3.4): whoever holds the inclusion of a disputed payment shows it to L1. Nothing here stops
 * what else a wallet has to do: what L1 refuses is told.
 */
import { encodeAnswerDispute } from '../l1/disputeCalls.ts'
import type { Hash } from '../protocol/bytes.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import { decodePosition, outputIdAt } from '../protocol/position.ts'
import type { WalletContext } from './context.ts'
import { disputeOutlook, isVoidAt, type KnownDispute, oldestStanding } from './disputes.ts'
import type { L1Act, L1Done } from './ports.ts'
import { obtainExitData } from './proofs.ts'

/** Sends; what L1 refuses is told, and keeps nothing else from being done. */
export async function attempt(wallet: WalletContext, act: L1Act): Promise<L1Done> {
  try {
    return await wallet.send(act)
  } catch (error) {
    if (!isLifeboatError(error) || error.code !== 'L1_ACT_FAILED') throw error
    wallet.report(`${act.purpose}: ${error.message}`)
    return { events: [] }
  }
}

/**
 * Shows L1 where the disputed transaction is included, if the wallet holds that or somebody shows it, and it would count: in time, anchored
 * before the inputs' locks, and not shown already. Returns the position.
 */
export async function answer(wallet: WalletContext, known: KnownDispute): Promise<number | undefined> {
  const { root, account } = wallet
  const { dispute, record } = known
  const [now, head, outlook] = [await root.now(), await root.head(), await disputeOutlook(root, known)]
  if (record.verdict !== 'running' || now.timestamp > outlook.answersUntil) return undefined
  const { answer: oldest } = await oldestStanding(root, known, head)
  for (const held of await placesOf(wallet, dispute.txHash)) {
    if (oldest !== undefined && oldest <= held) continue
    if (isVoidAt(held, head.voidFrom) || decodePosition(held).block > head.newest || (await root.isInvalid(held)))
      continue
    const own = known.signed.transaction.outputs.map((_, i) => held + i)
    const place = await findInclusion(wallet, own, dispute.txHash)
    if (!place || place.header.anchor >= dispute.lockedAt) continue
    wallet.report('showing L1 where the payment is included')
    const done = await attempt(wallet, {
      key: `answer:${dispute.txHash}:${held}:${account.address}`,
      purpose: `show where the disputed payment ${dispute.txHash} is included`,
      call: encodeAnswerDispute(dispute, { position: held, header: place.header, proof: place.proof }),
      doneErrors: ['PieceKnown'],
    })
    return done.txHash === undefined ? undefined : held
  }
  return undefined
}

/** Where it may stand: as it is kept, and as anybody asked says. */
export async function placesOf({ store, sources }: WalletContext, txHash: Hash): Promise<number[]> {
  const kept = store.flight(txHash)?.position
  const places = new Set(kept === undefined ? [] : [kept])
  for (const { transaction } of sources) {
    try {
      const status = await transaction?.(txHash)
      if (status) places.add(status.position)
    } catch (error) {
      if (!isLifeboatError(error)) throw error
    }
  }
  return [...places].sort((a, b) => a - b)
}

/** Any output's exit data shows the inclusion; the first that somebody has will do. */
async function findInclusion(wallet: WalletContext, positions: readonly number[], txHash: Hash) {
  for (const position of positions) {
    try {
      const { data, output } = await obtainExitData(wallet, position)
      if (data.kind === 'transaction' && outputIdAt(position, txHash) === output.outputId) return data
    } catch (error) {
      if (!isLifeboatError(error)) throw error
    }
  }
  return undefined
}
