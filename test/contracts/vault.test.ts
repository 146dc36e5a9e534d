/** Deposits and withdrawals on the real contract, with good and bad tokens (docs/spec.md sections 1.3 and 5.5). */
import * as assert from 'uvu/assert'
import {
  encodeDepositErc20,
  encodeDepositErc20WithPermit,
  encodeDepositEth,
  encodeStartDepositExit,
  encodeWithdraw,
  type RootCall,
} from '../../l1/rootCalls.ts'
import { type Address, type Hash, ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { decodePosition, encodePosition } from '../../protocol/position.ts'
import { balance, bond, deposit, ETHER, passTo, process, submit, turnsOf } from '../support/moves.ts'
import { type Actor, actors, eventOf, exitOf } from '../support/rootChain.ts'
import {
  feeTokenAbi,
  feeTokenBytecode,
  hostileTokenAbi,
  hostileTokenBytecode,
  testTokenAbi,
} from './artifacts.generated.ts'
import { callOf, createReceiver, createToken, creditOf, fails, readContract, refuses, rootSuite } from './rootSuite.ts'

const { alice, bob, carol, mallory } = actors
const { test, world } = rootSuite('vault')
const ETH = ZERO_ADDRESS
const DEPOSIT_INDEX = 2 ** 20

const send = (from: Actor, call: RootCall, to?: Address) => world.chain.send(from.account, call, to)
const funded = async (token: Address) => (await world.chain.read<[bigint, bigint]>('totals', [token]))[0]
const hostile = [hostileTokenAbi, hostileTokenBytecode, []] as const

test('ETH: the owner named gets the deposit, whoever sent it', async () => {
  const { events, l1Block } = await send(alice, encodeDepositEth(bob.address, 7n))
  const { position, owner, token, amount } = eventOf(events, 'Deposited')
  assert.equal([owner, token, amount], [bob.address, ETH, 7n])
  assert.is(position, encodePosition({ block: 0, index: DEPOSIT_INDEX, output: 0 }))
  const [, recordedAt] = await world.chain.read<[string, number]>('depositRecord', [position])
  assert.is(recordedAt, l1Block)
  assert.is(await funded(ETH), 7n)
})

test('refuses a deposit of nothing, of too much, or for nobody', async () => {
  const token = await createToken(world.chain, alice, 2n ** 200n)
  await refuses('AmountOutOfRange', () => send(alice, encodeDepositEth(alice.address, 0n)))
  await refuses('AmountOutOfRange', () => send(alice, encodeDepositErc20(token, 0n, alice.address)))
  await refuses('AmountOutOfRange', () => send(alice, encodeDepositErc20(token, 2n ** 128n, alice.address)))
  await refuses('NotOwner', () => send(alice, encodeDepositEth(ZERO_ADDRESS, 1n)))
  await refuses('NotOwner', () => send(alice, encodeDepositErc20(token, 1n, ZERO_ADDRESS)))
  await send(alice, encodeDepositErc20(token, 2n ** 128n - 1n, alice.address))
  await refuses('LedgerFull', () => send(alice, encodeDepositErc20(token, 1n, alice.address)))
})

test('an ERC-20 deposit moves the tokens and counts them', async () => {
  const token = await createToken(world.chain, alice, 100n)
  const { events } = await send(alice, encodeDepositErc20(token, 60n, bob.address))
  const event = eventOf(events, 'Deposited')
  assert.equal([event.owner, event.token, event.amount], [bob.address, token, 60n])
  assert.is(await funded(token), 60n)
  assert.is(await readContract<bigint>(world.chain, [token, testTokenAbi], 'balanceOf', [world.chain.root]), 60n)
  await fails(() => send(alice, encodeDepositErc20(token, 41n, bob.address)))
  assert.is(await funded(token), 60n)
})

test('what is not a token is refused: an account without code, and ETH itself', async () => {
  await refuses('TokenUnsupported', () => send(alice, encodeDepositErc20(carol.address, 1n, alice.address)))
  await refuses('TokenUnsupported', () => send(alice, encodeDepositErc20(ETH, 1n, alice.address)))
})

test('a token that takes a fee is credited as received', async () => {
  const token = await createToken(world.chain, alice, 10_000n, [feeTokenAbi, feeTokenBytecode, []])
  const { events } = await send(alice, encodeDepositErc20(token, 1_000n, alice.address))
  assert.is(eventOf(events, 'Deposited').amount, 990n)
  assert.is(await funded(token), 990n)
})

async function signPermit(token: Address, value: bigint, nonce = 0n) {
  const deadline = 2n ** 40n
  const signature = await alice.account.signTypedData({
    domain: { name: 'Gold', version: '1', chainId: world.chain.chainId, verifyingContract: token },
    types: {
      Permit: [
        { name: 'owner', type: 'address' },
        { name: 'spender', type: 'address' },
        { name: 'value', type: 'uint256' },
        { name: 'nonce', type: 'uint256' },
        { name: 'deadline', type: 'uint256' },
      ],
    },
    primaryType: 'Permit',
    message: { owner: alice.address, spender: world.chain.root, value, nonce, deadline },
  })
  const [r, s] = [`0x${signature.slice(2, 66)}`, `0x${signature.slice(66, 130)}`] as [Hash, Hash]
  return { deadline, v: Number.parseInt(signature.slice(130), 16), r, s }
}

async function permitToken(): Promise<Address> {
  const token = await createToken(world.chain, alice, 100n)
  await send(alice, callOf(testTokenAbi, 'approve', [world.chain.root, 0n]), token)
  return token
}

test('a permit and a deposit in one call', async () => {
  const token = await permitToken()
  await fails(() => send(alice, encodeDepositErc20(token, 40n, alice.address)))
  await send(alice, encodeDepositErc20WithPermit(token, 40n, alice.address, await signPermit(token, 40n)))
  assert.is(await funded(token), 40n)
})

test('a permit that somebody else used first does no harm', async () => {
  const token = await permitToken()
  const permit = await signPermit(token, 40n)
  const { deadline, v, r, s } = permit
  await send(mallory, callOf(testTokenAbi, 'permit', [alice.address, world.chain.root, 40n, deadline, v, r, s]), token)
  await send(alice, encodeDepositErc20WithPermit(token, 40n, alice.address, permit))
  assert.is(await funded(token), 40n)
})

test("nobody deposits with another's permit", async () => {
  const token = await permitToken()
  const permit = await signPermit(token, 40n)
  await fails(() => send(mallory, encodeDepositErc20WithPermit(token, 40n, mallory.address, permit)))
  assert.is(await funded(token), 0n)
})

test('a permit of another amount deposits nothing', async () => {
  const token = await permitToken()
  const permit = await signPermit(token, 39n)
  await fails(() => send(alice, encodeDepositErc20WithPermit(token, 40n, alice.address, permit)))
  assert.is(await funded(token), 0n)
})

test('a token that calls back during the transfer cannot deposit the same tokens twice', async () => {
  const token = await createToken(world.chain, alice, 1_000n, hostile)
  const receiver = await createReceiver(world.chain)
  await send(alice, callOf(hostileTokenAbi, 'mint', [receiver.address, 1_000n]), token)
  await receiver.run(callOf(hostileTokenAbi, 'approve', [world.chain.root, 1_000n]), token)
  await receiver.setMood('reenter', world.chain.root, encodeDepositErc20(token, 5n, mallory.address).data)
  await send(alice, callOf(hostileTokenAbi, 'setHook', [receiver.address]), token)
  const { events } = await send(alice, encodeDepositErc20(token, 10n, alice.address))
  assert.equal(
    events.map((event) => event.type === 'Deposited' && event.amount),
    [10n],
  )
  assert.is(await funded(token), 10n)
})

test('positions of many deposits between two blocks are distinct, rise, and start anew with the next block', async () => {
  for (const block of [0, 1, 2]) {
    for (let counter = 0; counter < 12; counter++) {
      const position = await deposit(world.chain, counter % 2 === 0 ? alice : bob, 1n)
      assert.equal(decodePosition(position), { block, index: DEPOSIT_INDEX + counter, output: 0 })
    }
    await submit(world.chain, [])
  }
})

async function exitToken(token: Address, owner: Actor, amount: bigint): Promise<void> {
  const { events } = await send(owner, encodeDepositErc20(token, amount, owner.address))
  const { position } = eventOf(events, 'Deposited')
  const bondWei = await bond(world.chain)
  const exit = exitOf((await send(owner, encodeStartDepositExit({ position, token, amount, bondWei }))).events)
  await passTo(world.chain, exit.exitableAt + 1)
  await process(world.chain, turnsOf([exit]))
}

test('an ERC-20 exit is credited, and anyone may send the credit to its owner, once', async () => {
  const token = await createToken(world.chain, alice, 100n)
  await exitToken(token, alice, 100n)
  assert.is(await creditOf(world.chain, token, alice.address), 100n)
  const { events } = await send(mallory, encodeWithdraw(token, alice.address))
  assert.is(eventOf(events, 'Withdrawn').amount, 100n)
  assert.is(await readContract<bigint>(world.chain, [token, testTokenAbi], 'balanceOf', [alice.address]), 100n)
  await refuses('NothingToDo', () => send(alice, encodeWithdraw(token, alice.address)))
})

test('a token that blocks its owner leaves the credit where it is', async () => {
  const token = await createToken(world.chain, alice, 100n, hostile)
  await exitToken(token, alice, 100n)
  await send(carol, callOf(hostileTokenAbi, 'setBlocked', [alice.address, true]), token)
  await fails(() => send(alice, encodeWithdraw(token, alice.address)))
  assert.is(await creditOf(world.chain, token, alice.address), 100n)
  await send(carol, callOf(hostileTokenAbi, 'setBlocked', [alice.address, false]), token)
  await send(alice, encodeWithdraw(token, alice.address))
  assert.is(await creditOf(world.chain, token, alice.address), 0n)
})

test('a token that calls back during a withdrawal gets nothing twice', async () => {
  const token = await createToken(world.chain, alice, 300n, hostile)
  await exitToken(token, alice, 100n)
  await send(alice, encodeDepositErc20(token, 200n, bob.address))
  const receiver = await createReceiver(world.chain)
  await receiver.setMood('reenter', world.chain.root, encodeWithdraw(token, alice.address).data)
  await send(alice, callOf(hostileTokenAbi, 'setHook', [receiver.address]), token)
  await send(alice, encodeWithdraw(token, alice.address))
  assert.is(await readContract<bigint>(world.chain, [token, testTokenAbi], 'balanceOf', [alice.address]), 100n)
})

test('an owner that refuses ETH keeps the credit until it takes it', async () => {
  const { chain } = world
  const receiver = await createReceiver(chain)
  const { events } = await send(alice, encodeDepositEth(receiver.address, ETHER))
  const { position } = eventOf(events, 'Deposited')
  const bondWei = await bond(chain)
  const start = encodeStartDepositExit({ position, token: ETH, amount: ETHER, bondWei })
  const exit = exitOf((await receiver.run(start)).events)
  await receiver.setMood('revert')
  await passTo(chain, exit.exitableAt + 1)
  await process(chain, turnsOf([exit]))
  const credit = await creditOf(chain, ETH, receiver.address)
  assert.is(credit, ETHER + bondWei - (bondWei * 60_000n) / 400_000n)
  await refuses('TransferFailed', () => send(alice, encodeWithdraw(ETH, receiver.address)))
  assert.is(await creditOf(chain, ETH, receiver.address), credit)
  await receiver.setMood('accept')
  await send(alice, encodeWithdraw(ETH, receiver.address))
  assert.is(await chain.client.getBalance({ address: receiver.address }), credit)
})

test('ETH that comes without a call, or with an unknown one, is refused', async () => {
  const before = await balance(world.chain, alice)
  await fails(() => send(alice, { data: '0x', valueWei: 1n }))
  await fails(() => send(alice, { data: '0x12345678', valueWei: 1n }))
  assert.is(await balance(world.chain, alice), before)
})

test.run()
