/**
 * Mass exits (docs/spec.md section 6.4; docs/honest-watcher.md "Mass exits"): what a watcher does about every batch on L1, its own and others'.
 *
 *     started --demands of strangers' batches, answers for ours--> started --lockBatch--> locked --strikes--> its turn --claims--> closed
 *        `--an unanswered demand, or nobody locks--> dissolved --bonds come back
 *
 * There is no memory: what a batch is, and what was done about it, is on L1, and each tick looks at all of it anew.
 */
import { type Address, bytesToHex, type Hash } from '../../protocol/bytes.ts'
import { keccak256Text } from '../../protocol/keccak.ts'
import { batchDeadlines, demandBond, isEntryOf } from '../../protocol/massExit.ts'
import { decodePosition } from '../../protocol/position.ts'
import type { BatchAction, BatchFacts, EntryView, StruckEntry } from './batchActions.ts'
import { isCountingSpend, standingStrike } from './batchEntries.ts'
import { type BatchInput, CALLS_AT_ONCE, chunksOf, isHelped, isOurs } from './batchInput.ts'
import { STRIKES_PER_CALL } from './batchRules.ts'
import { openingsOf, sharesOf, waitingSharesOf } from './batchShares.ts'
import { type BatchRecord, openDemandsOf } from './batchTypes.ts'
import { evidenceWindow, isFallen, lastDrop, maturesAt, rollingDeadline } from './exitTime.ts'
import {
  budgetAt,
  CALL_GAS,
  feeGweiOf,
  staggerOf,
  UNLIMITED_WEI,
  urgentFrom,
  urgentStaggerOf,
  type Window,
} from './policy.ts'
import { judge } from './rules.ts'
import type { ActionBase, Alert, Effect, L1Readings, World } from './types.ts'

/** Gas of a demand. */
const DEMAND_CALL_GAS = 120_000n
/** Percent of the least bond of a demand sent along. */
const DEMAND_BOND_PERCENT = 125n

/**
 * Total and deterministic. What a window closes on comes first: answers, strikes, locks; then demands, then what can wait. What can't be told
 * about one batch keeps nobody from what is due for the others.
 */
export function planBatchActs(input: BatchInput): readonly Effect[] {
  const { batches, world, readings } = input
  const faults = new Map<Hash, Alert>()
  const ofEach = <T>(plan: (facts: BatchFacts) => readonly T[]): readonly T[] =>
    batches.flatMap((facts) => {
      try {
        return plan(facts)
      } catch (error) {
        faults.set(facts.record.batchId, faultOf(facts.record, error))
        return []
      }
    })
  const judged = (plan: (facts: BatchFacts) => readonly BatchAction[]) =>
    ofEach(plan).flatMap((action) => judge(action, world))
  const waiting = [...input.waiting, ...ofEach((facts) => waitingSharesOf(facts, input))]
  const onLine = { ...input, waiting }
  const effects = [
    ...ofEach((facts) => alertsOf(facts, input)),
    ...judged((facts) => answersOf(facts, world)),
    ...judged((facts) => strikesOf(facts, world)),
    ...judged((facts) => lockOf(facts, input)),
    ...(readings ? judged(demanding(input, readings)) : []),
    ...judged((facts) => endsOf(facts, input)),
    ...judged((facts) => openingsOf(facts, onLine)),
    ...(readings ? judged((facts) => sharesOf(facts, onLine, readings)) : []),
  ]
  return [...faults.values(), ...effects]
}

/** What becomes of a batch is not told: a bug of ours. */
export function faultOf({ batchId }: Pick<BatchRecord, 'batchId'>, error: unknown): Alert {
  return { type: 'alert', code: 'INTERNAL_FAULT', key: batchId, details: { batchId, reason: String(error) } }
}

/** Told by `faultOf`, and not by a rule that refuses one act. */
export function isFault(effect: Effect): effect is Alert {
  return effect.type === 'alert' && effect.code === 'INTERNAL_FAULT' && effect.details['batchId'] === effect.key
}

function deadlinesOf({ batch }: BatchRecord, { parameters }: World) {
  return batchDeadlines(batch.startedAt, parameters.minExitPeriod)
}

function terms(window: Window, floorWei: bigint, delay: number, { now }: World): Omit<ActionBase, 'key' | 'purpose'> {
  return {
    notBefore: window.from + delay,
    deadline: window.until,
    budgetWei: budgetAt(floorWei, window, now.timestamp),
  }
}

