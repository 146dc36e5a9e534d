/**
 * A coordinator's plan and start (docs/spec.md sections 6.4.1 to 6.4.4): every entry is checked as a demand would have it shown, since one
 * that can't be answered dissolves the batch and costs half of its bond.
 */
import { encodeStartBatch } from '../l1/massExitContract.ts'
import type { SignedMandate } from '../l1/rootCalls.ts'
import { type Address, bytesToHex, type Hash, hexToBytes } from '../protocol/bytes.ts'
import { invalid, isLifeboatError } from '../protocol/errors.ts'
import { findMandateFault, hashMandate } from '../protocol/mandate.ts'
import { entryTree, placeEntries } from '../protocol/massExit.ts'
import { decodePosition, isDepositPosition, transactionPosition } from '../protocol/position.ts'
import { recoverAddress } from '../signatures/recover.ts'
import type { WalletContext } from './context.ts'
import { requireEther } from './exit.ts'
import { findHeaders } from './exits.ts'
import { giveMandate } from './mandate.ts'
import type { MassExitWish, WantedOutput } from './massExitFile.ts'
import {
  costsOf,
  lastSafeStart,
  type PlanCosts,
  type PlannedBatch,
  type PlannedOutput,
  type PlanTerms,
  planBatches,
  TRANSACTION_GAS_CAP,
} from './massExitPlan.ts'
import { findBatches, findEntries, isLost, type KnownBatch } from './massExits.ts'
import { obtainExitData, type ProvenExitData } from './proofs.ts'

/** Percent of the least bond that is sent: the base fee may rise until it is mined. All of it returns but what removals cost. */
const BOND_PERCENT = 125n

export type Progress = (done: number, of: number, what: string) => void

export type MassExitPlan = PlanCosts &
  Readonly<{
    batches: readonly (PlannedBatch & Readonly<{ leastBondWei: bigint; bondWei: bigint }>)[]
    entries: number
    owners: number
    bondWei: bigint
    baseFeeWei: bigint
    refused: readonly Readonly<{ position: number; reason: string }>[]
    /** Of the block that is suspected, or the newest; L1 seconds. Undefined before the first block, and where that is void. */
    hurry?: Readonly<{ block: number; isSuspect: boolean; lastSafeStart: number; isLate: boolean }>
  }>

export type PlanOptions = Readonly<{
  wish: MassExitWish
  /** First block held for withheld or invalid: what is not older is refused. */
  suspectBlock?: number
  /** Gas of one transaction. */
  gasPerTransaction?: bigint
  progress?: Progress
  /** Further mandates of an owner, such as a watcher keeps; those that do are kept here. */
  mandatesOf?: MandatesOf
}>

/** Nothing is sent. Throws only where L1 cannot be read. */
export async function planMassExit(wallet: WalletContext, options: PlanOptions): Promise<MassExitPlan> {
  const { wish, suspectBlock, gasPerTransaction, progress = () => undefined, mandatesOf = async () => [] } = options
  const { root } = wallet
  const { timestamp } = await root.now()
  const checked = await checkOutputs(wallet, {
    wish,
    timestamp,
    progress,
    mandatesOf,
    ...(suspectBlock === undefined ? {} : { suspectBlock }),
  })
  const { minExitPeriod } = root.parameters
  const terms = { timestamp, minExitPeriod, ...(gasPerTransaction ? { gasPerTransaction } : {}) }
  const { planned, outputs, refused } = planOnce(checked, terms)
  const batches = await Promise.all(
    planned.map(async (batch) => {
      const leastBondWei = await root.batchBond(batch.entries.length)
      return { ...batch, leastBondWei, bondWei: (leastBondWei * BOND_PERCENT) / 100n }
    }),
  )
  const baseFeeWei = await root.baseFee()
  const hurry = await findHurry(wallet, suspectBlock, batches.length)
  return {
    ...costsOf(batches, baseFeeWei),
    batches,
    entries: outputs.length,
    owners: new Set(outputs.map(({ owner }) => owner)).size,
    bondWei: batches.reduce((sum, { bondWei }) => sum + bondWei, 0n),
    baseFeeWei,
    refused,
    ...(hurry ? { hurry } : {}),
  }
}

