/**
 * The court's driver (docs/spec.md section 11): gathers one consistent set of facts, lets the pure court decide, and writes what it
 * decided to the outbox and the alarm in one transaction. It remembers nothing that it could not lose: every tick decides anew.
 */
import type { Header } from '../protocol/block.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { shareOf } from '../protocol/massExit.ts'
import { decodePosition } from '../protocol/position.ts'
import { inTransaction } from '../service/database.ts'
import type { AlertCode } from './alerts.ts'
import { isAction, stepCourt } from './court/court.ts'
import { boundInChallenges } from './court/data.ts'
import { type DisputePhase, NEW_DISPUTE, stepDispute } from './court/dispute.ts'
import { disputesAtStake } from './court/disputeStake.ts'
import type { Docket } from './court/docket.ts'
import { ticketOf } from './court/exitRecord.ts'
import type { CourtPolicy } from './court/policy.ts'
import type { Ward } from './court/protectedExit.ts'
import { type ExitPhase, NEW_CASE, stepExit, verdictOf } from './court/standardExit.ts'
import type { Action, Alert, Effect, L1Readings, World } from './court/types.ts'
import type { Court, CourtContext, CreateCourt } from './courtPort.ts'
import { disputedOutputOf } from './disputeBook.ts'
import { decideBatches, isBatchAction } from './driverBatches.ts'
import { decideSurety, findRevealedFault } from './driverData.ts'
import { type Desk, openDesk } from './driverDesk.ts'
import { createDisputeMemo, type FoundDisputes } from './driverDisputes.ts'
import { createFaultMemo } from './driverFaults.ts'
import { createSpendMemo, createWardMemo } from './driverMemos.ts'
import type { ReadL1 } from './driverReadings.ts'
import { tokensToRead } from './driverTokens.ts'
import type { ExitFacts, ExitRecord } from './facts.ts'

export type CourtOptions = Readonly<{
  policy: CourtPolicy
  rootContract: Address
  /** Proofs of fraud go through it, where it is known: the reporter is paid from the operator's bond. */
  suretyContract?: Address | undefined
  readL1: ReadL1
  /** Called after acts were written down: the outbox need not wait for its next look. */
  wake?: () => void
}>

type Together = Readonly<{ wards: readonly Ward[]; effects: readonly Effect[]; boundWei: bigint }>

/** Exits of either stream looked at for their turn in one tick. */
const QUEUE_PAGE = 200

/** Alerts that end with their cause; the others tell of something that happened. */
const CLEARED: ReadonlySet<AlertCode> = new Set([
  'BUDGET_EXHAUSTED',
  'PROTECTED_EXIT_BLOCKED',
  'OUTBOX_STUCK',
  'DISPUTE_EXIT_AVAILABLE',
  'DISPUTE_UNCHALLENGED',
  'COMPETITOR_UNANSWERED',
  'DISPUTED_EXIT_UNCHALLENGED',
  'FAULT_UNPROVEN',
  'DATA_UNCHALLENGED',
  'DEMAND_UNANSWERED',
])

const NO_POSITIONS: ReadonlySet<number> = new Set()

/** For `createWatcher`. */
export function courtOf(options: CourtOptions): CreateCourt {
  return (context) => createCourt(context, options)
}

