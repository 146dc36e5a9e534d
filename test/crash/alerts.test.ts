/** A watcher that dies while it tells somebody something: nothing stands that nobody was told, and nothing stands that is over. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import { PRESETS } from '../../protocol/parameters.ts'
import { createAlarm } from '../../watcher/alarm.ts'
import type { DataRecord } from '../../watcher/court/dataTypes.ts'
import { createDataNews } from '../../watcher/dataNews.ts'
import { openStore } from '../../watcher/watcher.ts'
import { createFuse, forget } from './fuse.ts'

const test = suite('crash: alerts')
let directory: string

test.before.each(() => {
  directory = mkdtempSync(join(tmpdir(), 'lifeboat-alerts-'))
})
test.after.each(() => rmSync(directory, { recursive: true, force: true }))

const storeIn = (name: string) => openStore(join(directory, name, 'watcher.sqlite'))
const sinkInto = (heard: string[]) => ({
  name: 'person',
  deliver: async ({ code }: { code: string }) => void heard.push(code),
})

test('an alert that stands after a crash reaches everybody, whichever commit it dies at', async () => {
  for (let at = 1; ; at++) {
    const made = storeIn(`${at}`)
    made.close()
    const fuse = createFuse({ who: 'watcher', what: 'write', at, when: 'after', again: false })
    const life = fuse.give('watcher', join(directory, `${at}`), join(directory, `${at} again`))
    const db = storeIn(`${at}`)
    try {
      createAlarm({ db, sinks: [sinkInto([])], now: () => 0 }).raise('VAULT_SHORT', 'test')
    } catch (error) {
      if (!life.isDead()) throw error
    }
    db.close()
    forget(life)
    if (fuse.blown() === 0) {
      assert.ok(at > 1, 'it wrote something')
      return
    }
    const heard: string[] = []
    const again = storeIn(`${at} again`)
    const alarm = createAlarm({ db: again, sinks: [sinkInto(heard)], now: () => 0 })
    alarm.raise('VAULT_SHORT', 'test')
    await alarm.deliver()
    assert.equal(heard, ['VAULT_SHORT'], `died after commit ${at}`)
    again.close()
  }
})

test('what was told of a demand ends with it, also when its answer came while nobody ran', () => {
  const db = storeIn('news')
  const alarm = createAlarm({ db, sinks: [], now: () => 0 })
  const challenge = { blockNumber: 7, first: 0, levels: 0, blockTime: 100, startedAt: 110, root: ZERO_HASH }
  const open = [{ challenge }] as unknown as DataRecord[]
  const start = (records: DataRecord[]) =>
    createDataNews({
      data: { open: () => records },
      facts: {
        l1Now: () => ({ block: 1, hash: ZERO_HASH, timestamp: 120, finalised: 0 }),
        halt: () => ({ voidFrom: 0, lastMove: 0 }),
        verifiedBlock: () => 6,
        parameters: PRESETS.devnet,
      },
      alarm,
      revealedFault: () => undefined,
    })
  start(open).run()
  assert.ok(alarm.stands('DATA_CHALLENGED', '7'))
  start(open).run()
  assert.ok(alarm.stands('DATA_CHALLENGED', '7'), 'a restart alone ends nothing')
  start([]).run()
  assert.not(alarm.stands('DATA_CHALLENGED', '7'))
  db.close()
})

test.run()
