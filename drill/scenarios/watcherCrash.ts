/** The only watcher dies between sending its challenge and seeing it mined, and is started again on its files. */
import { assertChallenged, endTheft, steal } from '../faults/theft.ts'
import { OWNERS, type Scenario } from '../scenario.ts'
import { until } from '../until.ts'

export const watcherCrash: Scenario = {
  name: 'watcher-crash',
  title: 'A watcher dies in the middle of a challenge',
  story:
    'The only watcher dies between sending its challenge and seeing it mined; started again it challenges once, and the thief is not paid.',
  needs: ['time-travel'],
  owners: OWNERS,
  run: async (world) => {
    const { l1, watchers } = world
    const [watcher, other] = watchers
    const sent = async (tag: string) => Number(await l1.request('eth_getTransactionCount', [watcher.address, tag]))
    const exit = await steal(world, async () => {
      await other.stop()
      await watcher.stop()
      // It acts at once: L1 stands still while it is waited for.
      await watcher.start({ policy: { staggerSeconds: 0 } })
      await watcher.untilVerified()
    })
    // From here on L1 stands still, unless the challenge made it into the block before.
    await l1.request('evm_setIntervalMining', [0])
    await until('the challenge to be sent', async () => (await sent('pending')) > 0)
    await watcher.stop()
    world.note(watcher.name, 'dies, its challenge in the air')
    await watcher.start()
    await l1.request('evm_setIntervalMining', [1])
    await assertChallenged(world, exit)
    await endTheft(world, exit)
    const count = world.recorder
      .events()
      .filter((event) => event.type === 'EvidenceShown' && event.outputId === exit.outputId).length
    world.find('L-2', count === 1, `the challenge took effect ${count === 1 ? 'once' : `${count} times`}`)
  },
}
