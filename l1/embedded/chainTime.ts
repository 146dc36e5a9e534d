/**
 * Which time the next block has (docs/spec.md, "L1", the embedded L1). Chain time is the wall clock plus an offset that time
 * travel moves; each block is at least one second after its parent, so a burst of blocks runs ahead of the clock, and the chain
 * waits for the clock to catch up by advancing one second per block.
 */
import { invalidParams } from './errors.ts'

export interface ChainTimeState {
  readonly offsetSeconds: number
  readonly nextTimestamp: number | undefined
}

export class ChainTime {
  private readonly now: () => number
  private readonly save: (offsetSeconds: number) => void
  private offsetSeconds: number
  private nextTimestamp: number | undefined

  /** `now` gives milliseconds, like Date.now; `save` is told every new offset, so that a restart goes on in the same time. */
  constructor(now: () => number, offsetSeconds: number, save: (offsetSeconds: number) => void) {
    this.now = now
    this.offsetSeconds = offsetSeconds
    this.save = save
  }

  /** The timestamp a block on this parent would get now, seconds. */
  next(parentTimestamp: number): number {
    return this.nextTimestamp ?? Math.max(parentTimestamp + 1, this.clockSeconds() + this.offsetSeconds)
  }

  /** A block with this timestamp was added: a time that was set by hand is used up, and time flows on from there. */
  passed(timestamp: number): void {
    if (this.nextTimestamp === undefined) return
    this.nextTimestamp = undefined
    this.move(timestamp - this.clockSeconds())
  }

  /** Gives the whole offset from the wall clock, seconds. */
  increase(seconds: number): number {
    this.move(this.offsetSeconds + seconds)
    if (this.nextTimestamp !== undefined) this.nextTimestamp += seconds
    return this.offsetSeconds
  }

  /** The next block has exactly this timestamp. Throws RpcError unless it is after the parent's. */
  setNext(timestamp: number, parentTimestamp: number): void {
    if (timestamp <= parentTimestamp) {
      throw invalidParams(`timestamp ${timestamp} is not after the latest block's ${parentTimestamp}`)
    }
    this.nextTimestamp = timestamp
  }

  state(): ChainTimeState {
    return { offsetSeconds: this.offsetSeconds, nextTimestamp: this.nextTimestamp }
  }

  restore(state: ChainTimeState): void {
    this.move(state.offsetSeconds)
    this.nextTimestamp = state.nextTimestamp
  }

  private move(offsetSeconds: number): void {
    this.save(offsetSeconds)
    this.offsetSeconds = offsetSeconds
  }

  private clockSeconds(): number {
    return Math.floor(this.now() / 1000)
  }
}
