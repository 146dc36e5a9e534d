/** A program that dies and rises: each life on a directory of its own, which is what the life before left on its disk. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Fuse, forget, type Life, type Who } from './fuse.ts'

type Running = Readonly<{ tick(): Promise<void>; stop(): Promise<unknown> }>

export type Program<T extends Running> = Readonly<{
  /** Of this life; for reading. Throws when nothing runs. */
  now(): T
  life(): Life
  /** Does it with a living program, again after each death, as clients and supervisors do. Throws what is not a death. */
  act<R>(what: (program: T) => Promise<R>): Promise<R>
  /** Ends this life well, and rises no more. */
  retire(): Promise<void>
  isRetired(): boolean
}>

export type ProgramOptions<T> = Readonly<{
  who: Who
  fuse: Fuse
  /** Its directories are made in here. */
  directory: string
  start(life: Life): Promise<T>
}>

/** Not started yet. */
export function createProgram<T extends Running>({ who, fuse, directory, start }: ProgramOptions<T>): Program<T> {
  let lives = 0
  let life = rise()
  let running: T | undefined
  let isRetired = false

  function rise(): Life {
    const here = join(directory, `${who}-${lives}`)
    mkdirSync(here, { recursive: true })
    return fuse.give(who, here, join(directory, `${who}-${++lives}`))
  }

  async function bury(): Promise<void> {
    await running?.stop().catch(() => undefined)
    running = undefined
    forget(life)
    life = rise()
  }

  async function alive(): Promise<T> {
    while (!running) {
      try {
        running = await start(life)
      } catch (error) {
        if (!life.isDead()) throw error
      }
      if (life.isDead()) await bury()
    }
    return running
  }

  return {
    now: () => {
      if (!running) throw new Error(`no ${who} runs`)
      return running
    },
    life: () => life,
    async act(what) {
      for (;;) {
        const program = await alive()
        try {
          const result = await what(program)
          if (!life.isDead()) return result
        } catch (error) {
          if (!life.isDead()) throw error
        }
        await bury()
      }
    },
    async retire() {
      isRetired = true
      await running?.stop()
      running = undefined
      forget(life)
    },
    isRetired: () => isRetired,
  }
}
