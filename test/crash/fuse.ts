/**
 * Where programs of the crash matrix die: at a commit to their SQLite file or at a send to L1, before or after it. SQLite is watched at the
 * driver, so every commit counts, whoever makes it; a dead program's handles refuse everything, and what is on its disk at that moment
 * is copied as a kill would leave it, the write-ahead log not folded in.
 */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { Endpoint, RpcCall } from '../../l1/endpoint.ts'
import { retryable } from '../../protocol/errors.ts'

export type Who = 'operator' | 'watcher'
export type What = 'write' | 'send'
export type When = 'before' | 'after'

/** The `at`-th write or send of the program since the story began, counted over its restarts. */
export type Point = Readonly<{ who: Who; what: What; at: number; when: When; again: boolean }>

/** `watcher:send:17:after`; `+again`: the restarted program dies once more, before its first write. */
export function printPoint({ who, what, at, when, again }: Point): string {
  return `${who}:${what}:${at}:${when}${again ? '+again' : ''}`
}

export function parsePoint(text: string): Point {
  const found = /^(operator|watcher):(write|send):(\d+):(before|after)(\+again)?$/.exec(text)
  if (!found) throw new Error(`got the crash point ${text}, want one like watcher:send:17:after`)
  const [, who, what, at, when, again] = found
  return { who: who as Who, what: what as What, at: Number(at), when: when as When, again: again !== undefined }
}

export class Crash extends Error {}

/** One run of a program on a directory of its own, from start to stop or death. */
export type Life = Readonly<{
  directory: string
  isDead(): boolean
  /** Something durable is about to happen, or has just happened. Throws a Crash where the fuse says so, and when the program is dead. */
  pass(what: What, when: When, about?: string): void
  assertAlive(): void
}>

const lives = new Map<string, Life>()

export type Fuse = ReturnType<typeof createFuse>

/** Counts what passes, and blows at the point, once; with `again` once more at the next write of that program. */
export function createFuse(point?: Point) {
  const counts = { operator: { write: 0, send: 0 }, watcher: { write: 0, send: 0 } }
  const trace: string[] = []
  let blown = 0

  function isDue(who: Who, what: What, when: When): boolean {
    if (!point || who !== point.who) return false
    if (blown === 0) return what === point.what && when === point.when && counts[who][what] === point.at
    return point.again && blown === 1 && what === 'write' && when === 'before'
  }

  return {
    counts,
    /** What passed, in order: `watcher:write:12 INSERT INTO alerts`. */
    trace,
    blown: () => blown,

    /** The last commit of a program before one of its sends, or the first after it. */
    isBesideSend({ who, what, at }: Point): boolean {
      const own = trace.filter((entry) => entry.startsWith(`${who}:`))
      const place = own.findIndex((entry) => entry.startsWith(`${who}:${what}:${at} `))
      return [own[place - 1], own[place + 1]].some((entry) => entry?.startsWith(`${who}:send:`))
    },

    /** A program that lives on this directory until it dies or is buried. */
    give(who: Who, directory: string, grave: string): Life {
      let dead = false
      const life: Life = {
        directory,
        isDead: () => dead,
        assertAlive: () => {
          if (dead) throw new Crash(`the ${who} is dead`)
        },
        pass: (what, when, about = '') => {
          life.assertAlive()
          if (when === 'before') trace.push(`${who}:${what}:${++counts[who][what]} ${about}`)
          if (!isDue(who, what, when)) return
          blown++
          dead = true
          copyStore(directory, grave)
          throw new Crash(`${who} died ${when} ${what} ${counts[who][what]}`)
        },
      }
      lives.set(directory, life)
      return life
    },
  }
}

export function forget({ directory }: Life): void {
  lives.delete(directory)
}

/** Database files and their write-ahead logs; the shared-memory index is what a restart makes anew. */
export function copyStore(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const file of ['operator.db', 'watcher.sqlite'].flatMap((name) => [name, `${name}-wal`]))
    if (existsSync(join(from, file))) copyFileSync(join(from, file), join(to, file))
}

