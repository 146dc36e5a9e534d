/**
 * An operator who stopped being honest: commits whatever a drill wants with the operator's key, and serves the bodies it feels like, to
 * whom it feels like, over real sockets. The honest operator's program is stopped first.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { joinBodies } from '../../api/bodies.ts'
import { iLifeboatAbi } from '../../contracts/artifacts.generated.ts'
import type { Deployment } from '../../l1/deployment.ts'
import { encodeSubmitBlocks, type RootCall } from '../../l1/rootCalls.ts'
import { encodeRevealData } from '../../l1/suretyContract.ts'
import { blockTree, type Commitment, type Header, hashWitnesses, type InclusionProof } from '../../protocol/block.ts'
import { type Address, bytesToHex, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../../protocol/bytes.ts'
import { encodeBody } from '../../protocol/codec.ts'
import { type DataChallenge, leavesOf, proveRange } from '../../protocol/dataChallenge.ts'
import { domainSeparator } from '../../protocol/eip712.ts'
import { bug, invalid } from '../../protocol/errors.ts'
import { proveLeaf } from '../../protocol/merkle.ts'
import { encodePosition } from '../../protocol/position.ts'
import { batchReceipts, hashReceiptBatch, type Receipt, type SignedReceipt } from '../../protocol/receipt.ts'
import { createOutput, hashTransaction, type SignedTransaction, type Transaction } from '../../protocol/transaction.ts'
import { signDigest } from '../../signatures/sign.ts'
import type { Account } from '../../wallet/account.ts'
import { signTransaction } from '../../wallet/payment.ts'
import { createHttpPeer, type Peer } from '../../watcher/peers.ts'
import { clientOf } from '../l1.ts'
import { assertMayHarm } from '../permission.ts'
import { until } from '../until.ts'

export type Committed = Readonly<{
  number: number
  /** L1 block that holds the commitment. */
  l1Block: number
  timestamp: number
  header: Header
  transactions: readonly SignedTransaction[]
}>

/** An L1 block as a child block's anchor. */
export type Anchored = Readonly<{ number: number; hash: Hash }>

/** `root`: another than that of the transactions. */
export type CommitOptions = Readonly<{ anchored?: Anchored; root?: Hash }>

export type Shown = Readonly<{ transaction: Transaction; header: Header; proof: InclusionProof }>

/** Whose chain it is, and where it stands. */
export type Stage = Readonly<{
  /** JSON-RPC endpoint. */
  url: string
  deployment: Deployment
  operator: Readonly<{ stop(): Promise<unknown> }>
  operatorAccount: Account
  /** Called when the drill is over. */
  atEnd(close: () => unknown): void
}>

export type Hostile = Readonly<{
  /** Where it serves blocks to everybody. */
  peer: Peer
  /** Another door, for one of its victims: `serve` may name it. */
  openDoor(): Promise<Peer>
  /** Stops the honest operator; from here on the chain is ours. */
  takeOver(): Promise<void>
  /** Commits a block of these transactions, valid or not, anchored to the newest L1 block or where it is said. Served only after `serve`. */
  commit(transactions: readonly SignedTransaction[], options?: CommitOptions): Promise<Committed>
  /** To whoever comes to these doors; to all when left out. */
  serve(number: number, to?: readonly Peer[]): void
  /** Serves bytes in its place that are not the block, until `serve`. */
  garble(number: number): void
  /** A payment as its signers would sign it, whatever it says. */
  sign(
    signers: readonly Account[],
    inputs: readonly number[],
    outputs: readonly (readonly [to: Pick<Account, 'address'>, amount: bigint, token?: Address])[],
  ): SignedTransaction
  positionOf(block: Pick<Committed, 'number'>, index?: number, output?: number): number
  /** What an exit of an output of the transaction shows on L1. */
  shownOf(block: Committed, index?: number): Shown
  /** The answer that reveals the first range, and the others, which lie inside it. */
  answerOf(block: Committed, challenges: readonly [DataChallenge, ...DataChallenge[]]): RootCall
  hashOf(signed: SignedTransaction): Hash
  /** A receipt that the operator's key signed, whatever it promises. */
  promise(receipt: Receipt): SignedReceipt
}>

