/** The seconds of a case at which anything can be decided, from the periods of docs/spec.md 10 and L1's events alone. */
import type { Plot } from './faults.ts'
import type { Judge } from './judge.ts'
import type { Theatre } from './theatre.ts'

/** Watchers act at every stop, only at the last second that is allowed, or in the L1 block of a thief's call. */
export type Timing = 'early' | 'last' | 'same'

/** An operator that did not vanish comes back before anybody may end its chain. */
const LONGEST_PERIODS = 5.9

/** L1 seconds. `leaveAt`: when the owners leave, if they have not yet. */
export type Clock = Readonly<{ now: number; leaveAt: number | undefined; begun: number; timing: Timing }>
type Waiting = Readonly<{
  theatre: Theatre
  plots: readonly Plot[]
  judge: Judge
  /** The operator never comes back. */
  isAbandoned: boolean
  clock: Clock
  /** Periods after the beginning in which anything may still happen. */
  longest?: number
}>

/** The next second at which anything can be decided; undefined when nothing is left to decide. */
export function nextStop({
  theatre,
  plots,
  judge,
  isAbandoned,
  clock,
  longest = isAbandoned ? 2 * LONGEST_PERIODS : LONGEST_PERIODS,
}: Waiting): number | undefined {
  const { chain, blocks } = theatre
  const { now, leaveAt, begun, timing } = clock
  const { minExitPeriod: mep, dataChallengePeriod, dataResponsePeriod, abandonPeriod } = chain.parameters
  const times: number[] = plots.flatMap(({ appointments }) => appointments)
  const early = timing !== 'last'
  const halted = judge.voidFrom()
  if (leaveAt !== undefined) times.push(leaveAt)
  if (isAbandoned) times.push((blocks.at(-1)?.block.header.timestamp ?? begun) + abandonPeriod + 1)
  const hidden = blocks.find(({ valid, served, block }) => !(valid && served) && (!halted || block.number < halted))
  if (hidden) {
    const { timestamp } = hidden.block.header
    times.push(timestamp + dataChallengePeriod, timestamp + mep)
    if (early) times.push(timestamp + Math.floor(dataChallengePeriod / 4) + 1)
  }
  let lastMove = 0
  for (const event of chain.events) {
    const { l1Timestamp } = event.at
    if (event.type === 'HaltMoved' && event.isMove) lastMove = l1Timestamp
    if (event.type === 'DataChallenged') {
      const last = event.challenge.startedAt + dataResponsePeriod
      times.push(last, last + 1)
    }
    if (event.type === 'BatchStarted')
      times.push(...[mep / 8, mep / 4, mep / 4 + 1, mep / 2].map((after) => l1Timestamp + after))
  }
  const items = chain.events.flatMap((event) => (event.type === 'BatchLocked' ? [event.item] : []))
  const disputes = chain.events.flatMap((event) => (event.type === 'DisputeStarted' ? [event.dispute] : []))
  for (const { exitableAt } of [...judge.exits.values(), ...items, ...disputes]) {
    const end = Math.max(exitableAt, lastMove + mep)
    times.push(end - mep / 4, end + 1, exitableAt + 1)
    if (early) times.push(end - mep / 2)
  }
  for (const { exitableAt } of disputes) times.push(Math.max(exitableAt, lastMove + mep) - mep / 2)
  // What was released at the last stop lets others be paid at the next.
  times.push(Math.max(begun, ...times) + mep + 1)
  const later = times.filter((time) => time > now && time <= begun + longest * mep)
  return later.length === 0 ? undefined : Math.min(...later)
}
