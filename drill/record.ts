/** What one run of a drill leaves behind: the JSON report, which the HTML report draws and nothing else adds to. */

/** A moment on L1: block number, and its time in seconds. */
export type Moment = Readonly<{ block: number; time: number }>

export type EntryKind = 'fault' | 'alert' | 'transaction' | 'payment' | 'milestone' | 'note'

/** One line of the timeline. `actor` names one of `actors`, or is 'L1'. */
export type TimelineEntry = Readonly<{ at: Moment; actor: string; kind: EntryKind; text: string }>

export type Role = 'operator' | 'watcher' | 'owner' | 'thief' | 'coordinator' | 'bystander' | 'deployer'

/** Wei as decimal strings. `costWei`: gas at the price paid. `bondsLostWei` and `earnedWei`: bonds that did not come back, rewards and bounties. */
export type ActorCosts = Readonly<{
  name: string
  role: Role
  honest: boolean
  online: boolean
  transactions: number
  gas: number
  costWei: string
  bondsLostWei: string
  earnedWei: string
}>

/**
 * What an owner had and has of one token, in its units, as decimal strings: `before` on the child chain when the fault began, `owed` what an
 * honest chain would owe at the end (received payments included, sent ones not), `after` what L1 paid or holds as credit plus what the child
 * chain still owes and can pay. An honest owner passes if `after >= owed`.
 */
export type Balance = Readonly<{
  owner: string
  honest: boolean
  online: boolean
  token: string
  symbol: string
  before: string
  owed: string
  after: string
}>

export type RaisedAlert = Readonly<{ watcher: string; code: string; severity: string; at: Moment; subject: string }>

/** `invariant` as in docs/invariants.md, e.g. EXIT-1. */
export type Finding = Readonly<{ invariant: string; held: boolean; detail: string }>

export type DrillRecord = Readonly<{
  version: 1
  scenario: string
  title: string
  /** One sentence: what is broken on purpose, and what must come out. */
  story: string
  seed: number
  owners: number
  l1: Readonly<{ kind: 'embedded' | 'anvil' | 'remote'; chainId: number; start: Moment; end: Moment }>
  /** Seconds; MEP and the like, for the timeline's scale. */
  periods: Readonly<Record<string, number>>
  passed: boolean
  findings: readonly Finding[]
  /** When the fault began, was noticed, was first acted upon on L1, when the last honest owner was secured, when paid; null: did not happen. */
  milestones: Readonly<Record<'fault' | 'detected' | 'acted' | 'secured' | 'paid', Moment | null>>
  timeline: readonly TimelineEntry[]
  actors: readonly ActorCosts[]
  balances: readonly Balance[]
  alerts: readonly RaisedAlert[]
  /** The command line that does it again; of an endpoint's URL without what may be a key. */
  reproduce: string
}>
