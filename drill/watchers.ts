/** The watchers of a drill: as they always run, told apart by name, stopped and started again as a drill wants. */
import { join } from 'node:path'
import type { Log } from '../service/log.ts'
import type { Alert } from '../watcher/alarm.ts'
import type { AlertCode } from '../watcher/alerts.ts'
import { startWatcherProgram, type WatcherProgram, type WatcherProgramOptions } from '../watcher/program.ts'
import type { Watcher } from '../watcher/watcher.ts'
import type { Person } from './actors.ts'
import { until } from './until.ts'

export type WatcherSettings = Partial<WatcherProgramOptions>

export type DrillWatcher = Person &
  Readonly<{
    /** As it runs now, or ran last: a stopped one answers nothing. */
    watcher(): Watcher
    stop(): Promise<void>
    /** On its own files; `more` lasts from then on. */
    start(more?: WatcherSettings): Promise<void>
    isRunning(): boolean
    codes(): readonly AlertCode[]
    alertsOf(code: AlertCode): readonly Alert['details'][]
    /** Throws DRILL_TIMEOUT. */
    untilAlert(...codes: readonly AlertCode[]): Promise<void>
    untilVerified(): Promise<void>
  }>

export type WatcherParts = Readonly<{
  person: Person
  settings: WatcherProgramOptions
  directory: string
  log: Log
  timeoutMs: number
  hear(alert: Alert): void
}>

/** Runs when it resolves. */
export async function startDrillWatcher(parts: WatcherParts): Promise<DrillWatcher> {
  const { person, directory, log, hear, timeoutMs } = parts
  const heard: Alert[] = []
  const sink = {
    name: 'drill',
    deliver: async (alert: Alert) => {
      heard.push(alert)
      hear(alert)
    },
  }
  let settings = parts.settings
  let program: WatcherProgram
  let running = false

  async function start(more: WatcherSettings = {}): Promise<void> {
    settings = { ...settings, ...more }
    program = await startWatcherProgram({
      ...settings,
      log: log.child({ part: person.name }),
      file: join(directory, `${person.name}.sqlite`),
      account: person.account,
      sinks: [sink],
    })
    running = true
  }

  await start()
  const codes = () => heard.map(({ code }) => code)
  return {
    ...person,
    watcher: () => program.watcher,
    start,
    stop: async () => {
      if (!running) return
      running = false
      await program.stop()
    },
    isRunning: () => running,
    codes,
    alertsOf: (code) => heard.filter((alert) => alert.code === code).map(({ details }) => details),
    untilAlert: async (...wanted) => {
      await until(
        () => `${person.name} to tell ${wanted.join(' or ')}; it told ${codes().join(', ') || 'nothing'}`,
        () => wanted.some((code) => codes().includes(code)),
        timeoutMs,
      )
    },
    untilVerified: async () => {
      await until(
        `${person.name} to verify all committed blocks`,
        () => {
          const { facts } = program.watcher.core
          return facts.newestBlock() > 0 && facts.verifiedBlock() === facts.newestBlock()
        },
        timeoutMs,
      )
    },
  }
}
