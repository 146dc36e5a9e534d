/** How a scenario is written down: by names and in MEP, turned into the numbers of a game. */
import { startExit } from './exits.ts'
import { waysOut } from './hostile.ts'
import type { Rules } from './rules.ts'
import {
  type Block,
  type BlockSpec,
  type Game,
  type Leaf,
  NONE,
  NOTHING_VOID,
  type Openness,
  type OutputSpec,
  type TransactionSpec,
  type World,
} from './world.ts'

/** A child block by the names of its transactions; `~T` is T without the hostile side's witnesses, `!T` without those of honest owners. */
export interface BlockDraft {
  readonly txs: readonly string[]
  readonly openness: Openness
}

/** A scenario in words. Times are in MEP. */
export interface Draft {
  readonly name: string
  /** What is tried, in one line. */
  readonly about: string
  /** name: [owner, amount, token?]; those that no transaction makes are deposits. */
  readonly outputs: Readonly<Record<string, readonly [string, number, number?]>>
  readonly txs: Readonly<
    Record<
      string,
      {
        readonly in: readonly string[]
        readonly out: readonly string[]
        readonly half?: boolean
        readonly fault?: 'leaf' | 'hidden'
      }
    >
  >
  /** Blocks that are on L1 at the start, oldest first. */
  readonly chain?: readonly (BlockDraft & { readonly time: number })[]
  /** Deposits made after a block of `chain` (numbers from 1); others are older than all. */
  readonly depositedAfter?: Readonly<Record<string, number>>
  /** Blocks that the operator may submit, once each. */
  readonly blocks?: readonly (BlockDraft & { readonly from?: number; readonly until: number })[]
  readonly honest: readonly string[]
  readonly away?: readonly string[]
  /** Exits that Mallory starts at time 0, before anything else. */
  readonly started?: readonly string[]
  readonly exits?: readonly string[]
  readonly disputes?: readonly string[]
  readonly accused?: readonly string[]
  readonly rivals?: readonly string[]
  readonly answers?: boolean
  readonly asks?: boolean
  readonly inOrder?: boolean
  readonly anchors?: 'all' | 'youngest'
  readonly proofs?: boolean
  readonly close?: boolean
  readonly processing?: boolean
  /** Whether bonds of honest starters of disputes are looked at. */
  readonly watchBonds?: boolean
  readonly horizon: number
  readonly pace?: 'any' | 'last'
}

/** The game of a draft under some rules. */
export function createGame(draft: Draft, rules: Rules): Game {
  const txNames = Object.keys(draft.txs)
  const outputNames = Object.keys(draft.outputs)
  const txIndex = (name: string) => indexOf(txNames, name)
  const outputIndex = (name: string) => indexOf(outputNames, name)
  const ticks = (periods: number) => Math.round(periods * rules.mep)
  const txs = txNames.map((name): TransactionSpec => {
    const { in: inputs, out, half = false, fault = 'none' } = draft.txs[name] ?? { in: [], out: [] }
    return { name, inputs: inputs.map(outputIndex), outputs: out.map(outputIndex), half, fault }
  })
  const outputs = outputNames.map((name, index): OutputSpec => {
    const [owner, amount, token = 0] = draft.outputs[name] ?? ['', 0]
    const madeBy = txs.findIndex((tx) => tx.outputs.includes(index))
    return { name, owner, token, amount, madeBy, afterBlock: draft.depositedAfter?.[name] ?? 0 }
  })
  const leaves = ({ txs: names }: BlockDraft): Leaf[] =>
    names.map((name) => ({
      tx: txIndex(name.replace(/^[~!]/, '')),
      half: name.startsWith('~'),
      forged: name.startsWith('!'),
    }))
  const blocks = (draft.blocks ?? []).map(
    (b): BlockSpec => ({ leaves: leaves(b), openness: b.openness, from: ticks(b.from ?? 0), until: ticks(b.until) }),
  )
  const chain = (draft.chain ?? []).map((b): Block => {
    const time = ticks(b.time)
    return {
      leaves: leaves(b),
      openness: b.openness,
      anchor: time - 1,
      time,
      shownAt: b.openness === 'open' ? time : NONE,
      leafShownAt: b.txs.map(() => NONE),
      asked: b.txs.map(() => NONE),
      paidBefore: [],
    }
  })
  const tokens = Math.max(...outputs.map((o) => o.token)) + 1
  const funded = Array.from({ length: tokens }, (_, token) =>
    outputs.reduce((sum, o) => (o.madeBy === NONE && o.token === token ? sum + o.amount : sum), 0),
  )
  const start: World = {
    now: 0,
    blocks: chain,
    submitted: [],
    halted: false,
    voidFrom: NOTHING_VOID,
    lastMove: NONE,
    invalid: [],
    lock: outputs.map(() => NONE),
    exits: outputs.map(() => null),
    passedOn: [],
    shares: [],
    disputes: txs.map(() => null),
    funded,
    line: funded.map(() => 0),
    arrivals: 0,
    bondsLost: [],
    startersLost: [],
  }
  const game: Game = {
    name: draft.name,
    rules,
    outputs,
    txs,
    blocks,
    honest: draft.honest,
    away: draft.away ?? [],
    powers: {
      exits: (draft.exits ?? []).map(outputIndex),
      disputes: (draft.disputes ?? []).map(txIndex),
      accused: (draft.accused ?? []).map(outputIndex),
      rivals: (draft.rivals ?? []).map(txIndex),
      answers: draft.answers ?? false,
      asks: draft.asks ?? false,
      inOrder: draft.inOrder ?? false,
      anchors: draft.anchors ?? 'all',
      proofs: draft.proofs ?? false,
      close: draft.close ?? false,
      processing: draft.processing ?? false,
    },
    horizon: ticks(draft.horizon),
    pace: draft.pace ?? 'last',
    tokens,
    watchBonds: draft.watchBonds ?? false,
    start,
  }
  return {
    ...game,
    start: (draft.started ?? []).map(outputIndex).reduce((world, output) => begin(game, world, output), start),
  }
}

function begin(game: Game, world: World, output: number): World {
  const via = waysOut(game, world, output)[0]
  const after = via === undefined ? 'no way out' : startExit(game, world, output, via)
  if (typeof after === 'string') throw new RangeError(`got exit of output ${output}: ${after}, want one that starts`)
  return after
}

function indexOf(names: readonly string[], name: string): number {
  const index = names.indexOf(name)
  if (index < 0) throw new RangeError(`got name ${name}, want one of ${names.join(', ')}`)
  return index
}