/** Half of our bond hangs on each of them, so they go at once. */
function answersOf({ record, entryAt, tree, shown, permission }: BatchFacts, world: World): readonly BatchAction[] {
  if (!isOurs(record, world) || record.state !== 'started') return []
  const until = deadlinesOf(record, world).answer
  return openDemandsOf(record).flatMap((demand): BatchAction[] => {
    const fact = entryAt(demand.index)
    const found = fact && shown(fact.entry)
    if (!fact || !found) return []
    const word = world.voidFrom === 0 ? permission(fact.entry) : undefined
    const floor = record.batch.bond / 2n
    return [
      {
        type: 'answer-demand',
        key: `answer-demand:${record.batchId}:${demand.index}`,
        purpose: `answer a demand: entry ${demand.index} of our mass exit of ${record.batch.count} outputs`,
        ...terms({ from: demand.at.l1Timestamp, until }, floor, 0, world),
        record,
        demand,
        at: { entry: fact.entry, tree: tree() },
        shown: found,
        ...(word && { permission: word }),
      },
    ]
  })
}

function strikesOf({ record, concerns }: BatchFacts, world: World): readonly BatchAction[] {
  const { item, batchId } = record
  if (!item) return []
  const struck = concerns.flatMap((fact): StruckEntry[] => {
    const { spend, owner, entry } = fact
    if (!spend || !owner || !isToStrike(fact, record, world)) return []
    return standingStrike(record, { position: entry.position, signer: owner }, world) ? [] : [{ fact, spend }]
  })
  const window = evidenceWindow(item, world)
  const { policy } = world
  const floor = policy.challengeFloorWei
  return chunksOf(struck, STRIKES_PER_CALL)
    .slice(0, CALLS_AT_ONCE)
    .map((chunk) => ({
      type: 'strike-entries',
      key: `strike:${batchId}:${chunk[0]?.fact.entry.position}:${chunk[0]?.spend.spend}`,
      purpose: `strike ${chunk.length} spent entries of a mass exit, from output ${chunk[0]?.fact.entry.position} on`,
      ...terms(window, (floor * BigInt(chunk.length + 3)) / 4n, staggerOf(policy, batchId), world),
      record,
      struck: chunk,
    }))
}

/** A spend counts against the entry, and only a strike can show it. */
function isToStrike(fact: EntryView, record: BatchRecord, world: World): boolean {
  const { exit, entry } = fact
  if (record.uses.has(entry.index) || !isCountingSpend(fact, record, world)) return false
  return !exit || !isEntryOf(exit.exit, record.batchId, entry.index)
}

function lockOf({ record, concerns }: BatchFacts, input: BatchInput): readonly BatchAction[] {
  const { world, youngBlocks } = input
  if (record.state !== 'started') return []
  const { answer, lock } = deadlinesOf(record, world)
  const ours = isOurs(record, world)
  const { block } = decodePosition(record.batch.last)
  const helpsOurs = concerns.some((fact) => fact.kind === 'named' && isHelped(fact, input))
  const due = terms(
    { from: answer + 1, until: lock },
    world.policy.exitFloorWei,
    ours ? 0 : urgentStaggerOf(world.policy, record.batchId),
    world,
  )
  return [
    {
      type: 'lock-batch',
      key: `lock:${record.batchId}`,
      purpose: `lock a mass exit of ${record.batch.count} outputs`,
      ...due,
      ...((ours || helpsOurs) && isOrderAtStake(world) && { budgetWei: UNLIMITED_WEI }),
      record,
      youngHint: youngBlocks.findLast((young) => young < block) ?? 0,
      isOurs: ours,
      helpsOurs,
    },
  ]
}

/** The place counts from the lock, and comes too late soon: as for single exits, nothing is too dear then. */
function isOrderAtStake({ safety, now }: World): boolean {
  if (safety.status !== 'unsafe' || safety.reason === 'halted') return false
  return safety.reason === 'short' || now.timestamp >= safety.lastSafeMoment
}

/**
 * One entry of each batch, another for every watcher: of those that name outputs of protected owners without a mandate that we know, and of
 * those that we can't find. Who coordinates honestly answers and is paid for it; one entry that can't be answered ends the batch.
 */