/** What a mass exit of the account's own names already goes into no other: each would cost its bond. The very same is told of, not refused. */
function planOnce({ own, ...checked }: Checked, terms: PlanTerms) {
  const refused = [...checked.refused]
  const roots = new Set(own.map(({ batch }) => batch.root))
  for (let outputs = checked.outputs; ; ) {
    const planned = planBatches(outputs, terms)
    const known = planned.filter(({ entries }) => roots.has(rootOf(entries)))
    const kept = new Set(known.flatMap(({ entries }) => entries.map(({ position }) => position)))
    const twice = outputs.flatMap((output) => {
      const [naming] = kept.has(output.position) ? [] : findEntries(own, output)
      return naming ? [[output.position, naming.known.id] as const] : []
    })
    if (twice.length === 0) return { planned, outputs, refused }
    for (const [position, id] of twice) {
      refused.push({ position, reason: `mass exit ${id.slice(0, 10)} of your own names it already` })
    }
    const gone = new Set(twice.map(([position]) => position))
    outputs = outputs.filter(({ position }) => !gone.has(position))
  }
}

function rootOf(entries: PlannedBatch['entries']): Hash {
  return bytesToHex(entryTree(placeEntries(entries)).root)
}

export type StartedMassExit = Readonly<{
  batchId: Hash
  entries: number
  token: Address
  total: bigint
  bondWei: bigint
  txHash?: Hash
  /** An earlier run had started it. */
  isKnown: boolean
}>

/** One transaction for each batch of the plan. Throws MASS_EXIT_EMPTY, ETHER_TOO_LOW before the first, and what the outbox throws. */
export async function startMassExit(
  wallet: WalletContext,
  plan: MassExitPlan,
  { wish, progress = () => undefined }: Readonly<{ wish: MassExitWish; progress?: Progress }>,
): Promise<StartedMassExit[]> {
  if (plan.batches.length === 0) {
    throw invalid('MASS_EXIT_EMPTY', 'no output can go into a mass exit', {
      got: plan.refused.slice(0, 5),
      want: 'outputs that can be shown, with their owners’ mandates; `lifeboat mass-exit plan` gives each reason',
    })
  }
  const { bondWei, gas } = plan
  await requireEther(wallet, { bondWei, exitBondWei: await wallet.root.exitBond(), gas })
  for (const signed of wish.mandates) wallet.store.saveMandate(storable(signed))
  await coverOwn(wallet, plan)
  const started: StartedMassExit[] = []
  for (const [i, batch] of plan.batches.entries()) {
    progress(i, plan.batches.length, 'mass exits started')
    started.push(await startOne(wallet, batch))
  }
  progress(plan.batches.length, plan.batches.length, 'mass exits started')
  return started
}

async function startOne(wallet: WalletContext, batch: MassExitPlan['batches'][number]): Promise<StartedMassExit> {
  const { root, account } = wallet
  const { token, entries, bondWei, total, gas } = batch
  if (gas > TRANSACTION_GAS_CAP) {
    throw invalid('MASS_EXIT_TOO_LARGE', 'this needs more gas than one L1 transaction may use', {
      got: gas,
      want: TRANSACTION_GAS_CAP,
    })
  }
  const entriesRoot = rootOf(entries)
  const { timestamp } = await root.now()
  const same = (await findBatches(root)).filter(
    ({ batch: one }) => one.root === entriesRoot && one.coordinator === account.address && one.token === token,
  )
  const told = { entries: entries.length, token, total }
  const standing = same.find((known) => !isLost(known, timestamp, root.parameters.minExitPeriod))
  if (standing) return { ...told, batchId: standing.id, bondWei: standing.batch.bond, isKnown: true }
  const { block } = decodePosition(entries.at(-1)?.position ?? 0)
  const lastBlock = block === 0 ? undefined : (await findHeaders(root, new Set([block]))).get(block)
  // One that is lost may start again: that is another act.
  const done = await wallet.send({
    key: `mass-exit:${token}:${entriesRoot}:${same.length}`,
    purpose: `start a mass exit of ${entries.length} outputs, positions ${entries[0]?.position} to ${entries.at(-1)?.position}`,
    call: encodeStartBatch({ token, entries, bondWei, ...(lastBlock ? { lastBlock } : {}) }),
  })
  const event = done.events.find(({ type }) => type === 'BatchStarted')
  const found = event?.type === 'BatchStarted' ? event.batchId : await findStarted(wallet, entriesRoot)
  return { ...told, batchId: found, bondWei, isKnown: false, ...(done.txHash ? { txHash: done.txHash } : {}) }
}

async function findStarted({ root, account }: WalletContext, entriesRoot: Hash): Promise<Hash> {
  const batches = await findBatches(root)
  const found = batches.findLast(({ batch }) => batch.root === entriesRoot && batch.coordinator === account.address)
  if (found) return found.id
  throw invalid('MASS_EXIT_VANISHED', 'the mass exit was started and L1 does not show it', {
    got: 'no BatchStarted event',
    want: 'one; look again with `lifeboat mass-exit status`',
  })
}

