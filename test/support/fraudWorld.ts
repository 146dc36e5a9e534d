/**
 * A small child chain on a test root contract for fraud proofs: a history of valid blocks, and candidates for the next one, most of them
 * one change away from valid. Three opinions are asked about each: the naive model, protocol/validity.ts, and the contract.
 */
import type { Hex } from 'viem'
import { encodeFraudProof, type RootCall } from '../../l1/rootCalls.ts'
import { type Hash, ZERO_ADDRESS, ZERO_HASH } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import type { FraudProof, FraudSource, InputShown, PlacedTransaction } from '../../protocol/fraud.ts'
import { decodePosition, encodePosition, isDepositPosition, transactionPosition } from '../../protocol/position.ts'
import {
  createOutput,
  hashTransaction,
  type Output,
  type SignedTransaction,
  witnessOf,
} from '../../protocol/transaction.ts'
import { applyBlock, type BlockFault, type ExistingOutput, type State } from '../../protocol/validity.ts'
import { recoverAddress } from '../../signatures/recover.ts'
import { signDigest } from '../../signatures/sign.ts'
import { callMany } from '../contracts/probe.ts'
import { deposit, ETHER, startDepositExit, startExit, submit } from './moves.ts'
import { type NaiveHistory, naiveFault } from './naiveValidity.ts'
import { type Actor, actors, type ChildBlock, ETH, proveInBlock, type RootChain } from './rootChain.ts'

const { alice, bob, mallory } = actors
const USERS = [alice, bob, mallory] as const

const keyOf = (actor: Actor) => actor.account.getHdKey().privateKey as Uint8Array
const actorOf = (address: string) => USERS.find((actor) => actor.address === address)

type Coin = Readonly<{ position: number; owner: Actor; amount: bigint }>

/** A transaction before it is signed; `signers` in the order of the inputs. */
type Draft = { inputs: number[]; outputs: Output[]; signers: (Actor | undefined)[]; cut?: number }

export type FraudWorld = Awaited<ReturnType<typeof createFraudWorld>>

