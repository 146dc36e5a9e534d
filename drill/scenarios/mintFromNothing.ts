/** The operator mints (docs/spec.md section 4, V5). */
import { mintedMoney } from '../faults/forgeries.ts'
import { playForged } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

export const mintFromNothing: Scenario = {
  name: 'mint-from-nothing',
  title: 'Money out of nothing',
  story:
    'The operator commits a block that makes a million ether of one; the watchers prove it, the chain ends before it, and everybody leaves in full.',
  needs: [],
  owners: OWNERS,
  run: (world, settled) => playForged(world, settled, mintedMoney, 'commits a block that makes a million of one'),
}
