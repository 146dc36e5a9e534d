/** L1 takes back the block of a step, and what stands on it, at the moment the step was taken. */
import type { RootEvent } from '../../l1/rootEvents.ts'
import { bug, isLifeboatError } from '../../protocol/errors.ts'
import type { Exit } from '../../protocol/exit.ts'
import type { Parameters } from '../../protocol/parameters.ts'
import type { Person } from '../actors.ts'
import type { Branch } from '../l1.ts'
import { assertMayHarm } from '../permission.ts'
import { until } from '../until.ts'
import type { World } from '../world.ts'

/** What a person is told whose act was replaced while she looked at it. Her outbox goes on with it. */
const BLOCK_GONE = new Set(['BLOCK_UNKNOWN', 'L1_ACT_OPEN', 'DEPOSIT_VANISHED', 'EXIT_VANISHED'])

export type Reorg = Readonly<{
  /** Blocks to replace, the step's among them; more when the step is not among so many. */
  depth: number
  branch: Branch
}>

export type Step = Readonly<{
  /** In words, for the timeline. */
  what: string
  /** An event of the step. The first that was not there before is the step taken. */
  taken(event: RootEvent): boolean
  /** Whoever takes the step. */
  act(): Promise<unknown>
}>

/**
 * A step that a program takes, or makes others take: blocks come one by one until it is taken, then it is buried and replaced. Resolves
 * with what stands when it stands again and all programs have come to the new chain. Throws DRILL_TIMEOUT, and what the act throws.
 */
export async function reorgAt(world: World, step: Step, reorg: Reorg): Promise<RootEvent> {
  const { result, stands } = await takeBack(world, step, reorg)
  await result.catch((error: unknown) => {
    if (!isBlockGone(error)) throw error
  })
  return stands()
}

/** The act goes on, on the other chain. */
export function isBlockGone(error: unknown): boolean {
  return isLifeboatError(error) && BLOCK_GONE.has(error.code)
}

/** A step that somebody takes by hand, beside every outbox: what is forgotten he sends again. Resolves with what stands. */
export async function reorgByHand(world: World, step: Step, reorg: Reorg): Promise<RootEvent> {
  const { stands } = await takeBack(world, step, reorg)
  if (reorg.branch === 'forgotten') await step.act()
  return stands()
}

/** The act as it goes on, and what waits for its event to stand. */
type Taken = Readonly<{ result: Promise<unknown>; stands(): Promise<RootEvent> }>

async function takeBack(world: World, { what, taken, act }: Step, { depth, branch }: Reorg): Promise<Taken> {
  assertMayHarm(world.deployment)
  const { l1, recorder, timeoutMs } = world
  await recorder.pull()
  const count = recorder.events().filter(taken).length
  const look = async () => {
    await recorder.pull()
    return recorder.events().filter(taken)[count]
  }
  const resume = await l1.holdBlocks()
  try {
    const result = act()
    // The caller awaits it, or does not care; meanwhile a failure must not count as unhandled.
    result.catch(() => undefined)
    const { at } = await until(
      `the step to be taken: ${what}`,
      async () => {
        await world.mine(1)
        return look()
      },
      // The act may jump in time first, which takes programs a while to follow.
      2 * timeoutMs,
    )
    const buried = (await world.now()).block - at.l1Block + 1
    if (buried < depth) await world.mine(depth - buried)
    // A block that nobody has seen takes nothing back with it.
    await untilCaughtUp(world)
    await recorder.pull()
    const blocks = Math.max(buried, depth)
    world.fault('L1', `replaces ${blocks} blocks after ${what}; what was in them is ${branch}`)
    await l1.replaceBlocks(blocks, branch)
    await world.mine(1)
    const stands = async () => {
      const event = await until(`${what} to stand again`, look, timeoutMs)
      await untilCaughtUp(world)
      return event
    }
    return { result, stands }
  } finally {
    await resume()
  }
}

/** All programs have seen the head as it is now. */
export async function untilCaughtUp(world: World): Promise<void> {
  const { operator, watchers } = world
  const { block } = await world.now()
  const heads = () => watchers.filter((one) => one.isRunning()).map((one) => one.watcher().core.facts.l1Now().block)
  const operatorAt = () => (world.operatorRuns() ? operator.status().l1Block : block)
  await until(
    () => `all to come to block ${block}; the operator is at ${operatorAt()}, watchers at ${heads().join()}`,
    () => heads().every((at) => at >= block) && operatorAt() >= block,
    world.timeoutMs,
  )
}

/** At which depths and how, step by step. */
export type ReorgPlan = () => Reorg

const BRANCHES: readonly Branch[] = ['returned', 'forgotten', 'reversed']
/** L1 blocks until one is final where reorgs are played, and so the deepest reorg that everybody promises to survive. */
export const REORG_FINALITY = 64
/** An anchor lies as deep as finality, may be buried as deep again by what is replaced, and has to be young enough then. */
export const REORG_PARAMETERS: Partial<Parameters> = {
  finalityBlocks: REORG_FINALITY,
  anchorAgeBlocks: 160,
  minExitPeriod: 1_920,
}
const DEPTHS = [1, 2, 5, 16, 33, REORG_FINALITY - 1, REORG_FINALITY] as const

/** Chosen by the seed for each step. */
export function planBySeed({ random }: Pick<World, 'random'>): ReorgPlan {
  return () => ({ depth: random.pick(DEPTHS), branch: random.pick(BRANCHES) })
}

/** Somebody's newest exit, of that output where one is named, as it stands on L1 now: after a reorg it may have started at another time. */
export function standing(
  { recorder }: Pick<World, 'recorder'>,
  { name, address }: Pick<Person, 'name' | 'address'>,
  position?: number,
): Exit {
  const found = recorder
    .events()
    .findLast(
      (event) =>
        event.type === 'ExitStarted' &&
        event.exit.owner === address &&
        (position === undefined || event.exit.position === position),
    )
  if (found?.type !== 'ExitStarted')
    throw bug('EXIT_MISSING', 'no exit stands on L1', { got: 'none', want: `an exit of ${name}` })
  return found.exit
}
