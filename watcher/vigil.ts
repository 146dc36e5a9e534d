/**
 * Keeping watch over the first block that does not come (docs/spec.md section 11): counts the attended silence, survives restarts, and
 * says whether the chain is safe. The arithmetic is watcher/safety.ts; here it meets rows and alerts.
 */
import type { Parameters } from '../protocol/parameters.ts'
import type { Alarm } from './alarm.ts'
import type { BlockStore } from './blockStore.ts'
import type { ChaseReport } from './chase.ts'
import { isVoidBlock } from './court/exitTime.ts'
import type { ChainSafety, Halt } from './facts.ts'
import { judgeInvalid, judgeMissing, observeRound, type SafetyLimits, type Silence, startSilence } from './safety.ts'
import type { Shortfall } from './shortfall.ts'

export type VigilOptions = Readonly<{
  blocks: BlockStore
  alarm: Alarm
  parameters: Parameters
  limits: SafetyLimits
  /** Timestamp of the newest L1 block. */
  l1Seconds(): number
  halt(): Halt
  /** What an invalid exit takes that nothing can stop any more. */
  shortfall(): Shortfall | undefined
}>

export type Vigil = ReturnType<typeof createVigil>

export function createVigil({ blocks, alarm, parameters, limits, l1Seconds, halt, shortfall }: VigilOptions) {
  let silence: Silence | undefined
  let root: string | undefined

  function silenceOf(block: number, observedSeconds: number, blockRoot: string): Silence {
    if (silence?.block !== block || root !== blockRoot) {
      silence = startSilence(block, observedSeconds)
      root = blockRoot
    }
    return silence
  }

  /** A block that can't be trusted comes first: it sets a deadline. Then a vault that is short, which makes haste worth something. */
  function safety(): ChainSafety {
    const { voidFrom, lastMove } = halt()
    const verified = blocks.verifiedBlock()
    const judged = judgeNext(verified + 1, voidFrom)
    if (judged && judged.status !== 'safe' && judged.status !== 'suspect') return judged
    const short = shortfall()
    if (short) return { status: 'unsafe', reason: 'short', block: verified + 1, ...short }
    if (judged) return judged
    if (voidFrom === 0) return { status: 'safe', reason: 'verified' }
    const since = lastMove === 0 ? (blocks.find(voidFrom - 1)?.header.timestamp ?? 0) : lastMove
    return { status: 'unsafe', reason: 'halted', block: voidFrom, since }
  }

  /** Undefined where every block that is not void is verified. */
  function judgeNext(number: number, voidFrom: number): ChainSafety | undefined {
    const next = isVoidBlock(number, voidFrom) ? undefined : blocks.find(number)
    if (!next) return undefined
    const { number: block, header, fault } = next
    const { timestamp } = header
    if (fault) return judgeInvalid({ block, timestamp, fault }, parameters, limits)
    if (next.hasBody) return { status: 'safe', reason: 'catching-up' }
    const observed = silenceOf(block, next.observedSeconds, header.root)
    return judgeMissing({ block, timestamp, silence: observed }, l1Seconds(), parameters, limits)
  }

  return {
    safety,

    /** Takes in how a chase ended. `at`: local clock, ms; `l1Fresh`: our view of L1 was fresh then. */
    observe({ stop }: ChaseReport, at: number, l1Fresh: boolean): ChainSafety {
      // Slow peers are neither an answer nor a refusal.
      if (stop.reason === 'waiting') return safety()
      if (stop.reason !== 'missing') {
        silence = undefined
        return safety()
      }
      const block = blocks.find(stop.block)
      if (!block) return safety()
      const before = silenceOf(stop.block, block.observedSeconds, block.header.root)
      silence = observeRound(before, { at, askedEveryone: stop.askedEveryone, l1Fresh }, limits)
      if (silence.observedSeconds !== before.observedSeconds) blocks.setObserved(stop.block, silence.observedSeconds)
      const verdict = safety()
      if (verdict.status === 'safe') return verdict
      alarm.raise(verdict.status === 'unsafe' ? 'BLOCK_WITHHELD' : 'BLOCK_SUSPECT', String(verdict.block), verdict)
      return verdict
    },
  }
}