export function createCourt(context: CourtContext, options: CourtOptions): Court {
  const { policy, rootContract, suretyContract, readL1, wake = () => undefined } = options
  const { facts, db, alarm, log } = context
  let cases: ReadonlyMap<Hash, ExitPhase> = new Map()
  let disputeCases: ReadonlyMap<Hash, DisputePhase> = new Map()
  let standing: ReadonlyMap<string, Pick<Alert, 'code' | 'key'>> = new Map(
    alarm.standing(CLEARED).map(({ code, subject }) => [`${code} ${subject}`, { code, key: subject }]),
  )
  let closedSince: number | undefined
  let lastReadings: L1Readings | undefined
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  const spends = createSpendMemo(context)
  const wards = createWardMemo(context)
  const disputes = createDisputeMemo(context)
  const faults = createFaultMemo(context)
  const desk: Desk = openDesk({ db, contracts: { root: rootContract, surety: suretyContract }, log })

  function worldNow(docket: Docket): World {
    const verifiedBlock = facts.verifiedBlock()
    const newestBlock = facts.newestBlock()
    return {
      now: facts.l1Now(),
      parameters: facts.parameters,
      safety: facts.safety(),
      verifiedBlock,
      verifiedAnchor: facts.header(verifiedBlock)?.anchor ?? 0,
      newestBlock,
      newestTime: facts.header(newestBlock)?.timestamp ?? 0,
      // From events: a view is the endpoint's word, and a lie about what is void would keep us from showing evidence.
      ...facts.halt(),
      disproved: facts.disproved(),
      spentInFault: facts.fault()?.spends ?? NO_POSITIONS,
      protectedOwners: protectedOwners(),
      docket,
      policy,
    }
  }

  function protectedOwners(): ReadonlySet<Address> {
    return new Set(facts.protectedAccounts().map(({ owner }) => owner))
  }

  /** One look at all disputes; the exits are those that it may concern. */
  function lookAtDisputes(exits: readonly ExitRecord[]): FoundDisputes {
    return disputes.look({ exits, protectedOwners: protectedOwners(), sinceL1Block: longAgo() })
  }

  /** What can't be read now is left for the next tick; evidence needs none of it. */
  async function read(): Promise<L1Readings | undefined> {
    const { block, hash } = facts.l1Now()
    const about = {
      now: facts.l1Now(),
      verifiedBlock: facts.verifiedBlock(),
      voidFrom: facts.halt().voidFrom,
      protectedOwners: protectedOwners(),
      policy,
    }
    const tickets = tokensToRead({
      open: facts.openExits(),
      locked: facts.lockedBatches(),
      ours: context.massExits?.lookForOurs(about) ?? [],
      world: about,
    })
    const accounts = policy.withdrawCredits ? facts.protectedAccounts() : []
    const closed = accounts.length > 0 ? facts.closedExits(longAgo()) : []
    const tokensOf = (owner: Address) => closed.flatMap(({ exit }) => (exit.owner === owner ? [exit.token] : []))
    const credits = accounts.map(({ owner }) => ({ account: owner, tokens: tokensOf(owner) }))
    try {
      return await readL1({ at: { number: block, hash }, tickets, credits })
    } catch (error) {
      log.warn('court.readings_failed', { error })
      return undefined
    }
  }

  /** Far enough back that a watcher which was off for a whole exit period still gives every case its end. */
  function longAgo(): number {
    const { minExitPeriod, slot } = facts.parameters
    return Math.max(0, facts.l1Now().block - Math.ceil((2 * minExitPeriod) / slot))
  }

  function decide(readings: L1Readings | undefined) {
    const known = [...facts.openExits(), ...facts.closedExits(closedSince ?? longAgo())]
    const { records: disputed, docket, found, faults: ofDisputes } = lookAtDisputes(known)
    const world = worldNow(docket)
    const { exits, faults: ofExits } = spends.factsOf(known, docket)
    const records = readings ? facts.queueFrom({ ...readings.queue, limit: QUEUE_PAGE }) : []
    const { fault, alerts: ofFault } = faults.look(world)
    const together = planTogether(readings ? wards.now(disputed, world) : [], readings, world)
    const step = stepCourt({
      fault: fault ?? findRevealedFault(context),
      cases,
      disputeCases,
      exits,
      disputes: found,
      wards: together.wards,
      records,
      leftPlaces: readings ? facts.leftPlaces() : [],
      ...(readings && { withOlderShare: withOlderShare(exits, readings) }),
      headers: headersOf([...records, ...exits]),
      ourBatches: (readings && context.massExits?.lookForOurs(world)) ?? [],
      readings: readings && { ...readings, balanceWei: readings.balanceWei - together.boundWei },
      world,
    })
    const ofBatches = [...together.effects, ...decideBatches(context, readings, world)]
    const ofSurety = suretyContract ? decideSurety(context, readings, world) : []
    return { world, step, effects: [...step.effects, ...ofExits, ...ofDisputes, ...ofFault, ...ofBatches, ...ofSurety] }
  }

  /** Tickets that the line has not reached, and whose output has a share of a mass exit before them that nobody used. */
  function withOlderShare(exits: readonly ExitFacts[], { funded }: L1Readings): ReadonlySet<Hash> {
    const found = exits.filter(({ exit, state, events, dispute }) => {
      const own = state === 'ticket' ? ticketOf(events) : undefined
      if (!own || (funded.get(exit.token) ?? 0n) >= own.from) return false
      const places = [exit.position, ...(dispute?.made ? [dispute.made.position + disputedOutputOf(exit)] : [])]
      return places.flatMap(facts.entriesNaming).some(({ batchId, entry }) => {
        const { ticket, uses } = facts.batch(batchId) ?? {}
        return ticket !== undefined && !uses?.has(entry.index) && shareOf(ticket, entry).from < own.from
      })
    })
    return new Set(found.map(({ exit }) => exit.outputId))
  }

  /** What leaves together, and what is left to leave alone. A crowd that can't be told must not keep anybody from leaving alone. */
  function planTogether(alone: readonly Ward[], readings: L1Readings | undefined, world: World): Together {
    const nothing = { wards: alone, effects: [], boundWei: 0n }
    if (!readings || !context.massExits) return nothing
    try {
      return context.massExits.coordinator.propose(alone, readings, world)
    } catch (error) {
      log.error('court.mass_exit_unplannable', { error })
      const details = { reason: String(error) }
      return { ...nothing, effects: [{ type: 'alert', code: 'INTERNAL_FAULT', key: 'mass exit plan', details }] }
    }
  }

  function headersOf(records: readonly ExitRecord[]): ReadonlyMap<number, Header> {
    const blocks = records.flatMap(({ exit, events }) => [
      ...(exit.young ? [decodePosition(exit.position).block] : []),
      ...events.flatMap((event) => (event.type === 'EvidenceShown' ? [decodePosition(event.spend).block] : [])),
    ])
    return new Map([...new Set(blocks)].flatMap((block) => entryOf(block, facts.header(block))))
  }

  async function work(): Promise<void> {
    const readings = await read()
    if (stopped) return
    lastReadings = readings ?? lastReadings
    const { world, effects, step } = decide(readings)
    const alerts = effects.filter((effect) => !isAction(effect))
    inTransaction(db, () => {
      const actions = effects.filter(isAction)
      const ofActions = actions.flatMap((action) => desk.put(action, world))
      // Without readings nothing is started, and nobody knows what is wanted.
      if (readings) desk.withdraw(actions, world)
      tell([...alerts, ...ofActions])
    })
    if (effects.some(isAction)) wake()
    for (const [outputId, to] of step.cases) {
      if (cases.get(outputId) !== to) log.info('court.case_moved', { outputId, from: cases.get(outputId), to })
    }
    for (const [txHash, to] of step.disputeCases) {
      const from = disputeCases.get(txHash)
      if (from !== to) log.info('court.dispute_moved', { txHash, from, to })
    }
    cases = step.cases
    disputeCases = step.disputeCases
    closedSince = world.now.finalised
    log.debug('court.judged', {
      l1Block: world.now.block,
      cases: cases.size,
      disputes: disputeCases.size,
      effects: effects.length,
    })
  }

  /** Actions as plain data for people. */
  function tellActions(actions: readonly Action[]) {
    return actions.map(({ type, key, purpose, notBefore, deadline, budgetWei }) => {
      return { type, purpose, notBefore, deadline, budgetWei, outbox: desk.statusOf(key) }
    })
  }

  function explainExit(exit: ExitFacts) {
    const world = worldNow(lookAtDisputes([exit]).docket)
    const { next, effects } = stepExit(NEW_CASE, { facts: exit, world })
    return { phase: next, verdict: verdictOf(next), actions: tellActions(effects.filter(isAction)) }
  }

  /** What is meant to be done about a mass exit on L1, or about one that is on its way there (by the root of its entries). */
  function explainMassExit(id: Hash) {
    const { massExits } = context
    if (!massExits) return undefined
    const world = worldNow(lookAtDisputes([]).docket)
    const planned = [
      ...massExits.plan(world, lastReadings),
      ...(lastReadings ? massExits.coordinator.onTheirWay(lastReadings, world) : []),
    ]
    const own = planned.filter(isAction).filter(isBatchAction)
    const about = own.filter((action) => (action.type === 'start-batch' ? action.root : action.record.batchId) === id)
    return { actions: tellActions(about) }
  }

  function explainDispute(txHash: Hash) {
    const dispute = facts.disputeFacts(txHash)
    if (!dispute) return undefined
    const openExits = facts.openExits()
    const { docket, found } = lookAtDisputes(openExits)
    const world = worldNow(docket)
    const atStake = disputesAtStake({
      disputes: found,
      invalidExits: new Set(),
      openExits,
      ourBatches: context.massExits?.lookForOurs(world),
      funded: lastReadings?.funded,
      world,
    })
    const isAtStake = atStake.has(txHash)
    const { next, effects } = stepDispute(NEW_DISPUTE, { facts: dispute, isAtStake, world })
    return { phase: next, actions: tellActions(effects.filter(isAction)) }
  }

  function tell(alerts: readonly Alert[]): void {
    const now = new Map(alerts.map((alert) => [`${alert.code} ${alert.key}`, alert]))
    for (const [id, { code, key, details }] of now) if (!standing.has(id)) alarm.raise(code, key, details)
    for (const [id, { code, key }] of standing) if (!now.has(id) && CLEARED.has(code)) alarm.clear(code, key)
    standing = now
  }

  return {
    senders: new Set([policy.sender]),
    isCoordinator: policy.batchBondBudgetWei > 0n,
    async tick() {
      if (stopped) return
      running = work()
      await running
    },
    explain(subject) {
      const exit = facts.exitFacts(subject)
      return exit ? explainExit(exit) : (explainDispute(subject) ?? explainMassExit(subject))
    },
    planMassExit() {
      if (!lastReadings || !context.massExits) return undefined
      const world = worldNow(lookAtDisputes([]).docket)
      return context.massExits.coordinator.preview(world, lastReadings)
    },
    budgets() {
      const { surety, massExits } = context
      const own = surety?.data(worldNow(lookAtDisputes([]).docket)).own
      return [
        ...(own
          ? [
              {
                name: 'data-challenges',
                limitWei: policy.dataChallengeBudgetWei,
                boundWei: boundInChallenges(own),
              } as const,
            ]
          : []),
        ...(massExits
          ? ([
              { name: 'demands', limitWei: policy.demandBudgetWei, boundWei: massExits.boundInDemands(policy.sender) },
              {
                name: 'mass-exits',
                limitWei: policy.batchBondBudgetWei,
                boundWei: massExits.coordinator.boundInBatches(),
              },
            ] as const)
          : []),
      ]
    },
    async stop() {
      stopped = true
      await running.catch(() => undefined)
    },
  }
}

function entryOf(block: number, header: Header | undefined): readonly (readonly [number, Header])[] {
  return header ? [[block, header]] : []
}
