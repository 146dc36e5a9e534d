/** How long a verdict waits for disputes about what made its inputs (docs/spec.md 6.3.6, docs/adr/0018-bounded-wait.md). */
import * as assert from 'uvu/assert'
import { ZERO_HASH } from '../../protocol/bytes.ts'
import { makerDeadline } from '../../protocol/dispute.ts'
import { decide, deposited, madeIn, showCompetitor, startDispute } from '../support/disputeMoves.ts'
import { memoOf } from '../support/haltMoves.ts'
import { deposit, ETHER, passTo, place, submit } from '../support/moves.ts'
import { actors, type ChildBlock, ETH } from '../support/rootChain.ts'
import { refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, mallory } = actors
const { test, world, mep } = rootSuite('root contract: disputes about makers of inputs')

type Paid = Readonly<{ source: number; blocks: readonly ChildBlock[] }>

/** Mallory pays herself, each time out of the payment before. */
async function payHerself(times: number): Promise<Paid> {
  const { chain } = world
  const source = await deposit(chain, mallory)
  const blocks: ChildBlock[] = []
  for (let i = 0; i < times; i++) {
    const from = blocks.at(-1)
    const input = from ? place(from) : source
    blocks.push(await submit(chain, [await chain.pay(mallory, input, [[mallory, ETHER]])]))
  }
  return { source, blocks }
}

/** What she and Alice signed together, and the dispute about it, long after her payments. */
async function disputeJoint({ blocks }: Paid) {
  const { chain } = world
  const last = blocks.at(-1) as ChildBlock
  await passTo(chain, last.header.timestamp + 2 * mep())
  const hers = await deposit(chain, alice)
  const inputs = [place(last), hers].sort((a, b) => a - b)
  const outputs = [{ owner: bob.address, token: ETH, amount: 2n * ETHER, condition: ZERO_HASH }]
  const joint = await chain.sign({ inputs, outputs, memo: ZERO_HASH }, [mallory, alice])
  const shown = [madeIn(chain, last), deposited(alice)]
  return { hers, started: await startDispute(chain, joint, shown, { from: bob }) }
}

/** Disputes the i-th of her payments. */
function disputeOf({ blocks }: Paid, i: number) {
  const { chain } = world
  const [made, before] = [blocks[i] as ChildBlock, blocks[i - 1]]
  const shown = before ? madeIn(chain, before) : deposited(mallory)
  const [signed] = made.transactions
  if (!signed) throw new Error('the block is empty')
  return startDispute(chain, signed, [shown], { from: mallory })
}

test('payments to oneself, disputed one after the other, put a verdict off by two periods and not by one each', async () => {
  const { chain } = world
  const paid = await payHerself(4)
  const { started } = await disputeJoint(paid)
  const last = makerDeadline(started.dispute.exitableAt, mep())
  let end = started.dispute.exitableAt
  for (let i = 3; i >= 1; i--) {
    await passTo(chain, end - 5)
    end = (await disputeOf(paid, i)).dispute.exitableAt
  }
  assert.ok(end > last, 'the chain of disputes is longer than the wait')
  await passTo(chain, last - 5)
  await refuses('VerdictUnexpected', () => decide(chain, started))
  await passTo(chain, last + 1)
  assert.is((await decide(chain, started)).verdict, 'canonical')
})

test('a verdict that cannot be canonical waits for no maker', async () => {
  const { chain } = world
  const paid = await payHerself(1)
  const { hers, started } = await disputeJoint(paid)
  const rival = await chain.pay(alice, hers, [[alice, ETHER]])
  await showCompetitor(chain, started, rival, { from: alice })
  await passTo(chain, started.dispute.exitableAt - 5)
  await disputeOf(paid, 0)
  await passTo(chain, started.dispute.exitableAt + 1)
  assert.is((await decide(chain, started)).verdict, 'not-canonical')
})

test('a maker that is disputed until E is judged in time, through makers of its own, and takes what it made along', async () => {
  const { chain } = world
  const paid = await payHerself(3)
  const { started } = await disputeJoint(paid)
  await passTo(chain, started.dispute.exitableAt - 60)
  const [first, second, third] = [await disputeOf(paid, 0), await disputeOf(paid, 1), await disputeOf(paid, 2)]
  const rival = await chain.pay(mallory, paid.source, [[mallory, ETHER]], memoOf('rival'))
  await showCompetitor(chain, first, rival, { from: alice })
  await passTo(chain, started.dispute.exitableAt + 1)
  await refuses('VerdictUnexpected', () => decide(chain, started))
  const ends = [first, second, third].map(({ dispute }) => dispute.exitableAt)
  await passTo(chain, Math.max(...ends) + 1)
  assert.ok(Math.max(...ends) <= started.dispute.exitableAt + mep(), 'a whole period is left to ask for the verdicts')
  for (const one of [first, second, third, started]) assert.is((await decide(chain, one)).verdict, 'not-canonical')
})

test.run()
