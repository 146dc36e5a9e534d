/** The operator's bond (spec 8.7): no blocks without it, halved by each fault, taken back when nothing can be claimed any more. */
import * as assert from 'uvu/assert'
import { getContractAddress } from 'viem'
import { iLifeboatAbi, lifeboatAbi, lifeboatBytecode } from '../../contracts/artifacts.generated.ts'
import { encodeCloseChain, encodeFraudProof, encodeSubmitBlocks } from '../../l1/rootCalls.ts'
import {
  encodePostBond,
  encodeReportFraud,
  encodeSlashForHalt,
  encodeSlashForInvalid,
  encodeWithdrawSuretyCredit,
} from '../../l1/suretyContract.ts'
import { type Address, type Hash, ZERO_HASH } from '../../protocol/bytes.ts'
import { balance, deposit, ETHER, nextAt, passTime, passTo, place, submit } from '../support/moves.ts'
import { actors, type ChildBlock, deploy, ETH, eventOf, proveInBlock, type RootChain } from '../support/rootChain.ts'
import {
  bondLeft,
  breakReceipt,
  challengeData,
  draftReceipt,
  endChallenge,
  postBond,
  readSurety,
  signReceipts,
  takeBond,
} from '../support/suretyMoves.ts'
import { callOf, createReceiver, refuses, rootSuite } from './rootSuite.ts'

const NOTHING: Hash = `0x${'11'.repeat(32)}`
const { alice, mallory, operator, watcher, carol } = actors
const { test, world, mep } = rootSuite("the operator's bond")
const LEAST = 10n ** 18n
const rootCall = (name: string, args: readonly unknown[]) => callOf(iLifeboatAbi, name, args)

/** A block that spends Alice's deposit with Mallory's signature, and the call that proves it. */
async function forge(chain: RootChain) {
  const coin = await deposit(chain, alice)
  const { transaction } = await chain.pay(alice, coin, [[mallory, ETHER]])
  const block = await submit(chain, [await chain.sign(transaction, [mallory])])
  return { block, proof: proofOf(chain, block) }
}

function proofOf(chain: RootChain, block: ChildBlock) {
  const [signed] = block.transactions
  const offence = {
    position: place(block),
    signed: signed!,
    header: block.header,
    proof: proveInBlock(chain, block, 0),
  }
  const shown = { kind: 'deposit', deposit: { owner: alice.address, token: ETH, amount: ETHER } } as const
  return encodeFraudProof({ rule: 'V4', input: 0, offence, shown })
}

const isBonded = () => world.chain.read<boolean>('isBonded')

test('the contract that the root creates knows its root, and the root its surety', async () => {
  const { chain } = world
  assert.is((await chain.read<string>('surety')).toLowerCase(), chain.surety)
  assert.equal(await readSurety(chain, 'surety'), [LEAST, LEAST, 0])
  assert.is(await isBonded(), true)
})

test('a chain without the least bond takes no blocks until somebody posts it', async () => {
  const { client, evidence, disputes, massExits, entries, parameters } = world.chain
  const args = [parameters, operator.address, evidence, disputes, massExits, entries]
  const root = await deploy(client, lifeboatAbi, lifeboatBytecode, args, LEAST - 1n)
  const { number, hash } = await client.getBlock()
  const empty = encodeSubmitBlocks(1, [{ root: ZERO_HASH, txCount: 0, anchor: Number(number) }], hash as Hash)
  await refuses('NotBonded', () => world.chain.send(operator.account, empty, root))
  const surety = getContractAddress({ from: root, nonce: 1n }).toLowerCase() as Address
  await world.chain.send(carol.account, encodePostBond(1n), surety)
  await world.chain.send(operator.account, empty, root)
})

test('nobody but the surety halts for data or says whether the bond suffices', async () => {
  const { chain } = world
  for (const actor of [operator, mallory]) {
    await refuses('NotSurety', () => chain.send(actor.account, rootCall('haltFrom', [1n, 2n ** 40n])))
    await refuses('NotSurety', () => chain.send(actor.account, rootCall('setBonded', [false])))
  }
})

