/**
 * L1, operator and watcher as processes of their own, started by the commands that people use. Each of the last two is killed in the middle
 * of its work and started again on its files; all ends as if nothing had happened. What supervisors send at last ends each well.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createClient } from '../../api/client.ts'
import { DEV_PASSWORD } from '../../cli/network.ts'
import { parseDeployment } from '../../l1/deployment.ts'
import { connectEndpoint } from '../../l1/endpoint.ts'
import { splitBond } from '../../protocol/exit.ts'
import { type ConnectedWallet, connectWallet } from '../../wallet/connect.ts'
import { deposit, waitForCredit } from '../../wallet/deposit.ts'
import { startExit } from '../../wallet/exit.ts'
import { listKeys, unlockKey } from '../../wallet/keys.ts'
import { pay, waitForStage } from '../../wallet/pay.ts'
import { processDue } from '../../wallet/process.ts'
import { type Program, runProgram, startProgram } from './programs.ts'
import { ETH, ETHER, plainError, until } from './world.ts'

const test = suite('story: processes')
const WAIT_MS = 120_000

/** Standard error names the place: `operator at http://...`. */
const placeOf = (program: Program) => program.says(/ at (http:\/\/127\.0\.0\.1:\d+)/)

async function story(directory: string, running: Program[]): Promise<void> {
  const start = (...words: readonly string[]) => {
    const program = startProgram(...words)
    running.push(program)
    return program
  }
  const devnet = start(
    ...['devnet', '--json', '--data', join(directory, 'l1'), '--watchers', '0', '--accounts', '5'],
    ...['--l1-port', '0', '--operator-port', '0', '--watcher-port', '0'],
  )
  const places = await until('the devnet’s places', () => /^{[\s\S]*^}/m.exec(devnet.out())?.[0], WAIT_MS)
  const { l1Url, chainId } = JSON.parse(places) as { l1Url: string; chainId: number }
  const keystore = join(directory, 'l1', 'keys')
  const passwordFile = join(directory, 'l1', 'password')
  const file = join(directory, 'deployment.json')
  const keys = await listKeys(keystore)
  const keyOf = (name: string) => keys.find((key) => key.name === name)!.path
  const secret = ['--password-file', passwordFile]

  // A chain of our own on that L1: its operator is Dave, its watcher acts with Carol's ether.
  await runProgram(
    ...['deploy', '--preset', 'devnet', '--l1-url', l1Url, '--l1-chain-id', `${chainId}`, '--confirmations', '1'],
    ...['--account', 'dave', '--keystore', keystore, ...secret, '--data-dir', directory, '--out', file],
  )
  const startOperator = (port: string) =>
    start(
      ...['operator', '--data-dir', join(directory, 'operator'), '--l1-url', l1Url, '--deployment', file],
      ...['--keystore', keyOf('dave'), ...secret, '--port', port, '--poll-interval', '100', '--threads', '1'],
    )
  const first = startOperator('0')
  const operatorUrl = await placeOf(first)
  const startWatcher = () =>
    start(
      ...['watcher', '--data', join(directory, 'watcher.sqlite'), '--l1-url', l1Url, '--deployment', file],
      ...['--keystore', keyOf('carol'), ...secret, '--port', '0', '--poll', '1', '--threads', '1'],
      ...['--peers', operatorUrl, '--unsafe-ignore-head-age'],
    )
  const firstWatcher = startWatcher()
  await placeOf(firstWatcher)

  const deployment = parseDeployment(readFileSync(file, 'utf8'))
  const endpoint = await connectEndpoint({ url: l1Url, expectedChainId: chainId })
  const open: ConnectedWallet[] = []
  const walletOf = async (name: string) => {
    const connected = await connectWallet({
      account: await unlockKey(keyOf(name), () => DEV_PASSWORD),
      deployment,
      endpoint,
      operator: createClient({ url: operatorUrl }),
      watchers: [],
      dataDir: join(directory, `wallet-${name}`),
      budgetWei: ETHER,
      pollMs: 100,
    })
    open.push(connected)
    return connected.wallet
  }
  const request = async (method: string, ...params: unknown[]) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    await fetch(l1Url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  }
  const [alice, bob, eve] = [await walletOf('alice'), await walletOf('bob'), await walletOf('erin')]
  const passTo = async (timestamp: number) => {
    for (let left = 1; left > 0; left = timestamp + 1 - (await bob.root.now()).timestamp) {
      await request('evm_increaseTime', Math.max(1, timestamp - (await bob.root.now()).timestamp))
      await request('anvil_mine', '0x17')
    }
  }
  try {
    const made = await deposit(alice, { token: ETH, amount: 2n * ETHER, key: 'deposit' })
    await waitForCredit(alice, made.position, WAIT_MS)

    // Accepted, and in no block yet: the operator dies without a word, and keeps its word.
    const paid = await pay(alice, { to: bob.account.address, token: ETH, amount: 2n * ETHER })
    assert.is(await first.end('SIGKILL'), null)
    const second = startOperator(new URL(operatorUrl).port)
    assert.is(await placeOf(second), operatorUrl)
    await waitForStage(alice, paid.txHash, 'committed', WAIT_MS)

    // Alice takes her deposit out once more, while the watcher is dead.
    assert.is(await firstWatcher.end('SIGKILL'), null)
    const theft = await startExit(alice, { position: made.position, unsafeMaybeSpent: true })
    const honest = await startExit(bob, { position: paid.position })
    const secondWatcher = startWatcher()
    await placeOf(secondWatcher)
    await passTo((await bob.root.now()).timestamp + 10)
    await until('the challenge', async () => (await bob.root.exitRecord(theft.exit.outputId)).evidence !== 0, WAIT_MS)

    const before = await Promise.all([alice, bob].map(({ root, account }) => root.etherOf(account.address)))
    await passTo(Math.max(theft.outlook.payableAfter, honest.outlook.payableAfter))
    await processDue(eve, 'processes')
    const after = await Promise.all([alice, bob].map(({ root, account }) => root.etherOf(account.address)))
    const { bond } = honest.exit
    assert.is(after[1]! - before[1]!, 2n * ETHER + bond - splitBond(bond).bounty)
    assert.is(after[0], before[0], 'the thief got nothing')

    for (const [name, program] of Object.entries({ watcher: secondWatcher, operator: second, devnet }))
      assert.is(await program.end('SIGTERM'), 0, `${name}: ${program.err().slice(-300)}`)
    for (const program of running) assert.not.match(program.out(), '"level":"error"')
  } finally {
    for (const { close } of open) await close()
  }
}

test('L1, operator and watcher as processes: killed in the middle of a payment and of a theft, they end as if nothing had happened', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'lifeboat-processes-'))
  const running: Program[] = []
  try {
    await story(directory, running)
  } catch (error) {
    const last = running.map((program) => `${program.err()}\n${program.out().slice(-1500)}`).join('\n')
    throw plainError(error, `\n${last}`)
  } finally {
    await Promise.all(running.map((program) => program.end('SIGKILL')))
    rmSync(directory, { recursive: true, force: true })
  }
})

test.run()
