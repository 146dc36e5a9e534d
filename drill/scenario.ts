/** A scenario of a drill: what is broken on purpose, what it needs of the L1, and how it is played. */
import type { Parameters } from '../protocol/parameters.ts'
import type { Care } from './actors.ts'
import type { Settled } from './settle.ts'
import type { World } from './world.ts'

export type Need =
  /** Periods are jumped over many times: too slow in real time. */
  | 'time-travel'
  /** Blocks of L1 are replaced by decree, and their transactions come back. */
  | 'reorgs'
  /** L1 fees are set by decree. */
  | 'fees'

export type Scenario = Readonly<{
  /** On the command line: lower case, hyphens. */
  name: string
  title: string
  /** One sentence: what is broken on purpose, and what must come out. */
  story: string
  needs: readonly Need[]
  /** How many honest owners it can be played with; the first is the default. */
  owners: Readonly<{ default: number; min: number; max: number }>
  /** Other periods than a drill's; where time can be moved. */
  parameters?: Partial<Parameters>
  /** How many of the watchers have bonds to spend on mass exits: the first, or both. None when left out: they take owners out one by one. */
  coordinators?: 1 | 2
  /** Who may take which owner out, by place, and again from the first; as drills have it when left out. */
  cares?: readonly Care[]
  /** Events that programs may log as errors here. */
  expectedErrors?: readonly string[]
  /** From a world in which everybody has paid and was paid. Throws when it does not come to its end: the drill has failed then. */
  run(world: World, settled: Settled): Promise<void>
}>

export const OWNERS = { default: 3, min: 3, max: 40 } as const

/** What an L1 can do beyond Ethereum. */
export type Ability = Readonly<{ canTravel: boolean; canReorg: boolean }>

/** What is missing on this L1; empty where it can be played. */
export function missingFor({ needs }: Scenario, { canTravel, canReorg }: Ability): readonly Need[] {
  return needs.filter((need) => (need === 'reorgs' ? !canReorg : !canTravel))
}
