/** The crowd that trusts a watcher: who gets in, who is kept, who is taken out (docs/spec.md sections 6.4 and 7). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isLifeboatError } from '../../../protocol/errors.ts'
import type { Mandate } from '../../../protocol/mandate.ts'
import { createDoor } from '../../../service/http.ts'
import { createSilentLog } from '../../../service/log.ts'
import { createMandateBook, type MandateBookOptions, MOST_OF_OWNER } from '../../../watcher/coordinator/mandateBook.ts'
import type { World } from '../../../watcher/court/types.ts'
import type { Court } from '../../../watcher/courtPort.ts'
import { ROUTE_STATUS } from '../../../watcher/routes.ts'
import { addMassExitRoutes } from '../../../watcher/routesMassExits.ts'
import { policyOf, readingsOf, worldAt } from '../court/world.ts'
import {
  type Actor,
  alice,
  at,
  bob,
  carol,
  createActor,
  createFakePeer,
  deposited,
  depositPosition,
  makeBlock,
  mallory,
  mandateOf,
  pay,
  SEPARATOR,
  submitted,
} from '../support/chain.ts'
import { createTestCore, openStore, PARAMETERS } from '../support/core.ts'
import { createFakeL1 } from '../support/l1.ts'

type Answer = Readonly<{
  results: readonly Readonly<{ state?: string; error?: { code: string } }>[]
  delegate: string
  mandates: readonly Readonly<{ revoked: boolean }>[]
  error: Readonly<{ code: string }>
  refused?: Readonly<{ code: string; got: string; want: string }>
}>
const readAnswer = async (response: Response) => (await response.json()) as Answer

const test = suite('watcher: mandates of a crowd')
const D0 = depositPosition(0, 0)
const D1 = depositPosition(0, 1)
const MEP = PARAMETERS.minExitPeriod
const MANY = 10n ** 18n

/** Bob has 60 and a deposit of 7, Alice 40, all final. Carol's key is the watcher's; its court binds ETH in mass exits, or none. */
async function createScene({ hasKey = true, isCoordinator = true } = {}) {
  const l1 = createFakeL1()
  const operator = createFakePeer('operator')
  l1.mine([deposited(D0, alice, 100n * MANY), deposited(D1, bob, 7n * MANY)])
  const payment = pay(alice, D0, [
    [bob, 60n * MANY],
    [alice, 40n * MANY],
  ])
  const block = makeBlock(1, 1, [payment])
  operator.serve(block)
  l1.mine([submitted([block], l1.now() + 12)])
  for (let i = 0; i < PARAMETERS.finalityBlocks + 2; i++) l1.mine([])
  const court: Court = {
    senders: new Set(),
    isCoordinator,
    tick: async () => undefined,
    explain: () => undefined,
    stop: async () => undefined,
  }
  const overrides = hasKey ? { sender: carol.address, createCourt: () => court } : {}
  const core = createTestCore({ l1, peers: [operator.peer], overrides })
  await core.tick()
  const door = createDoor({ name: 'watcher', version: '1', log: createSilentLog(), statusByCode: ROUTE_STATUS })
  addMassExitRoutes(door, core)
  const post = async (mandates: readonly unknown[]) => {
    const response = await door.app.request('/v1/mandates', {
      method: 'POST',
      body: JSON.stringify({ mandates }),
      headers: { 'content-type': 'application/json' },
    })
    return { status: response.status, body: await readAnswer(response) }
  }
  const get = async (path: string) => {
    const response = await door.app.request(path)
    return { status: response.status, body: await readAnswer(response) }
  }
  const now = core.facts.l1Now().timestamp
  const world = (changes: Partial<World> = {}): World => ({
    ...worldAt(0, {
      now: { ...core.facts.l1Now(), finalised: core.facts.l1Now().block },
      parameters: PARAMETERS,
      verifiedBlock: core.facts.verifiedBlock(),
      newestBlock: core.facts.newestBlock(),
      protectedOwners: new Set(),
      policy: policyOf({ sender: carol.address }),
      ...changes,
    }),
  })
  return { l1, core, door, post, get, now, world, mandates: core.coordinator.mandates }
}

function wordOf(owner: Actor, now: number, changes: Partial<Mandate> = {}, signer = owner) {
  return mandateOf(owner, { validFrom: now - 100, validUntil: now + 100 * MEP, ...changes }, signer)
}

