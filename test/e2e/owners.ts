/** Two honest owners who are offline, and how they come to all of their money: Alice by her watcher, Bob by whoever takes him out. */
import * as assert from 'uvu/assert'
import type { Hostile } from '../../drill/faults/operator.ts'
import { ZERO_ADDRESS } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import { giveMandate } from '../../wallet/mandate.ts'
import { processDue } from '../../wallet/process.ts'
import { untilAlert, untilVerified } from './acts.ts'
import { takeOut } from './rescue.ts'
import { ETHER, type RunningWatcher, until, type WatcherOptions, type World } from './world.ts'

export type Owners = Readonly<{
  watcher: RunningWatcher
  /** Position of Bob's ether; Alice's two are the output after it. */
  paid: number
  /** The one that the watcher starts. */
  exitOfAlice(): Promise<Exit>
  /** Their exits, as soon as there is reason to leave. */
  leave(): Promise<readonly [ofAlice: Exit, ofBob: Exit]>
  /** Past the end of the exits: each owner has all of it, and Mallory nothing, least of all by the exit that she started. */
  assertPaid(exits: readonly Exit[], stolen?: Exit): Promise<void>
}>

/** Alice has 2 ether and a watcher that may take her out, Bob has 1 and a mandate for anyone; all blocks so far are verified. */
export async function settleOwners(world: World, hostile: Hostile, options: WatcherOptions = {}): Promise<Owners> {
  await world.fund('alice', 3n * ETHER)
  const { position: paid } = await world.pay('alice', 'bob', ETHER)
  const ofAlice = await giveMandate(await world.wallet('alice'), { delegate: world.accountOf('first').address })
  const ofBob = await giveMandate(await world.wallet('bob'), { delegate: ZERO_ADDRESS })
  const [alice, bob] = [world.accountOf('alice'), world.accountOf('bob')]
  const watcher = await world.startWatcher('first', {
    peers: [hostile.peer, world.peerOf(world.operator.url)],
    protectedAccounts: [{ owner: alice.address, ...ofAlice }],
    ...options,
    // What may be done by several is done at once.
    policy: { staggerSeconds: 0, ...options.policy },
  })
  await untilVerified(watcher)
  const thief = world.accountOf('mallory')
  const before = await Promise.all([alice, bob, thief].map(world.etherOf))

  async function exitOfAlice(): Promise<Exit> {
    await untilAlert(watcher, 'PROTECTED_EXIT_STARTED')
    const { facts } = watcher.watcher.core
    const own = await until('the exit of Alice', () =>
      facts.openExits().find(({ exit }) => exit.owner === alice.address),
    )
    return own.exit
  }

  return {
    watcher,
    paid,
    exitOfAlice,
    leave: async () => {
      return [
        await exitOfAlice(),
        await takeOut(world, world.accountOf('carol'), { position: paid, mandate: ofBob, watcher }),
      ]
    },
    assertPaid: async (exits, stolen) => {
      const all = stolen ? [...exits, stolen] : exits
      // Where the halt moved, what depends on it waits one period more at most.
      await world.passTo(Math.max(...all.map(({ exitableAt }) => exitableAt)) + world.parameters.minExitPeriod)
      const carol = await world.wallet('carol')
      await processDue(carol, 'owners')
      const statesOf = () => Promise.all(all.map(async ({ outputId }) => (await carol.root.exitRecord(outputId)).state))
      // A watcher may be giving a turn at this moment; a theft is removed as void, and only its lock is left.
      const want = [...exits.map(() => 'settled'), ...(stolen ? ['locked'] : [])].join()
      await until(`the exits in the states ${want}`, async () => (await statesOf()).join() === want)
      const after = await Promise.all([alice, bob, thief].map(world.etherOf))
      assert.equal(
        after.slice(0, 2).map((wei, i) => wei - before[i]!),
        [2n * ETHER, ETHER],
      )
      assert.ok(after[2]! <= before[2]!, 'nothing for the thief')
    },
  }
}
