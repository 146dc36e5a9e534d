/** Moves as data: what anybody can do, applied to the explorer's world, and told as one line of a story. */
import { answerData, ask, haltUnanswered, prove, reveal, submit } from './chain.ts'
import { decide, showAnswer, showCompetitor, startDispute } from './disputes.ts'
import { headOfQueue, inherit, release, settle, showEvidence, startExit, takeTurn } from './exits.ts'
import { on } from './rules.ts'
import { at, blockNumberOf, type Game, leafAt, type Via, type World } from './world.ts'

/** A move. Positions, outputs and transactions are numbers of the game; a `piece` below zero is transaction -1 - piece, in no block. */
export type Move =
  | { readonly type: 'tick' }
  | { readonly type: 'submit'; readonly spec: number; readonly anchor: number }
  | { readonly type: 'reveal'; readonly block: number }
  | { readonly type: 'startExit'; readonly output: number; readonly via: Via }
  | { readonly type: 'startDispute'; readonly tx: number; readonly honest?: boolean }
  | { readonly type: 'ask'; readonly position: number }
  | { readonly type: 'answerData'; readonly position: number }
  | { readonly type: 'competitor'; readonly tx: number; readonly piece: number }
  | { readonly type: 'answer'; readonly tx: number; readonly piece: number }
  | { readonly type: 'evidence'; readonly output: number; readonly piece: number }
  | { readonly type: 'prove'; readonly position: number; readonly everything: boolean }
  | { readonly type: 'haltUnanswered'; readonly block: number }
  | { readonly type: 'close' }
  | { readonly type: 'turn' }
  | { readonly type: 'settle'; readonly output: number }
  | { readonly type: 'release'; readonly output: number }
  | { readonly type: 'inherit'; readonly input: number; readonly output: number }
  | { readonly type: 'decide'; readonly tx: number; readonly token: number }

/** Who makes a move: an honest owner, the honest watcher, the operator with whoever plays on its side, or whoever likes. */
export interface Act {
  readonly actor: string
  readonly move: Move
}

/** The world after the move, or why it is refused. */
export function apply(game: Game, world: World, move: Move): World | string {
  switch (move.type) {
    case 'tick':
      return { ...world, now: world.now + 1 }
    case 'submit':
      return submit(game, world, move.spec, move.anchor)
    case 'reveal':
      return reveal(game, world, move.block)
    case 'startExit':
      return startExit(game, world, move.output, move.via)
    case 'startDispute':
      return startDispute(game, world, move.tx, move.honest ?? false)
    case 'ask':
      return ask(game, world, move.position)
    case 'answerData':
      return answerData(game, world, move.position)
    case 'competitor':
      return showCompetitor(game, world, move.tx, move.piece)
    case 'answer':
      return showAnswer(game, world, move.tx, move.piece)
    case 'evidence':
      return showEvidence(game, world, move.output, move.piece)
    case 'prove':
      return prove(game, world, move.position, move.everything)
    case 'haltUnanswered':
      return haltUnanswered(game, world, move.block)
    case 'close':
      return world.halted
        ? 'the chain is halted'
        : { ...world, halted: true, lastMove: on(game.rules, 'K2') ? world.lastMove : world.now }
    case 'turn':
      return takeTurn(game, world)
    case 'settle':
      return settle(game, world, move.output)
    case 'release':
      return release(game, world, move.output)
    case 'inherit':
      return inherit(game, world, move.input, move.output)
    case 'decide':
      return decide(game, world, move.tx, move.token)
  }
}

/** One line of a story: the move as it happens in `world`, with `after` where its effect is worth telling. */
export function tell(game: Game, world: World, move: Move, after: World): string {
  const output = (index: number) => at(game.outputs, index).name
  const tx = (index: number) => at(game.txs, index).name
  const place = (piece: number) =>
    piece < 0 ? `${tx(-1 - piece)}, in no block` : `${tx(leafAt(world, piece).tx)} in block ${blockNumberOf(piece)}`
  switch (move.type) {
    case 'tick':
      return 'time passes'
    case 'submit': {
      const { leaves, openness } = at(game.blocks, move.spec)
      const names = leaves
        .map((leaf) => tx(leaf.tx) + (leaf.half ? ' (half-signed)' : leaf.forged ? ' (forged)' : ''))
        .join(', ')
      const hidden =
        openness === 'open'
          ? ''
          : openness === 'small' || openness === 'asked'
            ? ', hidden'
            : ', hidden, too big to be forced open'
      return `submits block ${world.blocks.length + 1} with ${names}, anchor ${inPeriods(game, move.anchor)}${hidden}`
    }
    case 'reveal':
      return `reveals block ${move.block}`
    case 'startExit': {
      const exit = after.exits[move.output]
      const by =
        move.via === 'deposit'
          ? 'a deposit'
          : move.via === 'dispute'
            ? 'through the dispute'
            : `of block ${blockNumberOf(move.via)}`
      return `starts the exit of ${output(move.output)} (${by}), due ${inPeriods(game, exit?.exitableAt ?? 0)}`
    }
    case 'startDispute':
      return `starts the dispute about ${tx(move.tx)}, E = ${inPeriods(game, after.disputes[move.tx]?.end ?? 0)}`
    case 'ask':
      return `demands that ${place(move.position)} be revealed`
    case 'answerData':
      return `reveals ${place(move.position)}, as demanded`
    case 'competitor':
      return `shows a competitor of ${tx(move.tx)}: ${place(move.piece)}`
    case 'answer':
      return `answers for ${tx(move.tx)}: ${place(move.piece)}`
    case 'evidence':
      return `shows evidence against the exit of ${output(move.output)}: ${place(move.piece)}`
    case 'prove':
      return `proves ${place(move.position)} invalid${after.voidFrom < world.voidFrom ? `: halted at ${after.voidFrom}` : ''}`
    case 'haltUnanswered':
      return `halts at block ${move.block}: its data challenge was not answered`
    case 'close':
      return 'closes the chain'
    case 'turn': {
      const head = headOfQueue(game, world)
      const exit = head === null ? null : after.exits[head]
      return `gives the exit of ${head === null ? 'nobody' : output(head)} its turn: ${exit?.state ?? ''}`
    }
    case 'settle':
      return `settles the ticket of ${output(move.output)}: ${after.exits[move.output]?.paid ?? 0} paid`
    case 'release':
      return `releases the ticket of ${output(move.output)}`
    case 'inherit':
      return `pays ${output(move.output)} out of the place of ${output(move.input)}: ${after.exits[move.output]?.paid ?? 0} paid`
    case 'decide':
      return `decides about ${tx(move.tx)}: ${after.disputes[move.tx]?.verdicts.join(' / ') ?? ''}`
  }
}

/** A tick as a fraction of MEP, as stories show it. */
export function inPeriods(game: Game, tick: number): string {
  return (tick / game.rules.mep).toFixed(3)
}
