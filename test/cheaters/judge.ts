/**
 * The invariants of docs/invariants.md as far as they can be judged from outside: over L1's events, what a naive bookkeeper holds of the valid blocks, and balances.
 * Nothing here asks the watchers or the contract what they think, except where the two are compared.
 */
import { drawBooks } from '../../drill/ledger.ts'
import type { RootEvent } from '../../l1/rootEvents.ts'
import type { Address, Hash } from '../../protocol/bytes.ts'
import { compareTurns, type Exit } from '../../protocol/exit.ts'
import { isBatchItem, isOpenedEntry, placeEntries } from '../../protocol/massExit.ts'
import { decodePosition } from '../../protocol/position.ts'
import { heldState } from '../support/heldState.ts'
import { balance, stateOf } from '../support/moves.ts'
import { actors, ETH } from '../support/rootChain.ts'
import { NAMES, OWNERS, type Theatre } from './theatre.ts'

const { erin, watcher } = actors
const HONEST: ReadonlySet<Address> = new Set([...OWNERS, erin, watcher].map(({ address }) => address))

/** A broken invariant. */
export class Broken extends Error {
  readonly invariant: string
  constructor(invariant: string, detail: string) {
    super(`${invariant}: ${detail}`)
    this.invariant = invariant
  }
}

export type Judge = Awaited<ReturnType<typeof createJudge>>
export type Owed = Readonly<{ outputId: Hash; owner: Address; token: Address; amount: bigint; position?: number }>

const nameOf = (address: Address) => NAMES.get(address) ?? address

