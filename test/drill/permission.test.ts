/** Where hostile code refuses to run. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createFeeSpike } from '../../drill/faults/fees.ts'
import { createL1Proxy } from '../../drill/faults/l1Proxy.ts'
import { createHostile } from '../../drill/faults/operator.ts'
import { deployReceiver } from '../../drill/faults/receiver.ts'
import { deployNastyToken } from '../../drill/faults/token.ts'
import { probeL1 } from '../../drill/l1.ts'
import { assertMayHarm, markOwnDeployment } from '../../drill/permission.ts'
import { runScenario } from '../../drill/run.ts'
import { SCENARIOS } from '../../drill/scenarios.ts'
import type { Deployment } from '../../l1/deployment.ts'
import { isLifeboatError } from '../../protocol/errors.ts'

const test = suite('drill: permission')

const deploymentOn = (chainId: number) => ({ version: 1, chainId, contracts: {} }) as unknown as Deployment

async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act()
    return 'nothing'
  } catch (error) {
    return isLifeboatError(error) ? error.code : String(error)
  }
}

test('a deployment on mainnet is nobody’s own, and contracts that somebody else deployed are left alone', async () => {
  assert.is(await codeOf(() => markOwnDeployment(deploymentOn(1))), 'DRILL_MAINNET')
  assert.is(await codeOf(() => assertMayHarm(deploymentOn(1))), 'DRILL_MAINNET')
  assert.is(await codeOf(() => assertMayHarm(deploymentOn(31_337))), 'DRILL_FOREIGN_DEPLOYMENT')
  assert.is(await codeOf(() => assertMayHarm(markOwnDeployment(deploymentOn(31_337)))), 'nothing')
})

test('every fault asks for permission before it does anything', async () => {
  for (const [chainId, code] of [
    [1, 'DRILL_MAINNET'],
    [31_337, 'DRILL_FOREIGN_DEPLOYMENT'],
  ] as const) {
    const world = { deployment: deploymentOn(chainId) } as never
    assert.is(await codeOf(() => createHostile(world)), code)
    assert.is(await codeOf(() => createL1Proxy(world)), code)
    assert.is(await codeOf(() => createFeeSpike(world, 2n)), code)
    assert.is(await codeOf(() => deployReceiver(world, 'revert')), code)
    assert.is(await codeOf(() => deployNastyToken(world, 'X')), code)
  }
})

test('an endpoint of mainnet is refused before anything is sent to it', async () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (part) => {
      text += String(part)
    })
    request.on('end', () => {
      const { method, id } = JSON.parse(text) as { method: string; id: number }
      asked.push(method)
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: '0x1' }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    assert.is(await codeOf(() => probeL1(url)), 'DRILL_MAINNET')
    const [scenario] = SCENARIOS
    assert.is(await codeOf(() => scenario && runScenario(scenario, { seed: 1, url })), 'DRILL_MAINNET')
    assert.equal(new Set(asked), new Set(['eth_chainId']))
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test.run()
