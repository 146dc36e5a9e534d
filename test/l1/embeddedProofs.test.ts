/** The embedded L1's blocks are real: everything a header commits to can be rebuilt and proven from the outside. */
import { createBlockHeader } from '@ethereumjs/block'
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { createMPT, verifyMerkleProof } from '@ethereumjs/mpt'
import { RLP } from '@ethereumjs/rlp'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesToHex, type Hex, hexToBytes, keccak256, toHex, toRlp } from 'viem'
import { closeNetworks, deployProbe, network, probe, transfer } from './embeddedFixture.ts'

const test = suite('embedded L1: proofs')
const { abi } = probe()
test.after.each(closeNetworks)

test('a header hashes to the block hash, by an encoder of its own', async () => {
  const net = await network()
  await deployProbe(net)
  const block = await net.read.getBlock()
  const parent = await net.read.getBlock({ blockNumber: block.number - 1n })
  assert.is(block.parentHash, parent.hash)
  for (const { raw } of [{ raw: block }, { raw: parent }]) {
    const fields = [
      raw.parentHash,
      raw.sha3Uncles,
      raw.miner,
      raw.stateRoot,
      raw.transactionsRoot,
      raw.receiptsRoot,
      raw.logsBloom,
      number(raw.difficulty),
      number(raw.number),
      number(raw.gasLimit),
      number(raw.gasUsed),
      number(raw.timestamp),
      raw.extraData,
      raw.mixHash,
      raw.nonce,
      number(raw.baseFeePerGas!),
      raw.withdrawalsRoot!,
      number(raw.blobGasUsed),
      number(raw.excessBlobGas),
      raw.parentBeaconBlockRoot!,
      (raw as unknown as { requestsHash: Hex }).requestsHash,
    ] as Hex[]
    assert.is(keccak256(toRlp(fields)), raw.hash)
  }
})

test('an account and a storage slot are proven against the state root', async () => {
  const net = await network()
  const address = await deployProbe(net)
  await net.wallet.writeContract({ address, abi, functionName: 'store', args: [1n, 700n] })
  const slot = keccak256(`0x${'0'.repeat(63)}1${'0'.repeat(64)}`)
  const absent = keccak256('0x1234')
  const old = await net.read.getBlock({ blockNumber: 1n })
  for (const { block, value } of [
    { block: await net.read.getBlock(), value: 700n },
    { block: old, value: 0n },
  ]) {
    const proof = await net.read.getProof({ address, storageKeys: [slot, absent], blockNumber: block.number! })
    const account = await verify(block.stateRoot, address, proof.accountProof)
    const [nonce, balance, storageHash, codeHash] = RLP.decode(account!) as Uint8Array[]
    assert.is(BigInt(bytesToHex(nonce!)), BigInt(proof.nonce))
    assert.is(balance!.length, 0)
    assert.is(bytesToHex(storageHash!), proof.storageHash)
    assert.is(bytesToHex(codeHash!), keccak256((await net.read.getCode({ address }))!))
    assert.is(proof.storageProof[0]!.value, value)
    assert.is(proof.storageProof[1]!.value, 0n)
    if (value === 0n) continue
    const stored = await verify(proof.storageHash, slot, proof.storageProof[0]!.proof)
    assert.is(BigInt(bytesToHex(RLP.decode(stored!) as Uint8Array)), value)
    assert.is(await verify(proof.storageHash, absent, proof.storageProof[1]!.proof), null)
  }
})

test('an absent account is proven absent', async () => {
  const net = await network()
  const address = `0x${'ab'.repeat(20)}` as const
  const proof = await net.read.getProof({ address, storageKeys: [keccak256('0x')] })
  assert.is(proof.balance, 0n)
  assert.is(proof.storageProof.length, 1)
  assert.is(await verify((await net.read.getBlock()).stateRoot, address, proof.accountProof), null)
})