test('a reported fraud halts, halves the bond, pays the reporter a quarter of that and burns the rest', async () => {
  const { chain } = world
  const { block, proof } = await forge(chain)
  const before = await balance(chain, watcher)
  const { receipt, events } = await chain.send(watcher.account, encodeReportFraud(proof), chain.surety)
  assert.is(eventOf(events, 'HaltMoved').voidFrom, block.number)
  assert.equal(
    [
      eventOf(events, 'BondSlashed').taken,
      eventOf(events, 'BondSlashed').bond,
      eventOf(events, 'BondSlashed').reporter,
    ],
    [LEAST / 2n, LEAST / 2n, watcher.address],
  )
  const gas = receipt.gasUsed * receipt.effectiveGasPrice
  assert.is((await balance(chain, watcher)) - before + gas, LEAST / 8n)
  assert.is(await chain.client.getBalance({ address: chain.surety }), LEAST - LEAST / 8n)
  assert.is(await isBonded(), false)
  await refuses('NothingToDo', () => chain.send(watcher.account, encodeReportFraud(proof), chain.surety))
  await refuses('NothingToDo', () => chain.send(watcher.account, encodeSlashForHalt(), chain.surety))
})

test('an operator that proves its own junk on the root contract is slashed for it all the same', async () => {
  const { chain } = world
  const { proof } = await forge(chain)
  await chain.send(operator.account, proof)
  assert.is(await bondLeft(chain), LEAST)
  await chain.send(carol.account, encodeSlashForHalt(), chain.surety)
  assert.is(await bondLeft(chain), LEAST / 2n)
})

test('each move of the halt is slashed for once', async () => {
  const { chain } = world
  const first = await forge(chain)
  const second = await forge(chain)
  await chain.send(watcher.account, encodeReportFraud(second.proof), chain.surety)
  await chain.send(watcher.account, encodeReportFraud(first.proof), chain.surety)
  assert.is(await bondLeft(chain), LEAST / 4n)
  await refuses('NothingToDo', () => chain.send(watcher.account, encodeSlashForHalt(), chain.surety))
})

test('a proof too late to halt is slashed for, once, reported or not', async () => {
  const { chain } = world
  const [early, late] = [await forge(chain), await forge(chain)]
  await passTo(chain, late.block.header.timestamp + mep() + 1)
  await chain.send(watcher.account, encodeReportFraud(early.proof), chain.surety)
  assert.is(await bondLeft(chain), LEAST / 2n)
  await refuses('NothingToDo', () => chain.send(carol.account, encodeSlashForInvalid(place(early.block)), chain.surety))
  await refuses('NothingToDo', () => chain.send(carol.account, encodeSlashForInvalid(place(late.block)), chain.surety))
  await chain.send(mallory.account, late.proof)
  await chain.send(carol.account, encodeSlashForInvalid(place(late.block)), chain.surety)
  assert.is(await bondLeft(chain), LEAST / 4n)
})

test('what is no proof is not sent on to the root contract, which trusts the surety', async () => {
  const { chain } = world
  for (const call of [
    rootCall('haltFrom', [1n, 2n ** 40n]),
    rootCall('setBonded', [true]),
    rootCall('haltAbandoned', []),
  ]) {
    await refuses('CallRefused', () => chain.send(mallory.account, encodeReportFraud(call), chain.surety))
  }
})

test("a proof that fails is refused with the root contract's words, and nothing is slashed", async () => {
  const { chain } = world
  const coin = await deposit(chain, alice)
  const block = await submit(chain, [await chain.pay(alice, coin, [[mallory, ETHER]])])
  await refuses('ProofFailed', () =>
    chain.send(mallory.account, encodeReportFraud(proofOf(chain, block)), chain.surety),
  )
  assert.is(await bondLeft(chain), LEAST)
})