/** L1 seconds. A mandate is judged at the start, which may be mined so much later than it was decided on. */
function latestStart(timestamp: number, { minExitPeriod }: Pick<PlanTerms, 'minExitPeriod'>): number {
  return timestamp + Math.floor(minExitPeriod / 8)
}

/** A coordinator's own outputs need its own mandate: L1 makes no difference. */
async function coverOwn(wallet: WalletContext, { batches }: MassExitPlan): Promise<void> {
  const { account, store, root } = wallet
  const { voidFrom } = await root.head()
  const own = new Set(store.provenPositions(account.address))
  const isOwn = batches.some(({ entries }) => entries.some(({ position }) => own.has(position)))
  if (!isOwn || voidFrom !== 0) return
  const { timestamp } = await root.now()
  const until = latestStart(timestamp, root.parameters)
  const isWhole = ({ mandate: { position, minAmount, validFrom, validUntil } }: SignedMandate) =>
    position === 0 && minAmount === 0n && validFrom <= timestamp && validUntil >= until
  if ((await standingMandates(wallet, account.address)).some(isWhole)) return
  await giveMandate(wallet, { delegate: account.address })
}

/** Of this owner for this coordinator, not revoked. */
export async function standingMandates(
  { store, root, account }: WalletContext,
  owner: Address,
): Promise<readonly SignedMandate[]> {
  const standing: SignedMandate[] = []
  for (const signed of store.mandates(owner)) {
    const { delegate, epoch } = signed.mandate
    if (delegate !== account.address && !/^0x0{40}$/.test(delegate)) continue
    if ((await root.revokedAt(owner, epoch)) === 0) standing.push(signed)
  }
  return standing
}

type MandatesOf = (owner: Address) => Promise<readonly SignedMandate[]>
type Check = Readonly<{
  wish: MassExitWish
  timestamp: number
  suspectBlock?: number
  progress: Progress
  mandatesOf: MandatesOf
}>
type Checked = Readonly<{
  outputs: readonly PlannedOutput[]
  refused: readonly Readonly<{ position: number; reason: string }>[]
  /** Mass exits of the account that stand. */
  own: readonly KnownBatch[]
}>

async function checkOutputs(
  wallet: WalletContext,
  { wish, timestamp, suspectBlock, progress, mandatesOf }: Check,
): Promise<Checked> {
  const head = await wallet.root.head()
  const { minExitPeriod } = wallet.root.parameters
  const batches = (await findBatches(wallet.root)).filter((known) => !isLost(known, timestamp, minExitPeriod))
  const own = batches.filter(({ batch }) => batch.coordinator === wallet.account.address)
  const given = new Map<Address, SignedMandate[]>()
  for (const signed of wish.mandates) {
    const { owner } = signed.mandate
    const own = given.get(owner) ?? []
    own.push(signed)
    given.set(owner, own)
  }
  const [outputs, refused]: [PlannedOutput[], { position: number; reason: string }[]] = [[], []]
  const wanted = [...new Map(wish.outputs.map((one) => [one.position, one])).values()]
  for (const [i, one] of wanted.entries()) {
    progress(i, wanted.length, 'outputs checked')
    const found = await checkOne(wallet, one, { batches, head, suspectBlock, given, timestamp, mandatesOf })
    if (typeof found === 'string') refused.push({ position: one.position, reason: found })
    else outputs.push(found)
  }
  progress(wanted.length, wanted.length, 'outputs checked')
  const times = await findHeaders(wallet.root, new Set(outputs.map(({ position }) => decodePosition(position).block)))
  const madeAt = (position: number) => times.get(decodePosition(position).block)?.timestamp ?? 0
  return { outputs: outputs.map((output) => ({ ...output, madeAt: madeAt(output.position) })), refused, own }
}

type World = Readonly<{
  batches: readonly KnownBatch[]
  head: Readonly<{ voidFrom: number }>
  suspectBlock: number | undefined
  given: ReadonlyMap<Address, readonly SignedMandate[]>
  timestamp: number
  mandatesOf: MandatesOf
}>

