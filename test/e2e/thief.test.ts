/** A spent output exits. One of two watchers challenges by itself, within its window, at no loss; the thief is not paid, the owner is. */
import { suite } from 'uvu'
import { assertCovered, assertPunished, challenges, steal } from './theft.ts'
import { inWorld, l1Kinds } from './world.ts'

const test = suite('story: thief')

for (const l1 of l1Kinds()) {
  test(
    `a thief is challenged by one of two watchers, at no loss, and not paid (${l1})`,
    inWorld({ l1 }, async (world) => {
      const watchers = [await world.startWatcher('first'), await world.startWatcher('second')]
      const before = new Map(
        await Promise.all(watchers.map(async (one) => [one, await world.etherOf(one.account)] as const)),
      )
      const exit = await steal(world)
      await assertPunished(world, exit, watchers)
      const [shown] = await challenges(world, exit)
      const challenger = watchers.find(({ account }) => account.address === shown?.challenger)
      if (challenger) await assertCovered(world, challenger, before.get(challenger) ?? 0n)
    }),
  )
}

test.run()
