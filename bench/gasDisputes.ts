/** Gas of an in-flight exit's calls and of its whole life (docs/spec.md section 6.3), with inputs from full blocks. */
import {
  encodeAnswerDispute,
  encodeChallengeByPlace,
  encodeDecide,
  encodeShowCompetitor,
  encodeStartDispute,
  encodeStartDisputedExits,
  type InputShown,
} from '../l1/disputeCalls.ts'
import { encodeProcessExits, encodeStartDepositExit, type IncludedAt, type RootCall } from '../l1/rootCalls.ts'
import type { RootEvent, StartedDispute } from '../l1/rootEvents.ts'
import { ZERO_HASH } from '../protocol/bytes.ts'
import type { Exit } from '../protocol/exit.ts'
import { encodePosition } from '../protocol/position.ts'
import { createOutput, type SignedTransaction } from '../protocol/transaction.ts'
import { deposit, ETHER, passTo, turnsOf } from '../test/support/moves.ts'
import { type Actor, actors, ETH, eventOf, exitOf, type RootChain } from '../test/support/rootChain.ts'
import { type FullBlock, type Gas, proofAt, submitFull } from './gasBlocks.ts'

const { alice, bob, mallory, watcher, carol, dave } = actors

type World = Readonly<{ chain: RootChain; gas: Gas }>

/** Payments of 1 in 2 out in a full block, whose outputs are the inputs of what is disputed. */
async function makeInputs(chain: RootChain, count: number): Promise<FullBlock> {
  const payments: SignedTransaction[] = []
  for (let i = 0; i < count; i++) {
    payments.push(
      await chain.pay(alice, await deposit(chain, alice), [
        [alice, ETHER / 2n],
        [bob, ETHER / 2n],
      ]),
    )
  }
  return submitFull(chain, payments, 3_001)
}

function shownIn(block: FullBlock, i: number): InputShown {
  const signed = block.transactions[i] as SignedTransaction
  return { transaction: signed.transaction, header: block.header, proof: proofAt(block, i * 3_001, signed) }
}

function includedIn(block: FullBlock): IncludedAt {
  const position = encodePosition({ block: block.number, index: 0, output: 0 })
  return { position, header: block.header, proof: proofAt(block, 0, block.transactions[0] as SignedTransaction) }
}

const outputOf = (block: FullBlock, i: number) => encodePosition({ block: block.number, index: i * 3_001, output: 0 })

/** A payment of `inputs` outputs of Alice's, from the block's transaction `from` on, in equal parts. */
async function payOf(
  chain: RootChain,
  block: FullBlock,
  [from, inputs, payees]: readonly [number, number, readonly Actor[]],
) {
  const part = ((ETHER / 2n) * BigInt(inputs)) / BigInt(payees.length)
  const outputs = payees.map(({ address }) => createOutput(address, ETH, part))
  const positions = Array.from({ length: inputs }, (_, i) => outputOf(block, from + i))
  const owners = positions.map(() => alice)
  return chain.sign({ inputs: positions, outputs, memo: ZERO_HASH }, owners)
}

/** The gas of a sent call, counted into the life that is measured. */
function createMeter({ chain, gas }: World) {
  let life = 0
  return {
    /** Of all calls so far. */
    life: () => life,
    send: async (from: Actor, call: RootCall, key?: string) => {
      const sent = await chain.send(from.account, call)
      const used = Number(sent.receipt.gasUsed)
      life += used
      if (key) gas[key] ??= used
      return sent
    },
  }
}
type Meter = ReturnType<typeof createMeter>

async function start(
  { chain }: World,
  meter: Meter,
  signed: SignedTransaction,
  [inputs, key]: readonly [readonly InputShown[], string?],
): Promise<StartedDispute> {
  const bondWei = (await chain.read<bigint>('disputeBond', [BigInt(inputs.length)])) * 2n
  const sent = await meter.send(dave, encodeStartDispute({ signed, inputs, exits: [], bondWei }), key)
  return eventOf(sent.events, 'DisputeStarted')
}

