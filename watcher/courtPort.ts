/** Where the court's driver is plugged into the watcher's core (docs/spec.md section 11). Types only. */
import type { Address, Hash } from '../protocol/bytes.ts'
import type { Database } from '../service/database.ts'
import type { Log } from '../service/log.ts'
import type { Alarm } from './alarm.ts'
import type { MassExitPlan } from './coordinator/plan.ts'
import type { MassExitFacts } from './driverBatches.ts'
import type { SuretyFacts } from './driverData.ts'
import type { Facts } from './facts.ts'

/** What the core lends the court. One database, so that an effect and the reason for it are one transaction. */
export type CourtContext = Readonly<{
  facts: Facts
  db: Database
  /** `raise(code, subject, details)`: rows first, told once while they stand; `clear` when the cause is gone. */
  alarm: Pick<Alarm, 'raise' | 'clear' | 'stands' | 'standing'>
  log: Log
  /** What is known of data challenges and receipts; without it nothing is done about them. */
  surety?: SuretyFacts
  /** What is known of mass exits, and who coordinates ours; without it nothing is done about them. */
  massExits?: MassExitFacts
  /** Local clock, ms. */
  now(): number
}>

/** Wei. */
export type Budget = Readonly<{
  name: 'data-challenges' | 'demands' | 'mass-exits'
  limitWei: bigint
  boundWei: bigint
}>

export type Court = Readonly<{
  /** Addresses that the court sends from: what they do on L1 is "by us" in alerts. */
  senders: ReadonlySet<Address>
  /** Judges everything anew and acts. Called after every fold that changed something, and at least once per poll; never twice at once. */
  tick(): Promise<void>
  /**
   * What the court means to do about an exit (by output id), a dispute (by transaction hash) or a mass exit (by its id; before it is on L1 by
   * the root of its entries), and why: plain data for people.
   */
  explain(subject: Hash): unknown
  /** It binds ETH in mass exits of its own. Without, the mandates of a crowd protect nobody here. */
  isCoordinator: boolean
  /** What it would take out together now, due or not; undefined before the first readings of L1. */
  planMassExit?(): MassExitPlan | undefined
  /** What it may bind in bonds, and what it has bound. */
  budgets?(): readonly Budget[]
  stop(): Promise<void>
}>

export type CreateCourt = (context: CourtContext) => Court
