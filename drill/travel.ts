/** Moves L1 on: by decree where that can be, else by waiting. No jump outruns an honest operator, however slow its machine. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { RootEvent } from '../l1/rootEvents.ts'
import type { LeafRange } from '../protocol/dataChallenge.ts'
import type { Parameters } from '../protocol/parameters.ts'
import type { DrillL1 } from './l1.ts'
import type { Moment } from './record.ts'
import type { Recorder } from './recorder.ts'

/** How long a jump waits for the operator. */
const OPERATOR_TRIES = 100
const OPERATOR_POLL_MS = 200

export type Travel = Readonly<{
  mine(blocks: number): Promise<void>
  passTime(seconds: number): Promise<void>
  /** Past this L1 second. */
  passTo(timestamp: number): Promise<void>
}>

export type TravelOptions = Readonly<{
  l1: Pick<DrillL1, 'canTravel' | 'head' | 'request'>
  parameters: Pick<Parameters, 'abandonPeriod' | 'anchorAgeBlocks'>
  recorder: Pick<Recorder, 'pull' | 'events'>
  /** Whether the honest operator's program does. */
  operatorRuns(): boolean
  /** When the drill began. */
  start: Moment
  report(line: string): void
  /** Milliseconds between two looks; for tests. */
  pollMs?: number
}>

export function createTravel(options: TravelOptions): Travel {
  const { l1, parameters, recorder, operatorRuns, start, report, pollMs = OPERATOR_POLL_MS } = options
  const { anchorAgeBlocks, abandonPeriod } = parameters

  async function mine(blocks: number): Promise<void> {
    if (l1.canTravel) {
      await l1.request('anvil_mine', [`0x${blocks.toString(16)}`])
      return
    }
    const end = (await l1.head()).block + blocks
    while ((await l1.head()).block < end) await sleep(1_000)
  }

  /** What L1 will judge the operator by it may do first; where it does not, time goes on without it. */
  async function untilOperator(isDone: () => boolean | Promise<boolean>): Promise<void> {
    for (let tries = 0; operatorRuns() && tries < OPERATOR_TRIES; tries++) {
      await recorder.pull()
      if (await isDone()) return
      await sleep(pollMs)
    }
  }

  /** An operator that is there shows it before it can count as gone. Resolves with the seconds that L1 may jump. */
  async function untilAlive(): Promise<number> {
    const silence = async () => (await l1.head()).time - lastSignOfLife(recorder.events(), start.time)
    await untilOperator(async () => isOver(recorder.events()) || (await silence()) < abandonPeriod / 2)
    const left = Math.floor((abandonPeriod * 3) / 4) - (await silence())
    return operatorRuns() && left > 0 && !isOver(recorder.events()) ? left : Number.POSITIVE_INFINITY
  }

  /** A burst of blocks may have run ahead of the clock that the L1 adds to: whatever is missing after the jump is added. */
  async function passTo(timestamp: number): Promise<void> {
    if (l1.canTravel && timestamp + 1 > (await l1.head()).time)
      await untilOperator(() => openDemands(recorder.events()) === 0)
    for (;;) {
      const left = timestamp + 1 - (await l1.head()).time
      if (left <= 0) return
      if (l1.canTravel) {
        await l1.request('evm_increaseTime', [Math.min(left, await untilAlive())])
        await mine(anchorAgeBlocks + 1)
      } else {
        report(`waiting ${left} s of L1 time`)
        await sleep(Math.min(left, 60) * 1000)
      }
    }
  }

  return { mine, passTo, passTime: async (seconds) => passTo((await l1.head()).time + seconds - 1) }
}

/** Ranges of blocks whose data is demanded on L1, neither answered nor given up. */
export function openDemands(events: readonly RootEvent[]): number {
  const open = new Set<string>()
  for (const event of events) {
    if (event.type === 'DataChallenged') open.add(rangeOf(event.challenge))
    if (event.type === 'DataRevealed' || event.type === 'DataChallengeEnded') open.delete(rangeOf(event))
  }
  return open.size
}

function rangeOf({ blockNumber, first, levels }: LeafRange): string {
  return `${blockNumber} ${first} ${levels}`
}

/** L1 time of the newest block, or `began`; seconds. */
function lastSignOfLife(events: readonly RootEvent[], began: number): number {
  return events.findLast(({ type }) => type === 'BlocksSubmitted')?.at.l1Timestamp ?? began
}

/** The chain takes no more blocks. */
function isOver(events: readonly RootEvent[]): boolean {
  return events.some(({ type }) => type === 'HaltMoved')
}
