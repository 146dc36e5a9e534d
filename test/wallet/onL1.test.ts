/** The wallet's acts on a real root contract, through the real outbox: deposit, exit, process, withdraw, mandates. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Abi, encodeFunctionData } from 'viem'
import type { Address } from '../../protocol/bytes.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { deposit } from '../../wallet/deposit.ts'
import { startExit } from '../../wallet/exit.ts'
import { exitOutlook, findExits, findHeaders } from '../../wallet/exits.ts'
import { formatMandateFile, giveMandate, listMandates, parseMandateFile, revokeMandates } from '../../wallet/mandate.ts'
import { collectTurns, processDue } from '../../wallet/process.ts'
import { withdraw } from '../../wallet/withdraw.ts'
import { testTokenAbi, testTokenBytecode } from '../contracts/artifacts.generated.ts'
import { challenge, passTo, place } from '../support/moves.ts'
import { type Actor, actors, deploy, ETH, ETHER } from '../support/rootChain.ts'
import { type ChainWallets, startChainWallets } from './chainWallets.ts'

const test = suite('the wallet on L1')
let started: ChainWallets
let chain: ChainWallets['chain']
let openWallet: ChainWallets['openWallet']
let seal: ChainWallets['seal']
let blocks: ChainWallets['blocks']
let token: Address
type Deposit = Readonly<{ position: number }>

test.before(async () => {
  started = await startChainWallets()
  ;({ chain, openWallet, seal, blocks } = started)
  token = await deploy(chain.client, testTokenAbi, testTokenBytecode, ['Gold', 'GLD', 6])
})
test.after(() => started.stop())

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run()
  } catch (error) {
    if (isLifeboatError(error)) return error.code
    throw error
  }
  return 'no error'
}

const mint = (to: Actor, amount: bigint) =>
  chain.send(
    actors.operator.account,
    {
      data: encodeFunctionData({ abi: testTokenAbi as Abi, functionName: 'mint', args: [to.address, amount] }),
      valueWei: 0n,
    },
    token,
  )

test('deposits ETH, takes a payment out, and is paid what it owned', async () => {
  const wallet = await openWallet(1)
  const made = await deposit(wallet, { token: ETH, amount: ETHER, key: 'first' })
  assert.is(made.amount, ETHER)
  const block = await seal([
    await chain.pay(actors.alice, made.position, [
      [actors.bob, ETHER / 4n],
      [actors.alice, (ETHER * 3n) / 4n],
    ]),
  ])
  const started = await startExit(wallet, { position: place(block, 0, 1) })
  assert.is(started.exit.amount, (ETHER * 3n) / 4n)
  assert.is(started.exit.young, true)
  assert.is(await codeOf(() => startExit(wallet, { position: place(block, 0, 1) })), 'EXIT_EXISTS')

  const helper = await openWallet(5)
  assert.equal(await processDue(helper, 'early'), { processed: 0, settled: 0, transactions: [] })
  await passTo(chain, started.outlook.payableAfter + 1)
  const before = await chain.client.getBalance({ address: actors.alice.address })
  assert.is((await processDue(helper, 'due')).processed, 1)
  const bountyWei = (started.exit.bond * 60_000n) / 400_000n
  const gained = (await chain.client.getBalance({ address: actors.alice.address })) - before
  assert.is(gained, started.exit.amount + started.exit.bond - bountyWei)
  const [known] = await findExits(wallet.root, { owner: actors.alice.address })
  assert.is(
    exitOutlook(known!, wallet.root.parameters, await wallet.root.now(), await wallet.root.head()).words,
    'paid',
  )
})

test('deposits a token by permit, and by allowance when there is one', async () => {
  const wallet = await openWallet(2)
  await mint(actors.bob, 5_000_000n)
  const gold = await wallet.tokens.resolve(token)
  assert.equal([gold.symbol, gold.decimals], ['GLD', 6])
  const before = await chain.client.getTransactionCount({ address: actors.bob.address })
  const made = await deposit(wallet, { token, amount: 2_000_000n, key: 'gold' })
  assert.is(made.amount, 2_000_000n)
  assert.is((await chain.client.getTransactionCount({ address: actors.bob.address })) - before, 1)
  const approve = encodeFunctionData({
    abi: testTokenAbi as Abi,
    functionName: 'approve',
    args: [chain.root, 10n ** 12n],
  })
  await chain.send(actors.bob.account, { data: approve, valueWei: 0n }, token)
  assert.is((await deposit(wallet, { token, amount: 3_000_000n, key: 'more' })).amount, 3_000_000n)
  assert.is(await codeOf(() => deposit(wallet, { token, amount: 1n, key: 'none left' })), 'TOKENS_TOO_LOW')
})

test('the same key never deposits twice', async () => {
  const wallet = await openWallet(1)
  const one = await deposit(wallet, { token: ETH, amount: 5n, key: 'again' })
  const two = await deposit(wallet, { token: ETH, amount: 5n, key: 'again' })
  assert.is(one.position, two.position)
})

test('takes a token deposit out and fetches the credit', async () => {
  const wallet = await openWallet(4)
  await mint(actors.carol, 7n)
  const made = await deposit(wallet, { token, amount: 7n, key: 'carol' })
  assert.is(await codeOf(() => withdraw(wallet, { token, key: 'early' })), 'NOTHING_TO_WITHDRAW')
  const started = await startExit(wallet, { position: made.position })
  assert.is(started.provenBy, 'saved')
  await passTo(chain, started.outlook.payableAfter + 1)
  await processDue(wallet, 'carol')
  const done = await withdraw(wallet, { token, key: 'carol' })
  assert.is(done.amount, 7n)
  assert.is(await wallet.root.token.balanceOf(token, actors.carol.address), 7n)
})

test('processes both streams in one order, with a challenged exit among them', async () => {
  const [alice, bob] = [await openWallet(1), await openWallet(2)]
  const deposits = []
  for (let i = 0; i < 3; i++) deposits.push(await deposit(alice, { token: ETH, amount: 100n, key: `stream ${i}` }))
  const [first, second, third] = deposits as unknown as [Deposit, Deposit, Deposit]
  const block = await seal([
    await chain.pay(actors.alice, first.position, [
      [actors.bob, 60n],
      [actors.alice, 40n],
    ]),
    await chain.pay(actors.alice, second.position, [[actors.bob, 100n]]),
  ])
  const spent = await startExit(alice, { position: first.position, unsafeMaybeSpent: true })
  const young = await startExit(bob, { position: place(block, 0, 0) })
  const old = await startExit(alice, { position: third.position })
  await startExit(bob, { position: place(block, 1, 0) })
  await challenge(chain, spent.exit, [block, 0])
  assert.equal([spent.exit.young, old.exit.young, young.exit.young], [false, false, true])
  await passTo(chain, Math.max(young.outlook.payableAfter, old.outlook.payableAfter) + 1)
  const { turns, due } = await collectTurns(alice.root)
  assert.is(due, 4)
  assert.equal([turns.old.length, turns.young.length, turns.evidenceBlocks.length], [2, 2, 1])
  assert.is((await processDue(bob, 'streams')).processed, 4)
  const states = await Promise.all([spent, old, young].map(({ exit }) => alice.root.exitRecord(exit.outputId)))
  assert.equal(
    states.map(({ state }) => state),
    ['removed', 'settled', 'settled'],
  )
})

test('reads block headers back from L1, and none that L1 does not have', async () => {
  const wallet = await openWallet(1)
  const known = [...blocks.keys()]
  const headers = await findHeaders(wallet.root, new Set([...known, 9999]))
  assert.equal([...headers.keys()].sort(), known.sort())
  for (const [number, header] of headers) assert.equal(header, blocks.get(number)!.header)
})

test('a mandate stands until its series is revoked, and a new one is in the next series', async () => {
  const wallet = await openWallet(6)
  const given = await giveMandate(wallet, { delegate: actors.watcher.address, days: 30 })
  const file = formatMandateFile(given, wallet.domain)
  assert.equal(parseMandateFile(file, wallet.domain), given)
  assert.is(await codeOf(() => parseMandateFile(file, { ...wallet.domain, chainId: 1 })), 'MANDATE_OTHER_CHAIN')
  const longer = file.replace(`${given.mandate.validUntil}`, `${given.mandate.validUntil + 1}`)
  assert.is(await codeOf(() => parseMandateFile(longer, wallet.domain)), 'MANDATE_FORGED')
  assert.equal(
    (await listMandates(wallet)).map(({ state }) => state),
    ['valid'],
  )
  await revokeMandates(wallet)
  assert.equal(
    (await listMandates(wallet)).map(({ state }) => state),
    ['revoked'],
  )
  assert.is((await giveMandate(wallet, { delegate: actors.watcher.address })).mandate.epoch, 1)
})

test('says in words why the root contract refuses', async () => {
  const wallet = await openWallet(1)
  const said = await wallet
    .send({
      key: 'bad',
      purpose: 'withdraw nothing',
      call: {
        data: encodeFunctionData({
          abi: [
            {
              type: 'function',
              name: 'withdraw',
              inputs: [{ type: 'address' }, { type: 'address' }],
              outputs: [],
              stateMutability: 'nonpayable',
            },
          ],
          functionName: 'withdraw',
          args: [ETH, token],
        }),
        valueWei: 0n,
      },
    })
    .catch((error) => error)
  assert.is(said.code, 'L1_ACT_FAILED')
  assert.match(said.message, 'NothingToDo')
})

test.run()
