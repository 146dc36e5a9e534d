/** Alerts: rows first, told once, delivered until taken; and what exits make a watcher say. */
import { createHmac } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Exit } from '../../protocol/exit.ts'
import type { Mandate } from '../../protocol/mandate.ts'
import { type Alert, createAlarm } from '../../watcher/alarm.ts'
import { ALERT_CODES, ALERTS, renderAlertTable } from '../../watcher/alerts.ts'
import { createWebhookSink } from '../../watcher/sinks.ts'
import {
  alice,
  at,
  bob,
  carol,
  createFakePeer,
  deposited,
  depositPosition,
  exitOf,
  makeBlock,
  mallory,
  mandateOf,
  pay,
  submitted,
} from './support/chain.ts'
import { createFolder, createTestCore, openStore, PARAMETERS } from './support/core.ts'
import { createFakeL1 } from './support/l1.ts'

const test = suite('watcher: alerts')
const D0 = depositPosition(0, 0)

test('the table of the docs lists every code once', () => {
  const rows = renderAlertTable().trim().split('\n').slice(2)
  assert.is(rows.length, ALERT_CODES.length)
  for (const code of ALERT_CODES) assert.is(rows.filter((row) => row.includes(`\`${code}\``)).length, 1)
  for (const { meaning, action } of Object.values(ALERTS)) assert.ok(meaning.endsWith('.') && action.endsWith('.'))
})

test('docs/honest-watcher.md shows the alerts as they are', () => {
  const docs = readFileSync(new URL('../../docs/honest-watcher.md', import.meta.url), 'utf8')
  assert.ok(docs.includes(renderAlertTable()), 'its table of alerts must be what renderAlertTable() gives')
})

test('an alert stands once however often it is raised, and is new after its cause was gone', () => {
  const alarm = createAlarm({ db: openStore(), sinks: [], now: () => 7 })
  assert.is(alarm.raise('OUTBOX_STUCK', 'a', { wei: 10n ** 20n }), true)
  assert.is(alarm.raise('OUTBOX_STUCK', 'a'), false)
  assert.is(alarm.raise('OUTBOX_STUCK', 'b'), true)
  assert.is(alarm.read(1)?.repeats, 1)
  assert.equal(alarm.read(1)?.details, { wei: '100000000000000000000' })
  alarm.clear('OUTBOX_STUCK', 'a')
  assert.is(alarm.raise('OUTBOX_STUCK', 'a'), true)
  assert.equal(alarm.openCounts(), { info: 0, warning: 0, critical: 2 })
})

test('a sink that is down gets every alert once it is back, in order, also after a restart', async () => {
  const folder = createFolder()
  const clock = { now: 0 }
  const taken: string[] = []
  let down = true
  const sink = {
    name: 'hook',
    deliver: async (alert: Alert) => {
      if (down) throw new Error('down')
      taken.push(alert.dedupe)
    },
  }
  const other: string[] = []
  const sinks = [sink, { name: 'other', deliver: async (alert: Alert) => void other.push(alert.dedupe) }]
  const db = openStore(folder.file)
  const first = createAlarm({ db, sinks, now: () => clock.now })
  first.raise('OUTBOX_STUCK', 'a')
  first.raise('OUTBOX_STUCK', 'b')
  await first.deliver()
  assert.equal(other, ['OUTBOX_STUCK a', 'OUTBOX_STUCK b'])
  db.close()
  down = false
  const again = openStore(folder.file)
  const alarm = createAlarm({ db: again, sinks, now: () => clock.now })
  await alarm.deliver()
  clock.now = 60_000
  await alarm.deliver()
  assert.equal([...taken].sort(), ['OUTBOX_STUCK a', 'OUTBOX_STUCK b'])
  await alarm.deliver()
  assert.is(taken.length, 2)
  assert.is(other.length, 2)
  again.close()
  folder.remove()
})