export async function createFraudWorld(chain: RootChain, url: string) {
  const blocks: ChildBlock[] = []
  const deposits = new Map<number, { owner: Hex; token: Hex; amount: bigint; l1Block: number }>()
  const exits = new Map<number, Exit>()
  const positions: number[] = []
  for (const owner of [alice, bob, mallory, alice, bob]) {
    const position = await deposit(chain, owner)
    positions.push(position)
    const l1Block = Number(await chain.client.getBlockNumber())
    deposits.set(position, { owner: owner.address, token: ETH, amount: ETHER, l1Block })
  }
  const sign = ({ inputs, outputs, signers, cut }: Draft): SignedTransaction => {
    const transaction = { inputs, outputs, memo: ZERO_HASH }
    const digest = hashTransaction(transaction, chain.separator)
    const witnesses = new Uint8Array(64 * signers.length)
    for (const [i, signer] of signers.entries()) if (signer) witnesses.set(signDigest(digest, keyOf(signer)), i * 64)
    return { transaction, witnesses: cut === undefined ? witnesses : witnesses.slice(0, witnesses.length - cut) }
  }
  const half = (to: Actor) => createOutput(to.address, ETH, ETHER / 2n)
  blocks.push(
    await submit(chain, [
      sign({ inputs: [positions[0]!], outputs: [half(alice), half(bob)], signers: [alice] }),
      sign({ inputs: [positions[1]!], outputs: [half(bob), half(mallory)], signers: [bob] }),
    ]),
  )
  const at = (block: number, index: number, output = 0) => encodePosition({ block, index, output })
  blocks.push(await submit(chain, [sign({ inputs: [at(1, 0, 1)], outputs: [half(mallory)], signers: [bob] })]))
  exits.set(at(1, 1), await startExit(chain, bob, [blocks[0]!, 1, 0]))
  exits.set(positions[2]!, await startDepositExit(chain, mallory, positions[2]!))
  const late = await deposit(chain, alice)
  deposits.set(late, {
    owner: alice.address,
    token: ETH,
    amount: ETHER,
    l1Block: Number(await chain.client.getBlockNumber()),
  })
  const locks = new Map([...exits].map(([position, exit]) => [position, exit.lockedAt]))
  /** What the next block may spend. */
  const coins: Coin[] = [
    { position: at(1, 0), owner: alice, amount: ETHER / 2n },
    { position: at(1, 1, 1), owner: mallory, amount: ETHER / 2n },
    { position: at(2, 0), owner: mallory, amount: ETHER / 2n },
    { position: positions[3]!, owner: alice, amount: ETHER },
    { position: positions[4]!, owner: bob, amount: ETHER },
  ]
  /** Under this anchor the locks stand and the late deposit is not there yet. */
  const anchor = Math.max(...locks.values())
  const next = blocks.length + 1

  function signersOf({ transaction, witnesses }: SignedTransaction) {
    const digest = hashTransaction(transaction, chain.separator)
    return transaction.inputs.map((_, i) =>
      witnesses.length === 64 * transaction.inputs.length ? recoverAddress(digest, witnessOf(witnesses, i)) : undefined,
    )
  }

  function naiveBlock(transactions: readonly SignedTransaction[], blockAnchor: number) {
    return {
      anchor: blockAnchor,
      transactions: transactions.map((signed) => ({
        inputs: [...signed.transaction.inputs],
        outputs: signed.transaction.outputs.map((output) => ({ ...output })),
        signers: signersOf(signed),
        witnessBytes: signed.witnesses.length,
      })),
    }
  }

  /** The rule of the first fault by the naive model, as a number, and where; undefined for a valid block. */
  function naiveOpinion(transactions: readonly SignedTransaction[]) {
    const history: NaiveHistory = {
      blocks: [
        ...blocks.map((one) => naiveBlock(one.transactions, one.header.anchor)),
        naiveBlock(transactions, anchor),
      ],
      deposits,
      locks,
    }
    for (let index = 0; index < transactions.length; index++) {
      const rule = naiveFault(history, next, index)
      if (rule !== 0) return { index, rule }
    }
    return undefined
  }

  function createState(): State {
    const outputs = new Map<number, ExistingOutput>()
    for (const [position, { owner, token, amount, l1Block }] of deposits) {
      outputs.set(position, { owner, token, amount, depositedAt: l1Block, lockedAt: locks.get(position) })
    }
    const state: State = {
      find: (position) => outputs.get(position),
      spend: (position, spentBy) => outputs.set(position, { ...(outputs.get(position) as ExistingOutput), spentBy }),
      create: (position, output) => outputs.set(position, { ...output, lockedAt: locks.get(position) }),
    }
    for (const one of blocks) {
      const placed = one.transactions.map((signed) => ({ ...signed, signers: signersOf(signed) }))
      if (applyBlock(placed, { block: one.number, anchor: one.header.anchor }, state))
        throw new Error('the history is not valid')
    }
    return state
  }

  function opinion(transactions: readonly SignedTransaction[]): { fault: BlockFault | undefined; state: State } {
    const state = createState()
    const placed = transactions.map((signed) => ({ ...signed, signers: signersOf(signed) }))
    return { fault: applyBlock(placed, { block: next, anchor }, state), state }
  }

  function sourceOf(candidate: ChildBlock, state: State): FraudSource {
    const all = [...blocks, candidate]
    return {
      transactionAt: (position) => {
        const { block, index } = decodePosition(position)
        const one = all[block - 1]
        const signed = one?.transactions[index]
        return one && signed && { position, signed, header: one.header, proof: proveInBlock(chain, one, index) }
      },
      header: (block) => all[block - 1]?.header,
      deposit: (position) => deposits.get(position),
      spentBy: (position) => state.find(position)?.spentBy,
      exitOf: (position) => exits.get(position),
    }
  }

  /** Which of these proofs the contract would accept. */
  async function accepted(proofs: readonly FraudProof[]): Promise<FraudProof[]> {
    const calls = proofs.map((proof) => ({ to: chain.root, data: (encodeFraudProof(proof) as RootCall).data }))
    const answers = await callMany(url, calls)
    return proofs.filter((_, i) => answers[i]?.result !== undefined)
  }

  return {
    chain,
    blocks,
    coins,
    deposits,
    exits,
    anchor,
    next,
    late,
    sign,
    naiveOpinion,
    opinion,
    sourceOf,
    accepted,
    at,
    signersOf,
  }
}

/** Whatever a liar could try against the transaction at this index, with true inclusion proofs. */
export function everyProof(world: FraudWorld, candidate: ChildBlock, index: number): FraudProof[] {
  const source = world.sourceOf(candidate, world.opinion([]).state)
  const offence = source.transactionAt(world.at(world.next, index)) as PlacedTransaction
  const everything = [...world.blocks, candidate].flatMap((block) =>
    block.transactions.map((_, i) => source.transactionAt(world.at(block.number, i)) as PlacedTransaction),
  )
  const { inputs } = offence.signed.transaction
  const shownOf = (input: number): InputShown[] => {
    const known = source.deposit(input)
    const made = isDepositPosition(input) ? undefined : source.transactionAt(transactionPosition(input))
    const header = isDepositPosition(input) ? undefined : source.header(decodePosition(input).block)
    return [
      { kind: 'nothing' },
      ...(known ? [{ kind: 'deposit' as const, deposit: known }] : []),
      ...(made ? [{ kind: 'transaction' as const, at: made }] : []),
      ...(header ? [{ kind: 'beyond' as const, header }] : []),
    ]
  }
  const best = (input: number) =>
    shownOf(input).find(({ kind }) => kind === 'deposit' || kind === 'transaction') ?? { kind: 'nothing' as const }
  return [
    { rule: 'V1', offence },
    { rule: 'V5', offence, shown: inputs.map(best) },
    ...inputs.flatMap((position, input): FraudProof[] =>
      shownOf(position).flatMap((shown) => [
        { rule: 'V2', offence, input, shown },
        { rule: 'V4', offence, input, shown },
        { rule: 'V6', offence, input, shown, exit: source.exitOf(position) },
        { rule: 'V6', offence, input, shown, exit: undefined },
        ...everything.flatMap((earlier): FraudProof[] =>
          earlier.signed.transaction.inputs.map((_, earlierInput) => ({
            rule: 'V3',
            offence,
            input,
            shown,
            earlier,
            earlierInput,
          })),
        ),
      ]),
    ),
  ]
}