const toJson = ({ mandate, signature }: ReturnType<typeof wordOf>) => {
  return { mandate: { ...mandate, minAmount: `${mandate.minAmount}`, maxFee: `${mandate.maxFee}` }, signature }
}

test('takes an owner’s word over HTTP, twice is once, and tells whom to name', async () => {
  const { post, get, now } = await createScene()
  const word = toJson(wordOf(bob, now))
  const first = await post([word, word])
  assert.equal(first.body.results, [{ state: 'added' }, { state: 'known' }])
  assert.is(first.body.delegate, carol.address)
  const { body } = await get(`/v1/mandates/${bob.address}`)
  assert.equal([body.mandates.length, body.mandates[0]?.revoked], [1, false])
})

test('refuses what it could not use, and takes the rest of the same call', async () => {
  const { post, now } = await createScene()
  const answer = await post(
    [
      wordOf(bob, now, {}, mallory),
      wordOf(bob, now, { delegate: mallory.address }),
      wordOf(bob, now, { validUntil: now - 1 }),
      wordOf(bob, now, { validFrom: now + 10, validUntil: now + 10 }),
      wordOf(alice, now),
    ].map(toJson),
  )
  assert.equal(
    answer.body.results.map((result) => result.state ?? result.error?.code),
    ['MANDATE_REFUSED', 'MANDATE_REFUSED', 'MANDATE_REFUSED', 'MANDATE_REFUSED', 'added'],
  )
  assert.is((await post(Array(101).fill(toJson(wordOf(bob, now))))).status, 400)
})

for (const { scene, got } of [
  { scene: { isCoordinator: false }, got: 'a budget of 0 for its own mass exits' },
  { scene: { hasKey: false }, got: 'a watcher without a key' },
]) {
  test(`takes no mandate that it would do nothing by, and says so to whoever asks: ${got}`, async () => {
    const { post, get, now, mandates } = await createScene(scene)
    const { body } = await post([toJson(wordOf(bob, now, { delegate: `0x${'00'.repeat(20)}` }))])
    assert.is(body.results[0]?.error?.code, 'MANDATES_NOT_TAKEN')
    assert.is(mandates.count(), 0)
    const { refused } = (await get(`/v1/mandates/${bob.address}`)).body
    assert.equal([refused?.code, refused?.got], ['MANDATES_NOT_TAKEN', got])
    assert.match(refused?.want ?? '', 'massExitBudget above 0')
  })
}

test('makes room for a new one by the one that ends first, but never by one that a batch may have to show', async () => {
  const { mandates, now } = await createScene()
  const words = Array.from({ length: MOST_OF_OWNER }, (_, i) => wordOf(bob, now, { validUntil: now + (i + 1) * MEP }))
  for (const [i, word] of words.entries()) mandates.add(word, i)
  mandates.add(wordOf(bob, now, { validUntil: now + 50 * MEP }), 9)
  const left = mandates.of(bob.address)
  assert.is(left.length, MOST_OF_OWNER)
  assert.not(left.some(({ mandate }) => mandate.validUntil === now + MEP))
  mandates.keep(
    left.map(({ digest }) => digest),
    now + MEP,
  )
  try {
    mandates.add(wordOf(bob, now, { validUntil: now + 60 * MEP }), 10)
    assert.unreachable()
  } catch (error) {
    assert.is(isLifeboatError(error) && error.code, 'MANDATE_REFUSED')
  }
})

test('a revoked series covers nothing more, answers for what started within MEP/8, and is forgotten in the end', async () => {
  const { l1, core, mandates, now } = await createScene()
  mandates.add(wordOf(bob, now), 1)
  const wanted = { owner: bob.address, position: at(1, 0), amount: 60n * MANY, from: now, until: now + 10 }
  assert.ok(mandates.covering(wanted))
  l1.mine([{ type: 'MandatesRevoked', owner: bob.address, epoch: 0 }])
  await core.tick()
  const revoked = core.rootLog.revokedAt(bob.address, 0)!
  assert.is(mandates.covering(wanted), undefined)
  const grace = Math.floor(MEP / 8)
  assert.ok(mandates.answering(wanted, revoked + grace))
  assert.is(mandates.answering(wanted, revoked + grace + 1), undefined)
  mandates.prune()
  assert.is(mandates.count(), 1)
})

