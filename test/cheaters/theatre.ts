/** The people of a cell and what they own, on a fresh root contract: owners with coins of all kinds, a thief, an operator, two watchers. */
import type { Endpoint } from '../../l1/endpoint.ts'
import { encodeDepositErc20, encodeDepositEth, encodeSubmitBlocks } from '../../l1/rootCalls.ts'
import type { Address, Hash } from '../../protocol/bytes.ts'
import { depositIdOf, outputIdOf } from '../../protocol/position.ts'
import { createOutput, hashTransaction, type SignedTransaction } from '../../protocol/transaction.ts'
import { place } from '../support/moves.ts'
import { type Actor, actors, type ChildBlock, ETH, eventOf } from '../support/rootChain.ts'
import type { Away, Game } from './cell.ts'
import type { Dice } from './dice.ts'
import { createGuard, type Guard } from './guard.ts'
import type { Tracked } from './track.ts'

const { alice, bob, dave, erin, mallory, operator, watcher } = actors

/** Honest, in the order in which they stay: the first is there longest. */
export const OWNERS = [alice, bob, dave] as const
export const NAMES = new Map<Address, string>(
  Object.entries(actors).map(([name, { address }]) => [address, name] as const),
)
/** L1 blocks are a few to an anchor's age, periods long against them. */
export const CHEATER_PARAMETERS = {
  minExitPeriod: 2_400,
  dataChallengePeriod: 300,
  dataResponsePeriod: 300,
  reaction: 300,
  anchorAgeBlocks: 6,
  slot: 1,
  finalityBlocks: 2,
  blockInterval: 2,
  submissionMargin: 2,
  abandonPeriod: 14_400,
} as const

export type Coin = Readonly<{
  position: number
  owner: Actor
  token: Address
  amount: bigint
  /** Nothing for a deposit. */
  made?: readonly [block: ChildBlock, index: number, output: number]
}>

export type Written = { readonly block: ChildBlock; readonly valid: boolean; served: boolean }
export type To = readonly [owner: Actor, amount: bigint, token?: Address]
export type Theatre = Awaited<ReturnType<typeof openTheatre>>

export type TheatreOptions = Readonly<{
  chain: Tracked
  endpoint: Endpoint
  token: Address
  dice: Dice
  game: Game
  away: Away
  /** False: nobody watches. The cell is then expected to fail where anybody cheats. */
  guarded?: boolean
}>

