/** The operator's bond from the command line, over real sockets: shown, slashed, posted again, and taken back at the chain's end. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { assertTakeable, type Bond, createBondCommand, describeBond } from '../../cli/bond.ts'
import { errorToJson, exitCodeOf } from '../../cli/exitCodes.ts'
import { type Network, startNetwork, writeWalletFiles } from '../../cli/network.ts'
import { createCloseCommand } from '../../cli/operatorKey.ts'
import { encodeBreakReceipts } from '../../l1/suretyContract.ts'
import { type Address, bytesToHex, type Hash } from '../../protocol/bytes.ts'
import { domainSeparator } from '../../protocol/eip712.ts'
import { isLifeboatError, type LifeboatError } from '../../protocol/errors.ts'
import { batchReceipts, hashReceiptBatch } from '../../protocol/receipt.ts'
import { signDigest } from '../../signatures/sign.ts'
import { importKey } from '../../wallet/keys.ts'
import { createMemoryIo } from './fakeIo.ts'

const test = suite('the operator’s bond from the command line')
const ETHER = 10n ** 18n
let network: Network
let config = ''

test.before(async () => {
  network = await startNetwork({
    pollMs: 100,
    accounts: 2,
    watchers: 0,
    seed: 'operator bond',
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

/** The command itself: what it printed, and the code of its error. */
async function runAs(account: string, create: typeof createBondCommand, ...argv: string[]) {
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

const bond = (account: string, ...argv: string[]) => runAs(account, createBondCommand, ...argv)
const shown = async () => JSON.parse((await bond('alice', 'show', '--json')).out)

/** Two receipts of the operator for one place: half of its bond is gone. */
async function slash(): Promise<void> {
  const { l1, deployment, accounts } = network
  const rootContract = deployment.contracts['root']!.address
  const separator = domainSeparator({ chainId: deployment.chainId, rootContract })
  const [one, other] = ['11', '22'].map((byte) => {
    const place = { blockNumber: 9, index: 0, anchor: 1, anchorHash: `0x${'33'.repeat(32)}` as Hash }
    const batch = batchReceipts([{ ...place, txHash: `0x${byte.repeat(32)}` as Hash }])
    const digest = hashReceiptBatch(batch.root, batch.count, separator)
    return batch.give(0, bytesToHex(signDigest(digest, l1.devAccounts[0]!.privateKey)))
  })
  const { wallet, close } = await network.connect(accounts[1]!.account)
  try {
    const to = deployment.contracts['surety']!.address
    await wallet.send({ key: 'slash', purpose: 'slash', call: encodeBreakReceipts(one!, other!), to })
  } finally {
    await close()
  }
}

test(
  'the bond is shown, what a slash took is posted again by any key, and the rest comes back when the chain has ended',
  run(async () => {
    const first = await shown()
    assert.equal([first.bondWei, first.leastWei, first.missingWei], [String(ETHER), String(ETHER), '0'])
    assert.equal([first.isBonded, first.voidFrom, first.takeableAfter], [true, 0, undefined])
    const text = (await bond('alice', 'show')).out
    assert.match(text, /^bond +1 ETH, suffices$/m)
    assert.match(text, /when the chain has ended/)

    assert.is((await bond('alice', 'post')).code, 'BOND_SUFFICES')
    assert.is((await bond('alice', 'post', '0')).code, 'AMOUNT_INVALID')
    assert.is((await bond('alice', 'post', '1e3')).code, 'AMOUNT_INVALID')
    assert.is((await bond('alice', 'post', '1000000')).code, 'ETHER_TOO_LOW')
    assert.is((await bond('operator', 'post', '1')).code, 'OPERATOR_RUNS')
    assert.is((await bond('alice', 'take')).code, 'NOT_OPERATOR')
    assert.is((await bond('operator', 'take')).code, 'BOND_KEPT')
    assert.equal(await shown(), first, 'what was refused changed nothing')

    await network.operator.stop()
    await slash()
    const slashed = await shown()
    assert.equal([slashed.bondWei, slashed.missingWei, slashed.isBonded], [`${ETHER / 2n}`, `${ETHER / 2n}`, false])
    assert.match((await bond('alice', 'show')).out, '0.5 ETH missing: L1 takes no blocks')

    const posted = await bond('alice', 'post')
    assert.match(posted.out, /^posted 0.5 ETH$/m)
    assert.match(posted.err, 'ever gets this back')
    assert.equal(await shown(), first)
    assert.equal(JSON.parse((await bond('operator', 'post', '0.25', '--json')).out).postedWei, `${ETHER / 4n}`)

    assert.is((await runAs('operator', createCloseCommand, '--yes')).code, undefined)
    assert.is((await bond('alice', 'post', '1')).code, 'CHAIN_HALTED')
    assert.is((await bond('operator', 'take')).code, 'BOND_KEPT')
    await network.passTime(2 * network.parameters.minExitPeriod + 1)
    assert.match((await bond('operator', 'take')).out, 'took 1.25 ETH back to 0x')
    assert.is((await shown()).bondWei, '0')
    assert.is((await bond('operator', 'take')).code, 'BOND_EMPTY')
  }),
)

const OPERATOR: Address = `0x${'aa'.repeat(20)}`
const ended: Bond = {
  surety: `0x${'bb'.repeat(20)}`,
  operator: OPERATOR,
  bondWei: ETHER,
  leastWei: ETHER,
  missingWei: 0n,
  isBonded: true,
  voidFrom: 7,
  slashedFrom: 0,
  isSlashDue: false,
  takeableAfter: 1_000,
}

function refusal(act: () => void): readonly [code: string, exitCode: number] {
  try {
    act()
  } catch (error) {
    return [(error as LifeboatError).code, exitCodeOf(error)]
  }
  return ['NONE', 0]
}

test('a bond that only has to wait is worth trying again, one that L1 keeps for a slash is not', () => {
  assert.equal(
    refusal(() => assertTakeable(ended, OPERATOR, 1_000)),
    ['BOND_KEPT', 3],
  )
  assert.equal(
    refusal(() => assertTakeable(ended, OPERATOR, 1_001)),
    ['NONE', 0],
  )
  const due = { ...ended, isSlashDue: true }
  assert.equal(
    refusal(() => assertTakeable(due, OPERATOR, 1_001)),
    ['BOND_KEPT', 1],
  )
  assert.match(describeBond(due, 1_001), 'not before the halt is reported')
})

test.run()