test('whoever revokes a thousand series is told the truth about each of them, and no question costs more than one row', async () => {
  const { l1, core } = await createScene()
  const times = new Map<string, number>()
  const revoke = ({ address }: Actor, from: number, count: number) => {
    const series = Array.from({ length: count }, (_, i) => from + 2 * i)
    l1.mine(series.map((epoch) => ({ type: 'MandatesRevoked', owner: address, epoch })))
    for (const epoch of series) times.set(`${address} ${epoch}`, l1.now())
  }
  l1.mine([{ type: 'Credited', token: `0x${'00'.repeat(20)}`, account: bob.address, amount: 7n }])
  revoke(bob, 0, 500)
  revoke(alice, 1, 1)
  revoke(bob, 1_000, 500)
  await core.tick()
  const parse = JSON.parse
  let rows = 0
  JSON.parse = (...args) => {
    rows++
    return parse(...args)
  }
  try {
    for (const { address } of [alice, bob, carol])
      for (let epoch = 0; epoch < 2_002; epoch++) {
        rows = 0
        assert.is(core.rootLog.revokedAt(address, epoch), times.get(`${address} ${epoch}`))
        assert.ok(rows <= 1, `${rows} rows`)
      }
  } finally {
    JSON.parse = parse
  }
  l1.reorg(1)
  l1.mine()
  l1.mine()
  await core.tick()
  const asked = [998, 1_000].map((epoch) => core.rootLog.revokedAt(bob.address, epoch))
  assert.equal(asked, [times.get(`${bob.address} 998`), undefined])
})

test('a mandate covers a batch only if it lasts until the last moment at which that may start', async () => {
  const { mandates, now } = await createScene()
  mandates.add(wordOf(bob, now, { validUntil: now + 50, minAmount: 10n * MANY }), 1)
  const wanted = { owner: bob.address, position: at(1, 0), amount: 60n * MANY, from: now, until: now + 50 }
  assert.ok(mandates.covering(wanted))
  assert.is(mandates.covering({ ...wanted, until: now + 51 }), undefined)
  assert.is(mandates.covering({ ...wanted, amount: MANY }), undefined)
})

test('plans for those who gave their word, and after a halt for everybody whom it knows', async () => {
  const { core, mandates, now, world } = await createScene()
  mandates.add(wordOf(bob, now), 1)
  const live = core.coordinator.preview(world(), readingsOf())
  const outputs = [...live.batches.flatMap(({ entries }) => entries), ...live.singles].map(({ position }) => position)
  assert.equal(
    outputs.sort((a, b) => a - b),
    [at(1, 0), D1].sort((a, b) => a - b),
  )
  const halted = world({ voidFrom: 2, safety: { status: 'unsafe', reason: 'halted', block: 2, since: now } })
  const rescue = core.coordinator.preview(halted, readingsOf())
  assert.equal(
    rescue.batches.flatMap(({ entries }) => entries.map(({ position }) => position)).sort((a, b) => a - b),
    [at(1, 0), at(1, 0, 1)],
  )
  assert.equal(
    rescue.singles.map(({ position }) => position),
    [D1],
    'alone of its age, and with a mandate',
  )
  assert.ok(rescue.isDue)
})

test('what was decided on stays the same at the next look, and is no second time in another batch', async () => {
  const { core, now, world } = await createScene()
  const halted = world({ voidFrom: 2, safety: { status: 'unsafe', reason: 'halted', block: 2, since: now } })
  const keysOf = () =>
    core.coordinator.propose([], readingsOf(), halted).effects.map((effect) => 'key' in effect && effect.key)
  const first = keysOf()
  assert.is(first.length, 2, 'a deposit and a young block')
  assert.equal(keysOf(), first)
  assert.is(core.coordinator.drafts().length, 2)
})

test('an output of a block that is not final yet is left for later: a reorg could leave the batch without an answer', async () => {
  const { core, mandates, now, world } = await createScene()
  mandates.add(wordOf(bob, now), 1)
  const young = world({ now: { ...core.facts.l1Now(), finalised: 0 } })
  const { batches, singles, refused } = core.coordinator.preview(young, readingsOf())
  assert.equal([batches.length, singles.length], [0, 0])
  assert.equal(new Set(refused.map(({ reason }) => reason)), new Set(['not-final']))
})

