/** Everything at once, over real sockets: deposit, send, exit, process; a thief's exit challenged without anybody's help. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Abi, createWalletClient, defineChain, http, publicActions } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { type Network, startNetwork, writeWalletFiles } from '../../cli/network.ts'
import { type Address, bytesToHex, type Hex, ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { createMemoryLog } from '../../service/log.ts'
import { listCoins, sumBalances } from '../../wallet/balance.ts'
import type { ConnectedWallet } from '../../wallet/connect.ts'
import { deposit, waitForCredit } from '../../wallet/deposit.ts'
import { startExit } from '../../wallet/exit.ts'
import { keepOwnOutputs, pay, waitForStage } from '../../wallet/pay.ts'
import { testTokenAbi, testTokenBytecode } from '../contracts/artifacts.generated.ts'
import { lifeboat } from './fakeIo.ts'

const test = suite('end to end')
const ETH = ZERO_ADDRESS
const ETHER = 10n ** 18n
const WAIT_MS = 120_000
const memory = createMemoryLog()
let network: Network
let config = ''
const open = new Map<number, ConnectedWallet>()

test.before(async () => {
  network = await startNetwork({ log: memory.log, pollMs: 100, accounts: 3, operator: { blockIntervalSeconds: 1 } })
  config = await writeWalletFiles(network)
})
test.after(async () => {
  for (const { close } of open.values()) await close()
  await network?.stop()
})

/** One wallet for each account: one outbox owns a key. */
async function walletOf(index: number) {
  const connected = open.get(index) ?? (await network.connect(network.accounts[index]!.account))
  open.set(index, connected)
  return connected.wallet
}

/** uvu cannot print errors with details, and would count them as passed. */
async function run(step: () => Promise<void>): Promise<void> {
  try {
    await step()
  } catch (error) {
    throw new Error(
      error instanceof Error ? `${(error as { code?: string }).code ?? ''} ${error.stack}` : String(error),
    )
  }
}

const cli = (...argv: string[]) => lifeboat([...argv, '--config', config])

test('shows what is the same for everybody without an account, and asks for one by name where it matters', () =>
  run(async () => {
    const forAll = [
      'status',
      'tokens list',
      'bond show',
      'operator-key show',
      'exits --everyone',
      'disputes --everyone',
    ]
    for (const words of [...forAll, 'mass-exit status --everyone']) {
      const { code, err } = await cli(...words.split(' '))
      assert.is(code, 0, `${words}: ${err}`)
    }
    for (const words of ['balance', 'exits', 'mandate show']) {
      const { code, err } = await cli(...words.split(' '))
      assert.is(code, 2, words)
      assert.match(
        err,
        'got 3 keys and no --account, want --account with the name or address of one of: alice, bob, carol\n',
      )
    }
    const swap = await cli('swap', 'offer', '1', 'ETH', '0.5', 'ETH', '--account', 'alice')
    assert.is(swap.code, 1)
    assert.match(swap.err, 'SWAP_ONE_TOKEN: both sides of a swap are the same token; nothing is held, got ETH')
    assert.is((await cli('swap', 'list', '--account', 'alice', '--json')).out.trim(), '[]')
    const rich = await cli('deposit', '1000000', '--account', 'alice')
    assert.is(rich.code, 1)
    assert.match(rich.err, 'got 10000 ETH, want 1000000 ETH and some for gas')
    const { code, err } = await cli('send', 'zed', '1', '--account', 'alice')
    assert.is(code, 1)
    assert.match(err, 'PARTY_UNKNOWN: neither an address nor the name of a key, got zed')
    assert.match(err, 'or one of alice, bob, carol')
  }))