test('the webhook proves who sent it, and takes any answer but 2xx for a failure', async () => {
  const seen: { url: string; init: RequestInit }[] = []
  let status = 204
  const send = (async (url: string, init: RequestInit) => {
    seen.push({ url, init })
    return new Response(null, { status })
  }) as typeof fetch
  const sink = createWebhookSink({
    name: 'hook',
    url: 'https://hook.test/x',
    secret: 's3',
    timeoutMs: 1_000,
    now: () => 42,
    fetch: send,
  })
  const alarm = createAlarm({ db: openStore(), sinks: [sink], now: () => 42 })
  alarm.raise('OUTBOX_STUCK', 'a')
  assert.is(await alarm.deliver(), 1)
  const { headers, body } = seen[0]!.init as { headers: Record<string, string>; body: string }
  assert.is(headers['x-lifeboat-signature'], `t=42,v1=${createHmac('sha256', 's3').update(`42.${body}`).digest('hex')}`)
  assert.is(headers['x-lifeboat-delivery'], '1 OUTBOX_STUCK a')
  status = 500
  alarm.raise('OUTBOX_STUCK', 'b')
  assert.is(await alarm.deliver(), 0)
})

/** Alice paid Bob in block 1; Bob's output is unspent. */
async function createScene(overrides = {}) {
  const l1 = createFakeL1()
  const operator = createFakePeer('operator')
  l1.mine([deposited(D0, alice, 100n)])
  const payment = pay(alice, D0, [[bob, 100n]])
  const block = makeBlock(1, 1, [payment])
  operator.serve(block)
  l1.mine([submitted([block], l1.now() + 12)])
  const core = createTestCore({ l1, peers: [operator.peer], overrides })
  const start = (parts: Partial<Parameters<typeof exitOf>[0]>): Exit => {
    const exit = exitOf({
      position: at(1, 0),
      owner: bob,
      amount: 100n,
      signed: payment,
      lockedAt: l1.tip().number + 1,
      startedAt: l1.now() + 12,
      ...parts,
    })
    l1.mine([{ type: 'ExitStarted', exit }])
    return exit
  }
  const theft = () => start({ position: D0, owner: alice, signed: undefined as never })
  return { l1, core, start, theft }
}

test('an honest exit started by its owner says nothing', async () => {
  const { core, start } = await createScene()
  start({})
  await core.tick()
  assert.equal(core.codes(), [])
})

test('an invalid exit is told at once, and again when time runs out', async () => {
  const { core, l1, theft } = await createScene()
  theft()
  await core.tick()
  assert.equal(core.codes(), ['INVALID_EXIT'])
  l1.mine([], Math.floor(PARAMETERS.minExitPeriod * 0.7))
  await core.tick()
  assert.equal(core.codes(), ['INVALID_EXIT', 'EXIT_UNCHALLENGED'])
})

test('evidence is told with whose it is', async () => {
  const { core, l1, theft } = await createScene({ sender: carol.address })
  const { outputId } = theft()
  l1.mine([
    { type: 'EvidenceShown', outputId, spend: at(1, 0), place: 0, challenger: carol.address, reward: 5n },
    { type: 'EvidenceDropped', outputId, spend: at(1, 0), place: 0 },
    { type: 'EvidenceShown', outputId, spend: at(1, 0), place: 0, challenger: bob.address, reward: 0n },
  ])
  await core.tick()
  assert.equal(core.codes().sort(), [
    'EVIDENCE_DROPPED',
    'EXIT_CHALLENGED_BY_OTHER',
    'EXIT_CHALLENGED_BY_US',
    'INVALID_EXIT',
  ])
})

test('evidence that verified blocks contradict is loud', async () => {
  const { core, l1, start } = await createScene()
  const { outputId } = start({})
  l1.mine([{ type: 'EvidenceShown', outputId, spend: at(1, 0), place: 0, challenger: mallory.address, reward: 5n }])
  await core.tick()
  assert.ok(core.codes().includes('EXIT_OUTCOME_UNKNOWN'))
})

