/** The watcher's configuration: what is refused, all at once. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { SignedMandate } from '../../l1/rootCalls.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { readConfig } from '../../service/config.ts'
import { formatMandateFile } from '../../wallet/mandate.ts'
import { readProtectedFile } from '../../watcher/check.ts'
import { policyOf, WATCHER_CONFIG } from '../../watcher/config.ts'

const test = suite('watcher: configuration')
const GOOD = ['--deployment', 'd.json', '--l1-url', 'http://localhost:8545', '--peers', 'http://a:1,http://b:2']

function problemsOf(argv: readonly string[]): string[] {
  try {
    readConfig(WATCHER_CONFIG, { argv, env: {} })
    return []
  } catch (error) {
    if (!isLifeboatError(error)) throw error
    return (error.details['problems'] as { key: string }[]).map(({ key }) => key)
  }
}

test('the least configuration is enough', () => {
  const { config } = readConfig(WATCHER_CONFIG, { argv: GOOD, env: {} })
  assert.equal(config.peers, ['http://a:1/', 'http://b:2/'])
  assert.is(config.unsafeIgnoreHeadAge, false)
})

test('the budgets of the court are what the configuration says, and the defaults where it says nothing', () => {
  assert.equal(policyOf(readConfig(WATCHER_CONFIG, { argv: GOOD, env: {} }).config), {})
  const argv = [...GOOD, '--data-challenge-budget', '1', '--demand-budget', '2', '--mass-exit-budget', '0']
  assert.equal(policyOf(readConfig(WATCHER_CONFIG, { argv, env: {} }).config), {
    dataChallengeBudgetWei: 1n,
    demandBudgetWei: 2n,
    batchBondBudgetWei: 0n,
  })
  assert.equal(problemsOf([...GOOD, '--demand-budget', '-1', '--mass-exit-budget', 'much']), [
    'demandBudget',
    'massExitBudget',
  ])
})

test('names everything that is missing or wrong at once', () => {
  assert.equal(problemsOf(['--l1-url', 'ftp://x', '--threads', '0']), ['deployment', 'l1Url', 'peers', 'threads'])
})

test('refuses an open address without a token, and a webhook without a secret', () => {
  assert.equal(problemsOf([...GOOD, '--host', '0.0.0.0', '--webhook-url', 'https://hook.test']), [
    'webhookSecretFile',
    'apiTokenFile',
  ])
})

test('a file of protected accounts is read whole or refused with every fault', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-protected-'))
  const file = join(folder, 'protected.json')
  const address = `0x${'11'.repeat(20)}`
  const mandate = {
    owner: address,
    delegate: address,
    validFrom: 0,
    validUntil: 9,
    position: 0,
    minAmount: '0',
    maxFee: '0',
    epoch: 0,
  }
  writeFileSync(file, JSON.stringify([{ owner: address, mandate, signature: '0x12' }]))
  assert.is(readProtectedFile(file)[0]?.mandate.minAmount, 0n)
  const signed = {
    mandate: { ...mandate, minAmount: 0n, maxFee: 0n },
    signature: `0x${'12'.repeat(64)}`,
  } as SignedMandate
  const given = formatMandateFile(signed, { chainId: 1, rootContract: signed.mandate.owner })
  writeFileSync(file, `[${given}]`)
  assert.equal(readProtectedFile(file), [{ ...signed, owner: address }], 'as the wallet writes it')
  writeFileSync(file, JSON.stringify([{ owner: 'me', mandate: { ...mandate, epoch: -1 }, signature: 'x' }]))
  assert.throws(() => readProtectedFile(file), /0\.owner.*0\.mandate\.epoch.*0\.signature/s)
  writeFileSync(file, 'no JSON')
  assert.throws(() => readProtectedFile(file), /can't read/)
  rmSync(folder, { recursive: true })
})

test.run()
