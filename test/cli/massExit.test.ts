/** Mandates, mass exits and claims from the command line, on a whole network. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Network, startNetwork, writeWalletFiles } from '../../cli/network.ts'
import { createProgressBar } from '../../cli/progress.ts'
import { createMemoryLog } from '../../service/log.ts'
import { lifeboat, type Run } from './fakeIo.ts'

const test = suite('mass exits from the command line')
const ETH = `0x${'0'.repeat(40)}`
const ETHER = 10n ** 18n
const memory = createMemoryLog()

type Setting = Readonly<{
  network: Network
  cli(...argv: string[]): Promise<Run>
  json(...argv: string[]): Promise<ReturnType<typeof JSON.parse>>
}>

/** uvu cannot print errors with details, and would count them as passed. */
async function onNetwork(watchers: number, step: (setting: Setting) => Promise<void>): Promise<void> {
  const seed = `mass exits ${watchers}`
  const network = await startNetwork({
    log: memory.log,
    pollMs: 100,
    accounts: 4,
    watchers,
    seed,
    operator: { blockIntervalSeconds: 1 },
  })
  try {
    const config = await writeWalletFiles(network)
    const cli = (...argv: string[]) => lifeboat([...argv, '--config', config])
    const json = async (...argv: string[]) => {
      const run = await cli(...argv, '--json')
      if (run.code !== 0) throw new Error(`${argv.join(' ')}: ${run.err}`)
      return JSON.parse(run.out)
    }
    await step({ network, cli, json })
  } catch (error) {
    throw new Error(
      error instanceof Error ? `${(error as { code?: string }).code ?? ''} ${error.stack}` : String(error),
    )
  } finally {
    await network.stop()
  }
}

async function passTo({ network }: Setting, timestamp: number): Promise<void> {
  const { wallet, close } = await network.connect(network.accounts[3]!.account)
  const now = (await wallet.root.now()).timestamp
  await close()
  if (timestamp >= now) await network.passTime(timestamp + 1 - now)
}

