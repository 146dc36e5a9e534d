/** Processor time of a part by thread, from Linux' /proc: less noisy on a shared machine than the clock. */
import { readdirSync, readFileSync } from 'node:fs'

/** Microseconds so far: of the thread that runs JavaScript, and of all others (signature workers, garbage collection, disk). */
export type CpuTime = Readonly<{ main: number; others: number }>

const MICROS_PER_TICK = 10_000

/** Zeros where there is no /proc. */
export function readCpu(pid: number): CpuTime {
  const time = { main: 0, others: 0 }
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      // After the name in parentheses, which may hold anything: fields 14 and 15 are user and system time.
      const fields = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      const micros = (Number(fields[11]) + Number(fields[12])) * MICROS_PER_TICK
      time[Number(thread) === pid ? 'main' : 'others'] += micros
    }
  } catch {
    return { main: 0, others: 0 }
  }
  return time
}

/** Microseconds from `before` to `after` for each of `count` things, one decimal. */
export function perOne(before: CpuTime, after: CpuTime, count: number): CpuTime {
  const share = (name: keyof CpuTime) => Math.round(((after[name] - before[name]) / Math.max(1, count)) * 10) / 10
  return { main: share('main'), others: share('others') }
}
