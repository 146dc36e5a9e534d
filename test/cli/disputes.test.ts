/** In-flight exits from the command line, over real sockets: files, the choice, joining, listing, explaining, the verdict, and being paid. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Network, startNetwork, writeWalletFiles } from '../../cli/network.ts'
import { createMemoryLog } from '../../service/log.ts'
import { lifeboat } from './fakeIo.ts'

const test = suite('in-flight exits from the command line')
const memory = createMemoryLog()
const files = mkdtempSync(join(tmpdir(), 'lifeboat-flight-'))
let network: Network
let config = ''

test.before(async () => {
  network = await startNetwork({
    log: memory.log,
    pollMs: 100,
    accounts: 3,
    watchers: 0,
    seed: 'in flight',
    operator: { blockIntervalSeconds: 1 },
  })
  config = await writeWalletFiles(network)
})
test.after(async () => network?.stop())

/** uvu cannot print errors with details, and would count them as passed. */
const run = (step: () => Promise<void>) => async () => {
  try {
    await step()
  } catch (error) {
    throw new Error(
      error instanceof Error ? `${(error as { code?: string }).code ?? ''} ${error.stack}` : String(error),
    )
  }
}

const as = (account: string, ...argv: string[]) => lifeboat([...argv, '--config', config, '--account', account])

async function done(account: string, ...argv: string[]) {
  const { code, out, err } = await as(account, ...argv, '--json')
  assert.is(code, 0, `${argv.join(' ')}: ${err}`)
  return JSON.parse(out)
}

test(
  'a payee leaves with the payer’s file, the payer joins, and the verdict pays both',
  run(async () => {
    await done('alice', 'deposit', '3')
    const sent = await done('alice', 'send', 'bob', '1')
    const file = join(files, 'payment.json')
    assert.is((await done('alice', 'payment', 'save', sent.txHash, '--file', file)).unproven, 0)
    const kept = await as('bob', 'payment', 'keep', file)
    assert.is(kept.code, 0, kept.err)
    assert.match(kept.out, 'it pays you 1 ETH')

    const left = await as('bob', 'exit', '--in-flight', file)
    assert.is(left.code, 0, left.err)
    for (const words of ['its dispute is started', '1 ETH', 'verdict after', 'lifeboat process'])
      assert.match(left.out, words)

    const joined = await as('alice', 'exit', sent.txHash)
    assert.is(joined.code, 0, joined.err)
    assert.match(joined.err, 'leaves in flight')
    assert.match(joined.out, 'joined its dispute')
    assert.match(joined.out, `its inclusion at position ${sent.position}`)

    const [listed] = await done('bob', 'disputes')
    assert.equal([listed.txHash, listed.verdict, listed.part.outputs], [sent.txHash, 'running', [0]])
    assert.match((await as('bob', 'disputes', '--open')).out, 'is paid (output 0), started it')
    assert.is((await as('carol', 'disputes')).out, 'no disputes\n')
    assert.is((await done('carol', 'disputes', '--everyone')).length, 1)
    assert.match((await as('bob', 'exits')).out, `waits for the verdict about payment ${sent.txHash}`)

    const why = await as('bob', 'explain', 'dispute', sent.txHash)
    assert.is(why.code, 0, why.err)
    for (const words of ['started by you', 'what happened', 'canonical so far']) assert.match(why.out, words)
    const explained = await done('bob', 'explain', 'dispute', sent.txHash)
    assert.equal([explained.states.outputs[0], explained.trail.length > 0], ['queued', true])

    assert.is((await as('bob', 'process')).out, 'nothing is due\n')

    const { timestamp } = JSON.parse((await as('bob', 'status', '--json')).out).l1
    await network.passTime(explained.outlook.verdictAfter + 1 - timestamp)
    const decided = await as('bob', 'process')
    assert.match(decided.out, `verdict about payment ${sent.txHash}: canonical`)
    assert.match(decided.out, '2 processed')
    const exits = await done('bob', 'exits')
    assert.equal(
      exits.map((one: { state: string; isThroughDispute: boolean }) => [one.state, one.isThroughDispute]),
      [['settled', true]],
    )
    assert.match((await as('bob', 'explain', 'exit', exits[0].outputId)).out, 'of the disputed payment')
    assert.match((await as('bob', 'disputes')).out, 'canonical: its outputs are paid')
    assert.is((await as('bob', 'exit', '--in-flight', sent.txHash)).code, 1)
  }),
)

