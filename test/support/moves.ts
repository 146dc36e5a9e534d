/** The moves of the exit game on a test root contract: one line each in a test. */
import type { Hex } from 'viem'
import {
  encodeChallenge,
  encodeDepositEth,
  encodeProcessExits,
  encodeStartDepositExit,
  encodeStartStandardExit,
  encodeSubmitBlocks,
  type SignedMandate,
  type Turns,
} from '../../l1/rootCalls.ts'
import type { RootEvent } from '../../l1/rootEvents.ts'
import type { Header } from '../../protocol/block.ts'
import { bytesToHex, type Hash, ZERO_HASH } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import { hashMandate, type Mandate } from '../../protocol/mandate.ts'
import { decodePosition, encodePosition } from '../../protocol/position.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import {
  type Actor,
  actors,
  type ChildBlock,
  compact,
  eventOf,
  exitOf,
  proveInBlock,
  type RootChain,
} from './rootChain.ts'

export const ETHER = 10n ** 18n

export async function deposit(chain: RootChain, owner: Actor, amount = ETHER): Promise<number> {
  const { events } = await chain.send(owner.account, encodeDepositEth(owner.address, amount))
  return eventOf(events, 'Deposited').position
}

/** Submits one block per list of transactions, in one call. `anchor`: L1 block number, the newest by default. */
export async function submitMany(
  chain: RootChain,
  lists: readonly (readonly SignedTransaction[])[],
  anchor?: number,
): Promise<ChildBlock[]> {
  const number = anchor ?? Number(await chain.client.getBlockNumber())
  const { hash } = await chain.client.getBlock({ blockNumber: BigInt(number) })
  const [, newest] = await chain.read<readonly number[]>('head')
  const first = (newest as number) + 1
  const commitments = await Promise.all(lists.map((transactions) => chain.commitmentOf(transactions, number)))
  const { timestamp } = await chain.send(actors.operator.account, encodeSubmitBlocks(first, commitments, hash as Hash))
  return lists.map((transactions, i) => ({
    number: first + i,
    transactions,
    header: { ...(commitments[i] as (typeof commitments)[number]), timestamp },
  }))
}

export async function submit(
  chain: RootChain,
  transactions: readonly SignedTransaction[],
  anchor?: number,
): Promise<ChildBlock> {
  const [block] = await submitMany(chain, [transactions], anchor)
  return block as ChildBlock
}

export function place(block: ChildBlock, index = 0, output = 0): number {
  return encodePosition({ block: block.number, index, output })
}

export type StartOptions = Readonly<{ from?: Actor; bondWei?: bigint; mandate?: SignedMandate; youngHint?: number }>

/** Starts the exit of an output of `block`; sent by its owner unless said otherwise. */
export async function startExit(
  chain: RootChain,
  owner: Actor,
  [block, index, output]: readonly [ChildBlock, number, number],
  options: StartOptions = {},
): Promise<Exit> {
  const shown = {
    transaction: (block.transactions[index] as SignedTransaction).transaction,
    header: block.header,
    proof: proveInBlock(chain, block, index),
  }
  const { from, bondWei = await bond(chain), ...rest } = options
  const call = encodeStartStandardExit({ position: place(block, index, output), shown, bondWei, ...rest })
  return exitOf((await chain.send((from ?? owner).account, call)).events)
}

export async function startDepositExit(
  chain: RootChain,
  owner: Actor,
  position: number,
  amount = ETHER,
  options: StartOptions = {},
): Promise<Exit> {
  const { from, bondWei = await bond(chain), mandate } = options
  const deposit_ = { position, token: `0x${'0'.repeat(40)}` as const, amount, bondWei, ...(mandate ? { mandate } : {}) }
  return exitOf((await chain.send((from ?? owner).account, encodeStartDepositExit(deposit_))).events)
}

export async function challenge(
  chain: RootChain,
  exit: Exit,
  [block, index]: readonly [ChildBlock, number],
  options: { from?: Actor; input?: number } = {},
) {
  const signed = block.transactions[index] as SignedTransaction
  const found = signed.transaction.inputs.indexOf(exit.position)
  return chain.send(
    (options.from ?? actors.watcher).account,
    encodeChallenge({
      exit,
      spend: place(block, index),
      signed,
      header: block.header,
      proof: proveInBlock(chain, block, index),
      input: options.input ?? Math.max(found, 0),
    }),
  )
}

/** Sorts exits into the two streams, in their order. */
export function turnsOf(
  exits: readonly Exit[],
  blocks: readonly ChildBlock[] = [],
  evidence: readonly ChildBlock[] = [],
): Turns {
  const bySeq = (a: Exit, b: Exit) => a.seq - b.seq
  const blockOf = (exit: Exit) => decodePosition(exit.position).block
  const young = exits.filter((exit) => exit.young).sort((a, b) => blockOf(a) - blockOf(b) || bySeq(a, b))
  const numbers = [...new Set(young.map(blockOf))]
  return {
    old: exits.filter((exit) => !exit.young).sort(bySeq),
    young,
    youngBlocks: numbers.map((number) => blocks.find((block) => block.number === number)?.header as Header),
    evidenceBlocks: evidence.map((block) => block.header),
  }
}

export async function process(chain: RootChain, turns: Turns, { from = actors.carol, maxCount = 1_000 } = {}) {
  return chain.send(from.account, encodeProcessExits(maxCount, turns))
}

export async function bond(chain: RootChain): Promise<bigint> {
  return (await chain.read<bigint>('exitBond')) * 2n
}

/** Lets `seconds` of L1 time pass since the head, mining more blocks than an anchor may be old, as drivers that jump in time must. */
export async function passTime(chain: RootChain, seconds: number): Promise<void> {
  await nextAt(chain, Number((await chain.client.getBlock()).timestamp) + seconds)
  await chain.client.mine({ blocks: chain.parameters.anchorAgeBlocks + 1, interval: 0 })
}

/** To this L1 second, unless it is past. */
export async function passTo(chain: RootChain, timestamp: number): Promise<void> {
  const left = timestamp - Number((await chain.client.getBlock()).timestamp)
  if (left > 0) await passTime(chain, left)
}

/** Makes the next L1 block carry exactly this timestamp. */
export async function nextAt(chain: RootChain, timestamp: number): Promise<void> {
  await chain.client.setNextBlockTimestamp({ timestamp: BigInt(timestamp) })
}

export async function signMandate(chain: RootChain, owner: Actor, fields: Partial<Mandate>): Promise<SignedMandate> {
  const mandate: Mandate = {
    owner: owner.address,
    delegate: actors.watcher.address,
    validFrom: 0,
    validUntil: 2 ** 40,
    position: 0,
    minAmount: 0n,
    maxFee: 0n,
    epoch: 0,
    ...fields,
  }
  const digest = bytesToHex(hashMandate(mandate, chain.separator))
  const signature = bytesToHex(compact(await owner.account.sign({ hash: digest })))
  return { mandate, signature: signature as Hex }
}

export async function stateOf(chain: RootChain, exit: Exit): Promise<string> {
  const [, state] = await chain.read<readonly [Hex, number]>('exitRecord', [exit.outputId])
  return ['none', 'locked', 'queued', 'ticket', 'settled', 'removed', 'cancelled', 'cancelled-ticket'][state] as string
}

export async function balance(chain: RootChain, actor: Actor): Promise<bigint> {
  return chain.client.getBalance({ address: actor.address })
}

export const NO_MEMO = ZERO_HASH
export type { RootEvent }
