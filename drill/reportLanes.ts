/** Which lanes a timeline has, and what is drawn of it: who did much is named, many of a kind share a lane. Pure. */
import type { DrillRecord, EntryKind, Role, TimelineEntry } from './record.ts'
import { lossesOf } from './reportFigures.ts'
import { plural } from './reportFormat.ts'

/** Lanes that a person can still read on one page. */
const MAX_LANES = 20
/** Of more than that, so many by name. */
const NAMED_LANES = 12

export type Lane = Readonly<{ label: string; entries: readonly TimelineEntry[] }>

/** L1 and the drill itself first, then those who broke something, watchers, owners; owners that lost before others of their kind. */
export function lanesOf(record: DrillRecord): Lane[] {
  const entries = new Map<string, TimelineEntry[]>()
  for (const entry of drawable(record)) {
    const of = entries.get(entry.actor)
    if (of) of.push(entry)
    else entries.set(entry.actor, [entry])
  }
  const roles = new Map(record.actors.map(({ name, role }) => [name, role]))
  const losers = new Set(lossesOf(record).map(({ balance }) => balance.owner))
  const rank = (name: string) => {
    const role = roles.get(name)
    return (role ? ORDER.indexOf(role) + 1 : 0) * 2 + (losers.has(name) ? 0 : 1)
  }
  const names = [...entries.keys()].sort((a, b) => rank(a) - rank(b))
  const alone = names.length <= MAX_LANES ? names : names.slice(0, NAMED_LANES)
  const rest = names.slice(alone.length)
  return [
    ...alone.map((name) => ({ label: name, entries: entries.get(name) ?? [] })),
    ...groupsOf(rest, roles).map(({ label, members }) => ({
      label,
      entries: members.flatMap((name) => entries.get(name) ?? []),
    })),
  ]
}

const ORDER: readonly Role[] = ['operator', 'thief', 'coordinator', 'watcher', 'owner', 'bystander', 'deployer']

function groupsOf(names: readonly string[], roles: ReadonlyMap<string, Role>) {
  const owners = names.filter((name) => roles.get(name) === 'owner')
  const others = names.filter((name) => roles.get(name) !== 'owner')
  return [
    { label: plural(owners.length, 'more owner'), members: owners },
    { label: plural(others.length, 'other'), members: others },
  ].filter(({ members }) => members.length > 0)
}

/** Milestones are drawn by themselves; what lies before the window is not. */
function drawable(record: DrillRecord): readonly TimelineEntry[] {
  const { from } = windowOf(record)
  return record.timeline.filter(({ at, kind }) => kind !== 'milestone' && at.time >= from)
}

export type Window = Readonly<{ from: number; to: number; zero: number; before: number }>

/** Of the time before a fault at most this share of the drawing, or all eyes would be on the preparations. */
const PRELUDE = 0.12

/** Seconds of L1 that are drawn, the zero of its axis, and how many entries lie before. */
export function windowOf({ l1, milestones, timeline }: DrillRecord): Window {
  const times = timeline.map(({ at }) => at.time)
  const first = times.reduce((least, time) => Math.min(least, time), l1.start.time)
  const to = times.reduce((most, time) => Math.max(most, time), l1.end.time)
  const { fault } = milestones
  if (!fault) return { from: first, to, zero: first, before: 0 }
  const from = Math.max(first, fault.time - Math.max((to - fault.time) * PRELUDE, 1))
  return { from, to, zero: fault.time, before: times.filter((time) => time < from).length }
}

export const KINDS: readonly Readonly<{ kind: EntryKind; label: string }>[] = [
  { kind: 'fault', label: 'fault' },
  { kind: 'alert', label: 'alert' },
  { kind: 'transaction', label: 'transaction on L1' },
  { kind: 'payment', label: 'payment' },
  { kind: 'note', label: 'note' },
  { kind: 'milestone', label: 'milestone' },
]

export const kindLabel = (kind: EntryKind) => KINDS.find((one) => one.kind === kind)?.label ?? kind

/** Rows that a page can hold: what tells the story before the daily round; in order of time again. */
export function mostTelling(timeline: readonly TimelineEntry[], limit: number): readonly TimelineEntry[] {
  if (timeline.length <= limit) return timeline
  const tiers: readonly (readonly EntryKind[])[] = [
    ['fault', 'milestone'],
    ['note', 'alert'],
    ['transaction', 'payment'],
  ]
  const ranked = tiers.flatMap((kinds) => timeline.filter(({ kind }) => kinds.includes(kind)))
  const chosen = new Set(ranked.slice(0, limit))
  return timeline.filter((entry) => chosen.has(entry))
}