test('deposits, pays, exits what was received, and is paid to the wei', () =>
  run(async () => {
    const [alice, bob] = [await walletOf(0), await walletOf(1)]
    const made = await deposit(alice, { token: ETH, amount: 3n * ETHER, key: 'one' })
    await waitForCredit(alice, made.position, WAIT_MS)
    const paid = await pay(alice, { to: bob.account.address, token: ETH, amount: ETHER })
    await waitForStage(alice, paid.txHash, 'committed', WAIT_MS)
    assert.is(await keepOwnOutputs(alice, paid), 0)
    const started = await startExit(bob, { position: paid.position })
    const { timestamp } = await bob.root.now()
    await network.passTime(started.outlook.payableAfter + 1 - timestamp)
    await alice.waiting.sleep(300)
    const before = await bob.root.etherOf(bob.account.address)
    const processed = JSON.parse((await cli('process', '--account', 'carol', '--json')).out)
    assert.is(processed.processed, 1)
    const bounty = (started.exit.bond * 60_000n) / 400_000n
    assert.is((await bob.root.etherOf(bob.account.address)) - before, ETHER + started.exit.bond - bounty)
  }))

test('a thief who exits a spent output is challenged by a watcher', () =>
  run(async () => {
    const [alice, bob] = [await walletOf(0), await walletOf(1)]
    const made = await deposit(alice, { token: ETH, amount: ETHER, key: 'two' })
    await waitForCredit(alice, made.position, WAIT_MS)
    const paid = await pay(alice, { to: bob.account.address, token: ETH, amount: ETHER / 2n })
    await waitForStage(alice, paid.txHash, 'committed', WAIT_MS)
    const theft = await startExit(alice, { position: made.position, unsafeMaybeSpent: true })
    const end = Date.now() + WAIT_MS
    while ((await alice.root.exitRecord(theft.exit.outputId)).evidence === 0 && Date.now() < end)
      await alice.waiting.sleep(200)
    assert.is((await alice.root.exitRecord(theft.exit.outputId)).evidence, paid.position)
  }))

test('the command line shows it all', () =>
  run(async () => {
    const balance = await cli('balance', '--account', 'alice', '--json', '--outputs')
    assert.is(balance.code, 0, balance.err)
    const shown = JSON.parse(balance.out)
    assert.is(shown.account, network.accounts[0]!.account.address)
    assert.type(shown.balances[0].free, 'string')
    assert.type(shown.outputs[0].position, 'number')
    const sent = await cli('send', 'bob', '0.25', '--account', 'alice', '--json')
    assert.is(sent.code, 0, sent.err)
    assert.is(JSON.parse(sent.out).stage, 'committed')
    for (const argv of [
      ['history', '--account', 'bob'],
      ['exits', '--account', 'bob'],
      ['status', '--account', 'bob'],
      ['exits', '--everyone', '--account', 'bob'],
      ['mandate', 'show', '--account', 'bob'],
      ['tokens', 'list', '--account', 'bob'],
      ['swap', 'list', '--account', 'bob'],
    ]) {
      const seen = await cli(...argv)
      assert.is(seen.code, 0, `${argv.join(' ')}: ${seen.err}`)
      assert.ok(seen.out.length > 0)
      JSON.parse((await cli(...argv, '--json')).out)
    }
    assert.match((await cli('exits', '--account', 'alice')).out, 'challenged')
    const [theft] = JSON.parse((await cli('exits', '--account', 'alice', '--json')).out)
    const why = await cli('explain', 'exit', `${theft.position}`, '--account', 'alice')
    assert.match(why.out, 'challenged by')
    assert.match(
      (await cli('explain', 'tx', JSON.parse(sent.out).txHash, '--account', 'alice')).out,
      /(committed|final) at block/,
    )
    assert.match((await cli('explain', 'block', '1', '--account', 'alice')).out, 'may be voided until')
    const poor = await cli('send', 'bob', '1000', '--account', 'alice')
    assert.is(poor.code, 1)
    assert.match(poor.err, 'BALANCE_TOO_LOW')
    assert.is((await cli('exit', `${theft.position}`, '--account', 'alice')).code, 1)
  }))

