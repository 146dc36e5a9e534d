/**
 * The court's driver (docs/spec.md section 11): gathers one consistent set of facts, lets the pure court decide, and writes what it
 * decided to the outbox and the alarm in one transaction. It remembers nothing that it could not lose: every tick decides anew.
 */
import type { Header } from '../protocol/block.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { decodePosition, isDepositPosition } from '../protocol/position.ts'
import { inTransaction } from '../service/database.ts'
import type { AlertCode } from './alerts.ts'
import { isAction, stepCourt } from './court/court.ts'
import type { CourtPolicy } from './court/policy.ts'
import type { Ward } from './court/protectedExit.ts'
import { type ExitPhase, NEW_CASE, stepExit, verdictOf } from './court/standardExit.ts'
import type { Alert, L1Readings, World } from './court/types.ts'
import type { Court, CourtContext, CreateCourt } from './courtPort.ts'
import { type Desk, openDesk } from './driverDesk.ts'
import type { ReadL1 } from './driverReadings.ts'
import type { ExitFacts, ExitRecord, ProtectedOutput, SpendFact } from './facts.ts'

export type CourtOptions = Readonly<{
  policy: CourtPolicy
  rootContract: Address
  readL1: ReadL1
  /** Called after acts were written down: the outbox need not wait for its next look. */
  wake?: () => void
}>

/** Exits of either stream looked at for their turn in one tick. */
const QUEUE_PAGE = 200
const OUTPUT_PAGE = 500

/** Alerts that end with their cause; the others tell of something that happened. */
const CLEARED: ReadonlySet<AlertCode> = new Set(['BUDGET_EXHAUSTED', 'PROTECTED_EXIT_BLOCKED', 'OUTBOX_STUCK'])

/** For `createWatcher`. */
export function courtOf(options: CourtOptions): CreateCourt {
  return (context) => createCourt(context, options)
}