test('an invalid exit that was paid is loud', async () => {
  const { core, l1, theft } = await createScene()
  const { outputId } = theft()
  l1.mine([{ type: 'ExitPaid', outputId, amount: 100n }])
  await core.tick()
  assert.ok(core.codes().includes('INVALID_EXIT_PAID'))
})

test('a delegate nobody knows is told, for protected accounts louder', async () => {
  const { core, start } = await createScene()
  start({ payer: mallory.address })
  await core.tick()
  assert.equal(core.codes(), ['EXIT_AUTHORISED_BY_UNKNOWN'])
})

/** Bob is protected by Carol. */
async function createProtectedScene(over: Partial<Mandate> = {}) {
  const scene = await createScene({ sender: carol.address })
  await scene.core.tick()
  const validUntil = scene.l1.now() + 10 * PARAMETERS.minExitPeriod
  scene.core.protection.add({ owner: bob.address, ...mandateOf(bob, { validUntil, ...over }) }, 0)
  return scene
}

test('an exit of a protected account that neither its owner nor we started is told', async () => {
  const { core, start } = await createProtectedScene()
  start({ payer: mallory.address })
  await core.tick()
  assert.equal(core.codes(), ['PROTECTED_EXIT_BY_OTHER'])
})

test('a protected exit is told when we start it and when it is paid', async () => {
  const { core, l1, start } = await createProtectedScene()
  const { outputId, amount } = start({ payer: carol.address })
  await core.tick()
  assert.equal(core.codes(), ['PROTECTED_EXIT_STARTED'])
  l1.mine([{ type: 'ExitPaid', outputId, amount }])
  await core.tick()
  assert.equal(core.codes(), ['PROTECTED_EXIT_STARTED', 'PROTECTED_EXIT_PAID'])
})

test('a mandate is told while there is still time for another: two exit periods before its end', async () => {
  const { core, l1 } = await createProtectedScene()
  l1.mine([], 8 * PARAMETERS.minExitPeriod - 60)
  await core.tick()
  assert.equal(core.codes(), [])
  l1.mine([], 120)
  await core.tick()
  assert.equal(core.codes(), ['MANDATE_EXPIRES'])
})

test('a mandate that its owner revoked is told, one of another series is not', async () => {
  const { core, l1 } = await createProtectedScene()
  l1.mine([{ type: 'MandatesRevoked', owner: bob.address, epoch: 7 }])
  await core.tick()
  assert.equal(core.codes(), [])
  l1.mine([{ type: 'MandatesRevoked', owner: bob.address, epoch: 0 }])
  await core.tick()
  assert.equal(core.codes(), ['MANDATE_EXPIRES'])
})

test('an exit of a block that cannot be verified is told once the chain is not safe', async () => {
  const { core, l1, start } = await createScene()
  const hidden = makeBlock(2, 2, [pay(bob, at(1, 0), [[carol, 100n]])])
  l1.mine([submitted([hidden], l1.now() + 12)])
  start({ position: at(2, 0), owner: carol })
  for (let i = 0; i < 10; i++) {
    core.clock.now += 10_000
    await core.tick()
  }
  assert.equal(core.codes().sort(), ['BLOCK_SUSPECT', 'EXIT_UNVERIFIABLE'])
})

test('a disk that fails is told in the log even when no row can be written', async () => {
  const { core, l1 } = await createScene()
  await core.tick()
  core.db.close()
  l1.mine()
  let failed = false
  await core.tick().catch(() => {
    failed = true
  })
  assert.ok(failed)
  assert.ok(core.log.of('alert.unwritable').length > 0)
})

test('no alert is without a test that names it', () => {
  const texts = ['..', '../../e2e', '../court'].flatMap((folder) => {
    const directory = join(fileURLToPath(import.meta.url), folder)
    const files = readdirSync(directory).filter((name) => name.endsWith('.test.ts'))
    return files.map((name) => readFileSync(join(directory, name), 'utf8'))
  })
  const missing = ALERT_CODES.filter((code) => !texts.some((text) => new RegExp(`\\b${code}\\b`).test(text)))
  assert.equal(missing, [])
})

test.run()
