/**
 * What follows from the disputes that an account has a part in (docs/spec.md sections 6.2 and 6.3): inclusions that the wallet holds are
 * shown, verdicts that are due are given, after one that is not canonical own inputs leave, places and bonds that a verdict freed come
 * back. `lifeboat process` does it; a watcher does the same for accounts under its protection.
 */
import { encodeDecide, encodeInherit } from '../l1/disputeCalls.ts'
import { encodeRelease } from '../l1/rootCalls.ts'
import { type Hash, hexToBytes, ZERO_HASH } from '../protocol/bytes.ts'
import type { Verdict } from '../protocol/dispute.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import { isDepositPosition, outputIdOf, transactionPosition } from '../protocol/position.ts'
import { answer, attempt } from './answer.ts'
import type { WalletContext } from './context.ts'
import {
  disputeOutlook,
  findDisputes,
  furtherPieces,
  hasPart,
  isVoidAt,
  type KnownDispute,
  partOf,
} from './disputes.ts'
import type { StartedExit } from './exit.ts'
import { findExit, findExits, type KnownExit } from './exits.ts'
import { exitInFlight, exitInputs } from './inFlight.ts'
import type { StoredFlight } from './store.ts'

/** Pieces that one call weighs: far below the gas limit of one L1 transaction. */
const PIECES_PER_CALL = 100

export type FollowUp = Readonly<{
  answered: readonly Hash[]
  decided: readonly Readonly<{ txHash: Hash; verdict: Verdict }>[]
  /** Own inputs that a verdict gave back and whose exits started now. */
  exits: readonly StartedExit[]
}>

/** Pieces and verdicts, before exits have their turn. Only disputes that the account has a part in; `key` names this run. */
export async function followDisputes(wallet: WalletContext, key: string): Promise<FollowUp> {
  const all = await findDisputes(wallet)
  const own = all.filter((one) => hasPart(partOf(one, wallet.account.address)))
  const answered: Hash[] = []
  const decided: { txHash: Hash; verdict: Verdict }[] = []
  for (const known of own.filter(({ record }) => record.verdict === 'running')) {
    if ((await answer(wallet, known)) !== undefined) answered.push(known.dispute.txHash)
    decided.push(...(await decide(wallet, known, { all, key })))
  }
  await joinLater(wallet)
  return { answered, decided, exits: await exitFreedInputs(wallet) }
}

/**
 * Disputes that the account left by and that still owe it something: outputs whose exits by a void block have ended leave by the dispute
 * now. One that L1 does not have any more (a reorg) is told.
 */
async function joinLater(wallet: WalletContext): Promise<void> {
  const { store, root, account } = wallet
  for (const txHash of store.disputes(account.address)) {
    const { verdict } = await root.disputeRecord(txHash)
    if (verdict === 'none') {
      wallet.report(
        `L1 has no dispute of payment ${txHash} any more: \`lifeboat exit --in-flight ${txHash}\` starts it again`,
      )
      continue
    }
    const flight = store.flight(txHash)
    if (verdict === 'not-canonical' || !flight || !(await hasBarredOutput(wallet, flight))) continue
    try {
      await exitInFlight(wallet, { flight: { ...flight, from: 'saved' } })
    } catch (error) {
      if (!isLifeboatError(error)) throw error
      wallet.report(`payment ${txHash}: ${error.message}`)
    }
  }
}

/** An own output whose exit was removed at its turn with its void block: it may start again, once. */
async function hasBarredOutput({ root, account }: WalletContext, { txHash, signed }: StoredFlight): Promise<boolean> {
  for (const [i, { owner }] of signed.transaction.outputs.entries()) {
    if (owner !== account.address) continue
    const outputId = outputIdOf(hexToBytes(txHash), i)
    if ((await root.exitRecord(outputId)).state !== 'locked') continue
    const removed = await root.events({ types: ['ExitRemoved'], outputId })
    if (removed.some((event) => event.type === 'ExitRemoved' && event.outputId === outputId)) return true
  }
  return false
}

