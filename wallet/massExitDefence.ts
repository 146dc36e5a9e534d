/**
 * A coordinator's duties after the start (docs/spec.md sections 6.4.2 to 6.4.7): answers demands, locks, gives the batch its turn, pays the
 * crowd, takes the bond back. Every step is judged anew from L1, so that a missed one, or one done by somebody else, costs nothing.
 */
import { encodeAnswerDemand, encodeCloseBatch, encodeDissolveBatch, encodeLockBatch } from '../l1/massExitContract.ts'
import type { RootCall, SignedMandate } from '../l1/rootCalls.ts'
import { invalid, isLifeboatError, type LifeboatError } from '../protocol/errors.ts'
import { findMandateFault } from '../protocol/mandate.ts'
import { decodePosition } from '../protocol/position.ts'
import { act, createWork, judgeAll } from './claim.ts'
import { type ClaimSubject, shownOf } from './claimState.ts'
import type { WalletContext } from './context.ts'
import { findYoungHint } from './exits.ts'
import { type Progress, standingMandates } from './massExitStart.ts'
import { type BatchTimes, findBatches, type KnownBatch, timesOf, treeOf } from './massExits.ts'
import type { L1Done } from './ports.ts'
import { processTurns } from './process.ts'
import { obtainExitData, type ProvenExitData } from './proofs.ts'

/** What one look at one batch did, and what comes next. `at`: L1 seconds. */
export type Tended = Readonly<{
  batchId: KnownBatch['id']
  stage: KnownBatch['stage']
  did: readonly string[]
  /** In words; what it waits for, or why nothing more can be done. */
  next: string
  at?: number
  /** Nothing is left to do. */
  isOver: boolean
}>

export type TendOptions = Readonly<{ key: string; progress?: Progress }>

/** Batches of the account, or those of everybody: anyone may lock, answer, claim. Oldest first. */
export async function findOwnBatches({ root, account }: WalletContext): Promise<KnownBatch[]> {
  return (await findBatches(root)).filter(({ batch }) => batch.coordinator === account.address)
}

/** Whatever is due for the batch now. Throws where L1 cannot be read; what fails for one entry does not keep the others back. */
export async function tendBatch(wallet: WalletContext, known: KnownBatch, options: TendOptions): Promise<Tended> {
  const { root } = wallet
  const [{ timestamp }, head] = [await root.now(), await root.head()]
  const times = timesOf(known, root, head)
  const told = { batchId: known.id, stage: known.stage, isOver: false }
  switch (known.stage) {
    case 'dissolved':
      return { ...told, did: [], next: 'it was dissolved: nothing was locked', isOver: true }
    case 'started':
    case 'demanded':
      return { ...told, ...(await tendStarted(wallet, known, { times, timestamp, ...options })) }
    case 'locked': {
      if (!known.item || timestamp <= known.item.exitableAt)
        return { ...told, did: [], next: 'its turn', at: times.payable }
      const { processed } = await processTurns(wallet, `turn:${known.id}:${options.key}`)
      return { ...told, did: processed > 0 ? [`gave ${processed} their turn`] : [], next: 'claims' }
    }
    case 'turned':
      return { ...told, ...(await tendTurned(wallet, known, { times, timestamp, ...options })) }
  }
}

/** One look at each. What fails for one mass exit, or while L1 can't be read, does not keep the others back. */
export async function tendAll(
  wallet: WalletContext,
  batches: readonly KnownBatch[],
  options: TendOptions,
): Promise<Readonly<{ tended: readonly Tended[]; failed: readonly TendFailure[] }>> {
  const tended: Tended[] = []
  const failed: TendFailure[] = []
  for (const known of batches) {
    try {
      tended.push(await tendBatch(wallet, known, options))
    } catch (error) {
      if (!isLifeboatError(error) || error.code === 'INTERRUPTED') throw error
      failed.push({ batchId: known.id, error })
    }
  }
  return { tended, failed }
}

export type TendFailure = Readonly<{ batchId: KnownBatch['id']; error: LifeboatError }>

type Tending = TendOptions & Readonly<{ times: BatchTimes; timestamp: number }>
type Outcome = Readonly<{ did: readonly string[]; next: string; at?: number; isOver?: boolean }>

async function tendStarted(wallet: WalletContext, known: KnownBatch, tending: Tending): Promise<Outcome> {
  const { times, timestamp, key } = tending
  const { batch, id } = known
  if (timestamp <= times.answerUntil) return answerDemands(wallet, known, tending)
  if (known.stage === 'demanded') {
    const next = `${known.record.demands} demands had no answer in time: whoever made one takes half of the bond by dissolving it`
    return { did: [], next, isOver: true }
  }
  if (timestamp <= times.lockUntil) {
    const youngHint = await findYoungHint(wallet.root, decodePosition(batch.last).block)
    await send(wallet, {
      key: `lock:${id}:${key}`,
      purpose: `lock mass exit ${id}`,
      call: encodeLockBatch(batch, youngHint),
    })
    return { did: ['locked it'], next: 'its turn' }
  }
  const call = encodeDissolveBatch(batch, null)
  await send(wallet, { key: `dissolve:${id}`, purpose: `take the bond of mass exit ${id} back`, call })
  return { did: ['nobody locked it in time: took the bond back'], next: 'nothing was locked', isOver: true }
}

