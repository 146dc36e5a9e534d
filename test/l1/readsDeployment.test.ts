import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { keccak256 } from 'viem'
import {
  checkDeployment,
  type Deployment,
  findDeploymentProblems,
  parseDeployment,
  printDeployment,
} from '../../l1/deployment.ts'
import type { Hash } from '../../protocol/bytes.ts'
import { CHAIN_ID, createFakeL1, failureOf, ROOT, STRANGER } from './followerFake.ts'

const deployment = suite('l1 deployment file')

const CODE = '0x6001'
const HASH: Hash = `0x${'11'.repeat(32)}`
const contract = { address: ROOT, transactionHash: HASH, codeHash: keccak256(CODE), compilerHash: HASH }

async function build() {
  const l1 = createFakeL1()
  await l1.mine([], [], [])
  l1.setLie((method, params, reply) => (method === 'eth_getCode' ? (params[0] === ROOT ? CODE : '0x') : reply()))
  const file: Deployment = {
    version: 1,
    chainId: CHAIN_ID,
    contracts: { root: contract, surety: contract, vault: contract },
    parameters: { minExitPeriod: 240, minBond: '1000000000000000000' },
    startBlock: { number: 1, hash: l1.chain()[1]!.hash },
  }
  return { l1, file, endpoint: await l1.connect() }
}

const parseError = (text: string) => {
  try {
    parseDeployment(text)
  } catch (error) {
    return error as { code: string; family: string; details: { got: unknown } }
  }
  throw new Error('it was accepted')
}

deployment('reads back what it printed', async () => {
  const { file } = await build()
  assert.equal(parseDeployment(printDeployment(file)), file)
  assert.is(printDeployment(parseDeployment(printDeployment(file))), printDeployment(file))
})

deployment('accepts a checksummed address and keeps it in lower case', async () => {
  const { file } = await build()
  const text = printDeployment(file).replaceAll(ROOT, `0x${'A1'.repeat(20)}`)
  assert.equal(parseDeployment(text), file)
})

deployment('lists every fault of a malformed file at once', async () => {
  const { file } = await build()
  const broken = {
    ...file,
    chainId: 0,
    startBlock: { number: -1, hash: '0x12' },
    extra: 1,
    contracts: { vault: { ...contract, address: '0x' } },
  }
  const error = parseError(JSON.stringify(broken))
  assert.equal([error.code, error.family], ['DEPLOYMENT_MALFORMED', 'config'])
  const text = JSON.stringify(error.details.got)
  for (const place of ['chainId', 'startBlock.number', 'startBlock.hash', 'contracts.vault.address', 'extra']) {
    assert.ok(text.includes(place), place)
  }
})

deployment('refuses what is no JSON, no object, or lacks the root contract', async () => {
  const { file } = await build()
  for (const text of ['', '{', 'null', '[]', '7', JSON.stringify({ ...file, contracts: { vault: contract } })]) {
    assert.is(parseError(text).code, 'DEPLOYMENT_MALFORMED', text)
  }
})

deployment('says so when the file is of a newer program', async () => {
  const { file } = await build()
  const error = parseError(JSON.stringify({ ...file, version: 2, whatever: 1 }))
  assert.equal([error.code, error.details.got], ['DEPLOYMENT_VERSION', 2])
})

deployment('refuses to write what it could not read back', async () => {
  const { file } = await build()
  assert.throws(
    () => printDeployment({ ...file, parameters: { a: Number.NaN } }),
    (error: { code: string }) => error.code === 'DEPLOYMENT_MALFORMED',
  )
})

deployment('accepts the chain it was deployed on', async () => {
  const { endpoint, file } = await build()
  assert.equal(await findDeploymentProblems(endpoint, file), [])
  await checkDeployment(endpoint, file)
})

deployment('lists everything that does not fit the chain at once', async () => {
  const { endpoint, file } = await build()
  const wrong = {
    ...file,
    startBlock: { number: 1, hash: HASH },
    contracts: { root: { ...contract, codeHash: HASH }, surety: contract, vault: { ...contract, address: STRANGER } },
  }
  const problems = await findDeploymentProblems(endpoint, wrong)
  assert.equal(
    problems.map(({ what }) => what.split(' ').slice(0, 3).join(' ')),
    ['startBlock 1', 'code of root', 'code of vault'],
  )
  assert.equal(
    problems.map(({ got }) => got),
    [file.startBlock.hash, contract.codeHash, 'no code'],
  )
  const error = await failureOf(checkDeployment(endpoint, wrong))
  assert.equal(
    [error.code, error.family, (error.details['got'] as string[]).length],
    ['DEPLOYMENT_MISMATCH', 'config', 3],
  )
})

deployment('refuses a file of another chain', async () => {
  const { endpoint, file } = await build()
  assert.equal(await findDeploymentProblems(endpoint, { ...file, chainId: 1 }), [
    { what: 'chainId', got: CHAIN_ID, want: 1 },
  ])
})

deployment('refuses a chain that has not reached the start block', async () => {
  const { endpoint, file } = await build()
  const problems = await findDeploymentProblems(endpoint, { ...file, startBlock: { number: 9, hash: HASH } })
  assert.equal(problems, [{ what: 'startBlock 9', got: 'no block', want: HASH }])
})

deployment.run()