/**
 * Whether a verdict that is due should wait for the turns: an input's exit that has its turn first leaves its place on the line to the
 * outputs (spec 6.2.2), one that a verdict cancels in the queue leaves none.
 */
export async function turnsComeFirst(wallet: WalletContext): Promise<boolean> {
  for (const known of await findDisputes(wallet)) {
    if (known.record.verdict !== 'running' || !hasPart(partOf(known, wallet.account.address))) continue
    for (const { outputId } of known.inputs)
      if ((await wallet.root.exitRecord(outputId)).state === 'queued') return true
  }
  return false
}

/** After the turns: shares of places that a verdict cancelled, and bonds of own exits that it ended. Returns how many of each. */
export async function collectFreed(
  wallet: WalletContext,
  key: string,
): Promise<Readonly<{ inherited: number; released: number }>> {
  let inherited = 0
  for (const known of await findDisputes(wallet)) {
    const { outputs } = partOf(known, wallet.account.address)
    if (known.record.verdict !== 'canonical') continue
    for (const output of outputs) inherited += await inheritShares(wallet, known, { output, key })
  }
  let released = 0
  for (const known of await findExits(wallet.root, { owner: wallet.account.address })) {
    if (await release(wallet, known, key)) released++
  }
  return { inherited, released }
}

type Decide = Readonly<{ all: readonly KnownDispute[]; key: string }>

/** The verdict, if it is due; before it that of the disputes that it waits for, whoever they concern. */
async function decide(wallet: WalletContext, known: KnownDispute, { all, key }: Decide): Promise<FollowUp['decided']> {
  const { root } = wallet
  const { txHash } = known.dispute
  const isRunning = async (hash: Hash) => (await root.disputeRecord(hash)).verdict === 'running'
  const [{ timestamp }, { verdictAfter }] = [await root.now(), await disputeOutlook(root, known)]
  if (timestamp <= verdictAfter || !(await isRunning(txHash))) return []
  const before: { txHash: Hash; verdict: Verdict }[] = []
  const open: Hash[] = []
  for (const { madeBy } of known.inputs) {
    if (madeBy === ZERO_HASH || !(await isRunning(madeBy))) continue
    const maker = all.find(({ dispute }) => dispute.txHash === madeBy)
    if (maker) before.push(...(await decide(wallet, maker, { all, key })))
    if (await isRunning(madeBy)) open.push(madeBy)
  }
  wallet.report(`giving the verdict about ${txHash}`)
  const { competitors, answers } = furtherPieces(known)
  for (let at = 0; at === 0 || at < competitors.length + answers.length; at += PIECES_PER_CALL) {
    const [named, left] = [competitors.slice(at, at + PIECES_PER_CALL), Math.max(0, at - competitors.length)]
    const room = PIECES_PER_CALL - named.length
    await attempt(wallet, {
      key: `decide:${txHash}:${key}:${at}`,
      purpose: `give the verdict about ${txHash}${at === 0 ? '' : `, pieces from ${at} on`}`,
      call: encodeDecide(known, named, answers.slice(left, left + room)),
      doneErrors: ['VerdictUnexpected'],
    })
  }
  const { verdict } = await root.disputeRecord(txHash)
  if (verdict === 'canonical' || verdict === 'not-canonical') return [...before, { txHash, verdict }]
  // L1 refused: only a verdict that can't be canonical is given before that about a maker, or one that waited long enough.
  for (const madeBy of open)
    wallet.report(`the verdict about ${txHash} waits for that about ${madeBy}, which made an input of it`)
  return before
}

/** Of the disputes that the account left by, those that were lost: its inputs are free to leave. */
async function exitFreedInputs(wallet: WalletContext): Promise<StartedExit[]> {
  const started: StartedExit[] = []
  for (const txHash of wallet.store.disputes(wallet.account.address)) {
    const { verdict } = await wallet.root.disputeRecord(txHash)
    if (verdict !== 'not-canonical') continue
    for (const known of await findDisputes(wallet, txHash)) started.push(...(await exitInputs(wallet, known)))
  }
  return started
}