async function answerDemands(
  wallet: WalletContext,
  known: KnownBatch,
  { times, timestamp, key }: Tending,
): Promise<Outcome> {
  const did: string[] = []
  const failed: string[] = []
  for (const index of await findOpenDemands(wallet, known)) {
    const entry = known.entries[index]
    if (!entry) continue
    try {
      const proven = await obtainExitData(wallet, entry.position, 'any')
      const mandate = await findAnswer(wallet, known, proven)
      const call = encodeAnswerDemand(known.batch, { entry, tree: treeOf(known) }, shownOf(proven), mandate)
      await send(wallet, {
        key: `answer:${known.id}:${index}:${key}`,
        purpose: `answer the demand of entry ${index}`,
        call,
      })
      did.push(`answered the demand of entry ${index} (output ${entry.position})`)
    } catch (error) {
      if (!isLifeboatError(error) || error.family === 'retryable') throw error
      failed.push(`entry ${index}: ${error.message}`)
    }
  }
  if (failed.length > 0)
    return { did, next: `demands that could not be answered: ${failed.join('; ')}`, at: times.answerUntil }
  const next = timestamp <= times.demandUntil ? 'demands, then its lock' : 'its lock'
  return { did, next, at: times.answerUntil }
}

/** Indices, in order. */
async function findOpenDemands({ root }: WalletContext, { id, record }: KnownBatch): Promise<number[]> {
  if (record.demands === 0) return []
  const open = new Set<number>()
  for (const event of await root.events({ types: ['EntryDemanded', 'DemandAnswered'], batchId: id })) {
    if (event.type === 'EntryDemanded') open.add(event.index)
    else if (event.type === 'DemandAnswered') open.delete(event.index)
  }
  return [...open].sort((a, b) => a - b)
}

/** As L1 will judge it, at the batch's start; none on a halted chain. Throws MANDATE_MISSING. */
async function findAnswer(
  wallet: WalletContext,
  { batch }: KnownBatch,
  { output: { owner, position, amount } }: ProvenExitData,
): Promise<SignedMandate | undefined> {
  if ((await wallet.root.head()).voidFrom !== 0) return undefined
  const exit = { owner, delegate: batch.coordinator, position, amount, now: batch.startedAt }
  const mandates: readonly SignedMandate[] = [
    ...(await standingMandates(wallet, owner)),
    ...wallet.store.mandates(owner),
  ]
  const found = mandates.find(({ mandate }) => findMandateFault(mandate, exit) === undefined)
  if (found) return found
  throw invalid('MANDATE_MISSING', `no mandate of ${owner} is kept here that answers for output ${position}`, {
    got: mandates.map(({ mandate }) => findMandateFault(mandate, exit)?.code),
    want: `one for ${batch.coordinator} that was valid at ${batch.startedAt} (L1 seconds)`,
  })
}

async function tendTurned(wallet: WalletContext, known: KnownBatch, tending: Tending): Promise<Outcome> {
  const { times, timestamp, key, progress = () => undefined } = tending
  const did: string[] = []
  const left = await findUnused(wallet, known)
  const subjects: ClaimSubject[] = []
  let unproven = 0
  for (const [i, entry] of left.entries()) {
    progress(i, left.length, 'proofs of entries')
    try {
      subjects.push({ known, entry, proven: await obtainExitData(wallet, entry.position, 'any') })
    } catch (error) {
      if (!isLifeboatError(error)) throw error
      unproven++
    }
  }
  if (left.length > 0) progress(left.length, left.length, 'proofs of entries')
  const work = createWork()
  // Opened ones are placed first, then settled.
  for (let round = 0; round < 2; round++)
    await act(wallet, await judgeAll(wallet, subjects), { work, key: `${key}:${round}` })
  if (work.paid > 0) did.push(`paid ${work.paid} entries`)
  if (work.placed > 0) did.push(`placed ${work.placed} opened entries`)
  const open = left.length - work.paid
  const rest = open === 0 ? 'every entry is paid' : `${open} entries are not paid (${unproven} without a proof)`
  if (known.record.isClosed) return { did, next: rest, isOver: true }
  if (timestamp <= times.closable) return { did, next: `${rest}; then the rest of the bond`, at: times.closable }
  const call = encodeCloseBatch(known.batch)
  await send(wallet, { key: `close:${known.id}`, purpose: `take the rest of the bond of mass exit ${known.id}`, call })
  return { did: [...did, 'took the rest of the bond'], next: rest, isOver: true }
}

/** Entries whose share nobody claimed or freed. */
async function findUnused({ root }: WalletContext, { id, entries }: KnownBatch) {
  const used = new Set<number>()
  for (const event of await root.events({ types: ['EntriesClaimed', 'EntryReleased'], batchId: id })) {
    if (event.type === 'EntriesClaimed') for (const { index } of event.claimed) used.add(index)
    else if (event.type === 'EntryReleased') used.add(event.index)
  }
  return entries.filter(({ index }) => !used.has(index))
}

async function send(
  wallet: WalletContext,
  { key, purpose, call }: Readonly<{ key: string; purpose: string; call: RootCall }>,
): Promise<L1Done> {
  wallet.report(purpose)
  return wallet.send({ key, purpose, call, doneErrors: ['BatchUnexpected', 'DemandUnexpected'] })
}
