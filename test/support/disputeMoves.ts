/** The moves of a dispute on a test root contract: one line each in a test. */
import {
  encodeAnswerDispute,
  encodeChallengeByPlace,
  encodeDecide,
  encodeInherit,
  encodeShowCompetitor,
  encodeStartDispute,
  encodeStartDisputedExits,
  type InputShown,
} from '../../l1/disputeCalls.ts'
import type { IncludedAt, SignedMandate } from '../../l1/rootCalls.ts'
import type { RootEvent, StartedDispute } from '../../l1/rootEvents.ts'
import type { Hash } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { bond, ETHER, place } from './moves.ts'
import { type Actor, actors, type ChildBlock, ETH, eventOf, proveInBlock, type RootChain } from './rootChain.ts'

/** An input made by a transaction of this block. */
export function madeIn(chain: RootChain, block: ChildBlock, index = 0): InputShown {
  const { transaction } = block.transactions[index] as SignedTransaction
  return { transaction, header: block.header, proof: proveInBlock(chain, block, index) }
}

/** An input that is a deposit, of one ether of ETH unless said otherwise. */
export function deposited(owner: Actor, amount = ETHER, token = ETH): InputShown {
  return { deposit: { owner: owner.address, token, amount } }
}

export function includedIn(chain: RootChain, block: ChildBlock, index = 0): IncludedAt {
  return { position: place(block, index), header: block.header, proof: proveInBlock(chain, block, index) }
}

export type DisputeOptions = Readonly<{
  from?: Actor
  exits?: readonly Exit[]
  bondWei?: bigint
  /** Outputs of `from` that leave through it at once. */
  outputs?: readonly number[]
}>

export async function startDispute(
  chain: RootChain,
  signed: SignedTransaction,
  inputs: readonly InputShown[],
  { from = actors.dave, exits = [], bondWei, outputs = [] }: DisputeOptions = {},
): Promise<StartedDispute & { startedAt: number; l1Block: number; leaving: Exit[] }> {
  const least = await chain.read<bigint>('disputeBond', [BigInt(inputs.length)])
  const leaving = { outputs, bondWeiEach: await bond(chain) }
  const call = encodeStartDispute({ signed, inputs, exits, bondWei: bondWei ?? least * 2n, leaving })
  const { events, timestamp, l1Block } = await chain.send(from.account, call)
  const { type: _, at: __, ...started } = eventOf(events, 'DisputeStarted')
  return { ...started, startedAt: timestamp, l1Block, leaving: startedExits(events) }
}

export type DisputedExitOptions = Readonly<{ from?: Actor; mandate?: SignedMandate; bondWei?: bigint }>

/** Exits output `output` of the disputed transaction through the dispute. */
export async function startDisputedExit(
  chain: RootChain,
  owner: Actor,
  started: StartedDispute,
  output = 0,
  options: DisputedExitOptions = {},
): Promise<Exit> {
  const [exit] = await startDisputedExits(chain, owner, started, [output], options)
  return exit as Exit
}

/** Several outputs of one owner in one call. */
export async function startDisputedExits(
  chain: RootChain,
  owner: Actor,
  { dispute, signed }: StartedDispute,
  outputs: readonly number[],
  options: DisputedExitOptions = {},
): Promise<Exit[]> {
  const { from = owner, bondWei = (await bond(chain)) * BigInt(outputs.length), mandate } = options
  const start = { dispute, transaction: signed.transaction, outputs, bondWei, ...(mandate && { mandate }) }
  const { events } = await chain.send(from.account, encodeStartDisputedExits(start))
  return startedExits(events)
}

function startedExits(events: readonly RootEvent[]): Exit[] {
  return events.flatMap((event) => (event.type === 'ExitStarted' ? [event.exit] : []))
}

export type CompetitorOptions = Readonly<{
  from?: Actor
  included?: IncludedAt
  /** Where else what made the input is included. */
  made?: IncludedAt
  input?: number
  spends?: number
}>

/** Shows `signed` as a competitor by the first input that both have. */
export async function showCompetitor(
  chain: RootChain,
  started: StartedDispute,
  signed: SignedTransaction,
  { from = actors.watcher, included, made, ...indices }: CompetitorOptions = {},
) {
  const shared = started.inputs.findIndex(({ position }) => signed.transaction.inputs.includes(position))
  const input = indices.input ?? Math.max(shared, 0)
  const position = started.inputs[input]?.position ?? -1
  const spends = indices.spends ?? Math.max(signed.transaction.inputs.indexOf(position), 0)
  const competitor = { signed, input, spends, ...(included && { included }), ...(made && { made }) }
  return chain.send(from.account, encodeShowCompetitor(started, competitor))
}

export async function answer(
  chain: RootChain,
  { dispute }: StartedDispute,
  included: IncludedAt,
  from: Actor = actors.watcher,
) {
  return chain.send(from.account, encodeAnswerDispute(dispute, included))
}

export async function decide(
  chain: RootChain,
  started: StartedDispute,
  pieces: Readonly<{ competitors?: readonly number[]; answers?: readonly number[] }> = {},
  from: Actor = actors.carol,
) {
  const sent = await chain.send(from.account, encodeDecide(started, pieces.competitors, pieces.answers))
  const decided = sent.events.find((event) => event.type === 'DisputeDecided')
  return { ...sent, verdict: decided?.type === 'DisputeDecided' ? decided.verdict : 'running' }
}

/** Pays output `output`, whose exit is `exit`, out of the place of input `input`'s cancelled ticket. */
export async function inherit(
  chain: RootChain,
  started: StartedDispute,
  exit: Exit,
  [input, output]: readonly [number, number] = [0, 0],
) {
  const call = encodeInherit(started, started.signed.transaction, { input, output, exit })
  return chain.send(actors.carol.account, call)
}

/** Shows that an exiting output was spent where `made` holds what made it: the disputed transaction, or another inclusion of `madeBy`. */
export async function challengeByPlace(
  chain: RootChain,
  exit: Exit,
  made: IncludedAt,
  [block, index, input]: readonly [ChildBlock, number, number],
  { from = actors.watcher, madeBy = exit.disputed }: Readonly<{ from?: Actor; madeBy?: Hash }> = {},
) {
  const challenge = {
    exit,
    spend: place(block, index),
    signed: block.transactions[index] as SignedTransaction,
    header: block.header,
    proof: proveInBlock(chain, block, index),
    input,
  }
  return chain.send(from.account, encodeChallengeByPlace(challenge, madeBy, made))
}
