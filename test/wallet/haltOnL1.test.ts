/** After a real halt: how payments stand, what leaves by which way, and who is paid what. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesToHex, type Hash } from '../../protocol/bytes.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { createOutput, hashTransaction, type SignedTransaction } from '../../protocol/transaction.ts'
import type { WalletContext } from '../../wallet/context.ts'
import { disputeBy, leaveBy } from '../../wallet/deadlines.ts'
import { disputeOutlook, findDispute } from '../../wallet/disputes.ts'
import { startExit } from '../../wallet/exit.ts'
import { keepFlight } from '../../wallet/keep.ts'
import { leave } from '../../wallet/leave.ts'
import { outputsToLeave } from '../../wallet/owned.ts'
import { processAll } from '../../wallet/process.ts'
import { keepProofs } from '../../wallet/proofs.ts'
import { standingOf } from '../../wallet/standings.ts'
import { createBait, haltAt, submitBad } from '../support/haltMoves.ts'
import { deposit, passTo, place } from '../support/moves.ts'
import { actors, ETH, ETHER } from '../support/rootChain.ts'
import { startChainWallets } from './chainWallets.ts'

const test = suite('the wallet after a halt')
const { alice, bob, dave } = actors

/** uvu cannot print errors with details, and would count them as passed. */
const run = (step: () => Promise<void>) => async () => {
  try {
    await step()
  } catch (error) {
    if (!isLifeboatError(error)) throw error
    throw new Error(`${error.code}: ${error.stack}`)
  }
}

test(
  'a void payment leaves by its dispute and is paid, what it was never spent on leaves by itself',
  run(async () => {
    const world = await startChainWallets()
    try {
      const { chain } = world
      const hashOf = ({ transaction }: SignedTransaction): Hash =>
        bytesToHex(hashTransaction(transaction, chain.separator))
      const [a, b] = [await world.openWallet(1), await world.openWallet(2)]
      const standing = async (one: SignedTransaction, wallet: WalletContext = b) =>
        (await standingOf(wallet, hashOf(one))).standing
      const bait = await createBait(chain)
      const made = await world.seal([await chain.pay(alice, await deposit(chain, alice), [[alice, ETHER]])])
      const fresh = await deposit(chain, bob)
      const paid = await chain.pay(alice, place(made), [
        [bob, ETHER / 2n],
        [alice, ETHER / 2n],
      ])
      const bad = await submitBad(chain, bait, [paid])
      world.blocks.set(bad.number, bad)
      // Bob spends what the bad block gave him, alone and together with his deposit.
      const onward = { inputs: [place(bad), fresh].sort((x, y) => x - y), memo: `0x${'00'.repeat(32)}` as Hash }
      const outputs = [createOutput(dave.address, ETH, ETHER), createOutput(bob.address, ETH, ETHER / 2n)]
      const rests = await chain.sign({ ...onward, outputs }, [bob, bob])
      const last = await world.seal([rests])
      await keepFlight(a, paid, place(bad))
      await keepFlight(b, paid, place(bad))
      await keepFlight(b, rests, place(last))
      await keepProofs(b, [fresh, place(bad), place(last, 0, 1)])
      assert.equal([await standing(paid), await standing(rests)], ['included', 'included'])
      const by = (await leaveBy(b.root, bad.number))!
      const { minExitPeriod, reaction } = b.root.parameters
      assert.equal(by.lastMoment, bad.header.timestamp + minExitPeriod)
      assert.equal(by.startBy, by.lastMoment - reaction)

      // Exits that the payer starts may be stopped until E - MEP/4.
      const own = await startExit(a, { position: place(made), unsafeMaybeSpent: true })
      const spent = [own.exit.outputId]
      assert.is(await disputeBy(b.root, spent), own.exit.exitableAt - minExitPeriod / 4)
      const { lastMove } = await haltAt(chain, bad)
      assert.is(
        await disputeBy(b.root, spent),
        Math.max(own.exit.exitableAt, lastMove + minExitPeriod) - minExitPeriod / 4,
      )

      assert.equal([await standing(paid), await standing(rests)], ['void', 'void'])
      const judged = await standingOf(b, hashOf(paid))
      assert.match(judged.todo!, '--in-flight')
      assert.is(judged.doBy, await disputeBy(b.root, spent), 'the payer takes out what it spent')
      assert.match((await standingOf(b, hashOf(rests))).why, 'never count')
      assert.equal(
        (await outputsToLeave(b)).positions,
        [place(bad), fresh].sort((x, y) => x - y),
      )
      const lost = await leave(b, { position: place(last, 0, 1) }).catch((error) => error)
      assert.is(lost.code, 'EXIT_IMPOSSIBLE')

      const inFlight = await leave(b, { position: place(bad) })
      const standard = await leave(b, { position: fresh })
      if (!('inFlight' in inFlight) || !('standard' in standard)) throw new Error('want one of each')
      const known = (await findDispute(b, hashOf(paid)))!
      const { verdictAfter } = await disputeOutlook(b.root, known)
      await passTo(chain, Math.max(verdictAfter, standard.standard.outlook.payableAfter) + 1)
      await processAll(b, 'due')
      const paidOf = async (outputId: Hash) =>
        (await b.root.events({ types: ['ExitPaid'], outputId })).reduce(
          (sum, event) => (event.type === 'ExitPaid' ? sum + event.amount : sum),
          0n,
        )
      assert.is(await paidOf(inFlight.inFlight.exits[0]!.outputId), ETHER / 2n)
      assert.is(await paidOf(standard.standard.exit.outputId), ETHER)
      assert.is(await paidOf(own.exit.outputId), 0n, 'the payer does not get it back')
      assert.equal([await standing(paid), await standing(rests)], ['final', 'void'])
      assert.is(await standing(paid, a), 'final')
    } finally {
      await world.stop()
    }
  }),
)

test.run()
