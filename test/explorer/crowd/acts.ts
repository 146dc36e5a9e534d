/** The acts of a walk on the root contract, each told in words; what is refused throws `Reverted` and changed nothing. */

import { encodeDropRefuted, encodeInherit } from '../../../l1/disputeCalls.ts'
import {
  encodeDropStrike,
  encodeLockBatch,
  encodeProveLockedInBatch,
  encodeReclaimDemand,
} from '../../../l1/massExitContract.ts'
import {
  encodeCloseChain,
  encodeDepositEth,
  encodeDropEvidence,
  encodeRelease,
  encodeSettle,
  encodeStartDepositExit,
  encodeStartStandardExit,
} from '../../../l1/rootCalls.ts'
import { ZERO_HASH } from '../../../protocol/bytes.ts'
import type { Entry } from '../../../protocol/massExit.ts'
import { createOutput, type SignedTransaction } from '../../../protocol/transaction.ts'
import * as batch from '../../support/batchMoves.ts'
import * as disputes from '../../support/disputeMoves.ts'
import { freePlaces, haltAt as haltBy, memoOf, steal } from '../../support/haltMoves.ts'
import * as exits from '../../support/moves.ts'
import { type Actor, type ActorName, actors, type ChildBlock, ETH, Reverted } from '../../support/rootChain.ts'
import {
  type Coin,
  type Crowd,
  coinAt,
  createDeposit,
  createPayment,
  type Dispute,
  type Facts,
  type OpenExit,
  type Payment,
  type Place,
  placesOf,
  positionOf,
  shownAt,
} from './world.ts'

export const BOND_WEI = 10n ** 16n

const nameOf = ({ block, index }: Place) => `block ${block.number}:${index}`

export async function fund(facts: Facts, owner: Actor, amount: bigint): Promise<Coin> {
  const { events } = await facts.chain.send(actors.carol.account, encodeDepositEth(owner.address, amount))
  const made = events.find(({ type }) => type === 'Deposited') as { position: number }
  const coin = createDeposit(owner, amount, made.position, `d${facts.coins.length}`)
  facts.coins.push(coin)
  return coin
}

/** Signed by every owner of an input, and kept: nobody has to include it. */
export async function sign(
  facts: Facts,
  inputs: readonly Readonly<{ coin: Coin; position: number }>[],
  outputs: readonly (readonly [Actor, bigint])[],
): Promise<Payment> {
  const sorted = [...inputs].sort((a, b) => a.position - b.position)
  const transaction = {
    inputs: sorted.map(({ position }) => position),
    outputs: outputs.map(([owner, amount]) => createOutput(owner.address, ETH, amount)),
    memo: memoOf(`T${facts.payments.length}`),
  }
  const owners = sorted.map(({ coin }) => coin.owner)
  const signed = await facts.chain.sign(transaction, owners)
  return createPayment(
    facts,
    signed,
    sorted.map(({ coin }) => coin),
    outputs.map(([owner]) => owner),
  )
}

/** A block of these payments; with the theft of the bait behind them if it is to be bad. */
export async function submit(
  facts: Facts,
  payments: readonly Payment[],
  options: Readonly<{ bad: boolean; anchor: number }>,
): Promise<ChildBlock> {
  const { chain, bait, bad, blocks } = facts
  const list = payments.map(({ signed }) => signed)
  if (options.bad) list.push(await steal(chain, { position: bait.deposit }, blocks.length + 1))
  const block = await exits.submit(chain, list, options.anchor)
  blocks.push(block)
  if (options.bad) bad.add(block.number)
  for (const [index, payment] of payments.entries()) payment.places.push({ block, index })
  return block
}

/** A block whose only payment spends what the batch locked before the block's anchor. */
export async function submitLate(facts: Facts, payment: Payment, crowd: Crowd, index: number): Promise<string> {
  const block = await submit(facts, [payment], { bad: false, anchor: await facts.l1.l1Block() })
  const position = crowd.test.placed[index]?.position as number
  facts.bad.add(block.number)
  facts.late.set(block.number, { crowd, index, coin: crowd.names[index] as Coin, position })
  return `block ${block.number} spends what ${crowd.name} locked: ${payment.name}`
}

export async function closeChain({ chain }: Facts): Promise<string> {
  await chain.send(actors.operator.account, encodeCloseChain())
  return 'the operator closes the chain'
}

function placedAt({ chain }: Facts, { block, index }: Place) {
  const signed = block.transactions[index] as SignedTransaction
  return { ...disputes.includedIn(chain, block, index), signed }
}

