/** Whoever fills a mass exit with what concerns nobody must not hide what does: looked at are a few of each kind, and only of those to be acted on. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RootEventBody } from '../../l1/rootEvents.ts'
import { openedExit, placeEntries } from '../../protocol/massExit.ts'
import { depositIdOf } from '../../protocol/position.ts'
import type { StrikeEntries } from '../../watcher/court/batchActions.ts'
import { STRIKES_PER_CALL } from '../../watcher/court/batchRules.ts'
import type { CourtContext } from '../../watcher/courtPort.ts'
import { courtOf } from '../../watcher/driver.ts'
import { decideBatches } from '../../watcher/driverBatches.ts'
import { policyOf, readingsOf, worldAt } from './court/world.ts'
import { batchOf, lockOf } from './support/batches.ts'
import {
  bob,
  carol,
  createFakePeer,
  deposited,
  depositPosition,
  makeBlock,
  mallory,
  pay,
  submitted,
} from './support/chain.ts'
import { createTestCore, PARAMETERS } from './support/core.ts'
import { createFakeL1 } from './support/l1.ts'

const test = suite('watcher: crowded mass exits')
const MOST = 4 * STRIKES_PER_CALL

test('spent entries that the thief opened first do not keep the one behind them from being struck', async () => {
  const l1 = createFakeL1()
  const operator = createFakePeer('operator')
  let massExits: CourtContext['massExits']
  const core = createTestCore({
    l1,
    peers: [operator.peer],
    overrides: {
      sender: carol.address,
      createCourt: (context) => {
        massExits = context.massExits
        const policy = policyOf({ sender: carol.address })
        return courtOf({ policy, rootContract: `0x${'cc'.repeat(20)}`, readL1: async () => readingsOf() })(context)
      },
    },
  })
  const positions = Array.from({ length: MOST + 1 }, (_, i) => depositPosition(0, i))
  l1.mine(positions.map((position) => deposited(position, mallory, 1n)))
  const block = makeBlock(
    1,
    l1.tip().number,
    positions.map((position) => pay(mallory, position, [[bob, 1n]])),
  )
  operator.serve(block)
  l1.mine([submitted([block], l1.now() + 12)])
  const entries = positions.map((position) => ({ position, amount: 1n }))
  const start = batchOf(l1, entries)
  l1.mine([start])
  const lock = lockOf(l1, start)
  l1.mine([lock])
  const opened = placeEntries(entries)
    .slice(0, MOST)
    .map((entry): RootEventBody => {
      const outputId = depositIdOf(entry.position)
      const { batchId } = start
      return {
        type: 'ExitStarted',
        exit: openedExit({
          batchId,
          item: lock.item,
          entry,
          outputId,
          owner: mallory.address,
          openedAt: 0,
          minExitPeriod: 0,
        }),
      }
    })
  l1.mine(opened)
  await core.tick()
  const world = worldAt(0, {
    now: core.facts.l1Now(),
    parameters: PARAMETERS,
    verifiedBlock: core.facts.verifiedBlock(),
    newestBlock: core.facts.newestBlock(),
    protectedOwners: new Set(),
    policy: policyOf({ sender: carol.address }),
  })
  const strikes = massExits!
    .plan(world, readingsOf())
    .filter((effect): effect is StrikeEntries => effect.type === 'strike-entries')
  assert.equal(
    strikes.flatMap(({ struck }) => struck.map(({ fact }) => fact.entry.position)),
    [positions[MOST]],
  )
  core.log.assertNoErrors()
})

test('a mass exit whose entries can’t be read keeps no other from being struck', async () => {
  const l1 = createFakeL1()
  const operator = createFakePeer('operator')
  let context: CourtContext | undefined
  const core = createTestCore({
    l1,
    peers: [operator.peer],
    overrides: {
      sender: carol.address,
      createCourt: (given) => {
        context = given
        const policy = policyOf({ sender: carol.address })
        return courtOf({ policy, rootContract: `0x${'cc'.repeat(20)}`, readL1: async () => readingsOf() })(given)
      },
    },
  })
  const positions = [depositPosition(0, 0), depositPosition(0, 1)] as const
  l1.mine(positions.map((position) => deposited(position, mallory, 1n)))
  const block = makeBlock(
    1,
    l1.tip().number,
    positions.map((position) => pay(mallory, position, [[bob, 1n]])),
  )
  operator.serve(block)
  l1.mine([submitted([block], l1.now() + 12)])
  const starts = positions.map((position) => batchOf(l1, [{ position, amount: 1n }]))
  l1.mine(starts)
  l1.mine(starts.map((start) => lockOf(l1, start)))
  const { entryFact } = core.facts
  const broken = starts[0]?.batchId
  Object.assign(core.facts, {
    entryFact: (...[batchId, entry]: Parameters<typeof entryFact>) => {
      if (batchId === broken) throw new RangeError('got garbage')
      return entryFact(batchId, entry)
    },
  })
  await core.tick()
  const world = worldAt(0, {
    now: core.facts.l1Now(),
    parameters: PARAMETERS,
    verifiedBlock: core.facts.verifiedBlock(),
    newestBlock: core.facts.newestBlock(),
    protectedOwners: new Set(),
    policy: policyOf({ sender: carol.address }),
  })
  const effects = decideBatches(context!, readingsOf(), world)
  const about = effects.flatMap((effect) => {
    if (effect.type === 'alert') return [`${effect.code} ${effect.key}`]
    return effect.type === 'strike-entries' ? [`strike ${effect.record.batchId}`] : []
  })
  assert.equal(about, [`INTERNAL_FAULT ${broken}`, `strike ${starts[1]?.batchId}`])
  assert.ok(core.codes().includes('INTERNAL_FAULT'))
  assert.ok(core.log.of('court.batch_unreadable').length > 0)
})

test.run()
