/** What cheats do, each in a few moves (docs/spec.md 4 to 8). A plot strikes once and may go on at every stop; what it takes out comes as calls, so that rivals can share its L1 block. */
import { encodeCloseChain } from '../../l1/rootCalls.ts'
import { bytesToHex } from '../../protocol/bytes.ts'
import { encodeBody } from '../../protocol/codec.ts'
import { encodePosition } from '../../protocol/position.ts'
import type { Output, SignedTransaction } from '../../protocol/transaction.ts'
import type { TestBatch } from '../support/batchMoves.ts'
import { showCompetitor, startDispute } from '../support/disputeMoves.ts'
import { place, signMandate } from '../support/moves.ts'
import { actors, type ChildBlock, ETH } from '../support/rootChain.ts'
import { draftReceipt, reveal, signReceipts } from '../support/suretyMoves.ts'
import { type Cell, ENDING, type Fault, FORGERIES } from './cell.ts'
import { batchOf, draftFlight, type Flight, leave, leaveCall, leaveTogether, shownInput } from './owner.ts'
import type { Coin, Theatre, To, Written } from './theatre.ts'
import { attempt, type Sent } from './track.ts'

const { alice, mallory, operator } = actors

export type Plot = {
  /** Inputs of honest payments in flight: their owners don't take them out. */
  readonly pending: ReadonlySet<number>
  readonly flight?: Flight
  /** Disputes and batches that the thief has. */
  readonly batches: TestBatch[]
  readonly disputes: Awaited<ReturnType<typeof startDispute>>[]
  /** Batch of honest people that the plot itself brought about. */
  crowd?: TestBatch
  /** What the thief takes out, unsent. */
  thefts: Sent[]
  /** Something that must have happened in the end where anybody watches. */
  expects?: string
  strike(): Promise<void>
  /** At every stop, before the watchers. */
  next(): Promise<void>
  /** L1 seconds at which the thief wants to be there. */
  appointments: number[]
}

/** `busy`: inputs of honest payments in flight that other plots have. */
type Scene = Readonly<{
  theatre: Theatre
  cell: Cell
  bait: Coin
  stolen: SignedTransaction
  busy?: ReadonlySet<number>
}>

export async function createPlot(scene: Scene): Promise<Plot> {
  const { theatre, cell } = scene
  const flight = cell.game === 'in-flight' ? await draftFlight(theatre, scene.busy) : undefined
  const plot: Plot = {
    ...(flight && { flight }),
    pending: new Set(flight?.signed.transaction.inputs ?? []),
    batches: [],
    disputes: [],
    thefts: [],
    appointments: [],
    strike: async () => {},
    next: async () => {},
  }
  Object.assign(plot, await PLOTS[cell.fault](scene, plot))
  return plot
}

type Parts = Partial<Pick<Plot, 'strike' | 'next' | 'expects'>>

const PLOTS: Readonly<Record<Fault, (scene: Scene, plot: Plot) => Parts | Promise<Parts>>> = {
  none: () => ({}),
  'double-spend': forgery,
  mint: forgery,
  'forge-signature': forgery,
  'spend-exited': forgery,
  'break-value': forgery,
  'refer-to-future': forgery,
  'withhold-block': withholdBlock,
  'withhold-transaction': withholdTransaction,
  'reveal-late': revealLate,
  'wrong-root': wrongRoot,
  equivocate,
  censor: () => ({}),
  stop: () => ({ expects: 'HaltMoved' }),
  theft,
  'non-canonical': nonCanonical,
  'hostile-batch': hostileBatch,
  'poisoned-batch': poisonedBatch,
  'copied-batch': copiedBatch,
}

const everything = ({ coins }: Theatre) =>
  coins.reduce((sum, { made, token, amount }) => (made || token !== ETH ? sum : sum + amount), 0n)

/** A place in the next block. */
const nextPlace = ({ blocks }: Theatre, index: number, output = 0) =>
  encodePosition({ block: blocks.length + 1, index, output })

