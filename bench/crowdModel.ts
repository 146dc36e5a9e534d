/**
 * A crowd that wants out of the chain at once, block by block of L1: who gets in, at what fee. Pure and deterministic. A way out is a row of
 * stages; each transaction of a stage, once mined, calls for those of the next, after a delay. Time 0 is the block before the first.
 */
import { bondFeeGwei } from '../protocol/exit.ts'
import { BLOCK_GAS, nextBaseFee, type Rest, usualGas } from './crowdFee.ts'

const GWEI = 10n ** 9n

/** Transactions alike. `ownersEach` is how many owners one of them serves. */
export type Load = Readonly<{ count: number; gasEach: number; ownersEach: number }>

export type Stage = Readonly<{
  name: string
  /** Blocks that must pass after the stage before. */
  delayBlocks: number
  /** Bids up to the ceiling; what is not urgent waits for a patient fee. */
  urgent: boolean
  /** What transactions of the stage before call for. */
  follow(before: Load): Load
  /** Gas of the bond of one transaction at F, if it posts one. */
  bondGas?(ownersEach: number): bigint
}>

export type Way = Readonly<{ first: readonly Load[]; stages: readonly Stage[] }>

export type World = Readonly<{
  /** Of each block, what exits can get: above 0, at most 1. */
  share: number
  /** Base fee before the crowd, and what a quiet L1 returns to. */
  startFeeWei: bigint
  rest: Rest
  /** Nobody bids more. */
  ceilingWei: bigint
  /** What is not urgent bids at most so much. */
  patientWei: bigint
  /** How long a rest that bids does so. */
  rushBlocks: number
}>

export type StageResult = Readonly<{
  name: string
  /** Block of its last transaction. */
  lastBlock: number
  transactions: number
  owners: number
  gas: number
  costWei: bigint
  bondWei: bigint
  highestFeeWei: bigint
  /** Longest time that one was ready and not in. */
  longestWaitBlocks: number
  /** Most gas that all stages had in one block up to the end of this one. */
  mostGasInBlock: number
}>

type Waiting = { at: number; load: Load; left: number }
type Running = {
  stage: Stage
  queue: Waiting[]
  head: number
  result: { -readonly [K in keyof StageResult]: StageResult[K] }
}

/** A fee this near to the usual one (a thousandth) is the usual one: nothing happens until something is ready. */
const NEAR = 1_000n

/** Throws a RangeError for a world in which somebody would wait for ever. */
export function simulate(way: Way, world: World): StageResult[] {
  if (world.startFeeWei > world.patientWei || world.startFeeWei > world.ceilingWei) {
    throw new RangeError(`base fee: got ${world.startFeeWei} wei, want at most the ceilings`)
  }
  const allowance = Math.floor(world.share * BLOCK_GAS)
  const running = way.stages.map(createRunning)
  for (const load of way.first) enqueue(running[0] as Running, load, 1)
  assertFits(way, allowance)
  // Who has a deadline first: locks before starts; then turns, then claims.
  const order = [
    ...running.filter(({ stage }) => stage.urgent).reverse(),
    ...running.filter(({ stage }) => !stage.urgent),
  ]
  let fee = world.startFeeWei
  let block = 1
  let mostGas = 0
  while (running.some(isWaiting)) {
    const ready = Math.min(...running.map((run) => run.queue[run.head]?.at ?? Number.POSITIVE_INFINITY))
    if (ready > block && isQuiet(fee, block, world)) {
      fee = world.startFeeWei
      block = ready
    }
    let used = 0
    for (const run of order) {
      if (fee > (run.stage.urgent ? world.ceilingWei : world.patientWei)) continue
      const gas = mine(run, { block, fee, room: allowance - used }, running[running.indexOf(run) + 1])
      used += gas
      mostGas = Math.max(mostGas, used)
      if (gas > 0) run.result.mostGasInBlock = mostGas
    }
    fee = nextBaseFee(fee, used + restGas(fee, { block, used }, world))
    block++
  }
  return running.map(({ result }) => result)
}

function mine(run: Running, at: { block: number; fee: bigint; room: number }, next: Running | undefined): number {
  const { stage, queue, result } = run
  let room = at.room
  for (let item = queue[run.head]; item && item.at <= at.block; item = queue[run.head]) {
    const count = Math.min(item.left, Math.floor(room / item.load.gasEach))
    if (count === 0) break
    const mined = { ...item.load, count }
    const gas = count * item.load.gasEach
    room -= gas
    item.left -= count
    if (item.left === 0) run.head++
    result.lastBlock = at.block
    result.transactions += count
    result.owners += count * mined.ownersEach
    result.gas += gas
    result.costWei += BigInt(gas) * at.fee
    if (at.fee > result.highestFeeWei) result.highestFeeWei = at.fee
    result.longestWaitBlocks = Math.max(result.longestWaitBlocks, at.block - item.at)
    result.bondWei += BigInt(count) * (stage.bondGas?.(mined.ownersEach) ?? 0n) * feeReference(at.fee)
    if (next) enqueue(next, next.stage.follow(mined), at.block + next.stage.delayBlocks)
  }
  return at.room - room
}

/** F (docs/spec.md 8.2.2) while the base fee is not falling, in wei. */
export function feeReference(feeWei: bigint): bigint {
  return bondFeeGwei(0n, 0n, feeWei) * GWEI
}

function restGas(fee: bigint, { block, used }: { block: number; used: number }, world: World): number {
  const left = BLOCK_GAS - used
  if (isRush(block, world) && fee <= world.ceilingWei) return left
  return Math.min(left, usualGas(fee, world.startFeeWei))
}

function isRush(block: number, { rest, rushBlocks }: World): boolean {
  return rest === 'bids' && block <= rushBlocks
}

function isQuiet(fee: bigint, block: number, world: World): boolean {
  const off = fee > world.startFeeWei ? fee - world.startFeeWei : world.startFeeWei - fee
  return !isRush(block, world) && off * NEAR <= world.startFeeWei
}

function isWaiting(run: Running): boolean {
  return run.head < run.queue.length
}

function enqueue(run: Running, load: Load, at: number): void {
  run.queue.push({ at, load, left: load.count })
}

function createRunning(stage: Stage): Running {
  const result = {
    name: stage.name,
    lastBlock: 0,
    transactions: 0,
    owners: 0,
    gas: 0,
    costWei: 0n,
    bondWei: 0n,
    highestFeeWei: 0n,
    longestWaitBlocks: 0,
    mostGasInBlock: 0,
  }
  return { stage, queue: [], head: 0, result }
}

/** What never fits a block's share would wait for ever. */
function assertFits({ first, stages }: Way, allowance: number): void {
  for (const load of first) {
    let next = load
    for (const [i, stage] of stages.entries()) {
      if (i > 0) next = stage.follow(next)
      if (next.gasEach > allowance) {
        throw new RangeError(
          `${stage.name}: got a transaction of ${next.gasEach} gas, want at most ${allowance} a block`,
        )
      }
    }
  }
}
