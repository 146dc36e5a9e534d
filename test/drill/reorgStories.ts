/** Stories with reorgs at chosen depths, and with a finality that tests have the time for. */
import * as assert from 'uvu/assert'
import type { Reorg, ReorgPlan } from '../../drill/faults/reorg.ts'
import type { Branch } from '../../drill/l1.ts'
import type { DrillRecord } from '../../drill/record.ts'
import { runScenario } from '../../drill/run.ts'
import type { Scenario } from '../../drill/scenario.ts'
import type { Settled } from '../../drill/settle.ts'
import type { World } from '../../drill/world.ts'
import { assertPassed } from './assertPassed.ts'

/** The deepest reorg that these stories survive. */
export const FINALITY = 16

type Play = (world: World, plan: ReorgPlan, settled: Settled) => Promise<void>

/** One reorg for each step, in their order. Throws when there are more steps than reorgs. */
export function reorgStory(scenario: Scenario, play: Play, reorgs: readonly Reorg[]): Scenario {
  return {
    ...scenario,
    parameters: { ...scenario.parameters, finalityBlocks: FINALITY },
    run: (world, settled) => {
      const left = [...reorgs]
      const plan = () => {
        const next = left.shift()
        if (!next) throw new Error('a step without a reorg')
        return next
      }
      return play(world, plan, settled)
    },
  }
}

/** The reorgs that a record tells of. A reorg may have to go deeper than planned, where a step is not taken at once. */
export function faultsOf({ timeline }: DrillRecord): Reorg[] {
  return timeline.flatMap(({ actor, kind, text }) => {
    const told = /^replaces (\d+) blocks after .*; what was in them is (\w+)$/.exec(text)
    return actor === 'L1' && kind === 'fault' && told ? [{ depth: Number(told[1]), branch: told[2] as Branch }] : []
  })
}

const KINDS = {
  forgotten: { depth: FINALITY, branch: 'forgotten' },
  reversed: { depth: FINALITY - 1, branch: 'reversed' },
  returned: { depth: 1, branch: 'returned' },
} as const satisfies Readonly<Record<Branch, Reorg>>

/** A reorg of each kind in turn: as deep as finality, one less, and shallow. */
export function kindsFor(steps: number, first: 'forgotten' | 'reversed'): readonly Reorg[] {
  const { forgotten, reversed, returned } = KINDS
  const kinds = first === 'forgotten' ? [forgotten, reversed, returned] : [reversed, forgotten, returned]
  return Array.from({ length: steps }, (_, step) => kinds[step % kinds.length] ?? returned)
}

/** Throws with what it is that did not hold. */
export async function pass(scenario: Scenario, seed: number): Promise<DrillRecord> {
  const record = await runScenario(scenario, { seed })
  assertPassed(record)
  return record
}

/** Each reorg came, at its step, at least as deep as planned, and took blocks back that the drill had seen. */
export function assertReplaced(record: DrillRecord, reorgs: readonly Reorg[]): void {
  const told = faultsOf(record)
  assert.equal(
    told.map(({ branch }) => branch),
    reorgs.map(({ branch }) => branch),
  )
  const seen = record.timeline.filter(({ kind, text }) => kind === 'note' && / replaced$/.test(text))
  assert.is(seen.length, reorgs.length)
  for (const [i, { depth }] of told.entries()) assert.ok(depth >= (reorgs[i]?.depth ?? Number.POSITIVE_INFINITY))
}