/** An invalid transaction that pays the thief, at `index` of the next block; what it costs the thief to prepare is done. */
async function forge(
  { theatre, bait }: Scene,
  fault: Fault,
  index: number,
): Promise<{ signed: SignedTransaction; anchor?: number }> {
  const { pay, free, dice, fund, chain } = theatre
  const own = free(mallory, ETH)[0] as Coin
  switch (fault) {
    case 'double-spend':
      return { signed: await pay([bait], [[mallory, bait.amount]]) }
    case 'forge-signature': {
      const victim = free(alice, ETH).at(-1) as Coin
      return { signed: await pay([victim], [[mallory, victim.amount]], [mallory]) }
    }
    case 'spend-exited':
      await leave(theatre, own)
      return { signed: await pay([own], [[mallory, own.amount]]) }
    case 'break-value':
      return { signed: await pay([own], [[mallory, everything(theatre)]]) }
    case 'refer-to-future': {
      if (dice.chance(50)) {
        const later = { position: nextPlace(theatre, index + 1), owner: mallory, token: ETH, amount: own.amount }
        return { signed: await pay([later], [[mallory, own.amount]]) }
      }
      const anchor = Number(await chain.client.getBlockNumber())
      const late = await fund(mallory, own.amount)
      theatre.spent.add(late.position)
      return { signed: await pay([late], [[mallory, late.amount]]), anchor }
    }
    default: {
      const nowhere = { position: encodePosition({ block: 1, index: 900, output: 0 }), owner: mallory, token: ETH }
      const amount = everything(theatre)
      return { signed: await pay([{ ...nowhere, amount }], [[mallory, amount]]) }
    }
  }
}

/** The thief’s output of a block, as a coin that no honest book has. */
function lootOf({ block }: Readonly<{ block: ChildBlock }>, index: number): Coin {
  const { transaction } = block.transactions[index] as SignedTransaction
  const { token, amount } = transaction.outputs[0] as Output
  return { position: place(block, index), owner: mallory, token, amount, made: [block, index, 0] }
}

/** Out by the door of the game: a batch of the thief's where people leave in batches, else an exit. */
async function takeOut({ theatre, cell }: Scene, plot: Plot, loot: Coin): Promise<void> {
  if (cell.game === 'mass' && theatre.dice.chance(60)) {
    const blocks = theatre.blocks.map(({ block }) => block)
    const batch = await attempt(() => batchOf(theatre, [loot], mallory, blocks))
    if (batch) plot.batches.push(batch)
    return
  }
  plot.thefts.push(await leaveCall(theatre, loot, mallory))
}

function forgery(scene: Scene, plot: Plot): Parts {
  const { theatre, cell } = scene
  return {
    async strike() {
      const honest = plot.flight ? [plot.flight.signed] : []
      const { signed, anchor } = await forge(scene, cell.fault, honest.length)
      if (anchor !== undefined) await theatre.chain.client.mine({ blocks: 1, interval: 0 })
      const written = await theatre.commit([...honest, signed], {
        valid: false,
        ...(anchor !== undefined && { anchor }),
      })
      await takeOut(scene, plot, lootOf(written, honest.length))
    },
  }
}

function withholdBlock(scene: Scene, plot: Plot): Parts {
  const { theatre } = scene
  return {
    async strike() {
      const honest = plot.flight ? [plot.flight.signed] : []
      const { signed } = await forge(scene, 'mint', honest.length)
      const written = await theatre.commit([...honest, signed], { valid: false, served: false })
      await takeOut(scene, plot, lootOf(written, honest.length))
    },
  }
}

/** All leaves are shown on L1 when demanded, but the range with the last. */
function withholdTransaction(scene: Scene, plot: Plot): Parts {
  const { theatre } = scene
  const shown = 32
  return {
    async strike() {
      const { pay, free } = theatre
      const honest = plot.flight ? [plot.flight.signed] : []
      let coin = free(mallory, ETH)[0] as Coin
      const list = [...honest]
      while (list.length < shown) {
        const to: To[] = [[mallory, coin.amount]]
        list.push(await pay([coin], to))
        coin = { ...coin, position: nextPlace(theatre, list.length - 1) }
      }
      const { signed } = await forge(scene, 'mint', shown)
      const written = await theatre.commit([...list, signed], { valid: false, served: false })
      await takeOut(scene, plot, lootOf(written, shown))
    },
    next: () => answerDemands(theatre, ({ first }) => first < shown),
  }
}