export async function halt(facts: Facts, block: ChildBlock): Promise<string> {
  const late = facts.late.get(block.number)
  if (late) {
    const { crowd, index, coin, position } = late
    const { made } = placesOf(coin).find((one) => one.position === position) ?? {}
    const shown = made
      ? ({ kind: 'transaction', at: placedAt(facts, made) } as const)
      : ({ kind: 'deposit', deposit: { owner: coin.owner.address, token: ETH, amount: coin.amount } } as const)
    const offence = placedAt(facts, { block, index: 0 })
    const call = encodeProveLockedInBatch(offence, 0, shown, crowd.test.batch, batch.at(crowd.test, index))
    await facts.chain.send(actors.watcher.account, call)
    return `halt at ${block.number}, which spends what ${crowd.name} locked`
  }
  await haltBy(facts.chain, block)
  return `halt at ${block.number}`
}

export async function startExit(facts: Facts, coin: Coin, from: ActorName, made?: Place): Promise<string> {
  const mandate = facts.mandates.get(coin.owner)
  const position = positionOf(coin, made)
  const options = { bondWei: BOND_WEI, ...(mandate && { mandate }) }
  if (made === undefined) {
    const call = encodeStartDepositExit({ position, token: ETH, amount: coin.amount, ...options })
    await facts.chain.send(actors[from].account, call)
  } else {
    const shown = shownAt(facts, coin, position)
    if (shown.kind !== 'output') throw new TypeError('got a deposit, want a payment')
    await facts.chain.send(actors[from].account, encodeStartStandardExit({ position, shown, ...options }))
  }
  return `${from} starts the exit of ${coin.name}${made ? ` at ${nameOf(made)}` : ''}`
}

export async function startDispute(facts: Facts, payment: Payment, from: ActorName): Promise<string> {
  const { chain } = facts
  const inputs = payment.signed.transaction.inputs.map((position, i) => {
    const coin = payment.inputs[i] as Coin
    const { made } = placesOf(coin).find((one) => one.position === position) ?? {}
    return made ? disputes.madeIn(chain, made.block, made.index) : disputes.deposited(coin.owner, coin.amount)
  })
  // Which of them are open L1 knows: one too many is refused.
  const open = payment.inputs.flatMap((coin) => {
    const exit = facts.exits.findLast((one) => one.coin === coin && !one.isRemoved)
    return exit && coin.paid < coin.amount ? [exit.exit] : []
  })
  await disputes.startDispute(chain, payment.signed, inputs, { from: actors[from], exits: open })
  return `${from} disputes ${payment.name}`
}

export async function leaveByDispute(facts: Facts, dispute: Dispute, output: number, from: ActorName): Promise<string> {
  const coin = dispute.payment.outputs[output] as Coin
  const mandate = facts.mandates.get(coin.owner)
  const options = { from: actors[from], bondWei: BOND_WEI, ...(mandate && { mandate }) }
  await disputes.startDisputedExit(facts.chain, coin.owner, dispute.started, output, options)
  return `${from} takes ${coin.name} out through the dispute`
}

/** `rival`: a payment in no block where `at` is left out. */
export async function compete(facts: Facts, dispute: Dispute, rival: Payment, at?: Place, from: ActorName = 'watcher') {
  const included = at && disputes.includedIn(facts.chain, at.block, at.index)
  const options = { from: actors[from], ...(included && { included }) }
  await disputes.showCompetitor(facts.chain, dispute.started, rival.signed, options)
  return `${from} shows ${rival.name} ${at ? `in ${nameOf(at)}` : ''} against ${dispute.payment.name}`
}

export async function answer(facts: Facts, dispute: Dispute, at: Place, from: ActorName = 'watcher'): Promise<string> {
  await disputes.answer(
    facts.chain,
    dispute.started,
    disputes.includedIn(facts.chain, at.block, at.index),
    actors[from],
  )
  return `${from} answers that ${dispute.payment.name} is in ${nameOf(at)}`
}

export async function challenge(facts: Facts, { exit, coin }: OpenExit, spend: Place, from: ActorName = 'watcher') {
  const { chain } = facts
  const inputs = spend.block.transactions[spend.index]?.transaction.inputs ?? []
  if (exit.disputed === ZERO_HASH) {
    await exits.challenge(chain, exit, [spend.block, spend.index], { from: actors[from] })
  } else {
    const made = coin.maker?.places.find((one) => inputs.includes(positionOf(coin, one)))
    if (!made) throw new TypeError(`got no place of ${coin.name} that ${nameOf(spend)} spends`)
    const input = inputs.indexOf(positionOf(coin, made))
    const shown = disputes.includedIn(chain, made.block, made.index)
    await disputes.challengeByPlace(chain, exit, shown, [spend.block, spend.index, input], { from: actors[from] })
  }
  return `${from} shows the spend in ${nameOf(spend)} against the exit of ${coin.name}`
}