test('says so where it can plan nothing: without a key that acts', async () => {
  const { get } = await createScene()
  const { status, body } = await get('/v1/mass-exits/plan')
  assert.equal([status, body.error.code], [503, 'PLAN_UNKNOWN'])
  assert.equal((await get('/v1/mass-exits')).body, { massExits: [] })
})

/** Mandates of so many owners, in the order in which they come; the watcher's clock is at `now.seconds`. */
function createBook(count: number, changes: Partial<MandateBookOptions> = {}) {
  const now = { seconds: 1_000 }
  const book = createMandateBook({
    db: openStore(),
    separator: SEPARATOR,
    sender: carol.address,
    revokedAt: () => undefined,
    l1Seconds: () => now.seconds,
    minExitPeriod: MEP,
    holds: () => false,
    ...changes,
  })
  const owners = Array.from({ length: count }, (_, i) => createActor(`owner ${i}`))
  for (const [i, owner] of owners.entries()) book.add(mandateOf(owner), i)
  return { book, now, owners }
}

test('when it is full, those who hold something stay, and a newcomer takes the place of one who holds nothing, however late that one came', () => {
  const holders = new Set(Array.from({ length: 300 }, (_, i) => createActor(`owner ${i}`).address))
  const { book, owners } = createBook(310, { most: 310, holds: (owner) => holders.has(owner) })
  assert.ok(book.add(mandateOf(bob), 1_000))
  assert.ok(book.has(bob.address))
  assert.ok(owners.slice(0, 300).every(({ address }) => book.has(address)))
})

test('owners who hold nothing are no more than it can ask about in every plan, whoever makes them; who came to something stays', () => {
  const holders = new Set<string>()
  const { book, owners } = createBook(0, { mostIdle: 10, holds: (owner) => holders.has(owner) })
  assert.is(owners.length, 0)
  const [early, late] = [createActor('early'), createActor('late')]
  book.add(mandateOf(early), 0)
  book.add(mandateOf(late), 0)
  holders.add(early.address)
  for (let i = 0; i < 50; i++) book.add(mandateOf(createActor(`stranger ${i}`)), i)
  assert.ok(book.has(early.address))
  assert.not.ok(book.has(late.address))
  assert.is(book.count(), 11)
})

test('what a batch may have to show is kept, whatever its owner holds now', () => {
  const { book } = createBook(0, { mostIdle: 1 })
  book.add(mandateOf(alice), 0)
  book.keep(
    book.of(alice.address).map(({ digest }) => digest),
    2_000,
  )
  for (let i = 0; i < 5; i++) book.add(mandateOf(createActor(`stranger ${i}`)), i)
  assert.ok(book.has(alice.address))
})

test('after a restart it finds those again who hold nothing', () => {
  const db = openStore()
  const many = { db, most: 1_000, mostIdle: 1_000 }
  createBook(300, many)
  const { book } = createBook(0, { ...many, mostIdle: 10 })
  for (let i = 0; i < 3; i++) book.prune()
  assert.is(book.count(), 10)
})

test('looks for revoked series a few at a time, and forgets them all in the end', () => {
  let revoked: number | undefined
  const asked: string[] = []
  const { book, now } = createBook(600, {
    revokedAt: (owner) => {
      asked.push(owner)
      return revoked
    },
  })
  revoked = 1_000
  now.seconds = 1_001 + MEP
  asked.length = 0
  book.prune()
  assert.ok(asked.length < 300, `${asked.length}`)
  for (let i = 0; i < 3; i++) book.prune()
  assert.is(book.count(), 0)
})

test('protected accounts are found by their owner, with every mandate', async () => {
  const { core, now } = await createScene()
  for (const [owner, epoch] of [
    [bob, 0],
    [bob, 1],
    [alice, 0],
  ] as const)
    core.protection.add({ owner: owner.address, ...wordOf(owner, now, { epoch }) }, 0)
  assert.equal(
    core.protection
      .of(bob.address)
      .map(({ mandate }) => mandate.epoch)
      .sort(),
    [0, 1],
  )
  assert.equal(
    core.protection.of(bob.address),
    core.protection.all().filter(({ owner }) => owner === bob.address),
  )
  assert.equal(core.protection.of(mallory.address), [])
})

test.run()
