/** The outbox killed at every store write, every signature and every send, before and after: the same end, one effect. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openOutbox } from '../../l1/outbox.ts'
import type { Intent, RowStatus } from '../../l1/outboxIntent.ts'
import { inTransaction } from '../../service/database.ts'
import {
  accountAt,
  CHAIN_ID,
  calldata,
  createFolder,
  GWEI,
  intentFor,
  type Net,
  openFileDatabase,
  spyOn,
  startNet,
  target,
} from './outboxFixture.ts'

const test = suite('outbox crash matrix')
let net: Net
const folder = createFolder()
test.before(async () => {
  net = await startNet()
})
test.after(() => {
  net.stop()
  folder.remove()
})

class Crash extends Error {}

/** Blows at its n-th moment, once. */
function createFuse(at: number) {
  let passed = 0
  return {
    pass(): void {
      passed++
      if (passed === at) throw new Crash(`at moment ${at}`)
    },
    passed: () => passed,
  }
}

type Scenario = Readonly<{
  account: number
  intent(id: number): Intent
  /** What happens on L1 after the n-th tick that went through. */
  afterTick(round: number, id: number): Promise<unknown>
  want: RowStatus
}>

/** Programs start, tick, die and start again on one file until the row is closed. Returns the number of moments passed. */
async function live(scenario: Scenario, id: number, crashAt: number): Promise<number> {
  const file = folder.file(`${scenario.account}-${id}.sqlite`)
  const fuse = createFuse(crashAt)
  const signer = accountAt(scenario.account)
  const risky = ['send', 'receipt']
  const spy = {
    before: (method: string) => risky.includes(method) && fuse.pass(),
    after: (method: string) => method === 'send' && fuse.pass(),
  }
  let nowMs = 0
  let round = 0
  for (let starts = 0; starts < 3; starts++) {
    let db: ReturnType<typeof openFileDatabase> | undefined
    let outbox: Awaited<ReturnType<typeof openOutbox>> | undefined
    try {
      db = openFileDatabase(file, () => fuse.pass())
      const own = db
      db.exec('CREATE TABLE IF NOT EXISTS state (asked INTEGER) STRICT')
      outbox = await openOutbox({
        db,
        chainId: CHAIN_ID,
        errorsAbi: target().abi,
        rpc: spyOn(net.rpc, spy),
        policy: { confirmations: 2, bumpBlocks: 1, finalDepth: 2 },
        signer: {
          address: signer.address,
          async signTransaction(transaction) {
            fuse.pass()
            return signer.signTransaction(transaction)
          },
        },
      })
      const { key } = scenario.intent(id)
      // The caller's own state and the act, both or neither.
      if (!own.prepare('SELECT 1 FROM state').get()) {
        inTransaction(own, () => {
          own.prepare('INSERT INTO state VALUES (1)').run()
          outbox?.enqueue(scenario.intent(id))
        })
      }
      assert.ok(outbox.status(key), 'the state says asked, so there is a row')
      for (let ticks = 0; ticks < 20 && !outbox.status(key)!.final; ticks++) {
        nowMs += 100_000
        await outbox.tick(nowMs)
        await scenario.afterTick(round++, id)
      }
      assert.is(outbox.status(key)!.status, scenario.want)
      return fuse.passed()
    } catch (error) {
      const isCrash = error instanceof Crash || (error as Error).cause instanceof Crash
      if (!isCrash) throw error
    } finally {
      await outbox?.close()
      db?.close()
    }
  }
  throw new Error('it never came to an end')
}

/** First without a crash, to count the moments, then with one at each. */
async function runMatrix(scenario: Scenario, firstId: number): Promise<number> {
  const moments = await live(scenario, firstId, Number.POSITIVE_INFINITY)
  assert.is(await net.count(firstId), 1)
  const { address } = accountAt(scenario.account)
  for (let at = 1; at <= moments; at++) {
    const before = await net.client.getTransactionCount({ address })
    await live(scenario, firstId + at, at)
    const used = (await net.client.getTransactionCount({ address })) - before
    assert.ok(used <= 1, `one nonce after a crash at moment ${at} of ${moments}, not ${used}`)
    assert.is(await net.count(firstId + at), 1, `one effect after a crash at moment ${at} of ${moments}`)
  }
  assert.is(await net.pool(), 0)
  return moments
}

test('sent, outpriced, bumped, mined, confirmed', async () => {
  const scenario: Scenario = {
    account: 1,
    intent: (id) => intentFor(net.contract, `add ${id}`, calldata('add', BigInt(id))),
    afterTick: (round) => (round < 2 ? net.mineAt(60n * GWEI) : net.mineAt(GWEI)),
    want: 'confirmed',
  }
  assert.ok((await runMatrix(scenario, 1_000)) > 15)
})

test('sent, overtaken by a rival, cancelled, done by another', async () => {
  const scenario: Scenario = {
    account: 2,
    intent: (id) => intentFor(net.contract, `claim ${id}`, `${calldata('claim', BigInt(id))}${'ff'.repeat(200)}`),
    async afterTick(round, id) {
      if (round > 0) return net.mineAt(GWEI)
      const fees = { maxFeePerGas: 300n * GWEI, maxPriorityFeePerGas: 200n * GWEI }
      await net.sendRaw(accountAt(28), calldata('claim', BigInt(id)), fees)
      return net.mineAt(60n * GWEI)
    },
    want: 'done-by-other',
  }
  assert.ok((await runMatrix(scenario, 2_000)) > 10)
})

test.run()