export async function startCrowd(
  facts: Facts,
  entries: readonly Entry[],
  from: ActorName,
  honest: boolean,
): Promise<Crowd> {
  const { chain, blocks, crowds } = facts
  const last = Math.floor((entries.at(-1)?.position ?? 0) / 2 ** 25)
  const lastBlock = blocks[last - 1]
  const options = { from: actors[from], bondWei: 10n ** 16n, ...(lastBlock && { lastBlock }) }
  const test = await batch.startBatch(chain, entries, options)
  const crowd: Crowd = {
    test,
    name: `batch ${crowds.length}`,
    from,
    honest,
    names: entries.map(({ position, amount }) => {
      const coin = coinAt(facts, position)
      return coin?.amount === amount ? coin : null
    }),
    demands: new Map(),
    strikes: new Map(),
    state: 'started',
    lockedAt: 0,
    removals: 0,
  }
  crowds.push(crowd)
  return crowd
}

export async function demand({ chain }: Facts, { test, name }: Crowd, index: number, from: ActorName): Promise<string> {
  await batch.demand(chain, test, index, actors[from])
  return `${from} demands entry ${index} of ${name}`
}

export async function answerDemand(facts: Facts, { test, name }: Crowd, index: number): Promise<string> {
  const position = test.placed[index]?.position as number
  const coin = coinAt(facts, position) ?? facts.bait
  const mandate = facts.mandates.get(coin.owner)
  const shown = shownAt(facts, coin, position)
  await batch.answer(facts.chain, test, mandate ? [index, shown, mandate] : [index, shown])
  return `the demand of entry ${index} of ${name} is answered`
}

export async function dissolve({ chain }: Facts, { test, name }: Crowd, index: number | null): Promise<string> {
  await batch.dissolve(chain, test, index)
  return `${name} is dissolved`
}

export async function reclaim({ chain }: Facts, { test, name }: Crowd, index: number): Promise<string> {
  await chain.send(actors.carol.account, encodeReclaimDemand(test.batch, index))
  return `the demand of entry ${index} of ${name} is reclaimed`
}

export async function lock({ chain }: Facts, { test, name }: Crowd): Promise<string> {
  await chain.send(actors.carol.account, encodeLockBatch(test.batch))
  return `${name} is locked`
}

export async function strike(facts: Facts, { test, name }: Crowd, position: number, spend: Place, from: ActorName) {
  const { chain } = facts
  await batch.strike(chain, test, [batch.spendAt(chain, spend.block, spend.index, position)], actors[from])
  return `${from} strikes ${coinAt(facts, position)?.name} in ${name} by ${nameOf(spend)}`
}

export async function dropStrike({ chain }: Facts, { test, name }: Crowd, key: string): Promise<string> {
  const [position = '', owner = ''] = key.split(' ')
  const call = encodeDropStrike(test.batch, Number(position), owner as `0x${string}`)
  await chain.send(actors.carol.account, call)
  return `a strike of ${name} is dropped`
}

/** Where the entry's output stands, or anything that shows that it names none. */
function entryOf(facts: Facts, { test }: Crowd, index: number) {
  const position = test.placed[index]?.position as number
  const coin = coinAt(facts, position)
  if (coin) return shownAt(facts, coin, position)
  const { header } = facts.blocks[Math.floor(position / 2 ** 25) - 1] as ChildBlock
  return { kind: 'beyond', header } as const
}

export async function open(facts: Facts, crowd: Crowd, index: number): Promise<string> {
  await batch.openEntry(facts.chain, crowd.test, index, entryOf(facts, crowd, index), actors.carol)
  return `entry ${index} of ${crowd.name} is opened`
}

export async function placeEntry(facts: Facts, crowd: Crowd, index: number, { exit }: OpenExit): Promise<string> {
  await batch.placeEntry(facts.chain, crowd.test, index, exit)
  return `entry ${index} of ${crowd.name} gets its place`
}

export async function adopt(facts: Facts, crowd: Crowd, index: number, { exit, coin }: OpenExit): Promise<string> {
  await batch.adoptExit(facts.chain, crowd.test, [index, entryOf(facts, crowd, index), exit])
  return `entry ${index} of ${crowd.name} adopts the exit of ${coin.name}`
}