/** Random numbers below a bound, drawn ahead so that a run is repeated by its seed. */
export type Dice = (below: number) => number

/** The next block: valid, then changed in at most one way. Returns what was changed. */
export function drawCandidate(world: FraudWorld, dice: Dice): { transactions: SignedTransaction[]; change: string } {
  const coins: Coin[] = [...world.coins]
  const drafts: Draft[] = []
  const count = 1 + dice(3)
  for (let index = 0; index < count; index++) {
    const taken = coins.splice(dice(coins.length), 1)
    if (dice(3) === 0 && coins.length > 0) taken.push(...coins.splice(dice(coins.length), 1))
    taken.sort((a, b) => a.position - b.position)
    const total = taken.reduce((sum, { amount }) => sum + amount, 0n)
    const parts = dice(2) === 0 ? [total] : [total / 3n, total - total / 3n]
    const outputs = parts.map((amount) => createOutput((USERS[dice(3)] as Actor).address, ETH, amount))
    drafts.push({ inputs: taken.map(({ position }) => position), outputs, signers: taken.map(({ owner }) => owner) })
    outputs.forEach((output, o) => {
      coins.push({
        position: world.at(world.next, index, o),
        owner: actorOf(output.owner) as Actor,
        amount: output.amount,
      })
    })
  }
  const change = mutate(world, drafts, dice)
  return { transactions: drafts.map(world.sign), change }
}

function mutate(world: FraudWorld, drafts: Draft[], dice: Dice): string {
  const victim = drafts[dice(drafts.length)] as Draft
  const input = dice(victim.inputs.length)
  const output = dice(victim.outputs.length)
  const was = victim.outputs[output] as Output
  const other = (except: Actor | undefined) => USERS.find((actor) => actor !== except) as Actor
  const spendInstead = (position: number, owner: Actor | undefined) => {
    victim.inputs[input] = position
    victim.signers[input] = owner
  }
  const changes: readonly (readonly [string, () => void])[] = [
    ['nothing', () => undefined],
    ['another signer', () => (victim.signers[input] = other(victim.signers[input]))],
    ['no signature', () => (victim.signers[input] = undefined)],
    ['a wei more', () => (victim.outputs[output] = { ...was, amount: was.amount + 1n })],
    ['a wei less', () => (victim.outputs[output] = { ...was, amount: was.amount - 1n })],
    ['an amount of 0', () => (victim.outputs[output] = { ...was, amount: 0n })],
    ['an amount of 2^128', () => (victim.outputs[output] = { ...was, amount: 2n ** 128n })],
    ['no owner', () => (victim.outputs[output] = { ...was, owner: ZERO_ADDRESS })],
    ['a condition', () => (victim.outputs[output] = { ...was, condition: `0x${'11'.repeat(32)}` as Hash })],
    ['another token', () => (victim.outputs[output] = { ...was, token: mallory.address })],
    ['no outputs', () => (victim.outputs = [])],
    [
      'an input twice',
      () => {
        victim.inputs.push(victim.inputs.at(-1) as number)
        victim.signers.push(victim.signers.at(-1))
      },
    ],
    ['a witness too short', () => (victim.cut = 1)],
    ['a spent payment', () => spendInstead(world.at(1, 0, 1), bob)],
    ['a spent deposit', () => spendInstead([...world.deposits.keys()][0] as number, alice)],
    ['what this block spent', () => spendInstead(drafts[0]?.inputs[0] as number, drafts[0]?.signers[0])],
    ['an output too many', () => spendInstead(world.at(1, 0, 2), alice)],
    ['an index too great', () => spendInstead(world.at(1, 9), alice)],
    ['block 0', () => spendInstead(world.at(0, 0), alice)],
    ['a later place', () => spendInstead(world.at(world.next, drafts.length + 3), alice)],
    ['its own output', () => spendInstead(world.at(world.next, drafts.indexOf(victim)), alice)],
    ['a deposit that nobody made', () => spendInstead(world.late + 16, alice)],
    ['a deposit after the anchor', () => spendInstead(world.late, alice)],
    ['an output of a deposit', () => spendInstead((world.coins[3] as Coin).position + 1, alice)],
    ['a locked payment', () => spendInstead(world.at(1, 1), bob)],
    ['a locked deposit', () => spendInstead([...world.exits.keys()][1] as number, mallory)],
  ]
  const [name, apply] = changes[dice(changes.length)] as (typeof changes)[number]
  apply()
  if (dice(2) === 0 && name !== 'an input twice') sortInputs(victim)
  return name
}

function sortInputs(draft: Draft): void {
  const pairs = draft.inputs
    .map((position, i) => ({ position, signer: draft.signers[i] }))
    .sort((a, b) => a.position - b.position)
  draft.inputs = pairs.map(({ position }) => position)
  draft.signers = pairs.map(({ signer }) => signer)
}
