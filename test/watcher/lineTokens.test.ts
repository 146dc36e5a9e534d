/** In which tokens a watcher asks L1 how far the line is covered: whoever locks mass exits in many tokens must not blind it. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Address } from '../../protocol/bytes.ts'
import { courtOf } from '../../watcher/driver.ts'
import { TOKENS_IN_TURN, tokensToRead } from '../../watcher/driverTokens.ts'
import { ALICE, exitOf, policyOf, RIVAL, readingsOf, worldAt } from './court/world.ts'
import { batchOf, lockOf } from './support/batches.ts'
import { carol, createFakePeer, deposited, depositPosition, ETH, mallory, mandateOf } from './support/chain.ts'
import { createTestCore } from './support/core.ts'
import { createFakeL1 } from './support/l1.ts'

const test = suite('watcher: tokens on the line')
const tokenOf = (i: number): Address => `0x${(i + 1).toString(16).padStart(40, '0')}`

/** Mallory's mass exits are locked, in so many tokens of hers and one in ether. Carol's key is the watcher's. */
async function createScene(count: number, isTrusting = false) {
  const l1 = createFakeL1()
  const tokens = Array.from({ length: count }, (_, i) => tokenOf(i))
  const asked: (readonly Address[])[] = []
  const core = createTestCore({
    l1,
    peers: [createFakePeer('operator').peer],
    overrides: {
      sender: carol.address,
      createCourt: courtOf({
        policy: policyOf({ sender: carol.address }),
        rootContract: `0x${'cc'.repeat(20)}`,
        readL1: async ({ tickets }) => {
          asked.push(tickets)
          return readingsOf()
        },
      }),
    },
  })
  const all = [...tokens, ETH]
  l1.mine(all.map((token, i) => ({ ...deposited(depositPosition(0, i), mallory, 1n), token })))
  const batches = all.map((token, i) => batchOf(l1, [{ position: depositPosition(0, i), amount: 1n }], { token }))
  l1.mine(batches)
  l1.mine(batches.map((batch, i) => lockOf(l1, batch, i)))
  await core.tick()
  if (isTrusting) core.coordinator.mandates.add(mandateOf(mallory), 0)
  /** What is asked at the next L1 block. */
  const look = async () => {
    l1.mine()
    await core.tick()
    return asked.at(-1) ?? []
  }
  return { core, tokens, look }
}

for (const isTrusting of [false, true]) {
  test(`asks in turns where ${isTrusting ? 'whoever handed a mandate in' : 'a stranger'} locked mass exits in 200 tokens, and about ether always`, async () => {
    const { core, tokens, look } = await createScene(200, isTrusting)
    const seen = new Set<Address>()
    for (let i = 0; i < Math.ceil(200 / TOKENS_IN_TURN); i++) {
      const tickets = await look()
      assert.is(tickets.length, TOKENS_IN_TURN + 1)
      assert.ok(tickets.includes(ETH))
      for (const token of tickets) seen.add(token)
    }
    assert.is(seen.size, tokens.length + 1, 'each has its turn')
    core.log.assertNoErrors()
  })
}

test('asks about every token where they are few', async () => {
  const { tokens, look } = await createScene(TOKENS_IN_TURN)
  assert.equal(new Set(await look()), new Set([...tokens, ETH]))
})

test('a token in which an exit of a protected owner is open is asked about at every L1 block', () => {
  const [of, other] = [tokenOf(150), tokenOf(151)]
  const ticket = (token: Address, owner: Address) => {
    const exit = exitOf({ token, owner })
    return { exit, state: 'ticket' as const, evidence: [], paid: 0n, events: [] }
  }
  const strangers = Array.from({ length: 150 }, (_, i) => ticket(tokenOf(i), RIVAL))
  const read = (block: number) =>
    tokensToRead({
      open: [...strangers, ticket(of, ALICE), ticket(other, RIVAL)],
      locked: [],
      ours: [],
      world: { ...worldAt(0), now: { ...worldAt(0).now, block }, protectedOwners: new Set([ALICE]) },
    })
  for (let block = 0; block < 10; block++) assert.ok(read(block).includes(of))
  assert.not.ok(read(0).includes(other))
})

test.run()
