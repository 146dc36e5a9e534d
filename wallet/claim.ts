/**
 * Claiming (docs/spec.md sections 6.4.7 to 6.4.10): pays entries of mass exits to their owners, whoever asks; places and settles those that
 * were opened; says of the others what they wait for. Proofs come from the wallet, the operator, or watchers.
 */
import { encodeAdoptExit, encodeClaimEntries, encodeOpenEntry, encodePlaceEntry } from '../l1/massExitContract.ts'
import { encodeSettle, type RootCall } from '../l1/rootCalls.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { invalid, isLifeboatError, retryable } from '../protocol/errors.ts'
import { listCoins } from './balance.ts'
import { type ClaimState, type ClaimSubject, judgeClaim, shownOf } from './claimState.ts'
import type { WalletContext } from './context.ts'
import { findBatches, findEntries, findEntryAt, isLost, type KnownBatch, namedOf, treeOf } from './massExits.ts'
import { keptOutputs } from './owned.ts'
import type { L1Done } from './ports.ts'
import { processTurns } from './process.ts'
import { obtainExitData, type ProvenExitData } from './proofs.ts'

/** Entries per call: far below the gas limit of one L1 transaction, full proofs and all. */
const CLAIMS_PER_CALL = 40
const GAS_BASE = 300_000n
const GAS_PER_CLAIM = 130_000n
/** Placed, then settled: no entry needs more. */
const ROUNDS = 3

export type ClaimOptions = Readonly<{
  /** Positions of outputs, or everything of the owner that mass exits name. */
  positions: readonly number[] | 'all'
  /** Who is paid; the account itself when left out. */
  owner?: Address
  /** Names this run. */
  key: string
}>

export type ClaimedOutput = Readonly<{
  position: number
  batchId: Hash
  index: number
  owner: Address
  token: Address
  amount: bigint
  state: ClaimState
}>

/** `done`: what this run did, by L1's own events. `outputs`: how each stands now. */
export type Claimed = Readonly<{
  paid: number
  placed: number
  outputs: readonly ClaimedOutput[]
  transactions: readonly Hash[]
}>

/** Throws NOT_OWNER, ENTRY_MISSING for a named position without an entry, EXIT_DATA_MISSING, and what the outbox throws. */
export async function claim(wallet: WalletContext, options: ClaimOptions): Promise<Claimed> {
  const { owner = wallet.account.address, key } = options
  const wanted = await findWanted(wallet, options.positions, owner)
  const work = createWork()
  let subjects = await findSubjects(wallet, wanted, owner, options.positions !== 'all')
  if (await isTurnDue(wallet, subjects)) {
    work.transactions.push(...(await processTurns(wallet, `claim:${key}`)).transactions)
    subjects = await findSubjects(wallet, wanted, owner, options.positions !== 'all')
  }
  let judged = await judgeAll(wallet, subjects)
  for (let round = 0; round < ROUNDS && judged.some(isActionable); round++) {
    await act(wallet, judged, { work, key: `${key}:${round}` })
    judged = await judgeAll(wallet, subjects)
  }
  return {
    paid: work.paid,
    placed: work.placed,
    transactions: work.transactions,
    outputs: judged.map((one) => tell(one, work)),
  }
}

type Judged = Readonly<{ subject: ClaimSubject; state: ClaimState }>
type Work = { paid: number; placed: number; transactions: Hash[]; refused: Map<string, string> }

export function createWork(): Work {
  return { paid: 0, placed: 0, transactions: [], refused: new Map() }
}

/** Claims, places, adopts and settles what can be; a call that L1 refuses for one entry is sent again without it. */
export async function act(
  wallet: WalletContext,
  judged: readonly Judged[],
  { work, key }: Readonly<{ work: Work; key: string }>,
): Promise<void> {
  for (const [batchId, group] of groupBy(judged.filter(({ state }) => state.kind === 'payable'))) {
    for (let at = 0; at < group.length; at += CLAIMS_PER_CALL) {
      const part = group.slice(at, at + CLAIMS_PER_CALL).map(({ subject }) => subject)
      await claimTogether(wallet, part, { work, key: `${key}:${batchId.slice(2, 18)}` })
    }
  }
  for (const { subject, state } of judged) {
    const call = callFor(subject, state)
    if (!call) continue
    await attempt(wallet, subject, {
      work,
      call,
      key,
      what: `${state.kind} the entry of output ${subject.entry.position}`,
    })
  }
}