export async function openTheatre(options: TheatreOptions) {
  const { chain, endpoint, token, dice, game, away, guarded = true } = options
  const blocks: Written[] = []
  const coins: Coin[] = []
  const spent = new Set<number>()
  await chain.client.setBlockTimestampInterval({ interval: 0 })
  const first = await chain.client.getBlock({ blockNumber: 1n })
  const startBlock = { number: 1, hash: first.hash as Hash }
  const isCrowd = game === 'mass' || (game === 'after-halt' && dice.chance(50))
  const remaining = away === 'all-but-a-watcher' && dice.chance(50) ? 'first' : 'second'

  const guards: Guard[] = []
  const asleep = new Set<Guard>()
  if (guarded) {
    const alone = { actor: watcher, name: 'watcher 1', policy: { batchBondBudgetWei: 0n } }
    const together = { actor: erin, name: 'coordinator', policy: isCrowd ? {} : { batchBondBudgetWei: 0n } }
    for (const one of [alone, together]) {
      guards.push(await createGuard({ chain, endpoint, startBlock, wards: OWNERS, ...one }))
    }
    if (away === 'watcher-1') asleep.add(guards[0] as Guard)
    if (away === 'all-but-a-watcher') asleep.add(guards[remaining === 'first' ? 1 : 0] as Guard)
  }

  const owners =
    away === 'one-owner'
      ? [alice, dave]
      : away === 'all-owners-but-one'
        ? [alice]
        : away === 'all-but-a-watcher'
          ? []
          : [...OWNERS]

  async function fund(owner: Actor, amount: bigint, of: Address = ETH): Promise<Coin> {
    const call = of === ETH ? encodeDepositEth(owner.address, amount) : encodeDepositErc20(of, amount, owner.address)
    const { position } = eventOf((await chain.send(owner.account, call)).events, 'Deposited')
    const coin = { position, owner, token: of, amount }
    coins.push(coin)
    return coin
  }

  /** Signed by `signers`, or by the owners of the inputs. */
  async function pay(inputs: readonly Coin[], outputs: readonly To[], signers?: readonly Actor[]) {
    const sorted = [...inputs].sort((a, b) => a.position - b.position)
    const made = outputs.map(([owner, amount, of]) => createOutput(owner.address, of ?? ETH, amount))
    const transaction = {
      inputs: sorted.map(({ position }) => position),
      outputs: made,
      memo: `0x${dice
        .below(2 ** 31)
        .toString(16)
        .padStart(64, '0')}` as Hash,
    }
    return chain.sign(
      transaction,
      sorted.map(({ owner }, i) => signers?.[i] ?? owner),
    )
  }

  type BlockOptions = Readonly<{ valid?: boolean; served?: boolean; anchor?: number }>

  /** Commits a block. What a valid one makes and spends is written down. */
  async function commit(
    transactions: readonly SignedTransaction[],
    { valid = true, served = true, anchor }: BlockOptions = {},
  ) {
    const number = anchor ?? Number(await chain.client.getBlockNumber())
    const { hash } = await chain.client.getBlock({ blockNumber: BigInt(number) })
    const commitment = await chain.commitmentOf(transactions, number)
    const first = blocks.length + 1
    const { timestamp } = await chain.send(operator.account, encodeSubmitBlocks(first, [commitment], hash as Hash))
    const block = { number: first, transactions, header: { ...commitment, timestamp } }
    const written: Written = { block, valid, served: false }
    blocks.push(written)
    if (served) serve(written)
    if (valid) for (const [index, signed] of transactions.entries()) note(block, index, signed)
    return written
  }

  function note(block: ChildBlock, index: number, { transaction }: SignedTransaction): void {
    for (const input of transaction.inputs) spent.add(input)
    for (const [output, { owner, token: of, amount }] of transaction.outputs.entries()) {
      const actor = Object.values(actors).find(({ address }) => address === owner) as Actor
      coins.push({
        position: place(block, index, output),
        owner: actor,
        token: of,
        amount,
        made: [block, index, output],
      })
    }
  }

  function serve(written: Written): void {
    written.served = true
    for (const guard of guards) guard.serve(written.block)
  }

  /** What L1 locked: an honest operator lets nobody spend it. */
  function isLocked({ position, made }: Coin): boolean {
    const signed = made?.[0].transactions[made[1]]
    const txHash = signed && hashTransaction(signed.transaction, chain.separator)
    const outputId = made && txHash ? outputIdOf(txHash, made[2]) : depositIdOf(position)
    return chain.events.some((event) => {
      // Through a dispute it may leave without a word about where it stands.
      if (event.type === 'ExitStarted') return event.exit.outputId === outputId
      if (event.type === 'DisputeStarted') return event.signed.transaction.inputs.includes(position)
      if (event.type !== 'BatchStarted') return false
      return event.entries.some((entry) => entry.position === position)
    })
  }

  const free = (owner: Actor, of?: Address) =>
    coins.filter(
      (coin) => coin.owner === owner && (!of || coin.token === of) && !spent.has(coin.position) && !isLocked(coin),
    )

  /** Unspent, whoever is about to take it out. */
  const owned = (owner: Actor, of: Address) =>
    coins.filter((coin) => coin.owner === owner && coin.token === of && !spent.has(coin.position))

  return {
    chain,
    token,
    dice,
    game,
    away,
    isCrowd,
    blocks,
    coins,
    spent,
    guards,
    asleep,
    /** Owners who are there. */
    owners,
    /** Watchers that are there. */
    awake: () => guards.filter((guard) => !asleep.has(guard)),
    fund,
    pay,
    commit,
    serve,
    free,
    owned,
    parameters: chain.parameters,
    coinAt: (position: number) => coins.find((coin) => coin.position === position),
    villains: [mallory, operator],
  }
}

/** Deposits and two honest blocks: coins of every kind and age, some of them spent. `isMade`: the bait is no deposit. */
export async function furnish(theatre: Theatre, isMade = false): Promise<{ bait: Coin; stolen: SignedTransaction }> {
  const { fund, pay, commit, free, dice, token } = theatre
  const amount = () => 10n ** 18n + BigInt(dice.below(1_000_000)) * 10n ** 9n
  for (const owner of OWNERS) for (let i = 0; i < 2 + dice.below(2); i++) await fund(owner, amount())
  await fund(alice, amount(), token)
  await fund(bob, amount(), token)
  for (let i = 0; i < 3; i++) await fund(mallory, amount())
  await theatre.chain.passTo((await theatre.chain.now()) + 60)
  const shared = (coin: Coin, payee: Actor): To[] => [
    [payee, coin.amount / 3n, coin.token],
    [coin.owner, coin.amount - coin.amount / 3n, coin.token],
  ]
  const first = (owner: Actor, of?: Address) => free(owner, of)[0] as Coin
  const payments = [
    [first(alice, theatre.token), bob],
    [first(bob), dave],
    [first(dave), alice],
    [first(mallory), mallory],
  ] as const
  await commit(await Promise.all(payments.map(([coin, payee]) => pay([coin], shared(coin, payee)))))
  await theatre.chain.passTo((await theatre.chain.now()) + 60)
  // Mallory pays Alice: what she spent so is what a thief takes out once more.
  const bait =
    !isMade && dice.chance(50) ? first(mallory) : (free(mallory).find(({ made }) => made !== undefined) as Coin)
  const stolen = await pay(
    [bait],
    [
      [alice, bait.amount / 2n],
      [mallory, bait.amount - bait.amount / 2n],
    ],
  )
  await commit([stolen, await pay([first(alice, theatre.token)], shared(first(alice, theatre.token), dave))])
  await theatre.chain.passTo((await theatre.chain.now()) + 60)
  return { bait, stolen }
}