/** A watcher of a few fixed answers, by the beginning of the path. */
async function serve(answers: Readonly<Record<string, unknown>>) {
  const server = createServer((request, response) => {
    const found = Object.entries(answers).find(([path]) => request.url?.startsWith(path))
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(found?.[1] ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, close: () => new Promise((resolve) => server.close(resolve)) }
}

test('a coordinator plans, starts, locks; three owners are paid', () =>
  onNetwork(0, async (setting) => {
    const { network, cli, json } = setting
    const files = mkdtempSync(join(tmpdir(), 'lifeboat-crowd-'))
    const names = ['alice', 'bob', 'carol']
    const outputs: { position: number; amount: string }[] = []
    const mandates: unknown[] = []
    for (const [i, name] of names.entries()) {
      const { position, amount } = await json('deposit', `${i + 1}`, '--account', name)
      outputs.push({ position, amount })
      const file = join(files, `${name}.json`)
      const given = await cli('mandate', 'give', 'dave', '--out', file, '--account', name)
      assert.is(given.code, 0, given.err)
      for (const word of ['maxFee     0: nothing may be kept', 'position   0: every output', 'validUntil', 'EIP-712'])
        assert.match(given.err, word)
      mandates.push(JSON.parse(readFileSync(file, 'utf8')))
    }
    const wish = join(files, 'wish.json')
    const wrong = { position: outputs[0]!.position + 16 * 1000, amount: '5' }
    writeFileSync(wish, JSON.stringify({ lifeboatMassExit: 1, outputs: [...outputs, wrong], mandates }))

    const shown = await cli('mass-exit', 'plan', wish, '--account', 'dave')
    assert.is(shown.code, 0, shown.err)
    for (const word of ['3', 'of 3 owners', 'transactions', 'at ten times that', 'left out: 1', '6 ETH'])
      assert.match(shown.out, word)
    const tight = await json('mass-exit', 'plan', wish, '--account', 'dave', '--gas-per-transaction', '281500')
    assert.is(tight.transactions, 3, 'split by the gas of one transaction')

    const desk = await serve({
      '/v1/mass-exits/plan?entries=all': { batches: [{ token: ETH, count: 9, entries: outputs }] },
      '/v1/mandates': { mandates },
    })
    const asked = await cli('mass-exit', 'plan', '--from-watcher', desk.url, '--account', 'dave', '--json')
    assert.is(asked.code, 0, asked.err)
    const planned = JSON.parse(asked.out)
    assert.equal([planned.entries, planned.refused], [3, []], 'with the mandates that the watcher keeps')
    assert.match(asked.err, '6 more entries than it tells')
    await desk.close()

    const { started } = await json('mass-exit', 'start', wish, '--account', 'dave')
    assert.is(started.length, 1)
    const repeated = await cli('mass-exit', 'start', wish, '--account', 'dave')
    assert.match(repeated.out, 'runs already')
    const [status] = await json('mass-exit', 'status', '--account', 'dave')
    assert.equal([status.stage, status.count], ['started', 3])
    const early = await cli('mass-exit', 'defend', '--once', '--account', 'dave')
    assert.match(early.out, 'next: demands, then its lock')

    await passTo(setting, status.times.answerUntil)
    const locked = await cli('mass-exit', 'defend', started[0].batchId.slice(0, 10), '--once', '--account', 'dave')
    assert.match(locked.out, 'locked it', locked.err)
    const [{ times }] = await json('mass-exit', 'status', '--account', 'dave')
    const balance = await cli('balance', '--account', 'alice', '--outputs')
    assert.match(balance.out, '1 ETH leaving in mass exits')
    const second = await cli('exit', `${outputs[0]!.position}`, '--account', 'alice')
    assert.is(second.code, 1)
    assert.match(second.err, 'PLACE_HELD')
    const poor = await cli('send', 'bob', '0.5', '--account', 'alice')
    assert.match(poor.err, 'BALANCE_TOO_LOW')
    assert.match((await cli('claim', '--account', 'alice')).out, "waits for the mass exit's turn")

    await passTo(setting, times.payable)
    const etherOf = async (i: number) => {
      const { wallet, close } = await network.connect(network.accounts[i]!.account)
      const wei = await wallet.root.etherOf(wallet.account.address)
      await close()
      return wei
    }
    const before = await etherOf(1)
    const claimed = await cli('claim', 'all', '--for', 'bob', '--account', 'alice')
    assert.is(claimed.code, 0, claimed.err)
    assert.match(claimed.out, '1 paid')
    assert.is((await etherOf(1)) - before, 2n * ETHER)
    assert.match((await cli('mass-exit', 'defend', '--once', '--account', 'dave')).out, 'paid 2 entries')
    assert.match((await cli('claim', '--account', 'alice')).out, 'paid')
    const paid = await cli('balance', '--account', 'alice', '--outputs')
    assert.match(paid.out, 'nothing on the child chain')
    assert.not.match(paid.out, 'leaving', 'it has left')
    assert.match((await cli('mass-exit', 'status', '--account', 'dave')).out, '3 paid, 0 placed, 0 released of 3')
    await passTo(setting, times.closable)
    const over = await cli('mass-exit', 'defend', '--account', 'dave')
    assert.match(over.out, 'over: every entry is paid')
    assert.match((await cli('mass-exit', 'status', '--account', 'dave')).out, 'turned, closed')
    const unknown = await cli('mass-exit', 'status', '0x1234567890', '--account', 'dave')
    assert.is(unknown.code, 1)
    assert.match(unknown.err, `want the first 6 characters of one or more: ${started[0].batchId}`)
    assert.is((await cli('mass-exit', 'status', started[0].batchId.slice(0, 5), '--account', 'dave')).code, 1)
    const price = await cli('mass-exit', 'plan', wish, '--account', 'dave', '--gas-per-transaction', '2gwei')
    assert.is(price.code, 2)
    assert.match(price.err, 'want an integer from 281000 to 16777216')
  }))

test('cover by a watcher: given with a deposit, shown, revoked, given anew', () =>
  onNetwork(1, async ({ network, cli, json }) => {
    const bare = await json('deposit', '1', '--no-cover', '--account', 'alice')
    assert.equal(bare.cover, [])
    assert.equal(await json('mandate', 'show', '--account', 'alice'), [])
    const covered = await cli('deposit', '1', '--account', 'alice')
    assert.is(covered.code, 0, covered.err)
    assert.match(covered.err, /cover: http.* may take your outputs out until .*no fee.*--no-cover/)
    const [shown] = await json('mandate', 'show', '--account', 'alice')
    assert.equal(
      [shown.mandate.delegate, shown.state, shown.holders],
      [network.watcherAccounts[0]!.address, 'valid', [`${network.watchers[0]!.url}/`]],
    )
    await json('deposit', '1', '--account', 'alice')
    assert.is((await json('mandate', 'show', '--account', 'alice')).length, 1, 'one mandate is enough')

    assert.match((await cli('mandate', 'revoke', '--account', 'alice')).out, 'series 0 is revoked')
    assert.match((await cli('mandate', 'show', '--account', 'alice')).out, 'revoked')
    const given = await cli('mandate', 'give', '--account', 'alice')
    assert.is(given.code, 0, given.err)
    assert.match(given.out, /series 1\); handed to http/)
    assert.is((await json('mandate', 'show', '--account', 'alice')).length, 2)
  }))

test('a progress bar is one line for a person, and a line each tenth for a file', () => {
  const draw = (isInteractive: boolean) => {
    let out = ''
    const err = (text: string) => {
      out += text
    }
    const bar = createProgressBar({ isInteractive, err })
    for (let i = 0; i <= 100; i++) bar(i, 100, 'outputs')
    bar(1, 1, 'alone')
    return out
  }
  assert.is(draw(false).split('\n').length - 1, 10)
  assert.match(draw(true), /\r\[#{15} {15}\] 50\/100 outputs\r/)
  assert.ok(draw(true).endsWith('100/100 outputs\n'))
})

test('logs no error anywhere', () => memory.assertNoErrors())

test.run()