/** Listens, and does nothing yet. Throws what `assertMayHarm` throws. */
export async function createHostile(stage: Stage): Promise<Hostile> {
  const { deployment } = stage
  assertMayHarm(deployment)
  const root = deployment.contracts['root']?.address as Address
  const separator = domainSeparator({ chainId: deployment.chainId, rootContract: root })
  const bodies = new Map<number, Uint8Array>()
  const garbled = new Set<number>()
  const servedAt = new Map<Peer, Set<number>>()

  async function openDoor(): Promise<Peer> {
    const served = new Set<number>()
    const server = createServer((request, response) => {
      const { searchParams } = new URL(request.url ?? '/', 'http://hostile')
      const found: Uint8Array[] = []
      for (let number = Number(searchParams.get('from')); number <= Number(searchParams.get('to')); number++) {
        const body = bodies.get(number)
        if (!body || !(served.has(number) || garbled.has(number))) break
        found.push(served.has(number) ? body : spoil(body))
      }
      response.setHeader('content-type', 'application/octet-stream')
      response.end(joinBodies(found))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    stage.atEnd(() => {
      server.closeAllConnections()
      server.close()
    })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const peer = createHttpPeer({ url, timeoutMs: 3_000 })
    servedAt.set(peer, served)
    return peer
  }

  const peer = await openDoor()
  const client = clientOf(stage.url, deployment.chainId, stage.operatorAccount)
  const { account } = client

  function hashesOf(transactions: readonly SignedTransaction[]) {
    return transactions.map(({ transaction, witnesses }) => ({
      txHash: hashTransaction(transaction, separator),
      witnessesHash: hashWitnesses(witnesses),
    }))
  }

  async function takeOver(): Promise<void> {
    await stage.operator.stop()
    // What the operator had sent is mined before the first lie.
    await until('the operator’s last transaction is mined', async () => {
      const [latest, pending] = await Promise.all(
        (['latest', 'pending'] as const).map((blockTag) =>
          client.getTransactionCount({ address: account.address, blockTag }),
        ),
      )
      return latest === pending
    })
  }

  async function newestBlock(): Promise<number> {
    const head = (await client.readContract({
      address: root,
      abi: iLifeboatAbi,
      functionName: 'head',
    })) as readonly unknown[]
    return Number(head[1])
  }

  return {
    peer,
    openDoor,
    takeOver,
    serve: (number, to = [...servedAt.keys()]) => {
      for (const door of to) servedAt.get(door)?.add(number)
    },
    garble: (number) => void garbled.add(number),
    sign: (signers, inputs, outputs) => {
      const made = outputs.map(([to, amount, token = ZERO_ADDRESS]) => createOutput(to.address, token, amount))
      const transaction = { inputs: [...inputs], outputs: made, memo: ZERO_HASH }
      const witnesses = new Uint8Array(64 * signers.length)
      for (const [i, signer] of signers.entries())
        witnesses.set(signTransaction({ ...transaction }, signer, separator).witnesses.subarray(0, 64), i * 64)
      return { transaction, witnesses }
    },
    positionOf: ({ number }, index = 0, output = 0) => encodePosition({ block: number, index, output }),
    shownOf: ({ header, transactions }, index = 0) => {
      const hashes = hashesOf(transactions)
      const [signed, hashed] = [transactions[index], hashes[index]]
      if (!signed || !hashed) throw bug('LEAF_MISSING', 'no such transaction in the block', { got: index })
      return {
        transaction: signed.transaction,
        header,
        proof: {
          witnessesHash: bytesToHex(hashed.witnessesHash),
          path: proveLeaf(blockTree(hashes), index).map(bytesToHex),
        },
      }
    },
    answerOf: ({ transactions }, challenges) => {
      const [whole] = challenges
      const shown = transactions.slice(whole.first, whole.first + leavesOf(whole, transactions.length))
      return encodeRevealData(whole, challenges, shown, proveRange(blockTree(hashesOf(transactions)), whole))
    },
    hashOf: ({ transaction }) => bytesToHex(hashTransaction(transaction, separator)),
    promise: (receipt) => {
      const batch = batchReceipts([receipt])
      const digest = hashReceiptBatch(batch.root, batch.count, separator)
      return batch.give(0, bytesToHex(signDigest(digest, stage.operatorAccount.privateKey)))
    },
    async commit(transactions, { anchored, root: otherRoot } = {}) {
      const number = (await newestBlock()) + 1
      const anchor = anchored ?? (await client.getBlock({ blockTag: 'latest' }))
      const hashed = hashesOf(transactions)
      const commitment: Commitment = {
        root: otherRoot ?? bytesToHex(blockTree(hashed).root),
        txCount: transactions.length,
        anchor: Number(anchor.number),
      }
      const { data } = encodeSubmitBlocks(number, [commitment], anchor.hash as Hash)
      bodies.set(number, encodeBody({ block: number, anchor: commitment.anchor, transactions }))
      const hash = await client.sendTransaction({ to: root, data, gas: 500_000n })
      const receipt = await client.waitForTransactionReceipt({ hash, timeout: 20_000 })
      if (receipt.status !== 'success')
        throw invalid('BLOCK_REFUSED', 'L1 refused a block of the hostile operator', {
          got: number,
          want: 'the next block',
        })
      const { timestamp } = await client.getBlock({ blockHash: receipt.blockHash })
      return {
        number,
        l1Block: Number(receipt.blockNumber),
        timestamp: Number(timestamp),
        header: { ...commitment, timestamp: Number(timestamp) },
        transactions,
      }
    },
  }
}

/** Another signature than the one that was committed. */
function spoil(body: Uint8Array): Uint8Array {
  const spoilt = Uint8Array.from(body)
  spoilt[spoilt.length - 1] = (spoilt.at(-1) ?? 0) ^ 1
  return spoilt
}
