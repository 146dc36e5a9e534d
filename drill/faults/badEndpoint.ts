/** A theft while the first L1 endpoint of one watcher is bad. */
import { connectEndpoint } from '../../l1/endpoint.ts'
import type { AlertCode } from '../../watcher/alerts.ts'
import type { World } from '../world.ts'
import { createL1Proxy, type L1Proxy, type Mischief } from './l1Proxy.ts'
import { assertChallenged, endTheft, steal } from './theft.ts'

/** Seconds of L1 of silence after which a watcher says that an endpoint lags, and the greatest age of its newest block. */
export type Patience = Readonly<{ silence: number; headAge: number }>

const LITTLE: Patience = { silence: 2, headAge: 20 }

export type Company = 'alone' | 'beside another'

/** The first watcher reads L1 through an endpoint that may turn bad, and has a second. It has verified all blocks when it resolves. */
export async function giveBadEndpoint(world: World, { silence, headAge }: Patience = LITTLE): Promise<L1Proxy> {
  const { watchers, l1, recorder } = world
  const [watcher] = watchers
  const proxy = await createL1Proxy(world.stage)
  await watcher.stop()
  const second = await connectEndpoint({ url: l1.url, expectedChainId: l1.chainId })
  await watcher.start({
    endpoints: [proxy.endpoint, second],
    maxL1SilenceSeconds: silence,
    maxHeadAgeSeconds: headAge,
    // L1 time is moved by hand: its clock goes along.
    now: () => recorder.now().time * 1000,
  })
  await watcher.untilVerified()
  return proxy
}

/** The watcher tells, and the theft is challenged: by it where it is alone, by either of the two where it is not. */
export async function playBadEndpoint(
  world: World,
  { mischief, alert, company }: Readonly<{ mischief: Mischief; alert?: AlertCode; company: Company }>,
): Promise<void> {
  const [watcher, other] = world.watchers
  const proxy = await giveBadEndpoint(world)
  if (company === 'alone') await other.stop()
  const exit = await steal(world, async () => {
    world.fault('L1', `the first endpoint of ${watcher.name}: ${mischief}`)
    proxy.turn(mischief)
  })
  if (alert) {
    await watcher.untilAlert(alert)
    world.find('L-1', true, `${watcher.name} told ${alert}`)
  }
  await assertChallenged(world, exit)
  await endTheft(world, exit)
}