/** The operator's answers to the demands that it likes to answer, each once. */
async function answerDemands(theatre: Theatre, likes: (range: { first: number; startedAt: number }) => boolean) {
  const { chain, blocks } = theatre
  for (const event of [...chain.events]) {
    if (event.type !== 'DataChallenged' || !likes(event.challenge)) continue
    const written = blocks.find(({ block }) => block.number === event.challenge.blockNumber)
    if (written) await attempt(() => reveal(chain, written.block, [event.challenge]))
  }
}

/** A valid block that nobody sees until the last second of the time for an answer. */
function revealLate(scene: Scene, plot: Plot): Parts {
  const { theatre, cell } = scene
  const { chain, pay, free, commit } = theatre
  const { dataResponsePeriod } = theatre.parameters
  const known = new Set<number>()
  let written: Written | undefined
  return {
    async strike() {
      const own = free(mallory, ETH)[0] as Coin
      const payment = await pay(
        [own],
        [
          [alice, own.amount / 2n],
          [mallory, own.amount - own.amount / 2n],
        ],
      )
      written = await commit([...(plot.flight ? [plot.flight.signed] : []), payment], { served: false })
      plot.thefts.push(await leaveCall(theatre, own, mallory))
    },
    async next() {
      const now = await chain.now()
      for (const event of chain.events) {
        if (event.type !== 'DataChallenged') continue
        const last = event.challenge.startedAt + dataResponsePeriod
        if (!known.has(last)) plot.appointments.push(last)
        known.add(last)
      }
      await answerDemands(theatre, ({ startedAt }) => now >= startedAt + dataResponsePeriod)
      const number = written?.block.number
      const isShown = chain.events.some((event) => event.type === 'DataRevealed' && event.blockNumber === number)
      if (!isShown || !written || written.served) return
      written.served = true
      if (cell.game === 'after-halt') await chain.send(operator.account, encodeCloseChain())
    },
  }
}

/** L1 has the root of one block, peers serve another. */
function wrongRoot(scene: Scene, plot: Plot): Parts {
  const { theatre } = scene
  return {
    async strike() {
      const { blocks, guards } = theatre
      const honest = plot.flight ? [plot.flight.signed] : []
      const { signed } = await forge(scene, 'mint', honest.length)
      const written = await theatre.commit([...honest, signed], { valid: false, served: false })
      const { number, header } = written.block
      const other = encodeBody({
        block: number,
        anchor: header.anchor,
        transactions: blocks[0]?.block.transactions ?? [],
      })
      for (const guard of guards) guard.serveBytes(number, other)
      await takeOut(scene, plot, lootOf(written, honest.length))
    },
  }
}

/** Two receipts of the operator for one place. */
function equivocate({ theatre, cell }: Scene): Parts {
  const { chain, commit, pay, free, guards } = theatre
  let stops = 0
  return {
    expects: 'ReceiptBroken',
    async strike() {
      const coin = free(mallory, ETH)[0] as Coin
      const [kept, other] = [await pay([coin], [[mallory, coin.amount]]), await pay([coin], [[alice, coin.amount]])]
      const [one, two] = chain.hashed([kept, other]).map(({ txHash }) => bytesToHex(txHash))
      const draft = await draftReceipt(chain, one as `0x${string}`)
      const signed = [
        ...(await signReceipts(chain, [draft])),
        ...(await signReceipts(chain, [{ ...draft, txHash: two as `0x${string}` }])),
      ]
      await chain.client.mine({ blocks: 1, interval: 0 })
      for (const guard of guards) {
        await guard.look(1)
        for (const receipt of signed) guard.receipts.add(receipt)
      }
      await commit([kept], { anchor: draft.anchor })
    },
    async next() {
      if (++stops === 3 && cell.game === 'after-halt')
        await attempt(() => chain.send(operator.account, encodeCloseChain()))
    },
  }
}

/** What was spent leaves once more: as a deposit or payment, through the dispute of what made it, or in a batch. */
function theft(scene: Scene, plot: Plot): Parts {
  const { theatre, cell, bait } = scene
  return {
    async strike() {
      if (cell.game !== 'in-flight' || !bait.made) return takeOut(scene, plot, bait)
      const [block, index, output] = bait.made
      const made = block.transactions[index] as SignedTransaction
      const source = theatre.coinAt(made.transaction.inputs[0] as number) as Coin
      plot.disputes.push(
        await startDispute(theatre.chain, made, [shownInput(theatre, source)], { from: mallory, outputs: [output] }),
      )
    },
  }
}

