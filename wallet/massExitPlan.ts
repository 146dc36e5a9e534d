/**
 * What a coordinator's mass exit would be (docs/spec.md section 6.4; docs/guide-wallet.md, "Mass exits"): outputs in, batches out, with their
 * gas, bonds and times. Pure arithmetic; massExitStart.ts brings the facts and sends.
 */
import type { Address } from '../protocol/bytes.ts'
import { batchDeadlines, type Entry, formatOf, MAX_ENTRIES, MAX_ENTRIES_SIZE } from '../protocol/massExit.ts'

/** Gas of `startBatch`: once, and for each entry at least; bytes of calldata at EIP-7623's floor where they cost more. */
export const START_GAS = 280_000n
const ENTRY_GAS = 880n
const FLOOR_GAS_PER_BYTE = 40n
/** L1's cap of one transaction (EIP-7825), and what a plan fills of it. */
export const TRANSACTION_GAS_CAP = 16_777_216n
export const PLANNED_GAS = 15_000_000n
/** L1 slots that one transaction may take to be mined. */
const SLOTS_PER_TRANSACTION = 2

export type PlannedOutput = Entry &
  Readonly<{
    owner: Address
    token: Address
    /** L1 seconds of the block that the position names, a deposit's too; 0 for block 0. */
    madeAt: number
  }>

export type PlannedBatch = Readonly<{
  token: Address
  /** Positions strictly increasing. */
  entries: readonly Entry[]
  owners: number
  total: bigint
  gas: bigint
  /** L1 seconds: payable later than this, if it starts now and is locked as soon as it may be. */
  payableAfter: number
}>

export type PlanTerms = Readonly<{
  /** L1 seconds. */
  timestamp: number
  minExitPeriod: number
  /** Gas of one transaction; default 15,000,000. */
  gasPerTransaction?: bigint
}>

/**
 * Every output in exactly one batch, one transaction each: by token, what delays nothing apart from what does, the oldest first, so that one
 * young output does not keep the crowd waiting.
 */
export function planBatches(outputs: readonly PlannedOutput[], terms: PlanTerms): PlannedBatch[] {
  const groups = new Map<string, PlannedOutput[]>()
  for (const output of new Map(outputs.map((one) => [one.position, one])).values()) {
    const key = `${output.token} ${isYoung(output, terms)}`
    const members = groups.get(key) ?? []
    members.push(output)
    groups.set(key, members)
  }
  return [...groups.keys()].sort().flatMap((key) => {
    const members = (groups.get(key) ?? []).sort((a, b) => a.position - b.position)
    const most = entriesPerTransaction(members, terms.gasPerTransaction)
    return Array.from({ length: Math.ceil(members.length / most) }, (_, i) =>
      toBatch(members.slice(i * most, (i + 1) * most), terms),
    )
  })
}

export function startGas(entries: readonly Entry[]): bigint {
  return START_GAS + gasPerEntry(entries) * BigInt(entries.length)
}

export type PlanCosts = Readonly<{
  transactions: number
  gas: bigint
  /** Wei at the present base fee, and at ten times that. */
  costWei: bigint
  costAtTenWei: bigint
}>

export function costsOf(batches: readonly Pick<PlannedBatch, 'gas'>[], baseFeeWei: bigint): PlanCosts {
  const gas = batches.reduce((sum, one) => sum + one.gas, 0n)
  const costWei = gas * baseFeeWei
  return { transactions: batches.length, gas, costWei, costAtTenWei: 10n * costWei }
}

/**
 * The last safe moment for the first of so many transactions, in L1 seconds: what is locked by the block's time + MEP comes before whatever
 * that block forged, and a lock comes MEP/4 after its start (spec 6.4.5).
 */
export function lastSafeStart(
  blockTime: number,
  transactions: number,
  { minExitPeriod, slot }: Readonly<{ minExitPeriod: number; slot: number }>,
): number {
  return blockTime + Math.floor((minExitPeriod * 3) / 4) - transactions * SLOTS_PER_TRANSACTION * slot
}

/** Would make a batch payable later than its lock does. */
function isYoung({ madeAt }: PlannedOutput, { timestamp, minExitPeriod }: PlanTerms): boolean {
  return madeAt + 2 * minExitPeriod > firstLock(timestamp, minExitPeriod) + minExitPeriod
}

function firstLock(timestamp: number, minExitPeriod: number): number {
  return batchDeadlines(timestamp, minExitPeriod).answer + 1
}

function entriesPerTransaction(entries: readonly Entry[], gas = PLANNED_GAS): number {
  const byGas = Number((gas - START_GAS) / gasPerEntry(entries))
  const byBytes = Math.floor(MAX_ENTRIES_SIZE / bytesPerEntry(entries))
  return Math.max(1, Math.min(MAX_ENTRIES, byGas, byBytes))
}

function gasPerEntry(entries: readonly Entry[]): bigint {
  const calldata = FLOOR_GAS_PER_BYTE * BigInt(bytesPerEntry(entries))
  return calldata > ENTRY_GAS ? calldata : ENTRY_GAS
}

/** Of entries in their order; a part of them needs no more. */
function bytesPerEntry(entries: readonly Entry[]): number {
  const { positionBytes, amountBytes } = formatOf(entries)
  return positionBytes + amountBytes
}

function toBatch(members: readonly PlannedOutput[], { timestamp, minExitPeriod }: PlanTerms): PlannedBatch {
  const last = members.at(-1)
  const byBlock = last === undefined || last.madeAt === 0 ? 0 : last.madeAt + 2 * minExitPeriod
  const entries = members.map(({ position, amount }) => ({ position, amount }))
  return {
    token: (last as PlannedOutput).token,
    entries,
    owners: new Set(members.map(({ owner }) => owner)).size,
    total: members.reduce((sum, { amount }) => sum + amount, 0n),
    gas: startGas(entries),
    payableAfter: Math.max(firstLock(timestamp, minExitPeriod) + minExitPeriod, byBlock),
  }
}
