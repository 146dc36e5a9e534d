import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkOperator, findOperatorProblems } from '../../operator/check.ts'
import {
  configToSettings,
  defaultSettings,
  deploymentParameters,
  findSettingsProblems,
  operatorConfig,
} from '../../operator/config.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { PRESETS } from '../../protocol/parameters.ts'
import { readConfig } from '../../service/config.ts'
import { actors } from '../support/rootChain.ts'
import { type Network, startNetwork } from './chain.ts'
import { alice, ETH, TOKEN } from './fixture.ts'

const test = suite('operator configuration')

const REQUIRED = ['--data-dir', 'd', '--l1-url', 'http://127.0.0.1:1', '--deployment', 'f', '--keystore', 'k']
const ADDRESS = alice.address

function settingsOf(...argv: string[]) {
  const { config } = readConfig(operatorConfig, { argv: [...REQUIRED, ...argv], env: {} })
  return configToSettings(config, PRESETS.mainnet, ADDRESS)
}

test('takes its periods from the deployment when nothing is said', () => {
  for (const parameters of Object.values(PRESETS)) {
    const settings = defaultSettings(parameters, ADDRESS)
    assert.equal(findSettingsProblems(settings, parameters), [])
    assert.is(settings.blockIntervalSeconds, parameters.blockInterval)
  }
})

test('reads fees in several tokens, and refuses one that is none', () => {
  assert.equal(settingsOf('--fees', `${TOKEN}:5,${ETH}:0`).fees, [
    { token: TOKEN, minimum: 5n },
    { token: ETH, minimum: 0n },
  ])
  assert.throws(() => settingsOf('--fees', `${TOKEN}:-5`), /fees/)
  assert.throws(() => settingsOf('--fees', `${TOKEN}:${2n ** 128n}`), /fees/)
})

test('lists every setting that does not fit the deployment at once', () => {
  const settings = {
    ...defaultSettings(PRESETS.devnet, ADDRESS),
    blockIntervalSeconds: 60,
    maxSilenceSeconds: 1_000,
    maxBlockTxs: 65_536,
    reorgDepth: 1,
    maxOutputs: 1,
    fees: [
      { token: ETH, minimum: 1n },
      { token: ETH, minimum: 2n },
    ],
    maxL1LagSeconds: 1_000,
  }
  const keys = findSettingsProblems(settings, PRESETS.devnet).map(({ key }) => key)
  assert.equal(keys, ['blockInterval', 'maxSilence', 'maxBlockTxs', 'reorgDepth', 'fees', 'maxOutputs', 'maxL1Lag'])
})

test('refuses a deployment file without the periods', () => {
  const deployment = {
    version: 1 as const,
    chainId: 1,
    contracts: {},
    parameters: { minExitPeriod: 240 },
    startBlock: { number: 0, hash: `0x${'00'.repeat(32)}` as const },
  }
  assert.throws(() => deploymentParameters(deployment), /lacks periods/)
})

async function codeOf(starting: Promise<unknown>): Promise<string> {
  return starting.then(
    () => 'STARTED',
    (error: unknown) => (isLifeboatError(error) ? error.code : String(error)),
  )
}

const live = suite<{ network: Network }>('operator check on a live chain')

live.before(async (context) => {
  context.network = await startNetwork()
})
live.after(({ network }) => network.stop())

live('finds nothing wrong with a chain that fits', async ({ network }) => {
  const { settings, deployment, endpoint, dataDir } = network
  assert.equal(
    await findOperatorProblems({ settings, deployment, endpoint, dataDir, ourAddress: actors.operator.address }),
    [],
  )
})

live(
  'lists a stranger’s key, an empty purse, a wrong file, an impossible margin and an unwritable disk together',
  async ({ network }) => {
    const directory = mkdtempSync(join(tmpdir(), 'lifeboat-check-'))
    const file = join(directory, 'file')
    writeFileSync(file, '')
    const { settings, deployment, endpoint } = network
    try {
      await checkOperator({
        settings: { ...settings, blockIntervalSeconds: 3_600 },
        deployment: { ...deployment, parameters: { ...deployment.parameters, maxBlockTxs: 8_192 } },
        endpoint,
        dataDir: join(file, 'under-a-file'),
        ourAddress: alice.address,
      })
      assert.unreachable()
    } catch (error) {
      assert.ok(isLifeboatError(error) && error.family === 'config')
      if (!isLifeboatError(error)) return
      const problems = error.details['problems'] as readonly { key: string; want: string }[]
      assert.equal(
        problems.map(({ key }) => key),
        ['blockInterval', 'dataDir', 'keystore', 'deployment', 'keystore'],
      )
      assert.match(problems[2]!.want, actors.operator.address)
    } finally {
      rmSync(directory, { recursive: true })
    }
  },
)

live('refuses a deployment file of another contract', async ({ network }) => {
  const { settings, deployment, endpoint, dataDir } = network
  const root = deployment.contracts['root']!
  const contracts = { ...deployment.contracts, root: { ...root, address: alice.address } }
  const problems = await findOperatorProblems({
    settings,
    deployment: { ...deployment, contracts },
    endpoint,
    dataDir,
    ourAddress: actors.operator.address,
  })
  assert.match(String(problems[0]?.got), 'no code')
})

live('says that the port is busy, and gives key and database up again', async ({ network }) => {
  await network.operator.stop()
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as AddressInfo
  for (let round = 0; round < 2; round++) assert.is(await codeOf(network.start({ port })), 'PORT_BUSY')
  await new Promise((resolve) => other.close(resolve))
  await network.restart()
})

live('does not start twice on one data directory', async ({ network }) => {
  assert.is(await codeOf(network.start()), 'DATABASE_LOCKED')
})

test.run()
live.run()