/** The payee of both outputs takes them out in the call that starts the dispute. */
async function startAndLeave({ chain }: World, meter: Meter, signed: SignedTransaction, inputs: readonly InputShown[]) {
  const bondWei = (await chain.read<bigint>('disputeBond', [BigInt(inputs.length)])) * 2n
  const leaving = { outputs: [0, 1], bondWeiEach: (await chain.read<bigint>('exitBond')) * 2n }
  const call = encodeStartDispute({ signed, inputs, exits: [], bondWei, leaving })
  const { events } = await meter.send(bob, call, 'startInFlightExit_2in2out_bothLeaving')
  return { started: eventOf(events, 'DisputeStarted'), exits: startedExits(events) }
}

function startedExits(events: readonly RootEvent[]): Exit[] {
  return events.flatMap((event) => (event.type === 'ExitStarted' ? [event.exit] : []))
}

async function exitThrough(
  world: World,
  meter: Meter,
  started: StartedDispute,
  [owner, outputs]: readonly [Actor, readonly number[]],
): Promise<Exit[]> {
  const bondWei = (await world.chain.read<bigint>('exitBond')) * 2n * BigInt(outputs.length)
  const { dispute, signed } = started
  const call = encodeStartDisputedExits({ dispute, transaction: signed.transaction, outputs, bondWei })
  const { events } = await meter.send(
    owner,
    call,
    `exitThroughDispute${outputs.length === 1 ? '' : `_${outputs.length}`}`,
  )
  return events.flatMap((event) => (event.type === 'ExitStarted' ? [event.exit] : []))
}

async function finish(
  { chain }: World,
  meter: Meter,
  started: StartedDispute,
  [exits, block]: readonly [readonly Exit[], FullBlock],
) {
  await passTo(chain, Math.max(started.dispute.exitableAt, ...exits.map(({ exitableAt }) => exitableAt)) + 1)
  await meter.send(bob, encodeDecide(started), 'decide')
  const turns = { ...turnsOf(exits), youngBlocks: exits.some(({ young }) => young) ? [block.header] : [] }
  await meter.send(bob, encodeProcessExits(exits.length, turns), 'processExitsThroughDispute_2')
}

type Owners = 'oneOwner' | 'twoOwners'

/** The outputs' owners start the dispute and leave through it, one by one or in the same call, and ask for the verdict and the turns. */
async function undisputedLife(world: World, block: FullBlock, owners: Owners): Promise<number> {
  const meter = createMeter(world)
  const { startAll } = await payment(world, block, owners)
  const { started, exits } = await startAll(meter)
  await finish(world, meter, started, [exits, block])
  return meter.life()
}

/** The same, but somebody shows a double spend that is in no block, and is answered with the inclusion. */
async function disputedLife(world: World, block: FullBlock, owners: Owners): Promise<number> {
  const { chain } = world
  const meter = createMeter(world)
  const { signed, startAll } = await payment(world, block, owners)
  const included = await submitFull(chain, [signed], 1)
  const { started, exits } = await startAll(meter)
  const rival = await payOf(chain, block, [0, 1, [bob, carol]])
  const competitor = { signed: rival, input: 0, spends: 0 }
  await meter.send(mallory, encodeShowCompetitor(started, competitor), 'challengeNonCanonical')
  await meter.send(watcher, encodeAnswerDispute(started.dispute, includedIn(included)), 'answerNonCanonical')
  await finish(world, meter, started, [exits, block])
  return meter.life()
}

async function payment(world: World, block: FullBlock, owners: Owners) {
  const payees = owners === 'oneOwner' ? [bob, bob] : [bob, carol]
  const signed = await payOf(world.chain, block, [0, 2, payees])
  const inputs = [shownIn(block, 0), shownIn(block, 1)]
  const startAll = async (meter: Meter) => {
    if (owners === 'oneOwner') return startAndLeave(world, meter, signed, inputs)
    const started = await start(world, meter, signed, [inputs, 'startInFlightExit_2in2out'])
    const first = await exitThrough(world, meter, started, [bob, [0]])
    return { started, exits: [...first, ...(await exitThrough(world, meter, started, [carol, [1]]))] }
  }
  return { signed, startAll }
}