test('a closed chain gives the bond back to its operator, after two periods and not before', async () => {
  const { chain } = world
  await submit(chain, [])
  const [, , newestTime] = await chain.read<readonly number[]>('head')
  await refuses('BondKept', () => takeBond(chain))
  await chain.send(operator.account, encodeCloseChain())
  await refuses('NotOperator', () => takeBond(chain, mallory))
  await nextAt(chain, newestTime! + 2 * mep())
  await refuses('TooEarly', () => takeBond(chain))
  await chain.client.mine({ blocks: 1 })
  await passTo(chain, newestTime! + 2 * mep() + 1)
  const { events } = await takeBond(chain)
  assert.is(eventOf(events, 'BondTaken').amount, LEAST)
  assert.is(await chain.client.getBalance({ address: chain.surety }), 0n)
  await refuses('NothingToDo', () => takeBond(chain))
})

test('a halted chain keeps the bond while a slash is due', async () => {
  const { chain } = world
  const { block, proof } = await forge(chain)
  const challenge = await challengeData(chain, block, [0, 0])
  await chain.send(mallory.account, proof)
  await passTo(chain, block.header.timestamp + 2 * mep() + 1)
  await refuses('BondKept', () => takeBond(chain))
  const before = await balance(chain, watcher)
  await endChallenge(chain, challenge)
  assert.is((await balance(chain, watcher)) - before, challenge.bond, 'the block became void otherwise')
  await refuses('BondKept', () => takeBond(chain))
  await chain.send(carol.account, encodeSlashForHalt(), chain.surety)
  assert.is(eventOf((await takeBond(chain)).events, 'BondTaken').amount, LEAST / 2n)
})

test('a reporter that refuses ETH has it as a credit, and bombs and reentry change nothing', async () => {
  const { chain } = world
  const receiver = await createReceiver(chain)
  const { proof } = await forge(chain)
  for (const mood of ['revert', 'burnGas', 'returnBomb', 'reenter'] as const) {
    const id = await chain.client.snapshot()
    await receiver.setMood(mood, chain.surety, encodeSlashForHalt().data)
    await receiver.run(encodeReportFraud(proof), chain.surety)
    // The one that calls back takes the ETH, and finds the door shut.
    const paid = mood === 'reenter' ? LEAST / 8n : 0n
    assert.is(await chain.client.getBalance({ address: receiver.address }), paid, mood)
    assert.is(await readSurety(chain, 'suretyCredit', [receiver.address]), LEAST / 8n - paid, mood)
    assert.is(await bondLeft(chain), LEAST / 2n, mood)
    await receiver.setMood('accept')
    if (paid === 0n) await chain.send(carol.account, encodeWithdrawSuretyCredit(receiver.address), chain.surety)
    assert.is(await chain.client.getBalance({ address: receiver.address }), LEAST / 8n, mood)
    await refuses('NothingToDo', () =>
      chain.send(carol.account, encodeWithdrawSuretyCredit(receiver.address), chain.surety),
    )
    await chain.client.revert({ id })
  }
})

test('an operator slashed below the least posts again before its next block', async () => {
  const { chain } = world
  const [receipt] = await signReceipts(chain, [{ ...(await draftReceipt(chain, NOTHING)), blockNumber: 0 }])
  await passTime(chain, 1)
  await breakReceipt(chain, receipt!)
  await refuses('NotBonded', () => submit(chain, []))
  await postBond(chain, operator, LEAST / 2n - 1n)
  await refuses('NotBonded', () => submit(chain, []))
  await postBond(chain, carol, 1n)
  await submit(chain, [])
})

test('whoever was the operator still answers for its receipts after rotating its key away', async () => {
  const { chain } = world
  await chain.send(operator.account, rootCall('nominateOperator', [carol.address]))
  await chain.send(carol.account, rootCall('acceptOperator', []))
  for (const signer of [operator, carol]) {
    const draft = { ...(await draftReceipt(chain, NOTHING, signer === carol ? 1 : 0)), blockNumber: 0 }
    const [receipt] = await signReceipts(chain, [draft], signer)
    await chain.client.mine({ blocks: 1 })
    await breakReceipt(chain, receipt!)
  }
  const [stranger] = await signReceipts(
    chain,
    [{ ...(await draftReceipt(chain, NOTHING, 2)), blockNumber: 0 }],
    mallory,
  )
  await chain.client.mine({ blocks: 1 })
  await refuses('ReceiptMalformed', () => breakReceipt(chain, stranger!))
})

test.run()
