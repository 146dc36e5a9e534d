/** What happened in a drill, in order: faults and notes as they are told, alerts as watchers raise them, L1 as it goes. Tells it live too. */
import type { RootEvent } from '../l1/rootEvents.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import type { Exit } from '../protocol/exit.ts'
import type { Alert } from '../watcher/alarm.ts'
import type { Actor } from './actors.ts'
import type { ChainLog, LoggedBlock } from './chainLog.ts'
import type { DrillRecord, EntryKind, Moment, RaisedAlert, TimelineEntry } from './record.ts'
import { describeBlock } from './words.ts'

const PULL_MS = 200

export type FaultMoment = Readonly<{ at: Moment; childBlock: number }>

export type Recorder = Readonly<{
  /** The newest L1 block that was seen. */
  now(): Moment
  tell(actor: string, kind: EntryKind, text: string): void
  /** The first call marks when the fault began; `childBlock`: the newest by then. */
  fault(actor: string, text: string, childBlock: number): void
  faultBegan(): FaultMoment | undefined
  hear(watcher: string, alert: Pick<Alert, 'code' | 'severity' | 'dedupe'>): void
  alerts(): readonly RaisedAlert[]
  /** Reads what L1 has got; never beside another. */
  pull(): Promise<void>
  events(): readonly RootEvent[]
  blocks(): readonly LoggedBlock[]
  /** In order of L1 blocks; what L1 took back is left out. */
  timeline(): TimelineEntry[]
  /** Ends the live telling. */
  stop(): Promise<void>
}>

export type RecorderOptions = Readonly<{
  log: ChainLog
  start: Moment
  nameOf(address: Address): string
  actors: () => readonly Actor[]
  report(line: string): void
}>

export function createRecorder({ log, start, nameOf, actors, report }: RecorderOptions): Recorder {
  const told: TimelineEntry[] = []
  const alerts: RaisedAlert[] = []
  let head = start
  let began: FaultMoment | undefined
  let pulling: Promise<void> = Promise.resolve()
  let failure: unknown

  const exits = new Map<Hash, Exit>()
  const describe = (block: LoggedBlock) => {
    for (const event of block.events) {
      if (event.type === 'ExitStarted') exits.set(event.exit.outputId, event.exit)
      if (event.type === 'BatchLocked') exits.set(event.batchId, event.item)
    }
    return describeBlock(block, { nameOf, actors: actors(), exitOf: (outputId) => exits.get(outputId) })
  }

  const say = ({ at, actor, text }: TimelineEntry) => report(`[${at.block - start.block}] ${actor}: ${text}`)

  function tell(actor: string, kind: EntryKind, text: string): void {
    const entry = { at: head, actor, kind, text }
    told.push(entry)
    say(entry)
  }

  async function pullNow(): Promise<void> {
    const { added, dropped } = await log.pull()
    if (dropped > 0) tell('L1', 'note', `${dropped} block${dropped === 1 ? '' : 's'} were replaced`)
    for (const block of added) {
      head = block.at
      for (const entry of describe(block)) say(entry)
    }
  }

  function pull(): Promise<void> {
    pulling = pulling.then(pullNow)
    return pulling
  }

  const timer = setInterval(() => {
    pull().catch((error: unknown) => {
      // Told by whoever asks next; a lost look is no loss while the next one comes through.
      failure = error
      pulling = Promise.resolve()
    })
  }, PULL_MS)

  return {
    now: () => head,
    tell,
    fault: (actor, text, childBlock) => {
      began ??= { at: head, childBlock }
      tell(actor, 'fault', text)
    },
    faultBegan: () => began,
    hear: (watcher, { code, severity, dedupe }) => {
      alerts.push({ watcher, code, severity, at: head, subject: dedupe.slice(code.length).replace(/^\W/, '') })
      tell(watcher, 'alert', `${code} (${severity})`)
    },
    alerts: () => alerts,
    pull,
    events: () => log.blocks().flatMap(({ events }) => events),
    blocks: () => log.blocks(),
    timeline: () => {
      const seen = log.blocks().flatMap(describe)
      return [...told, ...seen].sort((a, b) => a.at.block - b.at.block)
    },
    stop: async () => {
      clearInterval(timer)
      await pulling.catch(() => undefined)
      await pull().catch((error: unknown) => {
        throw failure ?? error
      })
    },
  }
}

export type Milestones = DrillRecord['milestones']

/** An act on L1 by somebody honest that keeps money where it belongs. */
const PROTECTIVE: ReadonlySet<RootEvent['type']> = new Set([
  'ExitStarted',
  'EvidenceShown',
  'EvidenceDropped',
  'CompetitorShown',
  'DisputeStarted',
  'DisputeAnswered',
  'TransactionDisproved',
  'HaltMoved',
  'DataChallenged',
  'DataRevealed',
  'ReceiptBroken',
  'BatchStarted',
  'BatchLocked',
  'EntryDemanded',
  'DemandAnswered',
  'EntryStruck',
  'EntryPlaced',
])

/** Pure: when what happened, after the fault. */
export function findMilestones(
  blocks: readonly LoggedBlock[],
  {
    fault,
    alerts,
    actors,
  }: Readonly<{ fault: FaultMoment | undefined; alerts: readonly RaisedAlert[]; actors: readonly Actor[] }>,
): Milestones {
  if (!fault) return { fault: null, detected: null, acted: null, secured: null, paid: null }
  const honest = new Set(actors.filter((one) => one.honest).map(({ address }) => address))
  const owners = new Set(actors.filter((one) => one.honest && one.role === 'owner').map(({ address }) => address))
  const ownerOf = new Map(
    blocks.flatMap(({ events }) =>
      events.flatMap((event) =>
        event.type === 'ExitStarted' ? [[event.exit.outputId, event.exit.owner] as const] : [],
      ),
    ),
  )
  const after = blocks.filter(({ at }) => at.block > fault.at.block)
  const acts = after.filter(({ transactions, events }) => {
    const senders = new Map(transactions.map(({ hash, from }) => [hash, from]))
    return events.some(({ type, at }) => PROTECTIVE.has(type) && honest.has(senders.get(at.txHash) ?? '0x'))
  })
  const payments = after.filter(({ events }) =>
    events.some(
      (event) =>
        (event.type === 'ExitPaid' && owners.has(ownerOf.get(event.outputId) ?? '0x')) ||
        (event.type === 'EntriesClaimed' && event.claimed.some(({ owner }) => owners.has(owner))),
    ),
  )
  const told = alerts.find(({ severity, at }) => severity !== 'info' && at.block >= fault.at.block)?.at
  // A watcher that acts has noticed; its alert may be heard a block later.
  const watchers = new Set(actors.filter((one) => one.role === 'watcher').map(({ address }) => address))
  const byWatcher = acts.find(({ transactions }) => transactions.some(({ from }) => watchers.has(from)))?.at
  const detected = told && byWatcher && byWatcher.block < told.block ? byWatcher : told
  return {
    fault: fault.at,
    detected: detected ?? null,
    acted: acts[0]?.at ?? null,
    secured: acts.at(-1)?.at ?? null,
    paid: payments.at(-1)?.at ?? null,
  }
}