/** What is included speaks louder and costs more: a competitor in a block, and a spend of an output that exits through the dispute. */
async function includedPieces(world: World, block: FullBlock): Promise<void> {
  const { chain } = world
  const meter = createMeter(world)
  const rival = await payOf(chain, block, [0, 1, [bob, carol]])
  const theirs = await submitFull(chain, [rival], 1)
  const reveal = chain.parameters.dataChallengePeriod + chain.parameters.dataResponsePeriod
  await passTo(chain, theirs.header.timestamp + reveal)
  const disputed = await payOf(chain, block, [0, 1, [bob]])
  const started = await start(world, meter, disputed, [[shownIn(block, 0)], 'startInFlightExit_1in1out'])
  const competitor = { signed: rival, input: 0, spends: 0, included: includedIn(theirs) }
  const shown = await meter.send(watcher, encodeShowCompetitor(started, competitor), 'challengeNonCanonical_included')
  world.gas['challengeNonCanonical_included_rewardPerGasGwei'] = rewardPerGas(
    eventOf(shown.events, 'CompetitorShown').reward,
    shown.receipt.gasUsed,
  )
  const paid = await payOf(chain, block, [1, 1, [bob]])
  const made = await submitFull(chain, [paid], 1)
  const next = await chain.pay(bob, outputOf(made, 0), [
    [carol, ETHER / 4n],
    [dave, ETHER / 4n],
  ])
  const spend = await submitFull(chain, [next], 1)
  const second = await start(world, meter, paid, [[shownIn(block, 1)]])
  const [exit] = (await exitThrough(world, meter, second, [bob, [0]])) as [Exit]
  const { position, header, proof } = includedIn(spend)
  const challenge = { exit, spend: position, signed: next, header, proof, input: 0 }
  const call = encodeChallengeByPlace(challenge, exit.disputed, includedIn(made))
  const challenged = await meter.send(watcher, call, 'challengeExitThroughDispute')
  world.gas['challengeExitThroughDispute_rewardPerGasGwei'] = rewardPerGas(
    eventOf(challenged.events, 'EvidenceShown').reward,
    challenged.receipt.gasUsed,
  )
}

/** The worst shape: 16 inputs from 16 transactions. */
async function wide(world: World, block: FullBlock): Promise<void> {
  const { chain } = world
  const meter = createMeter(world)
  const signed = await payOf(chain, block, [0, 16, Array.from({ length: 16 }, () => bob)])
  const inputs = Array.from({ length: 16 }, (_, i) => shownIn(block, i))
  const started = await start(world, meter, signed, [inputs, 'startInFlightExit_16in16out'])
  await passTo(chain, started.dispute.exitableAt + 1)
  await meter.send(carol, encodeDecide(started), 'decide_16in')
}

function rewardPerGas(reward: bigint, gasUsed: bigint): number {
  return Number(reward / gasUsed / 10n ** 7n) / 100
}

export async function measureDisputes(chain: RootChain, gas: Gas): Promise<void> {
  const world = { chain, gas }
  // The first life of a chain also writes slots that every later one finds written.
  const old = exitOf((await chain.send(alice.account, await depositExit(chain))).events)
  await passTo(chain, old.exitableAt + 1)
  await chain.send(carol.account, encodeProcessExits(1, turnsOf([old])))
  await undisputedLife({ chain, gas: {} }, await makeInputs(chain, 2), 'twoOwners')
  gas['inFlightLife_2in2out'] = await undisputedLife(world, await makeInputs(chain, 2), 'oneOwner')
  gas['inFlightLife_2in2out_twoOwners'] = await undisputedLife(world, await makeInputs(chain, 2), 'twoOwners')
  gas['inFlightLifeDisputed_2in2out'] = await disputedLife(world, await makeInputs(chain, 2), 'oneOwner')
  gas['inFlightLifeDisputed_2in2out_twoOwners'] = await disputedLife(world, await makeInputs(chain, 2), 'twoOwners')
  await includedPieces(world, await makeInputs(chain, 2))
  await wide(world, await makeInputs(chain, 16))
}

async function depositExit(chain: RootChain): Promise<RootCall> {
  const bondWei = (await chain.read<bigint>('exitBond')) * 2n
  return encodeStartDepositExit({ position: await deposit(chain, alice), token: ETH, amount: ETHER, bondWei })
}