/** The output, or why it can't be defended. */
async function checkOne(wallet: WalletContext, wanted: WantedOutput, world: World): Promise<PlannedOutput | string> {
  const { root } = wallet
  const { position } = wanted
  const { block } = decodePosition(position)
  const { voidFrom } = world.head
  if (!isDepositPosition(position) && voidFrom !== 0 && block >= voidFrom)
    return `block ${block} is void (from ${voidFrom} on)`
  if (!isDepositPosition(position) && world.suspectBlock !== undefined && block >= world.suspectBlock) {
    return `block ${block} is not older than the suspected block ${world.suspectBlock}`
  }
  const proven = await prove(wallet, position)
  if (typeof proven === 'string') return proven
  const { output, data } = proven
  const wrong = findWrong(wanted, output)
  if (wrong !== undefined) return wrong
  const { state } = await root.exitRecord(output.outputId)
  if (state !== 'none' && state !== 'locked') return `its exit is ${state}`
  if (data.kind === 'transaction') {
    if (await root.isInvalid(transactionPosition(position))) return 'the payment that made it was proven invalid'
    const { verdict } = await root.disputeRecord(data.txHash)
    if (verdict === 'not-canonical' || verdict === 'running')
      return `the verdict about the payment that made it: ${verdict}`
  }
  const naming = findEntries(world.batches, output).find(
    ({ known }) => known.batch.coordinator !== wallet.account.address,
  )
  if (naming) return `mass exit ${naming.known.id.slice(0, 10)} names it already (${naming.known.stage})`
  const covered = voidFrom !== 0 || (await isCovered(wallet, output, world))
  return covered === true ? { ...output, madeAt: 0 } : covered
}

async function prove(wallet: WalletContext, position: number): Promise<ProvenExitData | string> {
  try {
    return await obtainExitData(wallet, position, 'any')
  } catch (error) {
    if (isLifeboatError(error)) return error.message
    throw error
  }
}

function findWrong(wanted: WantedOutput, output: ProvenExitData['output']): string | undefined {
  for (const field of ['amount', 'token', 'owner'] as const) {
    if (wanted[field] !== undefined && wanted[field] !== output[field]) {
      return `its ${field} is ${output[field]}, not ${wanted[field]}: the entry would name nothing`
    }
  }
  return undefined
}

/** True, or why no mandate will do. */
async function isCovered(
  wallet: WalletContext,
  output: ProvenExitData['output'],
  world: World,
): Promise<true | string> {
  const { owner } = output
  if (owner === wallet.account.address) return true
  const here = [...(world.given.get(owner) ?? []), ...(await standingMandates(wallet, owner))]
  const found = await findCover(wallet, output, here, world.timestamp)
  if (typeof found !== 'string') return true
  const elsewhere = await findCover(wallet, output, await world.mandatesOf(owner), world.timestamp)
  if (typeof elsewhere === 'string') return here.length > 0 ? found : elsewhere
  wallet.store.saveMandate(storable(elsewhere))
  return true
}

/** The one that answers for the output, or why none does. */
async function findCover(
  wallet: WalletContext,
  { owner, position, amount }: ProvenExitData['output'],
  candidates: readonly SignedMandate[],
  timestamp: number,
): Promise<SignedMandate | string> {
  const until = latestStart(timestamp, wallet.root.parameters)
  let fault = `no mandate of its owner ${owner} for ${wallet.account.address}`
  for (const signed of candidates) {
    const { mandate, signature } = signed
    const signer = recoverAddress(hashMandate(mandate, wallet.separator), hexToBytes(signature))
    const exit = { owner, delegate: wallet.account.address, position, amount }
    const found = findMandateFault(mandate, { ...exit, now: timestamp })
    if (found) fault = `its owner's mandate does not cover it: ${found.code}`
    else if (mandate.validUntil < until) fault = "its owner's mandate ends before the start is sure to be mined"
    else if (signer !== owner) fault = `its owner's mandate is not signed by ${owner}`
    else if ((await wallet.root.revokedAt(owner, mandate.epoch)) !== 0) fault = "its owner's mandate is revoked"
    else return signed
  }
  return fault
}

async function findHurry({ root }: WalletContext, suspectBlock: number | undefined, transactions: number) {
  const [{ newest, voidFrom }, { timestamp }] = [await root.head(), await root.now()]
  const block = suspectBlock ?? newest
  // What a void block forged never comes.
  if (voidFrom !== 0 && block >= voidFrom) return undefined
  const header = block === 0 ? undefined : (await findHeaders(root, new Set([block]))).get(block)
  if (!header) return undefined
  const last = lastSafeStart(header.timestamp, transactions, root.parameters)
  return { block, isSuspect: suspectBlock !== undefined, lastSafeStart: last, isLate: timestamp > last }
}

function storable({ mandate, signature }: SignedMandate) {
  return { mandate, signature: signature as Hash }
}
