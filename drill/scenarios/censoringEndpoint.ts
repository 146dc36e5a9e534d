/** An endpoint that takes transactions and passes none on. */
import { playBadEndpoint } from '../faults/badEndpoint.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

export const censoringEndpoint: Scenario = {
  name: 'l1-censors',
  title: 'An L1 endpoint that swallows transactions',
  story:
    'The first L1 endpoint of the only watcher takes its transactions and passes none on; they go to its second too, and a theft is challenged in time.',
  needs: ['time-travel'],
  owners: OWNERS,
  run: (world) => playBadEndpoint(world, { mischief: 'censor', company: 'alone' }),
}
