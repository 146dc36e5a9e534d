/**
 * The honest watcher of a walk: what `docs/honest-watcher.md` asks of it, each with the last second at which it counts. It sees every block, and acts by that second at the latest.
 */
import { ZERO_HASH } from '../../../protocol/bytes.ts'
import { place } from '../../support/moves.ts'
import * as acts from './acts.ts'
import {
  type Crowd,
  dueOf,
  type Facts,
  isVoid,
  type OpenExit,
  type Place,
  placesOf,
  spendsOf,
  strikeKey,
} from './world.ts'

/** `from`: the first second at which it can be done, 0 for any. */
export type Duty = Readonly<{ key: string; at: number; from?: number; run: () => Promise<string> }>

/** Every duty that is open now, in any order. */
export function dutiesOf(facts: Facts): Duty[] {
  return [...halts(facts), ...evidence(facts), ...strikes(facts), ...verdicts(facts), ...batches(facts)]
}

function halts(facts: Facts): Duty[] {
  const { blocks, bad, chain } = facts
  return blocks
    .filter(({ number }) => bad.has(number) && number < facts.voidFrom)
    .map((block) => ({
      key: `halt ${block.number}`,
      at: block.header.timestamp + chain.parameters.minExitPeriod,
      run: () => acts.halt(facts, block),
    }))
}

/** Spends that count against an exit: one of an exit through a dispute by each place of what made it. */
export function spendsAgainst(facts: Facts, { exit, coin }: OpenExit): Place[] {
  const stand = placesOf(coin).filter(({ made }) => made === undefined || !isVoid(facts, made))
  const positions = exit.disputed === ZERO_HASH ? [exit.position] : stand.map(({ position }) => position)
  return positions
    .flatMap((position) => spendsOf(facts, position))
    .map(({ at }) => at)
    .filter(({ block }) => block.header.anchor < exit.lockedAt)
}

function evidence(facts: Facts): Duty[] {
  const quarter = facts.chain.parameters.minExitPeriod / 4
  return facts.exits
    .filter(({ isRemoved, coin }) => !isRemoved && coin.paid < coin.amount)
    .flatMap((exit) =>
      spendsAgainst(facts, exit).map((spend) => ({
        key: `evidence ${exit.exit.outputId} ${exit.exit.seq} ${exit.exit.payer} ${keyOf(spend)}`,
        at: dueOf(facts, exit.exit.exitableAt) - quarter,
        run: () => acts.challenge(facts, exit, spend),
      })),
    )
}

/** A strike; where another piece is kept already, the entry is opened and the spend shown against it. */
function strikes(facts: Facts): Duty[] {
  const quarter = facts.chain.parameters.minExitPeriod / 4
  const locked = facts.crowds.filter(({ test }) => test.item)
  return locked.flatMap((crowd) =>
    crowd.names.flatMap((coin, index) => {
      const position = crowd.test.placed[index]?.position ?? 0
      const owner = coin?.owner.address ?? ''
      const kept = crowd.strikes.get(strikeKey(position, owner))
      return spendsOf(facts, position)
        .filter(({ at }) => coin !== null && at.block.header.anchor < crowd.lockedAt)
        .filter(({ at }) => kept === undefined || keyOf(kept) !== keyOf(at))
        .map(({ at }) => ({
          key: `strike ${crowd.test.id} ${index} ${keyOf(at)} ${kept ? 'open' : ''}`,
          at: dueOf(facts, crowd.test.item?.exitableAt ?? 0) - quarter,
          run: () => (kept ? openAndShow(facts, crowd, index, at) : acts.strike(facts, crowd, position, at, 'watcher')),
        }))
    }),
  )
}

async function openAndShow(facts: Facts, crowd: Crowd, index: number, spend: Place): Promise<string> {
  const coin = crowd.names[index]
  const isOpen = () => facts.exits.findLast((one) => one.coin === coin && !one.isRemoved)
  const told = isOpen() ? '' : `${await acts.open(facts, crowd, index)}, `
  const exit = isOpen()
  return exit ? told + (await acts.challenge(facts, exit, spend)) : told
}

/** Included competitors and answers of every dispute that runs. */
function verdicts(facts: Facts): Duty[] {
  const mep = facts.chain.parameters.minExitPeriod
  return facts.disputes
    .filter(({ verdict }) => verdict === 'running')
    .flatMap((dispute) => {
      const { dispute: told, inputs } = dispute.started
      const due = dueOf(facts, told.exitableAt)
      const rivals = inputs.flatMap(({ position, lockedAt }) =>
        spendsOf(facts, position)
          .filter(({ payment, at }) => payment !== dispute.payment && at.block.header.anchor < lockedAt)
          .filter(({ at }) => !dispute.competitors.some((known) => keyOf(known) === keyOf(at)))
          .map(({ payment, at }) => ({
            key: `rival ${told.txHash} ${keyOf(at)}`,
            at: due - mep / 2,
            run: () => acts.compete(facts, dispute, payment, at),
          })),
      )
      const answers = dispute.payment.places
        .filter((at) => !isVoid(facts, at) && at.block.header.anchor < told.lockedAt)
        .filter((at) => !dispute.answers.some((known) => keyOf(known) === keyOf(at)))
        .map((at) => ({
          key: `answer ${told.txHash} ${keyOf(at)}`,
          at: due - mep / 4,
          run: () => acts.answer(facts, dispute, at),
        }))
      return [...rivals, ...answers]
    })
}

/** What the honest coordinator does for its batches. */
function batches(facts: Facts): Duty[] {
  const mep = facts.chain.parameters.minExitPeriod
  return facts.crowds
    .filter(({ honest, state }) => honest && state === 'started')
    .flatMap((crowd) => {
      const { startedAt } = crowd.test.batch
      const answers = [...crowd.demands].flatMap(([index, isOpen]) =>
        isOpen
          ? [
              {
                key: `demand ${crowd.test.id} ${index}`,
                at: startedAt + mep / 4,
                run: () => acts.answerDemand(facts, crowd, index),
              },
            ]
          : [],
      )
      const lock = {
        key: `lock ${crowd.test.id}`,
        from: startedAt + mep / 4 + 1,
        at: startedAt + mep / 2,
        run: () => acts.lock(facts, crowd),
      }
      return [lock, ...answers]
    })
}

export function keyOf({ block, index }: Place): string {
  return String(place(block, index))
}

/** Where the output stands in a block that is not void, for whoever takes it out. */
export function standingPlace(facts: Facts, places: readonly Place[]): Place | undefined {
  return places.find((one) => !isVoid(facts, one))
}
