/**
 * A watcher's own machine fails it: no room on the disk, rows that rotted. It tells, goes on where it can, and is right again after a repair.
 * The database is opened by the story, so that it can be damaged; all else is the watcher as it always runs, one that only watches.
 */
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startExit } from '../../wallet/exit.ts'
import type { AlertCode } from '../../watcher/alerts.ts'
import { createWatcher, openStore } from '../../watcher/watcher.ts'
import { untilAlert, untilVerified } from './acts.ts'
import { ETHER, inWorld, until, type World } from './world.ts'

const test = suite('story: damaged watcher')

async function startDamageable(world: World) {
  const database = openStore(join(world.directory, 'damageable.sqlite'))
  const watcher = await createWatcher({
    deployment: world.deployment,
    parameters: world.parameters,
    endpoints: [world.endpoint],
    peers: [world.peerOf(world.operator.url)],
    database,
    log: world.memory.log.child({ part: 'damageable' }),
    version: 'test',
    port: 0,
    threads: 1,
    pollMs: 100,
  })
  watcher.start()
  world.atEnd(async () => {
    await watcher.stop()
    database.close()
  })
  const codes = () => watcher.core.alarm.page(0, 1_000).map(({ code }) => code)
  const untilTold = (code: AlertCode) =>
    until(
      () => `the alert ${code}; told were ${codes().join(', ')}`,
      () => codes().includes(code),
    )
  return { database, facts: watcher.core.facts, codes, untilTold }
}

test(
  'a full disk, a rotten row, a spend that was forgotten: each is told, and the watcher goes on once there is a remedy',
  inWorld({ l1BlockSeconds: 0.25, expectedErrors: ['watcher.tick.failed'] }, async (world) => {
    const honest = await world.startWatcher('first', { policy: { staggerSeconds: 0 } })
    const { database, facts, codes, untilTold } = await startDamageable(world)
    const deposited = await world.fund('mallory', ETHER)
    await world.pay('mallory', 'bob', ETHER)
    await untilVerified(honest)
    await until('the payment is verified', () => facts.spentBy(deposited))
    assert.equal(codes(), [])

    // SQLite itself says that there is no room: the file may not grow.
    const pages = Number(database.pragma('page_count', { simple: true }))
    database.pragma(`max_page_count = ${pages}`)
    await untilTold('DATABASE_PROBLEM')
    database.pragma('max_page_count = 1000000')
    const now = facts.l1Now().block
    await until('it goes on when there is room', () => facts.l1Now().block > now)

    // The spend is forgotten: the exit seems right, until somebody shows on L1 that it is not.
    const { changes } = database.prepare('UPDATE outputs SET spent_by = NULL WHERE position = ?').run(deposited)
    assert.is(changes, 1)
    await startExit(await world.wallet('mallory'), { position: deposited, unsafeMaybeSpent: true })
    await untilTold('EXIT_OUTCOME_UNKNOWN')
    assert.not.ok(codes().includes('INVALID_EXIT'))
    // The other one reads of its own evidence at a look of its own.
    await untilAlert(honest, 'EXIT_CHALLENGED_BY_US')
    assert.not.ok(codes().includes('INTERNAL_FAULT'))

    // A row that can't be read any more stops every look at the exit.
    database.prepare(`UPDATE root_events SET data = '{' WHERE subject IS NOT NULL`).run()
    database.prepare('UPDATE exits SET changed = 1').run()
    await untilTold('INTERNAL_FAULT')
  }),
)

test.run()
