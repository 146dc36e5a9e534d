/** The operator's key and the end of the chain from the command line, over real sockets; then everybody leaves. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { errorToJson } from '../../cli/exitCodes.ts'
import { type Network, startNetwork, writeWalletFiles } from '../../cli/network.ts'
import { createCloseCommand, createOperatorKeyCommand } from '../../cli/operatorKey.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { createMemoryLog } from '../../service/log.ts'
import { importKey } from '../../wallet/keys.ts'
import { createMemoryIo, lifeboat } from './fakeIo.ts'

const test = suite('the operator’s key from the command line')
const memory = createMemoryLog()
let network: Network
let config = ''

test.before(async () => {
  network = await startNetwork({
    log: memory.log,
    pollMs: 100,
    accounts: 2,
    watchers: 0,
    seed: 'operator key',
    operator: { blockIntervalSeconds: 1 },
  })
  config = await writeWalletFiles(network)
  const { privateKey } = network.l1.devAccounts[0]!
  const password = readFileSync(join(network.directory, 'password'), 'utf8').trim()
  await importKey(join(network.directory, 'keys'), privateKey, password, { strength: 'light', name: 'operator' })
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

/** The command itself: what it printed, and the code of its error. */
async function runAs(account: string, create: typeof createCloseCommand, ...argv: string[]) {
  const io = createMemoryIo()
  let code: string | undefined
  try {
    await create(io).parseAsync([...argv, '--config', config, '--account', account], { from: 'user' })
  } catch (error) {
    if (!isLifeboatError(error)) throw error
    code = errorToJson(error).code
  }
  return { code, out: io.printed.out, err: io.printed.err }
}

test(
  'the key is handed on while the operator is stopped, the chain is closed by the new one, and its owners leave',
  run(async () => {
    await as('alice', 'deposit', '2')
    const sent = JSON.parse((await as('alice', 'send', 'bob', '1', '--json')).out)
    assert.equal([sent.standing, sent.payment.block > 0], ['included', true])
    assert.match((await as('bob', 'history')).out, 'included: proven to stand in block')
    assert.match((await as('bob', 'explain', 'tx', sent.txHash)).out, 'final after')

    const key = createOperatorKeyCommand
    assert.is((await runAs('operator', key, 'nominate', 'bob')).code, 'OPERATOR_RUNS')
    assert.is((await runAs('operator', createCloseCommand, '--yes')).code, 'OPERATOR_RUNS')
    await network.operator.stop()
    assert.is((await runAs('alice', key, 'nominate', 'alice')).code, 'NOT_OPERATOR')
    assert.match((await runAs('operator', key, 'nominate', 'bob')).out, 'nominated 0x')
    assert.not.match((await runAs('alice', key, 'show')).out, 'nominee  none')
    assert.is((await runAs('alice', key, 'accept')).code, 'NOT_NOMINATED')
    assert.match((await runAs('bob', key, 'accept')).out, 'the operator is 0x')
    assert.match((await runAs('alice', key, 'show')).out, 'nominee  none')

    const asked = await runAs('bob', createCloseCommand)
    assert.is(asked.code, 'CLOSE_NOT_CONFIRMED')
    for (const words of ['for ever', 'nothing is void', 'still be voided until', 'bond comes back after'])
      assert.match(asked.err, words)
    assert.not.match((await as('alice', 'status')).out, 'halted')
    assert.is((await runAs('operator', createCloseCommand, '--yes')).code, 'NOT_OPERATOR')
    assert.match((await runAs('bob', createCloseCommand, '--yes')).out, 'the chain is closed after block')
    assert.match((await as('alice', 'status')).out, 'halted')

    const left = await as('alice', 'exit', '--all')
    assert.is(left.code, 0, left.err)
    assert.match(left.err, 'the chain was halted: blocks from')
    assert.match(left.out, 'exit of')
    assert.match((await as('alice', 'history')).out, 'included')
  }),
)

test('logs no error anywhere', () => memory.assertNoErrors())

test.run()
