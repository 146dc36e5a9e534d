/**
 * The end of a walk: anybody does everything that can be done, in a random order, until nothing changes, however far time goes on. Owners who have no way out yet
 * take one then. So an honest owner who is short at the end is short for ever.
 */
import * as acts from './acts.ts'
import { owed, verdictOf } from './judge.ts'
import { type Dice, passTo, tryTo, type Walk } from './walk.ts'
import { standingPlace } from './watcher.ts'
import { dueOf, type OpenExit } from './world.ts'

const MOST_ROUNDS = 16
/** A share that nobody comes for is free three periods after the verdict could be had (docs/spec.md 6.2.3). */
const IDLE_ROUNDS = 5
const MOST_PASSES = 12

export async function playOut(walk: Walk, dice: Dice): Promise<void> {
  const { facts } = walk
  const mep = facts.chain.parameters.minExitPeriod
  for (let round = 0, idle = 0; round < MOST_ROUNDS && idle < IDLE_ROUNDS; round++) {
    const before = await progressOf(walk)
    await passTo(walk, Math.max(facts.l1.now() + mep, latestOf(walk)) + 1, dice)
    await pushAll(walk, dice)
    await takeOut(walk)
    idle = before === (await progressOf(walk)) ? idle + 1 : 0
  }
}

/** The last moment at which anything that is known now becomes due. */
function latestOf({ facts }: Walk): number {
  const times = [
    ...facts.exits.map(({ exit }) => exit.exitableAt),
    ...facts.crowds.map(({ test }) => test.item?.exitableAt ?? 0),
    ...facts.disputes.map(({ started }) => started.dispute.exitableAt),
  ]
  return dueOf(facts, Math.max(0, ...times))
}

async function progressOf({ facts, log }: Walk): Promise<string> {
  const open = facts.disputes.filter(({ verdict }) => verdict === 'running').length
  return `${log.length} ${facts.coins.reduce((sum, { paid }) => sum + paid, 0n)} ${open}`
}

async function pushAll(walk: Walk, dice: Dice): Promise<void> {
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const before = walk.log.length
    // At random first; what nothing was done about in a random pass is done in the next.
    await push(walk, dice, pass > 0)
    if (pass > 0 && walk.log.length === before) return
  }
}

/** One time everything, in a random order of kinds. */
async function push(walk: Walk, dice: Dice, isThorough: boolean): Promise<void> {
  const { facts } = walk
  const { exits, crowds, disputes } = facts
  const open = () => exits.filter(({ isRemoved }) => !isRemoved)
  const kinds: (() => Promise<unknown>)[] = [
    async () => {
      for (const exit of open()) {
        for (const piece of [...exit.pieces]) {
          await tryTo(walk, () => acts.drop(facts, exit, piece))
          if (verdictOf(facts, spender(walk, piece)) === 'not-canonical')
            await tryTo(walk, () => acts.dropRefuted(facts, exit, piece))
        }
      }
    },
    async () => {
      for (const crowd of crowds)
        for (const key of crowd.strikes.keys()) await tryTo(walk, () => acts.dropStrike(facts, crowd, key))
    },
    async () => {
      for (const dispute of disputes) if (dispute.verdict === 'running') await tryTo(walk, () => judge(walk, dispute))
    },
    () => tryTo(walk, () => acts.turn(facts)),
    async () => {
      for (const exit of open()) {
        // Also what was paid already: its own place may wait to be freed (docs/spec.md 6.2.3).
        await tryTo(walk, () => acts.settle(facts, exit))
      }
    },
    async () => {
      for (const exit of open()) {
        await tryTo(walk, () => acts.release(facts, exit))
        for (const piece of exit.pieces) await tryTo(walk, () => acts.release(facts, exit, piece))
      }
    },
    () => tryTo(walk, () => acts.freeLeft(facts)),
    async () => {
      for (const dispute of disputes) {
        if (dispute.verdict !== 'canonical') continue
        for (const input of dispute.payment.inputs.keys())
          for (const output of dispute.payment.outputs.keys())
            await tryTo(walk, () => acts.inherit(facts, dispute, input, output))
      }
    },
  ]
  for (const crowd of crowds) {
    const { names, test, state } = crowd
    if (state === 'started') {
      for (const [index, isOpen] of crowd.demands) {
        if (isOpen) kinds.push(() => tryTo(walk, () => acts.dissolve(facts, crowd, index)))
      }
      kinds.push(() => tryTo(walk, () => acts.dissolve(facts, crowd, null)))
    }
    if (state === 'dissolved') {
      for (const [index, isOpen] of crowd.demands) {
        if (isOpen)
          kinds.push(() =>
            tryTo(walk, async () => {
              const told = await acts.reclaim(facts, crowd, index)
              crowd.demands.set(index, false)
              return told
            }),
          )
      }
    }
    if (!test.item) continue
    for (const [index, coin] of names.entries()) {
      const own = () => exits.filter((exit) => coin !== null && exit.coin === coin && !exit.isRemoved)
      kinds.push(async () => {
        if (dice(4) > 0 || isThorough) await tryTo(walk, () => acts.claim(facts, crowd, [index]))
        if (dice(2) === 0 || walk.opensAll || isThorough) await tryTo(walk, () => acts.open(facts, crowd, index))
        for (const exit of own()) {
          await tryTo(walk, () => acts.placeEntry(facts, crowd, index, exit))
          await tryTo(walk, () => acts.adopt(facts, crowd, index, exit))
        }
        await tryTo(walk, () => acts.releaseEntry(facts, crowd, index))
      })
    }
    if (names.length > 1) kinds.push(() => tryTo(walk, () => acts.claim(facts, crowd, [...names.keys()])))
  }
  for (let left = kinds.length; left > 0; left--) {
    const [kind] = kinds.splice(dice(left), 1)
    await kind?.()
  }
}

function spender({ facts }: Walk, { spend }: OpenExit['pieces'][number]) {
  const { block, index } = spend
  return facts.payments.find(({ places }) => places.some((at) => at.block === block && at.index === index)) ?? null
}

async function judge(walk: Walk, dispute: Walk['facts']['disputes'][number]): Promise<string> {
  return walk.judge(dispute)
}

/** Owners of what stands and has no exit take it out by themselves. */
async function takeOut(walk: Walk): Promise<void> {
  const { facts } = walk
  for (const coin of facts.coins) {
    if (owed(facts, coin) === coin.paid) continue
    const made = coin.maker && standingPlace(facts, coin.maker.places)
    const dispute = facts.disputes.find(({ payment, verdict }) => payment === coin.maker && verdict === 'canonical')
    if (coin.maker === null || made) await tryTo(walk, () => acts.startExit(facts, coin, 'watcher', made ?? undefined))
    if (dispute) await tryTo(walk, () => acts.leaveByDispute(facts, dispute, coin.output, 'watcher'))
  }
}
