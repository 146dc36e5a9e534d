/** Who is paid by a mass exit can do nothing to whoever pays (docs/spec.md 5.5, 6.4.7), and neither can a token. */
import * as assert from 'uvu/assert'
import { encodeClaimEntries } from '../../l1/massExitContract.ts'
import { encodeDepositErc20, encodeDepositEth, encodeWithdraw } from '../../l1/rootCalls.ts'
import type { Address } from '../../protocol/bytes.ts'
import { at, claim, depositAt, lockBatch, releaseEntry, startBatch, turnBatch } from '../support/batchMoves.ts'
import { balance, deposit, ETHER } from '../support/moves.ts'
import { type Actor, actors, ETH, eventOf, type RootChain } from '../support/rootChain.ts'
import {
  feeTokenAbi,
  feeTokenBytecode,
  hostileTokenAbi,
  hostileTokenBytecode,
  testTokenAbi,
} from './artifacts.generated.ts'
import {
  callOf,
  createReceiver,
  createToken,
  creditOf,
  fails,
  isPaid,
  type Mood,
  readContract,
  refuses,
  rootSuite,
} from './rootSuite.ts'

const { alice, bob, carol } = actors
const { test, world } = rootSuite('mass exits: receivers and tokens')

async function depositFor(chain: RootChain, owner: Address): Promise<number> {
  const { events } = await chain.send(bob.account, encodeDepositEth(owner, ETHER))
  return eventOf(events, 'Deposited').position
}

test('a receiver that reverts, burns gas, returns a bomb or comes back in holds up no other claim of the call', async () => {
  const { chain } = world
  const moods: Mood[] = ['revert', 'burnGas', 'returnBomb', 'reenter']
  const receivers = []
  for (let i = 0; i < moods.length; i++) receivers.push(await createReceiver(chain))
  const owners = receivers.map(({ address }) => address)
  const positions = []
  for (const owner of owners) positions.push(await depositFor(chain, owner))
  positions.push(await deposit(chain, alice))
  const batch = await startBatch(
    chain,
    positions.map((position) => ({ position, amount: ETHER })),
  )
  await lockBatch(chain, batch)
  await turnBatch(chain, batch)
  const shown = [...owners, alice.address].map((address) => depositAt({ ...alice, address } as Actor, ETHER))
  const list = shown.map((output, index) => ({ at: at(batch, index), shown: output }))
  const call = encodeClaimEntries(batch.batch, list)
  for (const [i, mood] of moods.entries()) await receivers[i]!.setMood(mood, chain.root, call.data)
  const before = await balance(chain, alice)
  const { events, receipt } = await chain.send(carol.account, call)
  assert.is(eventOf(events, 'EntriesClaimed').claimed.length, 5)
  assert.is(await balance(chain, alice), before + ETHER)
  assert.ok(receipt.gasUsed < 600_000n, `got ${receipt.gasUsed}`)
  let held = 0n
  for (const owner of owners)
    held += (await creditOf(chain, ETH, owner)) + (await chain.client.getBalance({ address: owner }))
  assert.is(held, 4n * ETHER, 'each has its ether, or the credit of it')
  await refuses('NothingToDo', () => chain.send(carol.account, call))
  await receivers[0]!.setMood('accept')
  await chain.send(carol.account, encodeWithdraw(ETH, owners[0]!))
  assert.is(await chain.client.getBalance({ address: owners[0]! }), ETHER)
})

test('who brings too little gas for a claim leaves it as it was', async () => {
  const { chain } = world
  const batch = await startBatch(chain, [{ position: await deposit(chain, alice), amount: ETHER }])
  await lockBatch(chain, batch)
  await turnBatch(chain, batch)
  const { data } = encodeClaimEntries(batch.batch, [{ at: at(batch, 0), shown: depositAt(alice, ETHER) }])
  const transaction = { account: carol.account, to: chain.root, data, gas: 180_000n, chain: null } as const
  await chain.client.sendTransaction(transaction).catch(() => undefined)
  assert.is(await creditOf(chain, ETH, alice.address), 0n)
  await isPaid(chain, alice, () => claim(chain, batch, [[0, depositAt(alice, ETHER)]]))
})

async function tokenBatch(chain: RootChain, token: Address, amount: bigint) {
  const { events } = await chain.send(alice.account, encodeDepositErc20(token, 100n, alice.address))
  const made = eventOf(events, 'Deposited')
  assert.is(made.amount, amount)
  const batch = await startBatch(chain, [{ position: made.position, amount }], { token })
  await lockBatch(chain, batch)
  await turnBatch(chain, batch)
  return batch
}

test('a token that keeps a fee of each transfer is paid as what came in', async () => {
  const { chain } = world
  const token = await createToken(chain, alice, 100n, [feeTokenAbi, feeTokenBytecode, []])
  const batch = await tokenBatch(chain, token, 99n)
  await claim(chain, batch, [[0, depositAt(alice, 99n, token)]])
  assert.is(await creditOf(chain, token, alice.address), 99n)
})

test('a token that pauses after the turn leaves a credit, and its trouble is its own', async () => {
  const { chain } = world
  const token = await createToken(chain, alice, 100n, [hostileTokenAbi, hostileTokenBytecode, []])
  const batch = await tokenBatch(chain, token, 100n)
  const setBlocked = (isBlocked: boolean) =>
    chain.send(alice.account, callOf(hostileTokenAbi, 'setBlocked', [alice.address, isBlocked]), token)
  await setBlocked(true)
  await claim(chain, batch, [[0, depositAt(alice, 100n, token)]])
  assert.is(await creditOf(chain, token, alice.address), 100n)
  await fails(() => chain.send(alice.account, encodeWithdraw(token, alice.address)))
  assert.is(await creditOf(chain, token, alice.address), 100n)
  await refuses('NothingToDo', () => claim(chain, batch, [[0, depositAt(alice, 100n, token)]]))
  await setBlocked(false)
  await chain.send(carol.account, encodeWithdraw(token, alice.address))
  assert.is(await readContract<bigint>(chain, [token, testTokenAbi], 'balanceOf', [alice.address]), 100n)
})

test('an entry of another token than the output names nothing', async () => {
  const { chain } = world
  const token = await createToken(chain, alice, 10n * ETHER)
  await chain.send(alice.account, encodeDepositErc20(token, ETHER, alice.address))
  const position = await deposit(chain, alice)
  const batch = await startBatch(chain, [{ position, amount: ETHER }], { token })
  await lockBatch(chain, batch)
  await turnBatch(chain, batch)
  await fails(() => claim(chain, batch, [[0, depositAt(alice, ETHER)]]))
  await releaseEntry(chain, batch, 0, depositAt(alice, ETHER))
})

test.run()