function demanding(
  { batches, world }: BatchInput,
  readings: L1Readings,
): (facts: BatchFacts) => readonly BatchAction[] {
  const { policy } = world
  let allowanceWei = demandAllowance(batches, world)
  let availableWei = readings.balanceWei - policy.challengeReserveWei
  return (facts) => {
    const { record, tree } = facts
    if (record.state !== 'started' || isOurs(record, world)) return []
    if ([...record.demands.values()].some(({ demander }) => demander === policy.sender)) return []
    const chosen = doubtfulEntry(facts, world)
    if (!chosen) return []
    const leastBondWei = demandBond(record.openDemands, feeGweiOf(readings))
    const bondWei = (leastBondWei * DEMAND_BOND_PERCENT) / 100n
    const costWei = (DEMAND_CALL_GAS * readings.baseFeeWei * 3n) / 2n
    const means = { leastBondWei, bondWei, costWei, allowanceWei, availableWei, baseFeeWei: readings.baseFeeWei }
    allowanceWei -= bondWei
    availableWei -= bondWei + costWei
    const window = { from: record.batch.startedAt, until: deadlinesOf(record, world).demand }
    const { position, index } = chosen.fact.entry
    return [
      {
        type: 'demand-entry',
        key: `demand:${record.batchId}:${index}`,
        purpose: `demand what entry ${index} of a mass exit names: output ${position}, ${chosen.why}`,
        ...terms(window, policy.challengeFloorWei, urgentStaggerOf(policy, record.batchId), world),
        record,
        at: { entry: chosen.fact.entry, tree: tree() },
        why: chosen.why,
        ...means,
      },
    ]
  }
}

function demandAllowance(batches: readonly BatchFacts[], { policy }: World): bigint {
  return (
    policy.demandBudgetWei -
    boundInDemands(
      batches.map(({ record }) => record),
      policy.sender,
    )
  )
}

/** Bonds of this demander: all while their batch stands; of one that was dissolved those that are left to be fetched. Wei. */
export function boundInDemands(batches: readonly BatchRecord[], demander: Address): bigint {
  const bound = batches.flatMap(({ state, demands, dissolved }) => {
    if (state === 'closed') return []
    const ofOurs = [...demands.values()].filter((one) => one.demander === demander)
    return state === 'dissolved'
      ? ofOurs.filter(({ answered, index }) => answered === undefined && index !== dissolved?.demanded)
      : ofOurs
  })
  return bound.reduce((sum, { bond }) => sum + bond, 0n)
}

/** What can't be answered at all comes before what we only do not know; among equals the seed decides. */
function doubtfulEntry({ record, concerns, permission }: BatchFacts, world: World) {
  const doubtful = concerns.flatMap((fact) => {
    const why = doubtOf(fact)
    return why && !record.demands.has(fact.entry.index) ? [{ fact, why, draw: drawOf(fact, record, world) }] : []
  })
  const rank = ({ fact, why }: (typeof doubtful)[number]) => (fact.kind === 'other' ? 0 : why === 'uninvited' ? 1 : 2)
  doubtful.sort((a, b) => rank(a) - rank(b) || (a.draw < b.draw ? -1 : 1))
  return doubtful[0]

  function doubtOf(fact: EntryView): 'uninvited' | 'unverifiable' | undefined {
    if (fact.kind === 'unverified' || fact.kind === 'void') {
      // While blocks of a safe chain are still being fetched, nothing is odd about it.
      const { block } = decodePosition(fact.entry.position)
      return world.safety.status !== 'safe' || block > world.newestBlock ? 'unverifiable' : undefined
    }
    if (fact.kind === 'other') return 'unverifiable'
    const isUninvited =
      world.voidFrom === 0 &&
      fact.owner !== undefined &&
      world.protectedOwners.has(fact.owner) &&
      permission(fact.entry) === undefined
    return isUninvited ? 'uninvited' : undefined
  }
}

function drawOf({ entry }: EntryView, { batchId }: BatchRecord, { policy }: World): string {
  return bytesToHex(keccak256Text(`${policy.seed} ${batchId} ${entry.index}`))
}

