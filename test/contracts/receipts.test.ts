/** Receipts on the real contract (spec 8.8): each is kept or broken, and only a broken one costs the operator. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { encodeCloseChain } from '../../l1/rootCalls.ts'
import { bytesToHex, type Hash } from '../../protocol/bytes.ts'
import { isInBatch, judgeReceipt, type Receipt, type SignedReceipt } from '../../protocol/receipt.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { printSeed, seed } from '../protocol/random.ts'
import { deposit, ETHER, passTime, submit, submitMany } from '../support/moves.ts'
import { actors, type ChildBlock, eventOf, type RootChain } from '../support/rootChain.ts'
import {
  bondLeft,
  breakReceipt,
  breakReceipts,
  draftReceipt,
  readSurety,
  signReceipts,
  standingAt,
} from '../support/suretyMoves.ts'
import { refuses, rootSuite, setByHand } from './rootSuite.ts'

const { alice, bob, mallory, operator } = actors
const { test, world } = rootSuite('receipts')
printSeed('receipts')
const OTHER: Hash = `0x${'22'.repeat(32)}`
const THIRD: Hash = `0x${'33'.repeat(32)}`
const age = () => world.chain.parameters.anchorAgeBlocks

async function payment(chain: RootChain): Promise<{ signed: SignedTransaction; txHash: Hash }> {
  const signed = await chain.pay(alice, await deposit(chain, alice), [[bob, ETHER]])
  return { signed, txHash: bytesToHex(chain.hashed([signed])[0]!.txHash) }
}

async function given(draft: Receipt): Promise<SignedReceipt> {
  const [signed] = await signReceipts(world.chain, [draft])
  return signed!
}

/** One L1 block passes, so that the newest can be an anchor. */
const tick = () => world.chain.client.mine({ blocks: 1 })

async function slashedOnce(move: () => Promise<unknown>): Promise<void> {
  const before = await bondLeft(world.chain)
  await move()
  assert.is(await bondLeft(world.chain), before - before / 2n)
  await refuses('ReceiptKnown', move)
}

test('a receipt whose transaction stands in its place is kept, whatever is shown', async () => {
  const { chain } = world
  const { signed, txHash } = await payment(chain)
  const draft = await draftReceipt(chain, txHash)
  const receipt = await given(draft)
  await tick()
  await refuses('ReceiptKept', () => breakReceipt(chain, receipt))
  const block = await submit(chain, [signed], draft.anchor)
  await refuses('ReceiptKept', () => breakReceipt(chain, receipt, { block, standing: standingAt(chain, block, 0) }))
  const lie = { ...standingAt(chain, block, 0), txHash: OTHER }
  await refuses('ReceiptKept', () => breakReceipt(chain, receipt, { block, standing: lie }))
  await refuses('HeaderMismatch', () => breakReceipt(chain, receipt))
})

test('another transaction in the promised place breaks the receipt, once', async () => {
  const { chain } = world
  const draft = await draftReceipt(chain, OTHER)
  const receipt = await given(draft)
  const { signed } = await payment(chain)
  const block = await submit(chain, [signed], draft.anchor)
  const standing = standingAt(chain, block, 0)
  await slashedOnce(() => breakReceipt(chain, receipt, { block, standing }))
  assert.is(await readSurety(chain, 'isBroken', [block.number, 0]), true)
})

test('a block too short or with another anchor breaks the receipt by its header alone', async () => {
  const { chain } = world
  const draft = await draftReceipt(chain, OTHER, 3)
  const [short, moved] = [await given(draft), await given({ ...draft, blockNumber: draft.blockNumber + 1 })]
  await tick()
  const block = await submit(chain, [(await payment(chain)).signed], draft.anchor)
  const next = await submit(chain, [(await payment(chain)).signed])
  await slashedOnce(() => breakReceipt(chain, short, { block }))
  await slashedOnce(() => breakReceipt(chain, moved, { block: next }))
})

test('a block that can never come any more breaks its receipts, and one that still may does not', async () => {
  const { chain } = world
  const receipt = await given(await draftReceipt(chain, OTHER))
  await chain.client.mine({ blocks: age() - 1 })
  await refuses('ReceiptKept', () => breakReceipt(chain, receipt))
  await tick()
  await slashedOnce(() => breakReceipt(chain, receipt))
})

test('a closed chain breaks the receipts of blocks that it leaves out', async () => {
  const { chain } = world
  const receipt = await given(await draftReceipt(chain, OTHER))
  await chain.send(operator.account, encodeCloseChain())
  await slashedOnce(() => breakReceipt(chain, receipt))
})

test('a void block breaks its receipts, even where the transaction stands in its place', async () => {
  const { chain } = world
  const { signed, txHash } = await payment(chain)
  const draft = await draftReceipt(chain, txHash)
  const receipt = await given(draft)
  await submit(chain, [signed], draft.anchor)
  await setByHand(chain, 'setHalt', [draft.blockNumber, 1])
  await slashedOnce(() => breakReceipt(chain, receipt))
})

