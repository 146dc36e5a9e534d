/** An endpoint that shows the past. */
import { playBadEndpoint } from '../faults/badEndpoint.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

export const laggingEndpoint: Scenario = {
  name: 'l1-lags',
  title: 'An L1 endpoint that stands still',
  story:
    'The first L1 endpoint of a watcher stands still while a theft starts; the watcher says that it is looking at the past, and the theft is challenged in time.',
  needs: ['time-travel'],
  owners: OWNERS,
  run: (world) => playBadEndpoint(world, { mischief: 'stand-still', alert: 'L1_ENDPOINT_LAGS', company: 'alone' }),
}
