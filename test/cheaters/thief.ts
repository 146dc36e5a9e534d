/** What a thief tries at every stop, whoever else is there: turns, verdicts, tickets, claims, locks. What L1 refuses costs nothing here. */

import { encodeClaimEntries } from '../../l1/massExitContract.ts'
import { encodeSettle } from '../../l1/rootCalls.ts'
import { at, depositAt, lockBatch, outputAt, type TestBatch } from '../support/batchMoves.ts'
import { decide } from '../support/disputeMoves.ts'
import { process, turnsOf } from '../support/moves.ts'
import { actors } from '../support/rootChain.ts'
import type { Plot } from './faults.ts'
import type { Judge } from './judge.ts'
import type { Coin, Theatre } from './theatre.ts'
import { attempt } from './track.ts'

const { mallory } = actors

export async function grab(theatre: Theatre, plots: readonly Plot[], judge: Judge): Promise<void> {
  const { chain, blocks } = theatre
  const now = await chain.now()
  const batches = plots.flatMap((plot) => plot.batches)
  for (const started of plots.flatMap(({ disputes }) => disputes))
    if (now > started.dispute.exitableAt) await attempt(() => decide(chain, started, {}, mallory))
  for (const batch of batches) {
    const { startedAt } = batch.batch
    const { minExitPeriod } = chain.parameters
    if (!batch.item && now > startedAt + minExitPeriod / 4 && now <= startedAt + minExitPeriod / 2)
      await attempt(() => lockBatch(chain, batch, now, mallory))
  }
  const due = [...judge.waiting.values()].filter(({ exitableAt }) => exitableAt < now)
  const children = blocks.map(({ block }) => block)
  if (due.length > 0)
    await attempt(() => process(chain, turnsOf([...judge.waiting.values()], children), { from: mallory }))
  for (const exit of judge.exits.values())
    if (exit.owner === mallory.address && exit.exitableAt < now)
      await attempt(() => chain.send(mallory.account, encodeSettle([exit])))
  for (const batch of batches) if (batch.item && batch.item.exitableAt < now) await claimOwn(theatre, batch)
}

async function claimOwn(theatre: Theatre, batch: TestBatch): Promise<void> {
  const { chain } = theatre
  for (const { position, index } of batch.placed) {
    const coin = coinFor(theatre, position)
    if (coin?.owner !== mallory) continue
    const shown = coin.made ? outputAt(chain, coin.made[0], coin.made[1]) : depositAt(mallory, coin.amount, coin.token)
    const call = encodeClaimEntries(batch.batch, [{ at: at(batch, index), shown }])
    await attempt(() => chain.send(mallory.account, call))
  }
}

/** Also of blocks that no honest book has. */
function coinFor({ coinAt, blocks }: Theatre, position: number): Coin | undefined {
  const known = coinAt(position)
  if (known) return known
  for (const { block } of blocks)
    for (const [index, { transaction }] of block.transactions.entries())
      for (const [output, { owner, token, amount }] of transaction.outputs.entries())
        if (position === (block.number * 2 ** 21 + index) * 16 + output && owner === mallory.address)
          return { position, owner: mallory, token, amount, made: [block, index, output] }
  return undefined
}
