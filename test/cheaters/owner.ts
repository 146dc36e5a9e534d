/** How people leave: owners alone, by the dispute of what they have in flight, or together with a coordinator. */
import { encodeStartDepositExit, encodeStartStandardExit } from '../../l1/rootCalls.ts'
import type { Exit } from '../../protocol/exit.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { startBatch, type TestBatch } from '../support/batchMoves.ts'
import { deposited, madeIn, startDispute, startDisputedExit } from '../support/disputeMoves.ts'
import { bond } from '../support/moves.ts'
import { type Actor, actors, type ChildBlock, ETH, exitOf, proveInBlock } from '../support/rootChain.ts'
import { type Coin, OWNERS, type Theatre } from './theatre.ts'
import type { Sent } from './track.ts'

/** The call that starts a coin's exit, sent by its owner. */
export async function leaveCall({ chain }: Theatre, coin: Coin, from: Actor = coin.owner): Promise<Sent> {
  const { position, token, amount, made } = coin
  const bondWei = await bond(chain)
  if (!made) return { from: from.account, call: encodeStartDepositExit({ position, token, amount, bondWei }) }
  const [block, index] = made
  const { transaction } = block.transactions[index] as SignedTransaction
  const shown = { transaction, header: block.header, proof: proveInBlock(chain, block, index) }
  return { from: from.account, call: encodeStartStandardExit({ position, shown, bondWei }) }
}

export async function leave(theatre: Theatre, coin: Coin, from: Actor = coin.owner) {
  const { from: account, call } = await leaveCall(theatre, coin, from)
  return exitOf((await theatre.chain.send(account, call)).events)
}

/** What shows on L1 that the coin is there. */
export function shownInput({ chain }: Theatre, { owner, amount, token, made }: Coin) {
  return made ? madeIn(chain, made[0] as ChildBlock, made[1]) : deposited(owner, amount, token)
}

/** Coins of present owners that nobody locked yet and no payment in flight names. */
export async function ownCoins(theatre: Theatre, pending: ReadonlySet<number>): Promise<Coin[]> {
  const { chain, owners } = theatre
  const [halted] = await chain.read<readonly number[]>('head')
  const isVoid = (coin: Coin) => halted !== 0 && coin.made !== undefined && coin.made[0].number >= Number(halted)
  const isHidden = ({ made }: Coin) => theatre.blocks.some(({ block, served }) => block === made?.[0] && !served)
  const found: Coin[] = []
  for (const owner of owners)
    for (const coin of theatre.coins.filter((one) => one.owner === owner && !theatre.spent.has(one.position)))
      if (!pending.has(coin.position) && !isVoid(coin) && !isHidden(coin)) found.push(coin)
  return found
}

export type Flight = Readonly<{ signed: SignedTransaction; inputs: readonly Coin[] }>

/** A payment between owners, of one or two of them; the first owner is always a payer. Undefined where it has nothing. `busy`: inputs of others. */
export async function draftFlight(
  theatre: Theatre,
  busy: ReadonlySet<number> = new Set(),
): Promise<Flight | undefined> {
  const { dice, pay, free } = theatre
  const [payer, payee, third] = OWNERS
  const idle = (owner: Actor) => free(owner, ETH).filter(({ position }) => !busy.has(position))
  const own = idle(payer)[0]
  const other = idle(third).at(-1)
  if (!own) return undefined
  const inputs = dice.chance(50) || !other ? [own] : [own, other].sort((a, b) => a.position - b.position)
  const total = inputs.reduce((sum, { amount }) => sum + amount, 0n)
  const signed = await pay(inputs, [
    [payee, total / 2n],
    [payer, total - total / 2n],
  ])
  return { signed, inputs }
}

/** Whoever of payer and payee is there starts the dispute, and all who are there and are paid by it leave through it. */
export async function leaveInFlight(theatre: Theatre, { signed, inputs }: Flight, open: readonly Exit[]) {
  const { chain, owners } = theatre
  const [payer, payee] = OWNERS
  const starter = [payer, payee].find((one) => owners.includes(one))
  if (!starter) return undefined
  const shown = inputs.map((coin) => shownInput(theatre, coin))
  // It may stand in a block by now, and what it made be spent.
  const isSpent = (output: number) =>
    theatre.coins.some(
      ({ position, made }) =>
        made?.[0].transactions[made[1]] === signed && made[2] === output && theatre.spent.has(position),
    )
  const outputs = signed.transaction.outputs.flatMap(({ owner }, i) =>
    owner === starter.address && !isSpent(i) ? [i] : [],
  )
  const exits = open.filter(({ position }) => signed.transaction.inputs.includes(position))
  const started = await startDispute(chain, signed, shown, { from: starter, outputs, exits })
  for (const [i, { owner }] of signed.transaction.outputs.entries()) {
    const actor = owners.find(({ address }) => address === owner)
    if (actor && actor !== starter && !isSpent(i)) await startDisputedExit(chain, actor, started, i)
  }
  return started
}

/** A crowd leaves a chain that is safe: the coordinator takes everybody of one token along. */
export async function leaveTogether(
  theatre: Theatre,
  pending: ReadonlySet<number>,
  more: readonly Coin[] = [],
): Promise<TestBatch> {
  const { coins, spent, blocks } = theatre
  const own = coins.filter(
    ({ owner, position, token }) =>
      token === ETH && OWNERS.some((one) => one === owner) && !spent.has(position) && !pending.has(position),
  )
  const listed = [...own, ...more].sort((a, b) => a.position - b.position)
  return batchOf(
    theatre,
    listed,
    actors.erin,
    blocks.map(({ block }) => block),
  )
}

/** A batch of these coins, or of what is claimed to be one. */
export async function batchOf(
  { chain }: Theatre,
  listed: readonly Readonly<{ position: number; amount: bigint }>[],
  from: Actor,
  blocks: readonly ChildBlock[],
): Promise<TestBatch> {
  const sorted = [...listed].sort((a, b) => a.position - b.position)
  const number = Math.floor((sorted.at(-1)?.position ?? 0) / 2 ** 25)
  const lastBlock = blocks.find((block) => block.number === number)
  const entries = sorted.map(({ position, amount }) => ({ position, amount }))
  return startBatch(chain, entries, { from, ...(lastBlock && { lastBlock }) })
}