/** Where the output's own ticket is not covered yet, a share of an input's cancelled place may be. */
async function inheritShares(
  wallet: WalletContext,
  known: KnownDispute,
  { output, key }: Readonly<{ output: number; key: string }>,
): Promise<number> {
  const { root } = wallet
  const { txHash } = known.dispute
  const { outputs } = known.signed.transaction
  const own = outputs[output]
  const exit = await findExit(root, outputIdOf(hexToBytes(txHash), output))
  if (!own || exit?.record.state !== 'ticket' || exit.record.evidence !== 0 || exit.record.hasMore) return 0
  if (exit.record.running > 0) return 0
  const [funded, ticket] = [await root.funded(own.token), await root.ticket(exit.exit.outputId)]
  if (funded >= ticket.from + ticket.due) return 0
  let count = 0
  for (const [input, { token, outputId }] of known.inputs.entries()) {
    if (token !== own.token) continue
    const place = await root.ticket(outputId)
    const { state } = await root.exitRecord(outputId)
    if (place.due === 0n || (state !== 'cancelled-ticket' && state !== 'settled')) continue
    const share = shareOf(place, outputs, output)
    if (funded < share.from + share.due) continue
    wallet.report(`taking the share of the place of input ${input} for output ${output}`)
    const done = await attempt(wallet, {
      key: `inherit:${txHash}:${input}:${output}:${key}`,
      purpose: `pay output ${output} of ${txHash} out of the place of input ${input}`,
      call: encodeInherit(known, known.signed.transaction, { input, output, exit: exit.exit }),
      doneErrors: ['ShareMissing', 'StateUnexpected'],
    })
    if (done.events.some(({ type }) => type === 'ExitInherited')) count++
  }
  return count
}

type Span = Readonly<{ from: bigint; due: bigint }>

/** Pro rata of the outputs of that token, cut at cumulative sums (spec 6.2.2). */
function shareOf(place: Span, outputs: KnownDispute['signed']['transaction']['outputs'], output: number): Span {
  const token = outputs[output]?.token
  const sumTo = (end: number) =>
    outputs.slice(0, end).reduce((sum, one) => (one.token === token ? sum + one.amount : sum), 0n)
  const whole = sumTo(outputs.length)
  const [low, high] = [(place.due * sumTo(output)) / whole, (place.due * sumTo(output + 1)) / whole]
  return { from: place.from + low, due: high - low }
}

/** An own exit that nobody is owed any more and that its turn did not end: gives the bond back. A place that the line has not reached is left. */
async function release(wallet: WalletContext, { exit, record }: KnownExit, key: string): Promise<boolean> {
  const { account } = wallet
  if (exit.payer !== account.address || !(await isReleasable(wallet, { exit, record }))) return false
  wallet.report(`releasing the exit of output ${exit.position}`)
  const done = await attempt(wallet, {
    key: `release:${exit.outputId}:${key}`,
    purpose: `release the exit ${exit.outputId}`,
    call: encodeRelease(exit),
    doneErrors: ['StateUnexpected'],
  })
  return done.events.some(({ type }) => type === 'ExitRemoved')
}

async function isReleasable({ root }: WalletContext, { exit, record }: KnownExit): Promise<boolean> {
  if (record.state === 'cancelled-ticket') return true
  if (record.state !== 'ticket') return false
  const { voidFrom } = await root.head()
  if (isVoidAt(exit.position, voidFrom) || (await isInvalid(root, exit))) return true
  return exit.disputed !== ZERO_HASH && (await root.disputeRecord(exit.disputed)).verdict === 'not-canonical'
}

async function isInvalid(root: WalletContext['root'], { position }: KnownExit['exit']): Promise<boolean> {
  return !isDepositPosition(position) && root.isInvalid(transactionPosition(position))
}
