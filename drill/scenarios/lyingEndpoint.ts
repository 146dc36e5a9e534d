/** An endpoint that hides events (docs/spec.md, "Reading L1"). */
import { playBadEndpoint } from '../faults/badEndpoint.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

export const lyingEndpoint: Scenario = {
  name: 'l1-lies',
  title: 'An L1 endpoint that lies',
  story:
    'The first L1 endpoint of a watcher hides the events of a theft; the watcher finds it out by the headers, goes on with its second, and challenges.',
  needs: ['time-travel'],
  owners: OWNERS,
  run: (world) => playBadEndpoint(world, { mischief: 'hide-logs', alert: 'L1_ENDPOINT_LIED', company: 'alone' }),
}
