/**
 * Two watchers that want the same at the same moment, each with a real outbox, in one L1 block of the real contracts: one is first, and the other ends
 * cleanly: nothing stays open, nothing is told as a failure, and only gas is lost.
 */
import * as assert from 'uvu/assert'
import { connectEndpoint } from '../../l1/endpoint.ts'
import { DEFAULT_ERRORS, openOutbox } from '../../l1/outbox.ts'
import { isClosed } from '../../l1/outboxIntent.ts'
import { createOutboxRpc } from '../../l1/outboxRpc.ts'
import { listRows } from '../../l1/outboxStore.ts'
import type { Action } from '../../watcher/court/types.ts'
import { DONE_ERRORS } from '../../watcher/driverIntents.ts'
import { rootSuite } from '../contracts/rootSuite.ts'
import { balance, deposit, ETHER, passTo, place, submit } from '../support/moves.ts'
import { type Actor, actors, type ChildBlock } from '../support/rootChain.ts'
import { challengeData } from '../support/suretyMoves.ts'
import { createSuretyWatcher } from './support/surety.ts'

const { alice, bob, carol, mallory, watcher } = actors
const { test, world } = rootSuite('watcher: races on L1')
/** No outcome of a race; in a test L1 stands still while the local clock does not. */
const TOLERATED = ['DATA_CHALLENGED', 'DATA_UNANSWERED', 'BLOCK_SUSPECT', 'CHAIN_HALTED', 'BLOCK_WITHHELD']

type Racer = Awaited<ReturnType<typeof createRacer>>

/** Looks and sends by itself, with all of the outbox's patience spent at once. */
async function createRacer(actor: Actor) {
  const { chain, url } = world
  const someone = await createSuretyWatcher(world, { actor })
  const endpoint = await connectEndpoint({ url, name: 'anvil', expectedChainId: chain.chainId })
  const outbox = await openOutbox({
    db: someone.db,
    rpc: createOutboxRpc(endpoint),
    signer: actor.account as never,
    chainId: chain.chainId,
    policy: { confirmations: 2 },
  })
  let nowMs = 1_000_000
  const tick = async () => {
    nowMs += 20_000
    await outbox.tick(nowMs)
  }
  return { ...someone, actor, tick, close: () => outbox.close() }
}

/** Both see the same, both send, and one L1 block takes both. Then L1 goes on. */
async function race(racers: readonly [Racer, Racer], type: string): Promise<void> {
  const { client } = world.chain
  for (const one of racers) await one.look()
  await client.setAutomine(false)
  try {
    for (const one of racers) await one.tick()
    const sent = racers.map(({ db }) => listRows(db).filter(({ status }) => status === 'sent'))
    for (const rows of sent)
      assert.equal(
        rows.map(({ intent }) => intent.key.split(':')[0]),
        [type],
      )
    await client.mine({ blocks: 1 })
  } finally {
    await client.setAutomine(true)
  }
  for (let block = 0; block < 6; block++) {
    await client.mine({ blocks: 1 })
    for (const one of racers) await one.tick()
    for (const one of racers) await one.look()
  }
}

function assertClean(racers: readonly [Racer, Racer], type: string): void {
  const ends = racers.map(({ db }) => {
    const rows = listRows(db).filter(({ intent }) => intent.key.startsWith(`${type}:`))
    for (const { status, intent } of rows) assert.ok(isClosed(status), `${intent.key} is ${status}`)
    return rows.map(({ status }) => status).join()
  })
  assert.equal(ends.sort(), ['confirmed', 'done-by-other'])
  for (const { codes, log } of racers) {
    assert.equal(
      codes().filter((code) => !TOLERATED.includes(code)),
      [],
    )
    log.assertNoErrors()
  }
}

/** `before` less what the loser holds now: gas of one refused call, and no bond. */
async function assertOnlyGasLost(racers: readonly [Racer, Racer], type: string, before: readonly bigint[]) {
  for (const [i, { db, actor }] of racers.entries()) {
    const lost = listRows(db).some(({ intent, status }) => intent.key.startsWith(type) && status === 'done-by-other')
    if (lost) assert.ok((before[i] as bigint) - (await balance(world.chain, actor)) < ETHER / 100n)
  }
}

const both = async () => [await createRacer(watcher), await createRacer(carol)] as const
const held = (racers: readonly [Racer, Racer]) => Promise.all(racers.map(({ actor }) => balance(world.chain, actor)))

async function blockOf(count: number): Promise<ChildBlock> {
  const { chain } = world
  const signed = [await chain.pay(alice, await deposit(chain, alice), [[bob, ETHER]])]
  while (signed.length < count) {
    const made = { number: 1, transactions: signed, header: undefined as never }
    signed.push(await chain.pay(bob, place(made, signed.length - 1), [[bob, ETHER]]))
  }
  return submit(chain, signed)
}

test('the same leaves are demanded by both, and after DR both end the chain over them', async () => {
  const { dataChallengePeriod, dataResponsePeriod } = world.chain.parameters
  const racers = await both()
  const hidden = await blockOf(2)
  for (const one of racers) await one.look()
  await passTo(world.chain, hidden.header.timestamp + Math.floor(dataChallengePeriod / 4) + 1)
  const before = await held(racers)
  await race(racers, 'challenge-data')
  assertClean(racers, 'challenge-data')
  await assertOnlyGasLost(racers, 'challenge-data', before)

  const [record] = racers[0].data.open()
  await passTo(world.chain, record!.challenge.startedAt + dataResponsePeriod + 1)
  await race(racers, 'end-data')
  assertClean(racers, 'end-data')
  assert.is(racers[1].facts.halt().voidFrom, hidden.number)
  for (const one of racers) await one.close()
})

test('both answer for a silent operator', async () => {
  const racers = await both()
  const block = await blockOf(3)
  for (const one of racers) one.serve(block)
  await challengeData(world.chain, block, [0, 1], { from: mallory })
  await passTo(world.chain, block.header.timestamp + Math.floor(world.chain.parameters.dataResponsePeriod / 2) + 2)
  const before = await held(racers)
  await race(racers, 'reveal-data')
  assertClean(racers, 'reveal-data')
  await assertOnlyGasLost(racers, 'reveal-data', before)
  for (const one of racers) await one.close()
})

test('every refusal that means that another was first is one that the outbox can read', () => {
  const known = new Set(DEFAULT_ERRORS.flatMap((entry) => (entry.type === 'error' ? [entry.name] : [])))
  for (const type of Object.keys(DONE_ERRORS) as Action['type'][])
    for (const name of DONE_ERRORS[type]) assert.ok(known.has(name), `${type}: ${name}`)
})

test.run()
