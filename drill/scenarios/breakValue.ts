/** Value that moves between tokens (docs/spec.md section 4, V5). */
import { swappedToken } from '../faults/forgeries.ts'
import { playForged } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

export const breakValue: Scenario = {
  name: 'break-value',
  title: 'One token turned into another',
  story:
    'The operator commits a payment whose outputs are of another token than its input; the watchers prove it, the chain ends before it, and everybody leaves in full.',
  needs: [],
  owners: OWNERS,
  run: (world, settled) => playForged(world, settled, swappedToken, 'commits a payment that turns ether into tokens'),
}