test('a receipt for a place that no block can have is broken at once', async () => {
  const { chain } = world
  for (const blockNumber of [0, 2 ** 28, 2 ** 32 - 1]) {
    const receipt = await given({ ...(await draftReceipt(chain, OTHER)), blockNumber })
    await tick()
    await slashedOnce(() => breakReceipt(chain, receipt))
  }
})

test('an anchor that is not canonical, not mined or forgotten promises nothing', async () => {
  const { chain } = world
  const draft = await draftReceipt(chain, OTHER)
  for (const change of [{ anchorHash: OTHER }, { anchor: draft.anchor + 1_000_000 }, { anchor: draft.anchor - 1 }]) {
    const receipt = await given({ ...draft, ...change })
    await chain.client.mine({ blocks: age() + 2 })
    await refuses('AnchorNotCanonical', () => breakReceipt(chain, receipt))
  }
})

test('two receipts for one place contradict each other at once, on the same anchor only', async () => {
  const { chain } = world
  const draft = await draftReceipt(chain, OTHER)
  const rival: Receipt = { ...draft, txHash: THIRD }
  const [a, b] = await signReceipts(chain, [draft, rival])
  const other = await given({ ...rival, anchorHash: OTHER })
  await refuses('ReceiptKept', () => breakReceipts(chain, a!, a!))
  await refuses('ReceiptKept', () => breakReceipts(chain, a!, other))
  await slashedOnce(() => breakReceipts(chain, a!, b!))
  await tick()
  await chain.client.mine({ blocks: age() + 1 })
  await refuses('ReceiptKnown', () => breakReceipt(chain, a!))
})

test('a receipt that the operator did not sign, or that is not of the signed batch, costs nothing', async () => {
  const { chain } = world
  const draft = await draftReceipt(chain, OTHER)
  const drafts = Array.from({ length: 5 }, (_, index) => ({ ...draft, index }))
  const [first, second] = await signReceipts(chain, drafts)
  const [stranger] = await signReceipts(chain, drafts, mallory)
  await chain.client.mine({ blocks: age() + 1 })
  const bad: SignedReceipt[] = [
    stranger!,
    { ...first!, place: 1 },
    { ...first!, count: 4 },
    { ...first!, receipt: { ...first!.receipt, txHash: THIRD } },
    { ...first!, path: second!.path },
    { ...first!, signature: `0x${'00'.repeat(64)}` },
    { ...first!, signature: `0x${'00'.repeat(63)}` },
  ]
  for (const receipt of bad) await refuses('ReceiptMalformed', () => breakReceipt(chain, receipt))
  for (const receipt of bad.slice(1, 5)) assert.is(isInBatch(receipt), false)
  await breakReceipt(chain, first!)
})

test('the contract and protocol/receipt.ts judge alike', async () => {
  const { chain } = world
  const draws = fc.sample(fc.array(fc.nat(), { minLength: 8, maxLength: 8 }), { seed, numRuns: 40 })
  const seen = new Map<string, number>()
  for (const [a, b, c, d, e] of draws as number[][]) {
    const id = await chain.client.snapshot()
    const { signed, txHash } = await payment(chain)
    const draft = await draftReceipt(chain, a! % 3 === 0 ? OTHER : txHash, b! % 3 === 0 ? 1 : 0)
    const wrong = c! % 4 === 0 ? { anchorHash: OTHER } : {}
    const receipt = await given({ ...draft, ...wrong })
    await tick()
    let block: ChildBlock | undefined
    if (d! % 3 !== 0) {
      const anchor = e! % 4 === 0 ? draft.anchor + 1 : draft.anchor
      block = (await submitMany(chain, [[signed, (await payment(chain)).signed].slice(0, 1 + (e! % 2))], anchor))[0]
    }
    if (e! % 3 === 0) await passTime(chain, 1)
    if (e! % 5 === 0 && !block) await chain.send(operator.account, encodeCloseChain())
    const [voidFrom, newest] = await chain.read<readonly [number, number]>('head')
    const l1Block = Number(await chain.client.getBlockNumber())
    const stands = block && draft.index < block.transactions.length ? standingAt(chain, block, draft.index) : undefined
    const canonical = (await chain.client.getBlock({ blockNumber: BigInt(draft.anchor) })).hash as Hash
    const verdict = judgeReceipt(receipt.receipt, {
      canonicalAnchor: canonical,
      // The call is mined in the next one.
      l1Block: l1Block + 1,
      voidFrom,
      newest,
      anchorAgeBlocks: age(),
      header: block?.header,
      standing: stands?.txHash,
    })
    seen.set(verdict, (seen.get(verdict) ?? 0) + 1)
    const move = () => breakReceipt(chain, receipt, { ...(block && { block }), ...(stands && { standing: stands }) })
    if (verdict === 'broken' || verdict === 'displaced') assert.ok(eventOf((await move()).events, 'ReceiptBroken'))
    else await refuses(verdict === 'void-anchor' ? 'AnchorNotCanonical' : 'ReceiptKept', move)
    await chain.client.revert({ id })
  }
  assert.ok(seen.size >= 4, `too few verdicts: ${[...seen].join(' ')}`)
})

test.run()
