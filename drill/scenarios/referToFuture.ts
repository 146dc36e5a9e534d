/** An input that does not exist yet (docs/spec.md section 4, V2). */
import { futureInput } from '../faults/forgeries.ts'
import { playForged } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

export const referToFuture: Scenario = {
  name: 'refer-to-future',
  title: 'A reference to the future',
  story:
    'The operator commits a payment that spends an output which only comes later; the watchers prove it, the chain ends before it, and everybody leaves in full.',
  needs: [],
  owners: OWNERS,
  run: (world, settled) =>
    playForged(world, settled, futureInput, 'commits a payment out of an output that comes later'),
}
