/**
 * The explorer's game on the real root contract (`docs/spec.md` 3 to 6): one tick is 22 L1 blocks of one timestamp, one unit of money an odd number of wei.
 * Halts and invalid transactions are set by hand. Owners never send anything: what their balance grows by is what the exit game paid them.
 */

import { encodeDropRefuted, encodeStartDisputedExits } from '../../l1/disputeCalls.ts'
import {
  encodeCloseChain,
  encodeDepositEth,
  encodeDropEvidence,
  encodeFraudProof,
  encodeRelease,
  encodeSettle,
  encodeStartDepositExit,
  encodeStartStandardExit,
  encodeSubmitBlocks,
  type RootCall,
  type SignedMandate,
} from '../../l1/rootCalls.ts'
import type { RootEvent, StartedDispute } from '../../l1/rootEvents.ts'
import { bytesToHex, type Hash, ZERO_HASH } from '../../protocol/bytes.ts'
import type { DataChallenge } from '../../protocol/dataChallenge.ts'
import type { Exit as RootExit } from '../../protocol/exit.ts'
import type { FraudProof, PlacedTransaction } from '../../protocol/fraud.ts'
import { encodePosition } from '../../protocol/position.ts'
import { createOutput, hashTransaction, type SignedTransaction } from '../../protocol/transaction.ts'
import { setByHand } from '../contracts/rootSuite.ts'
import {
  answer,
  challengeByPlace,
  decide,
  deposited,
  includedIn,
  inherit,
  madeIn,
  showCompetitor,
  startDispute,
} from '../support/disputeMoves.ts'
import { bond, challenge, process, signMandate, turnsOf } from '../support/moves.ts'
import { type Actor, actors, type ChildBlock, ETH, eventOf, type RootChain } from '../support/rootChain.ts'
import { challengeData, endChallenge, reveal } from '../support/suretyMoves.ts'
import { isWitnessed } from './chain.ts'
import { fate, headOfQueue, stands } from './exits.ts'
import type { Move } from './moves.ts'
import { at, blockNumberOf, type Game, inclusions, type Leaf, leafAt, NONE, type Via, type World } from './world.ts'

/** Seconds and L1 blocks of one tick, of eight to a period: an anchor two ticks old is 44 blocks old at most. */
export const TICK_SECONDS = 60
export const TICK_BLOCKS = 22
export const REPLAY_PARAMETERS = {
  minExitPeriod: 8 * TICK_SECONDS,
  dataChallengePeriod: TICK_SECONDS,
  dataResponsePeriod: TICK_SECONDS,
  reaction: TICK_SECONDS,
  anchorAgeBlocks: 2 * TICK_BLOCKS,
  abandonPeriod: 1_000 * TICK_SECONDS,
} as const
export const UNIT_WEI = 1_000_000_000_007n
/** The replayed game has this many times the scenario's amounts: its parts pro rata are whole units. */
export const SCALE = 2_310

/** A piece of evidence as the contract keeps it: the transaction's place in the model, and the output's position that it names. */
type Filed = Readonly<{ piece: number; names: number }>

/** Equal payments of a game differ by it. */
function memoOf(tx: number): Hash {
  return bytesToHex(new Uint8Array(32).fill(tx + 1))
}

/** A root contract on which a game of the explorer is played. */
export type Replay = Awaited<ReturnType<typeof openReplay>>

