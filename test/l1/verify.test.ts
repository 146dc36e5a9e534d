import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkHeader, mayHoldLog, rpcBlock } from '../../l1/header.ts'
import { checkReceipts, receiptsRoot, rpcReceipt } from '../../l1/receipts.ts'
import { buildBlock, type FakeBlock, type FakeTx, failureOf, log, ROOT, STRANGER, TOPIC } from './followerFake.ts'

const verify = suite('l1 verification')

const zeros = (size: number) => `0x${'00'.repeat(size)}`

/** Mainnet's genesis block. */
const GENESIS = {
  hash: '0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3',
  parentHash: zeros(32),
  sha3Uncles: '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347',
  miner: zeros(20),
  stateRoot: '0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544',
  transactionsRoot: '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421',
  receiptsRoot: '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421',
  logsBloom: zeros(256),
  difficulty: '0x400000000',
  number: '0x0',
  gasLimit: '0x1388',
  gasUsed: '0x0',
  timestamp: '0x0',
  extraData: '0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa',
  mixHash: zeros(32),
  nonce: '0x0000000000000042',
  transactions: [],
}

const parse = (raw: unknown) => rpcBlock.parse(raw)!
const receiptsOf = (block: FakeBlock) => block.receipts.map((receipt) => rpcReceipt.parse(receipt))
const ALL_TYPES: FakeTx[] = [0, 1, 2, 3, 4].map((type) => ({ type, logs: [log(`0x0${type}`)] }))

verify('accepts a header without the fields of later forks', () => {
  assert.is(checkHeader(parse(GENESIS), 'fake').hash, GENESIS.hash)
  assert.is(checkHeader(parse(GENESIS), 'fake').baseFeePerGas, 0n)
})

verify('accepts a header of Prague, whatever the letter case and leading zeros', async () => {
  const block = await buildBlock(undefined, ALL_TYPES)
  const raw = {
    ...block.rpc,
    gasUsed: `0x000${String(block.rpc['gasUsed']).slice(2)}`,
    hash: `0x${block.hash.slice(2).toUpperCase()}`,
  }
  assert.is(checkHeader(parse(raw), 'fake').hash, block.hash)
})

verify('refuses a header with any field altered', async () => {
  const { rpc } = await buildBlock(await buildBlock(undefined), ALL_TYPES)
  const fields = Object.keys(rpc).filter((field) => !['size', 'uncles', 'transactions'].includes(field))
  assert.is(fields.length, 22)
  for (const field of fields) {
    const text = String(rpc[field])
    const altered = { ...rpc, [field]: `${text.slice(0, -1)}${text.endsWith('7') ? '8' : '7'}` }
    assert.throws(() => checkHeader(parse(altered), 'fake'), isCode('ENDPOINT_LIED_HEADER'), field)
  }
})

verify('names the fields of a fork newer than the program', async () => {
  const { rpc } = await buildBlock(undefined)
  const raw = { ...rpc, blockAccessListHash: zeros(32), hash: zeros(32) }
  assert.throws(() => checkHeader(parse(raw), 'fake'), isCode('HEADER_FORK_UNKNOWN', /blockAccessListHash/))
})

verify('does not mind fields that are no part of the header', async () => {
  const { rpc, hash } = await buildBlock(undefined)
  assert.is(checkHeader(parse({ ...rpc, l1BlockNumber: '0x1' }), 'fake').hash, hash)
})

verify('says that a bloom may hold a log only with its address and topics', async () => {
  const { rpc } = await buildBlock(undefined, [{ logs: [log()] }])
  const { logsBloom } = parse(rpc)
  assert.ok(mayHoldLog(logsBloom, ROOT))
  assert.ok(mayHoldLog(logsBloom, ROOT, [TOPIC]))
  assert.not(mayHoldLog(logsBloom, STRANGER))
  assert.not(mayHoldLog(logsBloom, ROOT, [`0x${'11'.repeat(32)}`]))
  assert.not(mayHoldLog(parse(GENESIS).logsBloom, ROOT))
})

verify('rebuilds the root over receipts of every type', async () => {
  const block = await buildBlock(undefined, ALL_TYPES)
  assert.is(await receiptsRoot(receiptsOf(block)), block.rpc['receiptsRoot'])
  assert.is(await receiptsRoot([]), GENESIS.receiptsRoot)
})

verify('rebuilds the root over more receipts than one byte can number', async () => {
  const txs = Array.from({ length: 300 }, (_, i): FakeTx => ({ logs: i % 7 === 0 ? [log()] : [], type: i % 5 }))
  const block = await buildBlock(undefined, txs)
  const logs = await checkReceipts(checkHeader(parse(block.rpc), 'fake'), receiptsOf(block), 'fake')
  assert.equal(
    logs.map(({ transactionIndex }) => transactionIndex),
    Array.from({ length: 43 }, (_, i) => i * 7),
  )
  assert.equal(
    logs.map(({ logIndex }) => logIndex),
    Array.from({ length: 43 }, (_, i) => i),
  )
})

verify('refuses receipts with anything hidden, invented, altered or reordered', async () => {
  const block = await buildBlock(undefined, ALL_TYPES)
  const header = checkHeader(parse(block.rpc), 'fake')
  const honest = receiptsOf(block)
  const [first] = honest
  const alter = (change: object) => [{ ...first!, ...change }, ...honest.slice(1)]
  const lies = {
    hidden: honest.slice(1),
    hiddenLast: honest.slice(0, -1),
    invented: [...honest, first!],
    reordered: [...honest].reverse(),
    logHidden: alter({ logs: [] }),
    logTwice: alter({ logs: [first!.logs[0], first!.logs[0]] }),
    status: alter({ status: 0 }),
    gas: alter({ cumulativeGasUsed: 1n }),
    type: alter({ type: 1 }),
    topic: alter({ logs: [{ ...first!.logs[0], topics: [] }] }),
    address: alter({ logs: [{ ...first!.logs[0], address: STRANGER }] }),
    data: alter({ logs: [{ ...first!.logs[0], data: '0x' }] }),
    bloom: alter({ logsBloom: zeros(256) }),
  }
  for (const [name, receipts] of Object.entries(lies)) {
    const error = await failureOf(checkReceipts(header, receipts as typeof honest, 'fake'))
    assert.is(error.code, 'ENDPOINT_LIED_RECEIPTS', name)
    assert.is(error.details['endpoint'], 'fake')
    assert.is(error.details['want'], block.rpc['receiptsRoot'])
  }
})

verify('says so when a transaction type is newer than the program', async () => {
  const block = await buildBlock(undefined, ALL_TYPES)
  const receipts = receiptsOf(block).map((receipt, i) => (i === 0 ? { ...receipt, type: 0x7e } : receipt))
  const error = await failureOf(checkReceipts(checkHeader(parse(block.rpc), 'fake'), receipts, 'fake'))
  assert.is(error.code, 'RECEIPT_TYPE_UNKNOWN')
  assert.match(error.message, /types 126/)
})

verify('refuses a receipt type that could pass for the start of another encoding', async () => {
  const [receipt] = (await buildBlock(undefined, ALL_TYPES)).receipts
  assert.not(rpcReceipt.safeParse({ ...receipt, type: '0xf9' }).success)
})

function isCode(code: string, message = /./) {
  return (error: { code: string; message: string }) => error.code === code && message.test(error.message)
}

verify.run()
