/** The operator lets the thief spend twice (docs/spec.md section 4, V3). */
import { doubleSpend } from '../faults/forgeries.ts'
import { playForged } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

export const doubleSpendBlock: Scenario = {
  name: 'double-spend',
  title: 'A double spend in a block',
  story:
    'The operator commits a block that spends an output a second time; the watchers prove it, the chain ends before it, and everybody leaves in full.',
  needs: [],
  owners: OWNERS,
  run: (world, settled) => playForged(world, settled, doubleSpend, 'commits a block that spends an output again'),
}