/** The endpoint as this program sees it: sends are points, and a dead program reaches nobody. */
export function watchEndpoint(endpoint: Endpoint, life: () => Life): Endpoint {
  const through = async <T>(calls: readonly RpcCall[], ask: () => Promise<T>): Promise<T> => {
    const mine = life()
    if (mine.isDead()) throw retryable('ENDPOINT_UNREACHABLE', 'the program is dead', { want: 'a living program' })
    const isSend = calls.some(({ method }) => method === 'eth_sendRawTransaction')
    if (isSend) mine.pass('send', 'before')
    const answer = await ask()
    if (isSend) mine.pass('send', 'after')
    mine.assertAlive()
    return answer
  }
  return {
    ...endpoint,
    read: (call, schema) => through([call], () => endpoint.read(call, schema)),
    readMany: (calls, schema) => through(calls, () => endpoint.readMany(calls, schema)),
  }
}

type AnyFunction = (...args: unknown[]) => unknown
const VARIANTS = ['default', 'deferred', 'immediate', 'exclusive'] as const
type Variants = AnyFunction & Record<(typeof VARIANTS)[number], AnyFunction>

const driver = Sqlite.prototype as unknown as Record<'prepare' | 'transaction' | 'exec' | 'pragma', AnyFunction>
const { prepare, transaction, exec, pragma } = driver
/** Where a schema was changed, which counts no rows. */
const altered = new WeakSet<object>()

/** Program stores only: locks beside them, the L1's and the wallets' files are other people's. */
function lifeOf(db: Sqlite.Database): Life | undefined {
  const name = basename(db.name)
  if (name !== 'operator.db' && name !== 'watcher.sqlite') return undefined
  return lives.get(dirname(db.name)) ?? lives.get(`${dirname(db.name)}${sep}`)
}

type Work = Readonly<{ body: AnyFunction; about: string }>

function commitOf(db: Sqlite.Database, life: Life, { body, about }: Work): Variants {
  const changesOf = () => Number((prepare.call(db, 'SELECT total_changes() AS n') as Sqlite.Statement).pluck().get())
  const wrap =
    (variant: (typeof VARIANTS)[number]): AnyFunction =>
    (...args) => {
      life.assertAlive()
      if (db.inTransaction) return (transaction.call(db, body) as Variants)[variant](...args)
      const before = changesOf()
      let isWrite = false
      const watched = (...given: unknown[]) => {
        const result = body(...given)
        // What changes no row leaves the file as it was: dying there is dying at the next write.
        isWrite = altered.delete(db) || changesOf() !== before
        if (isWrite) life.pass('write', 'before', about)
        return result
      }
      const result = (transaction.call(db, watched) as Variants)[variant](...args)
      if (isWrite) life.pass('write', 'after', about)
      return result
    }
  const made = wrap('default') as Variants
  for (const variant of VARIANTS) made[variant] = wrap(variant)
  return made
}

driver.transaction = function (this: Sqlite.Database, body: unknown) {
  const life = lifeOf(this)
  return life ? commitOf(this, life, { body: body as AnyFunction, about: '' }) : transaction.call(this, body)
}

driver.prepare = function (this: Sqlite.Database, sql: unknown) {
  const life = lifeOf(this)
  life?.assertAlive()
  const statement = prepare.call(this, sql) as Record<string, AnyFunction> & { readonly: boolean }
  if (!life) return statement
  const { readonly } = statement
  for (const name of ['run', 'get', 'all', 'iterate']) {
    const act = statement[name] as AnyFunction
    statement[name] = (...args) => {
      life.assertAlive()
      if (readonly || this.inTransaction) return act.apply(statement, args)
      // In a transaction of its own, so that what changes nothing counts for nothing.
      const alone = commitOf(this, life, { body: () => act.apply(statement, args), about: String(sql) })
      return alone.immediate()
    }
  }
  return statement
}

for (const [name, act] of [
  ['exec', exec],
  ['pragma', pragma],
] as const) {
  driver[name] = function (this: Sqlite.Database, ...args: unknown[]) {
    const life = lifeOf(this)
    life?.assertAlive()
    // A killed process loses nothing that the system has taken: waiting for the disk would only cost time.
    if (life && name === 'pragma' && args[0] === 'synchronous = FULL') return act.call(this, 'synchronous = OFF')
    if (name === 'exec') altered.add(this)
    return act.apply(this, args)
  }
}