test('receipts and transactions rebuild the roots, and the bloom covers every log', async () => {
  const net = await network()
  const address = await deployProbe(net)
  await net.l1.request('evm_setAutomine', [false])
  for (let nonce = 1; nonce < 4; nonce++) await net.l1.request('eth_sendRawTransaction', [await transfer(net, nonce)])
  const legacy = await net.bob.signTransaction({
    type: 'legacy',
    chainId: net.chain.id,
    nonce: 0,
    to: address,
    gas: 200_000n,
    gasPrice: 5_000_000_000n,
    data: '0x1ad94bc50000000000000000000000000000000000000000000000000000000000000003',
  })
  await net.l1.request('eth_sendRawTransaction', [legacy])
  await net.wallet.writeContract({ address, abi, functionName: 'storeMany', args: [3n], gas: 200_000n, nonce: 4 })
  await net.l1.request('evm_mine')
  const block = await net.read.getBlock()
  const receipts = (await net.l1.request('eth_getBlockReceipts', [block.hash])) as RpcReceipt[]
  assert.is(receipts.length, 5)
  const receiptTrie = await createMPT()
  const transactionTrie = await createMPT()
  let cumulative = 0n
  let logIndex = 0
  for (const [index, receipt] of receipts.entries()) {
    cumulative += BigInt(receipt.gasUsed)
    assert.is(BigInt(receipt.cumulativeGasUsed), cumulative)
    for (const log of receipt.logs) assert.is(Number(log.logIndex), logIndex++)
    const body = RLP.encode([
      receipt.status === '0x1' ? hexToBytes('0x01') : new Uint8Array(),
      cumulative,
      hexToBytes(receipt.logsBloom),
      receipt.logs.map((log) => [
        hexToBytes(log.address),
        log.topics.map((topic) => hexToBytes(topic)),
        hexToBytes(log.data),
      ]),
    ])
    const type = Number(receipt.type)
    await receiptTrie.put(RLP.encode(index), type === 0 ? body : Uint8Array.from([type, ...body]))
    const raw = (await net.l1.request('eth_getRawTransactionByHash', [receipt.transactionHash])) as Hex
    await transactionTrie.put(RLP.encode(index), hexToBytes(raw))
  }
  assert.ok(logIndex > 0)
  assert.is(bytesToHex(receiptTrie.root()), block.receiptsRoot)
  assert.is(bytesToHex(transactionTrie.root()), block.transactionsRoot)
  const union = receipts.reduce((bits, receipt) => bits | BigInt(receipt.logsBloom), 0n)
  assert.is(BigInt(block.logsBloom!), union)
  for (const log of receipts.flatMap((receipt) => receipt.logs)) {
    for (const item of [log.address, ...log.topics]) assert.ok((union & bloomBits(item)) === bloomBits(item))
  }
})

test('EIP-2935 holds every parent hash, and BLOCKHASH agrees', async () => {
  const net = await network()
  const address = await deployProbe(net)
  await net.l1.request('anvil_mine', ['0x12c'])
  const head = await net.read.getBlock()
  for (const number of [0n, 1n, 150n, head.number - 1n]) {
    const { hash } = await net.read.getBlock({ blockNumber: number })
    const { data } = await net.read.call({
      to: '0x0000F90827F1C53a10cb7A02335B175320002935',
      data: toHex(number, { size: 32 }),
    })
    assert.is(data, hash, `history of block ${number}`)
    const young = head.number - number <= 256n
    const seen = await net.read.readContract({ address, abi, functionName: 'hashAt', args: [number] })
    assert.is(seen, young ? hash : `0x${'0'.repeat(64)}`, `BLOCKHASH of block ${number}`)
  }
})

test('a strict header parser of a fresh Prague chain accepts our headers and predicts the base fee', async () => {
  const net = await network({ blockGasLimit: 100_000 })
  await net.l1.request('eth_sendRawTransaction', [await transfer(net, 0)])
  await net.l1.request('anvil_mine', ['0x3'])
  const common = new Common({ chain: Mainnet, hardfork: Hardfork.Prague })
  for (let number = 1n; number <= 3n; number++) {
    const raw = (await net.l1.request('eth_getBlockByNumber', [toHex(number), false])) as Record<string, Hex>
    const header = createBlockHeader(
      {
        ...raw,
        transactionsTrie: raw['transactionsRoot']!,
        receiptTrie: raw['receiptsRoot']!,
        coinbase: raw['miner']!,
        uncleHash: raw['sha3Uncles']!,
      },
      { common },
    )
    assert.is(bytesToHex(header.hash()), raw['hash'])
    const next = await net.read.getBlock({ blockNumber: number + 1n })
    assert.is(next.baseFeePerGas, header.calcNextBaseFee())
  }
})

interface RpcReceipt {
  readonly type: Hex
  readonly status: Hex
  readonly transactionHash: Hex
  readonly gasUsed: Hex
  readonly cumulativeGasUsed: Hex
  readonly logsBloom: Hex
  readonly logs: readonly { address: Hex; topics: Hex[]; data: Hex; logIndex: Hex }[]
}

function number(value: bigint | number): Hex {
  return BigInt(value) === 0n ? '0x' : toHex(BigInt(value))
}

function verify(root: Hex, key: Hex, proof: readonly Hex[]): Promise<Uint8Array | null> {
  return verifyMerkleProof(
    hexToBytes(key),
    proof.map((node) => hexToBytes(node)),
    {
      root: hexToBytes(root),
      useKeyHashing: true,
    } as never,
  )
}

function bloomBits(item: Hex): bigint {
  const hash = hexToBytes(keccak256(item))
  let bits = 0n
  for (const at of [0, 2, 4]) bits |= 1n << BigInt(((hash[at]! << 8) | hash[at + 1]!) & 2047)
  return bits
}

test.run()