/** Deposits and submits what the game starts with, on a contract of which nothing was used yet. */
export async function openReplay(chain: RootChain, game: Game, mandates: Map<string, SignedMandate>) {
  const owners: Readonly<Record<string, Actor>> = { Alice: actors.alice, Bob: actors.bob, Mallory: actors.mallory }
  const ownerOf = (output: number) => owners[at(game.outputs, output).owner] as Actor
  const base = Number((await chain.client.getBlock()).timestamp) + TICK_SECONDS
  const first = Math.min(0, ...game.start.blocks.map(({ anchor }) => anchor)) - 2
  const bondWei = (await bond(chain)) * 8n
  const deposits = new Map<number, number>()
  const blocks: ChildBlock[] = []
  const transactions = new Map<string, SignedTransaction>()
  const exits = new Map<number, RootExit>()
  const disputes = new Map<number, StartedDispute>()
  const shown = new Map<number, { competitors: number[]; answers: number[]; any: boolean }>()
  const filed = new Map<number, Filed[]>()
  const paid = new Map<number, bigint>()
  const challenges = new Map<number, DataChallenge>()
  const isAsked = (world: World, position: number) =>
    at(at(world.blocks, blockNumberOf(position) - 1).asked, position % 16) >= 0
  const unreleased = new Set<number>()
  const toldOver = new Set<number>()
  let tick = first
  let used = 0
  await chain.client.setBlockTimestampInterval({ interval: 0 })
  await chain.client.setNextBlockTimestamp({ timestamp: BigInt(base) })
  const firstBlock = Number(await chain.client.getBlockNumber()) + 1

  /** L1 time goes on to a later tick. */
  async function advance(to: number): Promise<void> {
    for (; tick < to; tick++) {
      if (used > TICK_BLOCKS) throw new RangeError(`got ${used} L1 blocks in tick ${tick}, want at most ${TICK_BLOCKS}`)
      await chain.client.mine({ blocks: TICK_BLOCKS - used, interval: 0 })
      used = 0
      await chain.client.setNextBlockTimestamp({ timestamp: BigInt(base + (tick + 1 - first) * TICK_SECONDS) })
    }
  }

  async function counted<T>(move: () => Promise<T>): Promise<T> {
    const result = await move()
    used = Number(await chain.client.getBlockNumber()) + 1 - firstBlock - (tick - first) * TICK_BLOCKS
    return result
  }

  const send = (call: RootCall, from: Actor = actors.carol) => counted(() => chain.send(from.account, call))
  const hashOf = (tx: SignedTransaction) => bytesToHex(hashTransaction(tx.transaction, chain.separator))

  /** Last L1 block of a tick that is over. */
  const anchorOf = (ofTick: number) => firstBlock + (ofTick + 1 - first) * TICK_BLOCKS - 1

  function positionOf(world: World, output: number): number {
    const { madeBy } = at(game.outputs, output)
    if (madeBy === NONE) return deposits.get(output) as number
    const made = inclusions(world, madeBy)[0]
    if (made === undefined)
      throw new RangeError(`got output ${output} of a transaction in no block, want an included one`)
    return placeOf(made, at(game.txs, madeBy).outputs.indexOf(output))
  }

  function placeOf(piece: number, output = 0): number {
    return encodePosition({ block: blockNumberOf(piece), index: piece % 16, output })
  }

  /** The transaction of the game with every signature, or with those of honest people only. */
  async function signedOf(world: World, tx: number, half = false, forged = false): Promise<SignedTransaction> {
    const key = `${tx} ${half} ${forged}`
    const known = transactions.get(key)
    if (known !== undefined) return known
    const spec = at(game.txs, tx)
    const spends = spec.inputs.map((output) => ({ output, position: positionOf(world, output) }))
    spends.sort((a, b) => a.position - b.position)
    const made = spec.outputs.map((o) =>
      createOutput(ownerOf(o).address, ETH, BigInt(at(game.outputs, o).amount) * UNIT_WEI),
    )
    // Younger than any block: missing, as its place says.
    const fromNowhere = [{ position: encodePosition({ block: 2 ** 27, index: 0, output: tx }), signer: actors.mallory }]
    const inputs =
      spends.length === 0 ? fromNowhere : spends.map(({ output, position }) => ({ position, signer: ownerOf(output) }))
    const outputs = made.length === 0 ? [createOutput(actors.mallory.address, ETH, 1n)] : made
    const signers = inputs.map(({ signer }) => ((signer === actors.mallory ? half : forged) ? actors.erin : signer))
    const signed = await chain.sign(
      { inputs: inputs.map(({ position }) => position), outputs, memo: memoOf(tx) },
      signers,
    )
    transactions.set(key, signed)
    return signed
  }

  async function mandateOf(owner: Actor): Promise<SignedMandate> {
    const known = mandates.get(owner.address)
    if (known !== undefined) return known
    const mandate = await signMandate(chain, owner, {})
    mandates.set(owner.address, mandate)
    return mandate
  }

  async function submit(world: World, leaves: readonly Leaf[], anchor: number): Promise<void> {
    const signed = await Promise.all(leaves.map(({ tx, half, forged }) => signedOf(world, tx, half, forged)))
    const number = anchorOf(anchor)
    const { hash } = await chain.client.getBlock({ blockNumber: BigInt(number) })
    const commitment = await chain.commitmentOf(signed, number)
    const call = encodeSubmitBlocks(blocks.length + 1, [commitment], hash as Hash)
    const { timestamp } = await send(call, actors.operator)
    blocks.push({ number: blocks.length + 1, transactions: signed, header: { ...commitment, timestamp } })
  }

  async function startExit(output: number, via: Via): Promise<void> {
    const owner = ownerOf(output)
    const mandate = await mandateOf(owner)
    const { madeBy, amount } = at(game.outputs, output)
    const index = madeBy === NONE ? 0 : at(game.txs, madeBy).outputs.indexOf(output)
    let call: RootCall
    if (via === 'deposit') {
      const position = deposits.get(output) as number
      call = encodeStartDepositExit({ position, token: ETH, amount: BigInt(amount) * UNIT_WEI, bondWei, mandate })
    } else if (via === 'dispute') {
      const { dispute, signed } = disputes.get(madeBy) as StartedDispute
      call = encodeStartDisputedExits({ dispute, transaction: signed.transaction, outputs: [index], bondWei, mandate })
    } else {
      const block = at(blocks, blockNumberOf(via) - 1)
      const made = madeIn(chain, block, via % 16)
      if ('deposit' in made) throw new TypeError('got a deposit, want a transaction')
      call = encodeStartStandardExit({ position: placeOf(via, index), shown: made, bondWei, mandate })
    }
    const { events } = await send(call, actors.watcher)
    exits.set(output, eventOf(events, 'ExitStarted').exit)
    filed.set(output, [])
  }

  async function dispute(world: World, tx: number): Promise<void> {
    const signed = await signedOf(world, tx)
    const byPosition = at(game.txs, tx).inputs.map((output) => ({ output, position: positionOf(world, output) }))
    byPosition.sort((a, b) => a.position - b.position)
    const inputs = byPosition.map(({ output }) => {
      const { madeBy, amount } = at(game.outputs, output)
      if (madeBy === NONE) return deposited(ownerOf(output), BigInt(amount) * UNIT_WEI)
      const made = at(inclusions(world, madeBy), 0)
      return madeIn(chain, at(blocks, blockNumberOf(made) - 1), made % 16)
    })
    const queued = byPosition.flatMap(({ output }) => {
      const state = world.exits[output]?.state
      const open = state === 'queued' || state === 'ticket' || unreleased.has(output)
      return open ? [exits.get(output) as RootExit] : []
    })
    disputes.set(tx, await counted(() => startDispute(chain, signed, inputs, { exits: queued })))
    shown.set(tx, { competitors: [], answers: [], any: false })
  }

  async function competitor(world: World, tx: number, piece: number): Promise<void> {
    const rival = piece < 0 ? -1 - piece : leafAt(world, piece).tx
    const started = disputes.get(tx) as StartedDispute
    const list = shown.get(tx) as { competitors: number[]; any: boolean }
    // One that is in no block says nothing more once any is known: the contract takes none, the explorer one that changes nothing.
    if (piece < 0 && list.any) return
    const block = piece < 0 ? null : at(blocks, blockNumberOf(piece) - 1)
    const signed = block === null ? await signedOf(world, rival) : at(block.transactions, piece % 16)
    const inputs = started.inputs.flatMap(({ position }, i) =>
      signed.transaction.inputs.includes(position) ? [i] : [],
    )
    // By a signed input that was locked last: an older lock might forbid what a younger allows.
    const isSigned = (i: number) => {
      const spent = at(game.txs, rival).inputs.find((o) => positionOf(world, o) === started.inputs[i]?.position)
      return piece < 0 || spent === undefined || isWitnessed(game, leafAt(world, piece), spent)
    }
    const weight = (i: number) => (isSigned(i) ? 1e9 : 0) + (started.inputs[i]?.lockedAt ?? 0)
    inputs.sort((a, b) => weight(b) - weight(a))
    const input = inputs[0] ?? 0
    const included = block === null ? {} : { included: includedIn(chain, block, piece % 16) }
    await counted(() => showCompetitor(chain, started, signed, { input, ...included }))
    list.any = true
    if (piece >= 0) list.competitors.push(piece)
  }

  async function evidence(world: World, output: number, piece: number): Promise<void> {
    const exit = exits.get(output) as RootExit
    const block = at(blocks, blockNumberOf(piece) - 1)
    const names = positionOf(world, output)
    if (exit.disputed === ZERO_HASH) {
      await counted(() => challenge(chain, exit, [block, piece % 16]))
    } else {
      const made = at(inclusions(world, at(game.outputs, output).madeBy), 0)
      const input = at(block.transactions, piece % 16).transaction.inputs.indexOf(names)
      const madeAt = includedIn(chain, at(blocks, blockNumberOf(made) - 1), made % 16)
      await counted(() => challengeByPlace(chain, exit, madeAt, [block, piece % 16, input]))
    }
    filed.get(output)?.push({ piece, names })
  }

  function placed(piece: number): PlacedTransaction {
    const block = at(blocks, blockNumberOf(piece) - 1)
    const { header, proof } = includedIn(chain, block, piece % 16)
    return { position: placeOf(piece), signed: at(block.transactions, piece % 16), header, proof }
  }

  /** The proof that the explorer's breach has on L1: an input that doesn't exist, or a witness that is not its owner's. Null for the others. */
  function proofOf(world: World, piece: number): FraudProof | null {
    const leaf = leafAt(world, piece)
    const { inputs, fault } = at(game.txs, leaf.tx)
    const offence = placed(piece)
    if (inputs.length === 0)
      return fault === 'none' ? null : { rule: 'V2', offence, input: 0, shown: { kind: 'nothing' } }
    const output = inputs.find((o) => !isWitnessed(game, leaf, o))
    if (output === undefined) return null
    const input = offence.signed.transaction.inputs.indexOf(positionOf(world, output))
    const { madeBy, amount } = at(game.outputs, output)
    if (madeBy !== NONE) {
      const made = at(inclusions(world, madeBy), 0)
      return { rule: 'V4', offence, input, shown: { kind: 'transaction', at: placed(made) } }
    }
    const deposit = { owner: ownerOf(output).address, token: ETH, amount: BigInt(amount) * UNIT_WEI }
    return { rule: 'V4', offence, input, shown: { kind: 'deposit', deposit } }
  }

  /** Takes back what fell, as anybody may: the explorer asks for no call. */
  async function dropFallen(world: World): Promise<void> {
    for (const [output, pieces] of filed) {
      const exit = world.exits[output]
      if (exit == null || exit.state === 'paid') continue
      for (const { piece, names } of pieces.filter((f) => !stands(game, world, output, f.piece))) {
        const { outputId } = exits.get(output) as RootExit
        const call = world.disputes[leafAt(world, piece).tx]?.verdicts.includes('not')
          ? encodeDropRefuted(outputId, { ...shownPiece(piece), place: names })
          : encodeDropEvidence(outputId, placeOf(piece), names)
        await send(call, actors.dave)
        filed.set(
          output,
          (filed.get(output) ?? []).filter((f) => f.piece !== piece),
        )
      }
    }
  }

  function shownPiece(piece: number) {
    const block = at(blocks, blockNumberOf(piece) - 1)
    const { header, proof } = includedIn(chain, block, piece % 16)
    return { spend: placeOf(piece), header, included: { txHash: hashOf(at(block.transactions, piece % 16)), proof } }
  }

  async function release(world: World, output: number): Promise<readonly RootEvent[]> {
    const exit = exits.get(output) as RootExit
    const spent = fate(game, world, output) === 'spent'
    const pieces = spent ? (filed.get(output) ?? []) : []
    if (pieces.length === 0) return (await send(encodeRelease(exit))).events
    let refusal: unknown
    for (const { piece, names } of pieces) {
      try {
        return (await send(encodeRelease(exit, { ...shownPiece(piece), place: names }))).events
      } catch (error) {
        refusal = error
      }
    }
    throw refusal
  }

  /** Gives the head its turn. A spent exit that the contract only postpones (all but plain evidence) is released as soon as that can be. */
  async function turn(world: World): Promise<readonly RootEvent[]> {
    const queued = world.exits.flatMap((exit, o) => (exit?.state === 'queued' ? [exits.get(o) as RootExit] : []))
    const spends = [...filed.values()].flat().map(({ piece }) => at(blocks, blockNumberOf(piece) - 1))
    const head = headOfQueue(game, world)
    const mine = (head === null ? [] : (filed.get(head) ?? [])).map(({ piece }) => at(blocks, blockNumberOf(piece) - 1))
    const turns = turnsOf(queued, blocks, mine.length > 0 ? mine.slice(0, 1) : spends)
    return (await counted(() => process(chain, turns, { maxCount: 1 }))).events
  }

  /** Releases what the explorer removed at its turn already. */
  async function releaseLate(world: World): Promise<void> {
    for (let again = true; again; ) {
      again = false
      for (const output of unreleased) {
        try {
          await release(world, output)
        } catch {
          continue
        }
        unreleased.delete(output)
        again = true
      }
    }
  }

  /** The move on the contract in the state `world`; a refusal throws `Reverted`. Returns what happened. */
  async function play(world: World, move: Move): Promise<readonly RootEvent[]> {
    switch (move.type) {
      case 'tick':
      case 'reveal':
        return []
      case 'submit':
        await submit(world, at(game.blocks, move.spec).leaves, move.anchor)
        return []
      case 'startExit':
        await startExit(move.output, move.via)
        return []
      case 'startDispute':
        await dispute(world, move.tx)
        return []
      case 'competitor':
        await competitor(world, move.tx, move.piece)
        return []
      case 'answer': {
        const block = at(blocks, blockNumberOf(move.piece) - 1)
        await counted(() =>
          answer(chain, disputes.get(move.tx) as StartedDispute, includedIn(chain, block, move.piece % 16)),
        )
        shown.get(move.tx)?.answers.push(move.piece)
        return []
      }
      case 'evidence':
        await evidence(world, move.output, move.piece)
        return []
      case 'ask': {
        const [number, index] = [blockNumberOf(move.position), move.position % 16]
        const asked = await counted(() => challengeData(chain, at(blocks, number - 1), [index, 0]))
        challenges.set(move.position, asked)
        return []
      }
      case 'answerData': {
        const asked = [challenges.get(move.position) as DataChallenge]
        return (await counted(() => reveal(chain, at(blocks, blockNumberOf(move.position) - 1), asked))).events
      }
      case 'prove': {
        const proof = proofOf(world, move.position)
        if (proof !== null) return (await send(encodeFraudProof(proof))).events
        await counted(() => setByHand(chain, 'setInvalid', [BigInt(placeOf(move.position)), true]))
        return []
      }
      case 'haltUnanswered': {
        const asked = [...challenges].flatMap(([p, c]) =>
          blockNumberOf(p) === move.block && isAsked(world, p) ? [c] : [],
        )
        const [oldest] = asked.sort((a, b) => a.startedAt - b.startedAt)
        return oldest === undefined ? [] : (await counted(() => endChallenge(chain, oldest))).events
      }
      case 'close':
        return (await send(encodeCloseChain(), actors.operator)).events
      case 'turn':
        return turn(world)
      case 'settle':
        return (await send(encodeSettle([exits.get(move.output) as RootExit]))).events
      case 'release':
        return release(world, move.output)
      case 'inherit': {
        const { madeBy } = at(game.outputs, move.output)
        const started = disputes.get(madeBy) as StartedDispute
        const position = positionOf(world, move.input)
        const input = started.inputs.findIndex((shownInput) => shownInput.position === position)
        const own = exits.get(move.output)
        // Whose own ticket was cancelled too has to be told first that it is over.
        if (own !== undefined && world.passedOn.includes(move.output) && world.exits[move.output]?.state === 'ticket') {
          if (!toldOver.has(move.output)) await send(encodeRelease(own))
          toldOver.add(move.output)
        }
        const exit = own ?? (exits.get(move.input) as RootExit)
        const index = at(game.txs, madeBy).outputs.indexOf(move.output)
        return (await counted(() => inherit(chain, started, exit, [input, index]))).events
      }
      case 'decide': {
        const pieces = shown.get(move.tx)
        const places = (list: readonly number[]) => list.slice(1).map((piece) => placeOf(piece))
        const started = disputes.get(move.tx) as StartedDispute
        const rest = { competitors: places(pieces?.competitors ?? []), answers: places(pieces?.answers ?? []) }
        return (await counted(() => decide(chain, started, rest))).events
      }
    }
  }

  /** The halt as the explorer's world has it after a proof or an unanswered challenge. */
  async function haltAt(world: World): Promise<void> {
    await counted(() => setByHand(chain, 'setHalt', [world.voidFrom, base + (world.now - first) * TICK_SECONDS]))
  }

  function notePaid(events: readonly RootEvent[]): void {
    for (const event of events) {
      if (event.type !== 'ExitPaid') continue
      for (const [output, exit] of exits)
        if (exit.outputId === event.outputId) paid.set(output, (paid.get(output) ?? 0n) + event.amount)
    }
  }

  const starting = new Map<string, bigint>()
  for (const [name, { address }] of Object.entries(owners))
    starting.set(name, await chain.client.getBalance({ address }))

  /** Wei that an owner has got since the start. */
  async function gotOf(name: string): Promise<bigint> {
    const { address } = owners[name] as Actor
    return (await chain.client.getBalance({ address })) - (starting.get(name) as bigint)
  }

  async function depositAfter(block: number): Promise<void> {
    for (const [output, spec] of game.outputs.entries()) {
      if (spec.madeBy !== NONE || spec.afterBlock !== block) continue
      const call = encodeDepositEth(ownerOf(output).address, BigInt(spec.amount) * UNIT_WEI)
      deposits.set(output, eventOf((await send(call, actors.dave)).events, 'Deposited').position)
    }
  }

  await depositAfter(0)
  for (const [i, block] of game.start.blocks.entries()) {
    await advance(block.time)
    await submit({ ...game.start, blocks: game.start.blocks.slice(0, i + 1) }, block.leaves, block.anchor)
    await depositAfter(i + 1)
  }
  await advance(0)
  for (const output of game.start.exits.keys()) {
    const exit = game.start.exits[output]
    if (exit != null) await startExit(output, exit.via)
  }

  return {
    chain,
    game,
    advance,
    play,
    proofOf,
    haltAt,
    dropFallen,
    releaseLate,
    notePaid,
    paid,
    unreleased,
    gotOf,
    exits,
    disputes,
  }
}