async function claimTogether(
  wallet: WalletContext,
  subjects: readonly ClaimSubject[],
  { work, key }: Readonly<{ work: Work; key: string }>,
): Promise<void> {
  const [first, last] = [subjects[0], subjects.at(-1)]
  if (!first || !last) return
  wallet.report(`claiming ${subjects.length} of mass exit ${first.known.id.slice(0, 10)}`)
  const claims = subjects.map((subject) => ({ at: atOf(subject), shown: shownOf(subject.proven) }))
  try {
    const done = await wallet.send({
      key: `claim:${key}:${first.entry.index}:${subjects.length}`,
      purpose: `claim ${subjects.length} entries of mass exit ${first.known.id}, ${first.entry.index} to ${last.entry.index}`,
      call: encodeClaimEntries(first.known.batch, claims),
      doneErrors: ['NothingToDo'],
      gasLimit: GAS_BASE + GAS_PER_CLAIM * BigInt(subjects.length),
    })
    count(work, done)
  } catch (error) {
    if (!isLifeboatError(error) || error.family === 'retryable') throw error
    if (subjects.length === 1) {
      work.refused.set(keyOf(first), error.message)
      return wallet.report(`output ${first.entry.position}: ${error.message}`)
    }
    const half = Math.ceil(subjects.length / 2)
    await claimTogether(wallet, subjects.slice(0, half), { work, key: `${key}:a` })
    await claimTogether(wallet, subjects.slice(half), { work, key: `${key}:b` })
  }
}

function callFor(subject: ClaimSubject, state: ClaimState): RootCall | undefined {
  const { batch } = subject.known
  switch (state.kind) {
    case 'open':
      return encodeOpenEntry(batch, atOf(subject), shownOf(subject.proven))
    case 'place':
      return encodePlaceEntry(batch, atOf(subject), state.exit)
    case 'adopt':
      return encodeAdoptExit(batch, atOf(subject), shownOf(subject.proven), state.exit)
    case 'settle':
      return encodeSettle([state.exit])
    default:
      return undefined
  }
}

async function attempt(
  wallet: WalletContext,
  subject: ClaimSubject,
  { work, call, key, what }: Readonly<{ work: Work; call: RootCall; key: string; what: string }>,
): Promise<void> {
  wallet.report(what)
  try {
    const doneErrors = ['NothingToDo', 'EntryUsed', 'AlreadyExiting']
    count(work, await wallet.send({ key: `${what}:${key}`, purpose: what, call, doneErrors }))
  } catch (error) {
    if (!isLifeboatError(error) || error.family === 'retryable') throw error
    work.refused.set(keyOf(subject), error.message)
    wallet.report(`output ${subject.entry.position}: ${error.message}`)
  }
}

function count(work: Work, { txHash, events }: L1Done): void {
  if (txHash) work.transactions.push(txHash)
  for (const event of events) {
    if (event.type === 'EntriesClaimed') work.paid += event.claimed.length
    else if (event.type === 'ExitPaid') work.paid++
    else if (event.type === 'EntryPlaced') work.placed++
  }
}

export async function judgeAll(wallet: WalletContext, subjects: readonly ClaimSubject[]): Promise<Judged[]> {
  const judged: Judged[] = []
  for (const subject of subjects) judged.push({ subject, state: await judgeClaim(wallet, subject) })
  return judged
}

function isActionable({ state: { kind } }: Judged): boolean {
  return kind === 'payable' || kind === 'open' || kind === 'place' || kind === 'adopt' || kind === 'settle'
}

/** Outputs of the owner as far as anybody here knows them. */
async function findWanted(
  wallet: WalletContext,
  positions: ClaimOptions['positions'],
  owner: Address,
): Promise<readonly number[]> {
  if (positions !== 'all') return positions
  if (owner !== wallet.account.address) return listPositions(wallet, owner)
  const { voidFrom } = await wallet.root.head()
  const kept = [...wallet.store.provenPositions(owner), ...keptOutputs(wallet, voidFrom).positions]
  const listed = await listCoins(wallet).catch((error: unknown) => {
    if (!isLifeboatError(error)) throw error
    wallet.report(`the operator does not answer (${error.message}); using what is kept here`)
    return []
  })
  return [...kept, ...listed.map(({ position }) => position)]
}