test(
  'says in words and by its exit code what is wrong with a payment that it is given',
  run(async () => {
    const nobody = `0x${'12'.repeat(32)}`
    const errorOf = async (...argv: string[]) => {
      const { code, err } = await as('bob', ...argv, '--json')
      const lines = err.slice(err.indexOf('{\n'))
      const { error } = JSON.parse(lines)
      assert.ok(error.want !== undefined, err)
      return [code, error.code]
    }
    assert.equal(await errorOf('exit', '--in-flight', nobody), [1, 'FLIGHT_UNKNOWN'])
    assert.equal(await errorOf('exit', nobody), [1, 'FLIGHT_UNKNOWN'])
    assert.equal(await errorOf('exit', '--in-flight', 'no such file'), [2, 'FLIGHT_NOT_NAMED'])
    assert.equal(await errorOf('exit', '33554448', '--all'), [2, 'OUTPUT_NOT_NAMED'])
    assert.equal(await errorOf('exit'), [2, 'OUTPUT_NOT_NAMED'])
    assert.equal(await errorOf('explain', 'dispute', nobody), [1, 'DISPUTE_UNKNOWN'])
    assert.equal(await errorOf('payment', 'keep', 'no such file'), [2, 'PAYMENT_FILE_MISSING'])
    assert.equal(await errorOf('payment', 'save', nobody), [1, 'FLIGHT_UNKNOWN'])
    const forged = join(files, 'forged.json')
    const file = JSON.parse(readFileSync(join(files, 'payment.json'), 'utf8'))
    file.transaction.outputs[0].amount = '7'
    writeFileSync(forged, JSON.stringify(file))
    assert.equal(await errorOf('exit', '--in-flight', forged), [1, 'FLIGHT_UNSIGNED'])
    for (const code of ['FLIGHT_UNSIGNED', 'INPUT_UNPROVEN', 'DISPUTE_LOST', 'ShareMissing']) {
      assert.is((await lifeboat(['explain', 'error', code])).code, 0)
    }
  }),
)

test(
  'with the operator gone, everything kept leaves, each output by the way that is right for it',
  run(async () => {
    const made = await done('alice', 'deposit', '2')
    const first = await done('alice', 'send', 'carol', '0.5')
    // Two outputs of Alice's in one payment, whose block she never looked at.
    const self = await done('alice', 'send', 'alice', '0.1', '--no-wait')
    await done('alice', 'deposit', '4')
    const second = await done('alice', 'send', 'carol', '3', '--no-wait')
    const file = join(files, 'second.json')
    await done('alice', 'payment', 'save', second.txHash, '--file', file)
    await done('carol', 'balance')
    await network.operator.stop()
    // Carol has no proof of the second payment's block: nobody shows it, wherever it got to.
    await done('carol', 'payment', 'keep', file)
    const left = await done('carol', 'exit', '--all')
    assert.equal(left.failed, [])
    const ways = left.choices.map((choice: { way: string }) => choice.way).sort()
    assert.equal(ways, ['in-flight', 'standard'])
    assert.equal(left.inFlight[0].txHash, second.txHash)
    assert.equal(left.started[0].exit.position, first.position)
    assert.ok(made.position > 0)
    assert.is((await done('carol', 'disputes', '--open')).length, 1)

    const all = await done('alice', 'exit', '--all')
    assert.equal(all.failed, [], 'the second output of one payment leaves with the first, and is no failure')
    const own = all.inFlight.find((one: { txHash: string }) => one.txHash === self.txHash)
    assert.is(own.exits.length, 2)
    const newest = async () => (await done('carol', 'history')).entries[0]
    assert.equal([(await newest()).txHash, (await newest()).payment.standing], [second.txHash, 'soft'])
    await network.passTime(60)
    assert.equal([(await newest()).payment.standing, (await newest()).from], ['unknown', 'wallet'])
    assert.match((await as('carol', 'history')).out, 'is overdue')
    assert.match((await as('carol', 'history')).out, 'its dispute runs')
  }),
)

test('logs no error anywhere', () => memory.assertNoErrors())

test.run()