/** Starts when the owners have what they have. `allowed`: what a fault may cost, by the first void block. */
export async function createJudge(theatre: Theatre) {
  const { chain, blocks, token } = theatre
  const { events } = chain
  const exits = new Map<Hash, Exit>()
  const entries = new Map<Hash, readonly bigint[]>()
  const paid = new Map<Hash, bigint>()
  const waiting = new Map<Hash, Exit>()
  const starters = new Map<Hash, Address>()
  const fallen = new Set<Hash>()
  /** Deposits after the start are the owners' own. */
  const start = events.length
  let seen = 0
  let voidFrom = 0
  const before = new Map(
    await Promise.all(OWNERS.map(async (owner) => [owner.address, await balance(chain, owner)] as const)),
  )
  const gasBefore = new Map(chain.gas)
  /** Wei that owners sent along, deposits after the start apart: bonds come back with what they are for. */
  const bounties = new Map<Address, bigint>()

  function books() {
    const standing = blocks.filter(({ block, valid }) => valid && (voidFrom === 0 || block.number < voidFrom))
    return drawBooks({
      separator: chain.separator,
      events,
      blocks: standing.map(({ block: { number, transactions } }) => ({ number, transactions })),
    })
  }

  function owed(): Owed[] {
    return [...books().outputs.values()].filter(({ spent }) => !spent)
  }

  function fold(): Hash[] {
    const touched: Hash[] = []
    const fresh = events.slice(seen)
    seen = events.length
    const outputs = fresh.some(isPayment) ? books().outputs : undefined
    for (const event of fresh) {
      if ('outputId' in event) touched.push(event.outputId)
      switch (event.type) {
        case 'ExitStarted':
          exits.set(event.exit.outputId, event.exit)
          touched.push(event.exit.outputId)
          if (!isOpenedEntry(event.exit)) waiting.set(event.exit.outputId, event.exit)
          break
        case 'BatchLocked':
          waiting.set(event.item.outputId, event.item)
          break
        case 'BatchStarted':
          entries.set(
            event.batchId,
            placeEntries(event.entries).map(({ amount }) => amount),
          )
          break
        case 'DisputeStarted':
          starters.set(event.dispute.txHash, event.dispute.starter)
          break
        case 'HaltMoved':
          judgeHalt(event.voidFrom)
          voidFrom = event.voidFrom
          break
        case 'ExitPaid':
          turn(event.outputId)
          pay(event.outputId, event.amount, outputs)
          break
        case 'EntriesClaimed':
          for (const { index, outputId } of event.claimed)
            pay(outputId, entries.get(event.batchId)?.[index] ?? 0n, outputs)
          break
        case 'ExitPostponed':
          turn(event.outputId)
          break
        case 'ExitRemoved':
          turn(event.outputId)
          judgeRemoval(event.outputId, event.reason)
          break
        case 'EvidenceShown':
          judgeEvidence(event)
          break
        case 'CompetitorShown': {
          const starter = starters.get(event.txHash)
          if (event.reward > 0n && starter && HONEST.has(starter))
            throw new Broken('DISPUTE-5', `${nameOf(starter)} lost the bond of a dispute`)
          break
        }
      }
    }
    return touched
  }

  function pay(outputId: Hash, amount: bigint, outputs: ReturnType<typeof books>['outputs'] | undefined): void {
    const sum = (paid.get(outputId) ?? 0n) + amount
    paid.set(outputId, sum)
    const output = outputs?.get(outputId)
    if (!output) throw new Broken('FUNDS-2', `${amount} paid for ${outputId}, which no valid block made`)
    if (output.spent)
      throw new Broken('EXIT-1', `${amount} paid to ${nameOf(output.owner)} for the spent output ${output.position}`)
    if (sum > output.amount) throw new Broken('EXIT-3', `${sum} paid for output ${output.position} of ${output.amount}`)
  }

  /** Turns come in the order of protocol/exit.ts among all that wait. */
  function turn(outputId: Hash): void {
    const exit = waiting.get(outputId)
    if (!exit) return
    waiting.delete(outputId)
    for (const other of waiting.values())
      if (compareTurns(placeOf(other), placeOf(exit)) < 0)
        throw new Broken('EXIT-4', `${exit.position} had its turn before ${other.position}`)
  }

  function judgeHalt(at: number): void {
    const wrong = blocks.find(
      ({ block, valid, served }) => valid && served && block.number >= at && !isBehindFault(block.number),
    )
    if (wrong) throw new Broken('HALT-1', `halted at ${at}: block ${wrong.block.number} is valid and served`)
  }

  function isBehindFault(number: number): boolean {
    return blocks.some(({ block, valid, served }) => block.number < number && !(valid && served))
  }

  function isOwed(outputId: Hash): Owed | undefined {
    const output = books().outputs.get(outputId)
    return output && !output.spent ? output : undefined
  }

  function judgeRemoval(outputId: Hash, reason: string): void {
    const output = isOwed(outputId)
    if (output && HONEST.has(output.owner) && (paid.get(outputId) ?? 0n) < output.amount)
      throw new Broken('EXIT-2', `the exit of ${nameOf(output.owner)}’s ${output.position} was removed: ${reason}`)
  }

  function judgeEvidence({ outputId, reward }: Extract<RootEvent, { type: 'EvidenceShown' }>): void {
    const exit = exits.get(outputId)
    if (!exit || !HONEST.has(exit.owner) || !isOwed(outputId)) return
    fallen.add(outputId)
    if (reward > 0n)
      throw new Broken('WATCH-1', `the bond of ${nameOf(exit.owner)}’s valid exit ${exit.position} is lost`)
  }

  /** FUNDS-1: the vault covers what valid blocks leave unspent, credits, and the bonds of honest exits that wait. */
  async function judgeVault(): Promise<void> {
    for (const of of [ETH, token]) {
      const held = await heldOf(theatre, of)
      const outputs = owed().filter((one) => one.token === of)
      const open = outputs.reduce((sum, { outputId, amount }) => sum + amount - (paid.get(outputId) ?? 0n), 0n)
      const credits = creditsOf(events, of)
      const bonds =
        of === ETH
          ? [...waiting.values()].reduce((sum, { bond, payer }) => sum + (HONEST.has(payer) ? bond : 0n), 0n)
          : 0n
      if (held < open + credits + bonds)
        throw new Broken(
          'FUNDS-1',
          `the vault holds ${held}, owes ${open} of outputs, ${credits} of credits, ${bonds} of bonds`,
        )
    }
  }

  /** WATCH: what a watcher holds of an exit is what L1 holds. */
  async function judgeWatchers(touched: readonly Hash[]): Promise<void> {
    const head = await chain.read<readonly number[]>('head')
    for (const guard of theatre.awake()) {
      guard.log.assertNoErrors()
      if (guard.refused.length > 0)
        throw new Broken('WATCH-1', `${guard.name} sent in vain: ${guard.refused.join('; ')}`)
      const { voidFrom: believed } = guard.facts.halt()
      if (believed !== Number(head[0]))
        throw new Broken('WATCH-2', `${guard.name} holds the halt at ${believed}, L1 ${head[0]}`)
      for (const outputId of new Set(touched)) {
        const exit = exits.get(outputId)
        if (!exit || isBatchItem(exit)) continue
        const record = guard.exits.record(outputId)
        const want = await stateOf(chain, exit)
        const got = record ? heldState(record) : 'locked'
        const again = want === 'locked' && got === 'removed'
        if (got !== want && !again)
          throw new Broken('WATCH-2', `${guard.name} holds exit ${exit.position} for ${got}, L1 for ${want}`)
      }
    }
  }

  return {
    exits,
    paid,
    waiting,
    owed,
    voidFrom: () => voidFrom,

    /** After each step. `looked`: the watchers have seen all of it. */
    async step(looked: boolean): Promise<void> {
      const touched = fold()
      await judgeVault()
      if (looked) await judgeWatchers(touched)
    },

    /** In the end: every honest owner has what the honest books say, on L1 or still on a chain that can pay it. */
    async end(): Promise<void> {
      const [halted] = await chain.read<readonly number[]>('head')
      const invalid = blocks.find(({ valid }) => !valid)
      if (invalid && (halted === 0 || Number(halted) > invalid.block.number))
        throw new Broken('HALT-2', `block ${invalid.block.number} is invalid and stands`)
      const mine = owed().filter(({ owner }) => HONEST.has(owner))
      for (const { owner, outputId, amount, position } of mine) {
        const got = paid.get(outputId) ?? 0n
        const left = exits.has(outputId)
        if (got < amount && left)
          throw new Broken('EXIT-2', `${nameOf(owner)}’s exit of ${position} got ${got} of ${amount}`)
        if (got < amount && halted !== 0 && theatre.awake().length > 0)
          throw new Broken(
            'EXIT-2',
            `the chain has ended and ${nameOf(owner)}’s ${position} is still there, ${got} of ${amount}`,
          )
      }
      for (const { address } of OWNERS) await judgeOwner(address, mine)
    },
  }

  function depositsOf(owner: Address): bigint {
    return events
      .slice(start)
      .reduce(
        (sum, event) =>
          event.type === 'Deposited' && event.owner === owner && event.token === ETH ? sum + event.amount : sum,
        0n,
      )
  }

  async function judgeOwner(owner: Address, mine: readonly Owed[]): Promise<void> {
    for (const exit of exits.values())
      if (exit.payer === owner) bounties.set(owner, (bounties.get(owner) ?? 0n) + (exit.bond * 60_000n) / 400_000n + 1n)
    const gas = (chain.gas.get(owner) ?? 0n) - (gasBefore.get(owner) ?? 0n)
    const now = await chain.client.getBalance({ address: owner })
    const had = before.get(owner) as bigint
    const put = depositsOf(owner)
    for (const of of [ETH, token]) {
      const credit = await chain.read<bigint>('credit', [of, owner])
      const grown = of === ETH ? now + gas + put - had + credit + (bounties.get(owner) ?? 0n) : credit
      const ours = mine.filter((one) => one.owner === owner && one.token === of)
      const want = ours.reduce((sum, { outputId }) => sum + (paid.get(outputId) ?? 0n), 0n)
      if (grown < want) throw new Broken('EXIT-2', `${nameOf(owner)} has ${grown} more of ${of} on L1, want ${want}`)
    }
  }
}

function isPayment({ type }: RootEvent): boolean {
  return type === 'ExitPaid' || type === 'EntriesClaimed'
}

function placeOf({ exitableAt, young, position, seq }: Exit) {
  return { exitableAt, young, block: decodePosition(position).block, seq }
}

const BALANCE_OF = [
  {
    type: 'function',
    name: 'balanceOf',
    stateMutability: 'view',
    inputs: [{ type: 'address' }],
    outputs: [{ type: 'uint256' }],
  },
] as const

async function heldOf({ chain }: Theatre, token: Address): Promise<bigint> {
  const { client, root } = chain
  if (token === ETH) return client.getBalance({ address: root })
  return client.readContract({ address: token, abi: BALANCE_OF, functionName: 'balanceOf', args: [root] })
}

/** What L1 holds for accounts until they fetch it. */
function creditsOf(events: readonly RootEvent[], of: Address): bigint {
  return events.reduce((sum, event) => {
    if (event.type === 'Credited' && event.token === of) return sum + event.amount
    return event.type === 'Withdrawn' && event.token === of ? sum - event.amount : sum
  }, 0n)
}
