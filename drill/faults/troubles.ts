/** What may go wrong besides: of L1, of what a watcher reads it through, of the watchers themselves. By name; each of them leaves one watcher able to act. */
import type { AlertCode } from '../../watcher/alerts.ts'
import type { World } from '../world.ts'
import { giveBadEndpoint } from './badEndpoint.ts'
import { createCongestion } from './congestion.ts'
import { createFeeSpike } from './fees.ts'
import type { Mischief } from './l1Proxy.ts'

/** Resolves when it has begun, with what ends it. */
export type Trouble = (world: World) => Promise<() => Promise<void>>

const FEE_FACTOR = 100n
/** Each of them raises the base fee by an eighth: tenfold in all. */
const FULL_BLOCKS = 20
const TIP_WEI = 5n * 10n ** 9n
const DAY_MS = 86_400_000
/** Of a watcher that has to count the silence about a block as well: it does so only while its view of L1 is fresh. */
const PATIENCE = { silence: 20, headAge: 60 }

const lasting = async () => undefined

export const TROUBLES: Readonly<Record<string, Trouble>> = {
  'nothing else': async () => lasting,
  'L1 fees rise a hundredfold': dearL1,
  'L1 blocks are full': async (world) => {
    await createCongestion(world, { blocks: FULL_BLOCKS, tipWei: TIP_WEI })
    return lasting
  },
  'one watcher is off': async ({ watchers: [, other] }) => {
    await other.stop()
    return () => other.start()
  },
  'the watchers’ clocks are a day off': async ({ watchers }) => {
    for (const [i, watcher] of watchers.entries()) {
      await watcher.stop()
      await watcher.start({ now: () => Date.now() + (i === 0 ? DAY_MS : -DAY_MS) })
    }
    return lasting
  },
  'a watcher’s endpoint is dead': badEndpoint('silent', 'L1_ENDPOINT_LAGS'),
  'a watcher’s endpoint hides events': badEndpoint('hide-logs'),
  'a watcher’s endpoint stands still': badEndpoint('stand-still', 'L1_ENDPOINT_LAGS'),
}

async function dearL1(world: World): Promise<() => Promise<void>> {
  const { end } = await createFeeSpike(world, FEE_FACTOR)
  // Bonds are sized by the newest block.
  await world.mine(1)
  return async () => end()
}

/** `told`: what the watcher says of it before anything else happens. One that lies about events it can only find out by events. */
function badEndpoint(mischief: Mischief, told?: AlertCode): Trouble {
  return async (world) => {
    const proxy = await giveBadEndpoint(world, PATIENCE)
    proxy.turn(mischief)
    if (told) await world.watchers[0].untilAlert(told)
    return lasting
  }
}