async function listPositions({ child }: WalletContext, owner: Address): Promise<number[]> {
  const positions: number[] = []
  let cursor: number | undefined
  try {
    do {
      const page = await child.outputs(owner, { limit: 500, ...(cursor === undefined ? {} : { cursor }) })
      positions.push(...page.outputs.map(({ position }) => position))
      cursor = page.nextCursor
    } while (cursor !== undefined)
  } catch (error) {
    if (!isLifeboatError(error)) throw error
    throw retryable('OUTPUTS_UNKNOWN', `the operator does not say what ${owner} owns`, {
      got: error.message,
      want: 'the positions to claim, by name: `lifeboat claim <position> --for <address>`',
    })
  }
  return positions
}

/** Each output once, by the entry that pays it first. */
async function findSubjects(
  wallet: WalletContext,
  wanted: readonly number[],
  owner: Address,
  isNamed: boolean,
): Promise<ClaimSubject[]> {
  const batches = await findBatches(wallet.root)
  const { timestamp } = await wallet.root.now()
  const { minExitPeriod } = wallet.root.parameters
  const subjects: ClaimSubject[] = []
  for (const position of [...new Set(wanted)].sort((a, b) => a - b)) {
    const naming = batches.filter((known) => findEntryAt(known, position))
    const live = naming.filter((known) => !isLost(known, timestamp, minExitPeriod))
    if (live.length === 0) {
      if (isNamed) throw unnamed(position, naming)
      continue
    }
    const proven = await obtainExitData(wallet, position, 'any').catch((error: unknown) => {
      if (isNamed || !isLifeboatError(error)) throw error
      wallet.report(`output ${position}: ${error.message}`)
      return undefined
    })
    if (!proven) continue
    if (proven.output.owner !== owner) {
      if (!isNamed) continue
      throw invalid('NOT_OWNER', `output ${position} belongs to somebody else`, {
        got: owner,
        want: `its owner: --for ${proven.output.owner}; the money goes there`,
      })
    }
    subjects.push(chooseSubject(live, proven))
  }
  return subjects
}

/** The place that comes first, among those that hold one. */
function chooseSubject(batches: readonly KnownBatch[], proven: ProvenExitData): ClaimSubject {
  const { position } = proven.output
  const time = ({ item, batch }: KnownBatch) => item?.exitableAt ?? Number.MAX_SAFE_INTEGER / 2 + batch.startedAt
  const named = findEntries(batches, namedOf(proven)).sort((a, b) => time(a.known) - time(b.known))[0]
  if (named) return { ...named, proven }
  const [known] = batches
  const entry = known && findEntryAt(known, position)
  if (!known || !entry) throw unnamed(position, batches)
  return { known, entry, proven }
}

function unnamed(position: number, naming: readonly KnownBatch[]) {
  return invalid('ENTRY_MISSING', `no mass exit on L1 names output ${position}`, {
    got: naming.length === 0 ? 'no entry of any' : 'entries only of ones that are dissolved or can be locked no more',
    want: 'an output that one names (`lifeboat mass-exit status --everyone`); `lifeboat exit` leaves by an exit of its own',
  })
}

async function isTurnDue({ root }: WalletContext, subjects: readonly ClaimSubject[]): Promise<boolean> {
  const { timestamp } = await root.now()
  return subjects.some(({ known: { stage, item } }) => stage === 'locked' && item && item.exitableAt < timestamp)
}

/** What L1 refused although it looked due is not due: somebody was faster, or knows more. */
function tell({ subject, state }: Judged, { refused }: Work): ClaimedOutput {
  const { known, entry, proven } = subject
  const { position, owner, token, amount } = proven.output
  const reason = refused.get(keyOf(subject))
  if (reason !== undefined && isActionable({ subject, state })) {
    const waits: ClaimState = { kind: 'waits', why: `L1 refuses it now: ${reason}` }
    return { position, batchId: known.id, index: entry.index, owner, token, amount, state: waits }
  }
  return { position, batchId: known.id, index: entry.index, owner, token, amount, state }
}

function atOf({ known, entry }: ClaimSubject) {
  return { entry, tree: treeOf(known) }
}

function keyOf({ known, entry }: ClaimSubject): string {
  return `${known.id}:${entry.index}`
}

function groupBy(judged: readonly Judged[]): ReadonlyMap<Hash, Judged[]> {
  const groups = new Map<Hash, Judged[]>()
  for (const one of judged) {
    const { id } = one.subject.known
    const members = groups.get(id) ?? []
    members.push(one)
    groups.set(id, members)
  }
  return groups
}
