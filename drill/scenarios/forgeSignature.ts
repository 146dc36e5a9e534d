/** The operator takes what it likes (docs/spec.md section 4, V4). */
import { forgedSignature } from '../faults/forgeries.ts'
import { playForged } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

export const forgeSignature: Scenario = {
  name: 'forge-signature',
  title: 'A forged signature',
  story:
    'The operator commits a payment of a victim that the thief signed; the watchers prove it, the chain ends before it, and everybody leaves in full.',
  needs: [],
  owners: OWNERS,
  run: (world, settled) => playForged(world, settled, forgedSignature, 'commits a payment that its owner never signed'),
}