export async function releaseEntry(facts: Facts, crowd: Crowd, index: number): Promise<string> {
  await batch.releaseEntry(facts.chain, crowd.test, index, entryOf(facts, crowd, index))
  return `the share of entry ${index} of ${crowd.name} is freed`
}

export async function claim(facts: Facts, crowd: Crowd, indexes: readonly number[]): Promise<string> {
  await batch.claim(
    facts.chain,
    crowd.test,
    indexes.map((index) => [index, entryOf(facts, crowd, index)] as const),
  )
  return `entries ${indexes.join(', ')} of ${crowd.name} are claimed`
}

export async function close({ chain }: Facts, { test, name }: Crowd) {
  const { events } = await batch.closeBatch(chain, test)
  const told = events.find(({ type }) => type === 'BatchClosed') as { returned: bigint }
  return { text: `${name} is closed`, returned: told.returned }
}

/** Everything that is due has its turn, by whoever brings it all. */
export async function turn({ chain, exits: open, crowds, blocks }: Facts): Promise<string> {
  const items = crowds.flatMap(({ test }) => (test.item ? [test.item] : []))
  const own = open.filter(({ exit }) => exit.seq < 2 ** 39).map(({ exit }) => exit)
  const first = open.flatMap(({ pieces }) => pieces.slice(0, 1).map(({ spend }) => spend.block))
  await exits.process(chain, exits.turnsOf([...own, ...items], blocks, [...new Set(first)]))
  return 'what is due has its turn'
}

export async function settle({ chain }: Facts, { exit, coin }: OpenExit): Promise<string> {
  await chain.send(actors.carol.account, encodeSettle([exit]))
  return `the exit of ${coin.name} is settled`
}

function shownPiece({ chain }: Facts, { spend, names }: OpenExit['pieces'][number], exit: OpenExit['exit']) {
  const { position, header, proof } = disputes.includedIn(chain, spend.block, spend.index)
  const txHash = chain.hashed(spend.block.transactions)[spend.index]?.txHash
  const hex = `0x${Buffer.from(txHash as Uint8Array).toString('hex')}` as const
  return { spend: position, place: names || exit.position, names, header, included: { txHash: hex, proof } }
}

export async function release(facts: Facts, { exit, coin }: OpenExit, piece?: OpenExit['pieces'][number]) {
  const { names: _, ...evidence } = piece ? shownPiece(facts, piece, exit) : { names: 0 }
  const call = piece ? encodeRelease(exit, evidence as never) : encodeRelease(exit)
  await facts.chain.send(actors.carol.account, call)
  return `the exit of ${coin.name} is released`
}

export async function drop(facts: Facts, { exit, coin }: OpenExit, piece: OpenExit['pieces'][number]): Promise<string> {
  const { spend, place } = shownPiece(facts, piece, exit)
  await facts.chain.send(actors.carol.account, encodeDropEvidence(exit.outputId, spend, place))
  return `evidence against ${coin.name} is dropped`
}

export async function dropRefuted(facts: Facts, { exit, coin }: OpenExit, piece: OpenExit['pieces'][number]) {
  const { names: _, ...evidence } = shownPiece(facts, piece, exit)
  await facts.chain.send(actors.carol.account, encodeDropRefuted(exit.outputId, evidence as never))
  return `refuted evidence against ${coin.name} is dropped`
}

export async function decide(facts: Facts, { started, competitors, answers, payment }: Dispute) {
  const places = (list: readonly Place[]) => list.slice(1).map(({ block, index }) => exits.place(block, index))
  const pieces = { competitors: places(competitors), answers: places(answers) }
  const { verdict } = await disputes.decide(facts.chain, started, pieces)
  return { text: `${payment.name} is judged ${verdict}`, verdict }
}

/** Throws Reverted where there is nothing to free. */
export async function freeLeft(facts: Facts): Promise<string> {
  const count = await freePlaces(facts.chain)
  if (count === 0) throw new Reverted('NothingToDo', [])
  return `${count} places that were given up are free`
}

export async function inherit(facts: Facts, { started, payment }: Dispute, input: number, output: number) {
  const coin = payment.outputs[output] as Coin
  // Where the output has left already any exit will do.
  const own = facts.exits.findLast((one) => one.coin === coin && !one.isRemoved) ?? facts.exits[0]
  if (!own) throw new Reverted('ExitMissing', [])
  const call = encodeInherit(started, started.signed.transaction, { input, output, exit: own.exit })
  await facts.chain.send(actors.carol.account, call)
  return `${coin.name} inherits from ${payment.inputs[input]?.name}`
}