/** A payment that the chain knows is disputed, or one that contradicts it. */
function nonCanonical({ theatre, bait, stolen }: Scene, plot: Plot): Parts {
  const { chain, dice, pay } = theatre
  const isAttack = dice.chance(50)
  let rival: SignedTransaction
  return {
    async strike() {
      rival = await pay([bait], [[mallory, bait.amount]])
      const inputs = [shownInput(theatre, bait)]
      if (!isAttack) {
        plot.disputes.push(await startDispute(chain, rival, inputs, { from: mallory, outputs: [0] }))
        return
      }
      const started = await startDispute(chain, stolen, inputs, { from: mallory, outputs: [1] })
      plot.disputes.push(started)
      plot.thefts.push(await leaveCall(theatre, bait, mallory))
      plot.appointments.push(started.dispute.exitableAt - chain.parameters.minExitPeriod / 2)
    },
    async next() {
      const [started] = plot.disputes
      if (!isAttack || !started) return
      const last = started.dispute.exitableAt - chain.parameters.minExitPeriod / 2
      if ((await chain.now()) >= last || dice.chance(30))
        await attempt(() => showCompetitor(chain, started, rival, { from: mallory }))
    },
  }
}

/** Entries that are spent, never were, are over-declared, or belong to people who gave nobody leave; and some of them twice. */
function hostileBatch({ theatre, bait }: Scene, plot: Plot): Parts {
  const { owned, blocks, dice } = theatre
  return {
    async strike() {
      const own = owned(mallory, ETH)[0] as Coin
      const victims = owned(alice, ETH)
      const last = victims.at(-1) as Coin
      const forged = { position: encodePosition({ block: 1, index: 700, output: 0 }), amount: bait.amount }
      const over = { ...last, amount: last.amount + 1n }
      const lists = [
        [bait, own],
        [bait, forged, own],
        [bait, over, own],
        [bait, ...victims.filter(({ position }) => !plot.pending.has(position)), own],
      ]
      const children = blocks.map(({ block }) => block)
      for (const list of [dice.pick(lists), [bait, own]]) {
        const batch = await attempt(() => batchOf(theatre, list, mallory, children))
        if (batch) plot.batches.push(batch)
      }
    },
  }
}

/** The thief joins the crowd, and spends what left before the crowd is locked. */
async function poisonedBatch({ theatre }: Scene, plot: Plot): Promise<Parts> {
  const { chain, free, pay, commit, guards } = theatre
  const own = free(mallory, ETH)[0] as Coin
  for (const guard of guards) {
    const { mandate, signature } = await signMandate(chain, mallory, { delegate: guard.actor.address })
    guard.protection.add({ owner: mallory.address, mandate, signature }, 0)
  }
  return {
    async strike() {
      if (theatre.awake().some(({ actor }) => actor === actors.erin) || theatre.away === 'coordinator')
        plot.crowd = await leaveTogether(theatre, plot.pending, [own])
      await commit([await pay([own], [[mallory, own.amount]])])
      if (plot.crowd) plot.batches.push(plot.crowd)
    },
  }
}

/** Somebody sends the coordinator's entries first, in the same L1 block, and never defends them. */
function copiedBatch({ theatre }: Scene, plot: Plot): Parts {
  const { blocks, chain, coins, spent } = theatre
  return {
    async strike() {
      const all = coins.filter(
        ({ owner, position, token }) => owner !== mallory && token === ETH && !spent.has(position),
      )
      const copy = await attempt(() =>
        batchOf(
          theatre,
          all,
          mallory,
          blocks.map(({ block }) => block),
        ),
      )
      if (copy) plot.batches.push(copy)
      await chain.client.mine({ blocks: 1, interval: 0 })
    },
  }
}

/** Whether the plot alone ends the chain. */
export function isEnding(fault: Fault): boolean {
  return ENDING.has(fault) || FORGERIES.has(fault)
}
