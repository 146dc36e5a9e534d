/** The embedded L1's data file: restarts, damage, other chains, a disk that refuses. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Hex } from 'viem'
import { isLifeboatError } from '../../protocol/errors.ts'
import { closeNetworks, deployProbe, network, probe, rejection, transfer } from './embeddedFixture.ts'

const test = suite('embedded L1: persistence')
const { abi } = probe()
const folder = mkdtempSync(join(tmpdir(), 'embedded-l1-'))
let files = 0
const newFile = () => join(folder, `chain-${files++}.sqlite`)

test.after.each(closeNetworks)
test.after(() => rmSync(folder, { recursive: true, force: true }))

test('the chain survives a restart, with its state, logs, receipts and time', async () => {
  const dataFile = newFile()
  const before = await network({ dataFile })
  const address = await deployProbe(before)
  const hash = await before.wallet.writeContract({ address, abi, functionName: 'store', args: [1n, 77n] })
  await before.l1.request('evm_increaseTime', [5000])
  await before.l1.request('anvil_mine', ['0x3'])
  const head = await before.read.getBlock()
  await closeNetworks()

  const after = await network({ dataFile })
  assert.is((await after.read.getBlock()).hash, head.hash)
  assert.is((await after.read.getTransactionReceipt({ hash })).status, 'success')
  assert.is(await after.read.readContract({ address, abi, functionName: 'values', args: [1n] }), 77n)
  assert.is(await after.read.readContract({ address, abi, functionName: 'values', args: [1n], blockNumber: 1n }), 0n)
  const events = await after.read.getContractEvents({ address, abi, fromBlock: 0n })
  assert.equal(
    events.map((event) => event.transactionHash),
    [hash],
  )
  await after.wallet.writeContract({ address, abi, functionName: 'store', args: [1n, 78n] })
  const next = await after.read.getBlock()
  assert.is(next.parentHash, head.hash)
  assert.ok(next.timestamp >= head.timestamp + 1n)
  after.moveClock(100)
  await after.l1.request('evm_mine')
  assert.is((await after.read.getBlock()).timestamp, 1_700_000_000n + 5100n)
})

test('a reorg is as durable as the blocks were', async () => {
  const dataFile = newFile()
  const before = await network({ dataFile })
  const hash = (await before.l1.request('eth_sendRawTransaction', [await transfer(before, 0)])) as Hex
  await before.l1.request('anvil_reorg', [1, [], { requeue: false }])
  const head = (await before.read.getBlock()).hash
  await closeNetworks()
  const after = await network({ dataFile })
  assert.is((await after.read.getBlock()).hash, head)
  assert.is(await after.l1.request('eth_getTransactionReceipt', [hash]), null)
})

test('a file of another chain id or other genesis accounts is refused by name', async () => {
  const dataFile = newFile()
  await network({ dataFile })
  await closeNetworks()
  await refused(dataFile, 'L1_DATA_CHAIN_MISMATCH', { chainId: 5 })
  await refused(dataFile, 'L1_DATA_GENESIS_MISMATCH', { accounts: { [`0x${'11'.repeat(20)}`]: 1n } })
  await network({ dataFile })
})

test('a file in use by another node is refused', async () => {
  const dataFile = newFile()
  await network({ dataFile })
  await refused(dataFile, 'L1_DATA_UNREADABLE')
})

test('a file that is no database, a foreign one and a newer one are told apart', async () => {
  const garbage = newFile()
  writeFileSync(garbage, 'these are not the bytes of a database, however long you look at them'.repeat(100))
  await refused(garbage, 'L1_DATA_CORRUPT')

  const foreign = newFile()
  new Database(foreign).exec('CREATE TABLE somebody (else_s)').close()
  await refused(foreign, 'L1_DATA_FOREIGN')

  const newer = newFile()
  await network({ dataFile: newer })
  await closeNetworks()
  const database = new Database(newer)
  database.pragma('user_version = 99')
  database.close()
  await refused(newer, 'L1_DATA_NEWER')
  await refused(join(folder, 'no', 'such', 'folder.sqlite'), 'L1_DATA_UNREADABLE')
})

test('a torn file is refused', async () => {
  const dataFile = await filledFile()
  const bytes = readFileSync(dataFile)
  for (let at = Math.floor(bytes.length / 2); at < bytes.length / 2 + 8192; at++) bytes[at] = (bytes[at]! + 13) & 255
  writeFileSync(dataFile, bytes)
  await refused(dataFile, 'L1_DATA_CORRUPT')
})

test('a block whose record was altered is refused', async () => {
  for (const change of [
    'UPDATE block SET record = replace(record, \'"gasLimit":"0x3938700"\', \'"gasLimit":"0x3938701"\') WHERE number = 3',
    'DELETE FROM block WHERE number = 3',
    "UPDATE block SET record = '{' WHERE number = 3",
  ]) {
    const dataFile = await filledFile()
    const database = new Database(dataFile)
    assert.is(database.prepare(change).run().changes, 1)
    database.close()
    await refused(dataFile, 'L1_DATA_CORRUPT')
  }
})

test('a flipped bit in the state is found when it is read, not served', async () => {
  const dataFile = await filledFile()
  const database = new Database(dataFile)
  const rows = database.prepare('SELECT key, value FROM node').all() as { key: string; value: Buffer }[]
  for (const { key, value } of rows) {
    value[value.length - 1] = value.at(-1)! ^ 1
    database.prepare('UPDATE node SET value = ? WHERE key = ?').run(value, key)
  }
  database.close()
  await refused(dataFile, 'L1_DATA_CORRUPT')
})

test('a write that the disk refuses loses nothing: the block is not announced, the transaction waits', async () => {
  const dataFile = newFile()
  const net = await network({ dataFile })
  const address = await deployProbe(net)
  const head = await net.read.getBlock()
  await net.l1.request('evm_setAutomine', [false])
  const raw = await transfer(net, 1)
  await net.l1.request('eth_sendRawTransaction', [raw])
  const restore = refuseCommits()
  const error = await rejection(net.l1.request('evm_mine'))
  restore()
  assert.match(error.message, /nothing was changed/)
  assert.is((await net.read.getBlock()).hash, head.hash)
  await net.l1.request('evm_mine')
  assert.is((await net.read.getBlock()).transactions.length, 1)
  await net.wallet.writeContract({ address, abi, functionName: 'store', args: [1n, 5n], gas: 100_000n })
  await net.l1.request('evm_mine')
  assert.is(await net.read.readContract({ address, abi, functionName: 'values', args: [1n] }), 5n)
})

/** Makes every INSERT of a block fail as on a full disk, until restored. */
function refuseCommits(): () => void {
  const statement = Object.getPrototypeOf(new Database(':memory:').prepare('SELECT 1'))
  const run = statement.run
  statement.run = function (this: { source: string }, ...values: unknown[]) {
    if (this.source.startsWith('INSERT INTO block'))
      throw new Database.SqliteError('database or disk is full', 'SQLITE_FULL')
    return run.apply(this, values)
  }
  return () => {
    statement.run = run
  }
}

async function filledFile(): Promise<string> {
  const dataFile = newFile()
  const net = await network({ dataFile })
  const address = await deployProbe(net)
  await net.wallet.writeContract({ address, abi, functionName: 'storeMany', args: [20n] })
  await net.l1.request('anvil_mine', ['0x14'])
  await closeNetworks()
  return dataFile
}

async function refused(dataFile: string, code: string, options: object = {}): Promise<void> {
  const error = await rejection(network({ dataFile, ...options }))
  assert.ok(isLifeboatError(error), String(error))
  assert.is(`${error.family} ${error.code}`, `config ${code}`)
  assert.match(error.message, dataFile.split('/').at(-1)!)
}

test.run()