/** What brings bonds back, or takes a strike away that fell. */
function endsOf({ record, concerns }: BatchFacts, input: BatchInput): readonly BatchAction[] {
  const { readings, world } = input
  const { policy, now, parameters } = world
  const { batchId, batch } = record
  const { answer, lock } = deadlinesOf(record, world)
  const mine = [...record.demands.values()].filter(
    ({ demander, answered }) => demander === policy.sender && answered === undefined,
  )
  const from = (since: number, budgetWei = policy.keeperBudgetWei) => ({
    notBefore: since,
    deadline: rollingDeadline(since, parameters.minExitPeriod, now.timestamp),
    budgetWei,
  })
  const actions: BatchAction[] = []
  const [first] = mine
  if (first && record.state === 'started') {
    actions.push({
      type: 'dissolve-batch',
      key: `dissolve:${batchId}:${first.index}`,
      purpose: `dissolve a mass exit: nobody answered for its entry ${first.index}`,
      ...from(answer + 1, first.bond + batch.bond / 2n),
      record,
      demanded: first.index,
    })
  }
  if (isOurs(record, world) && record.state === 'started') {
    actions.push({
      type: 'dissolve-batch',
      key: `dissolve:${batchId}`,
      purpose: 'fetch the bond of a mass exit of ours that was not locked in time',
      ...from(lock + 1),
      record,
      demanded: null,
    })
  }
  for (const demand of mine) {
    actions.push({
      type: 'reclaim-demand',
      key: reclaimKey(batchId, demand.index),
      purpose: `fetch the bond of our demand of entry ${demand.index} of a mass exit that was dissolved`,
      ...from(demand.at.l1Timestamp, demand.bond),
      record,
      demand,
      costWei: CALL_GAS * (readings?.baseFeeWei ?? 0n),
    })
  }
  if (record.item && record.ticket && isOurs(record, world)) {
    actions.push({
      type: 'close-batch',
      key: `close:${batchId}`,
      purpose: `fetch what is left of the bond of our mass exit of ${batch.count} outputs`,
      ...from(maturesAt(record.item, world) + parameters.minExitPeriod + 1),
      record,
    })
  }
  const until = record.item ? lastDrop(record.item, world) : 0
  for (const strike of record.strikes.values()) {
    if (!isFallen(strike.spend, world) || now.timestamp > until) continue
    const fact = concerns.find(({ entry, owner }) => entry.position === strike.position && owner === strike.signer)
    // It is replaced by a strike with the spend that counts; without either the thief would be paid.
    if (fact && isToStrike(fact, record, world)) continue
    actions.push({
      type: 'drop-strike',
      key: `drop-strike:${batchId}:${strike.position}:${strike.signer}:${strike.spend}`,
      purpose: `drop a strike against output ${strike.position}, whose spend fell`,
      ...from(strike.at.l1Timestamp + staggerOf(policy, batchId)),
      deadline: until,
      record,
      strike,
      helpsOurs: fact !== undefined && isHelped(fact, input),
    })
  }
  return actions
}

/** Of the act that fetches a demand's bond. */
export function reclaimKey(batchId: Hash, index: number): string {
  return `reclaim:${batchId}:${index}`
}

function alertsOf(facts: BatchFacts, { world }: BatchInput): readonly Alert[] {
  const { record, concerns, permission } = facts
  const { batchId, batch } = record
  const { now, protectedOwners, voidFrom } = world
  const about = { batchId, token: batch.token, entries: batch.count, coordinator: batch.coordinator }
  const alert = (code: Alert['code'], key: string, details: Alert['details']): Alert => {
    return { type: 'alert', code, key, details: { ...about, ...details } }
  }
  if (isOurs(record, world)) {
    if (record.state === 'dissolved') {
      return record.dissolved?.demanded === null || record.dissolved === undefined
        ? []
        : [alert('BATCH_DISSOLVED', batchId, { entry: record.dissolved.demanded })]
    }
    if (record.state !== 'started') return []
    const { answer } = deadlinesOf(record, world)
    return openDemandsOf(record).flatMap(({ index, position, at }) => {
      const isLate = now.timestamp >= urgentFrom({ from: at.l1Timestamp, until: answer })
      return isLate
        ? [alert('DEMAND_UNANSWERED', `${batchId}:${index}`, { entry: index, position, until: answer })]
        : []
    })
  }
  if (record.state !== 'started' || voidFrom !== 0) return []
  const named = concerns.filter(({ kind, owner, entry }) => {
    return kind === 'named' && owner !== undefined && protectedOwners.has(owner) && permission(entry) === undefined
  })
  if (named.length === 0) return []
  const owners = [...new Set(named.map(({ owner }) => owner))].slice(0, 10)
  return [alert('BATCH_NAMES_PROTECTED', batchId, { owners, outputs: named.length })]
}