test('bob swaps tokens for ether with alice, each from the command line', () =>
  run(async () => {
    const bob = await walletOf(1)
    const token = await deployToken(bob.account.address, 500n)
    const made = await deposit(bob, { token, amount: 500n, key: 'gold' })
    await waitForCredit(bob, made.position, WAIT_MS)
    const files = mkdtempSync(join(tmpdir(), 'lifeboat-swap-'))
    const [offer, accepted] = [join(files, 'offer.json'), join(files, 'accepted.json')]
    const offered = await cli('swap', 'offer', '0.0002', token, '0.1', 'ETH', '--file', offer, '--account', 'bob')
    assert.is(offered.code, 0, offered.err)
    assert.match(offered.err, `GLD is the token at ${token}`)
    const asked = await cli('swap', 'accept', offer, '--file', accepted, '--account', 'alice')
    assert.is(asked.code, 2)
    assert.match(asked.err, 'gives 0.1 ETH, gets 0.0002 GLD')
    assert.is((await cli('swap', 'accept', offer, '--file', accepted, '--account', 'alice', '--yes')).code, 0)
    assert.is((await cli('swap', 'show', accepted, '--account', 'bob')).code, 0)
    const done = await cli('swap', 'complete', accepted, '--account', 'bob', '--json')
    assert.is(done.code, 0, done.err)
    assert.is(JSON.parse(done.out).stage, 'committed')
    const [{ free }] = JSON.parse((await cli('balance', '--account', 'alice', '--json')).out).balances.filter(
      (one: { symbol: string }) => one.symbol === 'GLD',
    )
    assert.is(free, '200')
    assert.is((await cli('swap', 'complete', accepted, '--account', 'bob')).code, 1)
  }))

async function deployToken(holder: Address, amount: bigint): Promise<Address> {
  const { privateKey } = network.accounts[2]!.account
  const chain = defineChain({
    id: network.l1.chainId,
    name: 'devnet',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [network.l1.url] } },
  })
  const client = createWalletClient({
    account: privateKeyToAccount(bytesToHex(privateKey)),
    chain,
    transport: http(),
  }).extend(publicActions)
  const hash = await client.deployContract({
    abi: testTokenAbi as Abi,
    bytecode: testTokenBytecode as Hex,
    args: ['Gold', 'GLD', 6],
  })
  const { contractAddress } = await client.waitForTransactionReceipt({ hash, pollingInterval: 100 })
  const minted = await client.writeContract({
    address: contractAddress!,
    abi: testTokenAbi as Abi,
    functionName: 'mint',
    args: [holder, amount],
  })
  await client.waitForTransactionReceipt({ hash: minted, pollingInterval: 100 })
  return contractAddress!.toLowerCase() as Address
}

test('goes on where it was stopped, and an owner leaves when the operator is gone', () =>
  run(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'lifeboat-persist-'))
    const options = {
      directory,
      seed: 'another network',
      accounts: 1,
      watchers: 1,
      pollMs: 100,
      operator: { blockIntervalSeconds: 1 },
      log: memory.log,
    } as const
    const first = await startNetwork(options)
    const before = await first.connect(first.accounts[0]!.account)
    const made = await deposit(before.wallet, { token: ETH, amount: 7n, key: 'kept' })
    await waitForCredit(before.wallet, made.position, WAIT_MS)
    const paid = await pay(before.wallet, { to: before.wallet.account.address, token: ETH, amount: 5n })
    await waitForStage(before.wallet, paid.txHash, 'committed', WAIT_MS)
    await keepOwnOutputs(before.wallet, paid)
    await before.close()
    await first.stop()

    const second = await startNetwork(options)
    const after = await second.connect(second.accounts[0]!.account)
    try {
      assert.equal(
        sumBalances(await listCoins(after.wallet)).map(({ free }) => free),
        [7n],
      )
      await second.operator.stop()
      const started = await startExit(after.wallet, { position: paid.position })
      assert.equal([started.exit.amount, started.provenBy], [5n, 'saved'])
    } finally {
      await after.close()
      await second.stop()
    }
  }))

test('logs no error anywhere', () => memory.assertNoErrors())

test.run()
