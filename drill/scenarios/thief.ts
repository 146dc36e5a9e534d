/** A user exits an output that she has spent (docs/spec.md section 5.2). */
import { assertChallenged, endTheft, steal } from '../faults/theft.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

export const thief: Scenario = {
  name: 'thief',
  title: 'A spent output exits',
  story:
    'A thief exits an output that she has spent; a watcher shows the spend, she is not paid and loses her bond, and the chain goes on.',
  needs: [],
  owners: OWNERS,
  run: async (world) => {
    const exit = await steal(world)
    await assertChallenged(world, exit)
    await endTheft(world, exit)
  },
}
