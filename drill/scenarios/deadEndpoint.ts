/** An endpoint that answers nothing. */
import { playBadEndpoint } from '../faults/badEndpoint.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

export const deadEndpoint: Scenario = {
  name: 'l1-dead',
  title: 'An L1 endpoint that is dead',
  story:
    'The first L1 endpoint of a watcher dies before a theft starts; the watcher says so, goes on with its second, and challenges.',
  needs: ['time-travel'],
  owners: OWNERS,
  run: (world) => playBadEndpoint(world, { mischief: 'silent', alert: 'L1_ENDPOINT_LAGS', company: 'alone' }),
}