export function createCourt(context: CourtContext, options: CourtOptions): Court {
  const { policy, rootContract, readL1, wake = () => undefined } = options
  const { facts, db, alarm, log } = context
  let cases: ReadonlyMap<Hash, ExitPhase> = new Map()
  let standing: ReadonlyMap<string, Alert> = new Map()
  let closedSince: number | undefined
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  const spends = createSpendMemo(context)
  const wards = createWardMemo(context)
  const desk: Desk = openDesk({ db, rootContract, log })

  function worldNow(): World {
    const verifiedBlock = facts.verifiedBlock()
    return {
      now: facts.l1Now(),
      parameters: facts.parameters,
      safety: facts.safety(),
      verifiedBlock,
      verifiedAnchor: facts.header(verifiedBlock)?.anchor ?? 0,
      newestBlock: facts.newestBlock(),
      // This version's root contract can't halt. When it can, this comes from events: a view is the endpoint's word, and a lie about
      // what is void would keep us from showing evidence.
      voidFrom: 0,
      lastMove: 0,
      protectedOwners: new Set(facts.protectedAccounts().map(({ owner }) => owner)),
      policy,
    }
  }

  /** What can't be read now is left for the next tick; evidence needs none of it. */
  async function read(): Promise<L1Readings | undefined> {
    const { block, hash } = facts.l1Now()
    const open = facts.openExits()
    const tickets = new Set(open.filter(({ state }) => state === 'ticket').map(({ exit }) => exit.token))
    const accounts = policy.withdrawCredits ? facts.protectedAccounts() : []
    const closed = accounts.length > 0 ? facts.closedExits(longAgo()) : []
    const tokensOf = (owner: Address) => closed.flatMap(({ exit }) => (exit.owner === owner ? [exit.token] : []))
    const credits = accounts.map(({ owner }) => ({ account: owner, tokens: tokensOf(owner) }))
    try {
      return await readL1({ at: { number: block, hash }, tickets: [...tickets], credits })
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
    const world = worldNow()
    const { exits, faults } = spends.factsOf([...facts.openExits(), ...facts.closedExits(closedSince ?? longAgo())])
    const records = readings ? facts.queueFrom({ ...readings.queue, limit: QUEUE_PAGE }) : []
    const headers = headersOf([...records, ...exits])
    const input = { cases, exits, wards: readings ? wards.now() : [], records, headers, readings, world }
    const { effects, cases: next } = stepCourt(input)
    return { world, effects: [...effects, ...faults], next }
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
    const { world, effects, next } = decide(readings)
    const alerts = effects.filter((effect) => !isAction(effect))
    inTransaction(db, () => {
      const ofActions = effects.filter(isAction).flatMap((action) => desk.put(action, world))
      tell([...alerts, ...ofActions])
    })
    if (effects.some(isAction)) wake()
    for (const [outputId, phase] of next) {
      if (cases.get(outputId) !== phase)
        log.info('court.case_moved', { outputId, from: cases.get(outputId), to: phase })
    }
    cases = next
    closedSince = world.now.finalised
    log.debug('court.judged', { l1Block: world.now.block, cases: next.size, effects: effects.length })
  }

  function tell(alerts: readonly Alert[]): void {
    const now = new Map(alerts.map((alert) => [`${alert.code} ${alert.key}`, alert]))
    for (const [id, { code, key, details }] of now) if (!standing.has(id)) alarm.raise(code, key, details)
    for (const [id, { code, key }] of standing) if (!now.has(id) && CLEARED.has(code)) alarm.clear(code, key)
    standing = now
  }

  return {
    senders: new Set([policy.sender]),
    async tick() {
      if (stopped) return
      running = work()
      await running
    },
    explain(outputId) {
      const exit = facts.exitFacts(outputId)
      if (!exit) return undefined
      const { next, effects } = stepExit(NEW_CASE, { facts: exit, world: worldNow() })
      const actions = effects.filter(isAction).map(({ type, key, purpose, notBefore, deadline, budgetWei }) => {
        return { type, purpose, notBefore, deadline, budgetWei, outbox: desk.statusOf(key) }
      })
      return { phase: next, verdict: verdictOf(next), actions }
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

type Known = Readonly<{ evidence: SpendFact; made: Header | undefined }>

/** Building a proof hashes a whole block: what was proven stays proven as long as L1 holds the same two headers. */
function createSpendMemo({ facts, log }: CourtContext) {
  let known = new Map<Hash, Known>()

  function headerAt(position: number): Header | undefined {
    return isDepositPosition(position) ? undefined : facts.header(decodePosition(position).block)
  }

  function recall(record: ExitRecord, { evidence, made }: Known): ExitFacts | undefined {
    const { position } = record.exit
    const stands =
      facts.spentBy(position) === evidence.spend &&
      isSame(made, headerAt(position)) &&
      isSame(evidence.header, headerAt(evidence.spend))
    return stands ? { ...record, output: { kind: 'spent', asOf: facts.verifiedBlock(), evidence } } : undefined
  }

  /** One exit whose facts can't be told must not keep the others from being judged. */
  function factsOf(
    records: readonly ExitRecord[],
  ): Readonly<{ exits: readonly ExitFacts[]; faults: readonly Alert[] }> {
    const next = new Map<Hash, Known>()
    const exits: ExitFacts[] = []
    const faults: Alert[] = []
    for (const record of records) {
      const { outputId, position } = record.exit
      const memo = known.get(outputId)
      try {
        const found = (memo && recall(record, memo)) ?? facts.exitFacts(outputId)
        if (!found) continue
        exits.push(found)
        if (found.output.kind !== 'spent') continue
        next.set(outputId, { evidence: found.output.evidence, made: headerAt(position) })
      } catch (error) {
        log.error('court.exit_unreadable', { outputId, error })
        const details = { outputId, position, reason: String(error) }
        faults.push({ type: 'alert', code: 'INTERNAL_FAULT', key: outputId, details })
      }
    }
    known = next
    return { exits, faults }
  }

  return { factsOf }
}

/** Every output's proof costs hashing: it is asked for again only when L1, the verified blocks or the mandates moved. */
function createWardMemo({ facts }: CourtContext) {
  let known: Readonly<{ at: string; wards: readonly Ward[] }> | undefined

  function outputsOf(owner: Address): readonly ProtectedOutput[] {
    const all: ProtectedOutput[] = []
    for (;;) {
      const cursor = all.at(-1)?.position
      const page = facts.protectedOutputs(owner, { limit: OUTPUT_PAGE, ...(cursor === undefined ? {} : { cursor }) })
      if (page.length === 0) return all
      all.push(...page)
    }
  }

  return {
    /** None while the chain is not unsafe. */
    now(): readonly Ward[] {
      if (facts.safety().status !== 'unsafe') return []
      const accounts = facts.protectedAccounts()
      const at = [facts.l1Now().hash, facts.verifiedBlock(), ...accounts.map(({ signature }) => signature)].join(' ')
      if (known?.at === at) return known.wards
      const wards = accounts.map((account) => ({
        account,
        revoked: facts.revokedAt(account.owner, account.mandate.epoch) !== undefined,
        outputs: outputsOf(account.owner),
      }))
      known = { at, wards }
      return wards
    },
  }
}

function isSame(a: Header | undefined, b: Header | undefined): boolean {
  return a?.root === b?.root && a?.timestamp === b?.timestamp && a?.anchor === b?.anchor
}
