/**
 * A root contract on a test L1 with a child chain kept by hand: builders with good defaults for the contract tests and the gas bench.
 * The child blocks here are whatever the test wants, valid or not.
 */
import {
  type Abi,
  type Account,
  createTestClient,
  decodeErrorResult,
  getContractAddress,
  http,
  parseEther,
  publicActions,
  TransactionReceiptNotFoundError,
  type Hex as ViemHex,
  walletActions,
} from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { anvil as anvilChain } from 'viem/chains'
import {
  disputeModuleAbi,
  disputeModuleBytecode,
  entryModuleAbi,
  entryModuleBytecode,
  evidenceModuleAbi,
  evidenceModuleBytecode,
  iLifeboatAbi,
  iSuretyAbi,
  lifeboatAbi,
  massExitModuleAbi,
  massExitModuleBytecode,
} from '../../contracts/artifacts.generated.ts'
import type { RootCall } from '../../l1/rootCalls.ts'
import { decodeRootEvents, type RootEvent } from '../../l1/rootEvents.ts'
import { blockTree, type Header, hashWitnesses, type InclusionProof } from '../../protocol/block.ts'
import { type Address, bytesToHex, type Hash, hexToBytes, ZERO_ADDRESS, ZERO_HASH } from '../../protocol/bytes.ts'
import { domainSeparator } from '../../protocol/eip712.ts'
import type { Exit } from '../../protocol/exit.ts'
import { proveLeaf } from '../../protocol/merkle.ts'
import { type Parameters, PRESETS } from '../../protocol/parameters.ts'
import { createOutput, hashTransaction, type SignedTransaction, type Transaction } from '../../protocol/transaction.ts'
import { lifeboatHarnessBytecode } from '../contracts/artifacts.generated.ts'

export const ETH = ZERO_ADDRESS
export const ETHER = parseEther('1')
const MNEMONIC = 'test test test test test test test test test test test junk'
const NAMES = ['operator', 'alice', 'bob', 'mallory', 'carol', 'watcher', 'dave', 'erin'] as const
export type ActorName = (typeof NAMES)[number]
export type Actor = ReturnType<typeof createActor>

function createActor(index: number) {
  const account = mnemonicToAccount(MNEMONIC, { addressIndex: index })
  return { account, address: account.address.toLowerCase() as Address }
}

export const actors = Object.fromEntries(NAMES.map((name, i) => [name, createActor(i)])) as Record<ActorName, Actor>

export function createClient(url: string) {
  return createTestClient({ chain: anvilChain, mode: 'anvil', transport: http(url), pollingInterval: 5, cacheTime: 0 })
    .extend(publicActions)
    .extend(walletActions)
}
export type TestClient = ReturnType<typeof createClient>

/** What a contract refused, as its custom error's name; anything else passes through. */
export class Reverted extends Error {
  readonly errorName: string
  readonly args: readonly unknown[]
  constructor(errorName: string, args: readonly unknown[]) {
    super(`${errorName}(${args.map(String).join(', ')})`)
    this.errorName = errorName
    this.args = args
  }
}

export type ChildBlock = Readonly<{ header: Header; transactions: readonly SignedTransaction[]; number: number }>

export type RootChain = Awaited<ReturnType<typeof deployRootChain>>

export async function deployRootChain(client: TestClient, overrides: Partial<Parameters> = {}) {
  const parameters: Parameters = { ...PRESETS.devnet, maxBlockTxs: 2 ** 16, ...overrides }
  const evidence = await deploy(client, evidenceModuleAbi, evidenceModuleBytecode, [parameters])
  const disputes = await deploy(client, disputeModuleAbi, disputeModuleBytecode, [parameters])
  const massExits = await deploy(client, massExitModuleAbi, massExitModuleBytecode, [parameters])
  const entries = await deploy(client, entryModuleAbi, entryModuleBytecode, [parameters])
  const root = await deploy(
    client,
    lifeboatAbi,
    lifeboatHarnessBytecode,
    [parameters, actors.operator.address, evidence, disputes, massExits, entries],
    BigInt(parameters.operatorBondGwei) * 10n ** 9n,
  )
  const surety = getContractAddress({ from: root, nonce: 1n }).toLowerCase() as Address
  const chainId = await client.getChainId()
  const separator = domainSeparator({ chainId, rootContract: root })
  const blocks: ChildBlock[] = []

  async function send(from: Account, call: RootCall, to: Address = root) {
    try {
      await client.call({ account: from, to, data: call.data, value: call.valueWei, blockTag: 'pending' })
    } catch (error) {
      throw asReverted(error)
    }
    const hash = await client.sendTransaction({
      account: from,
      to,
      data: call.data,
      value: call.valueWei,
      chain: anvilChain,
      gas: 16_000_000n,
    })
    const receipt = await receiptOf(client, hash)
    const block = await client.getBlock({ blockHash: receipt.blockHash })
    const logs = receipt.logs.filter((log) => [root, surety].includes(log.address.toLowerCase() as Address))
    const events = decodeRootEvents(
      { number: Number(block.number), hash: receipt.blockHash, timestamp: Number(block.timestamp) },
      logs.map((log) => ({
        topics: log.topics as Hash[],
        data: log.data,
        logIndex: log.logIndex,
        transactionHash: hash,
      })),
    )
    if (receipt.status !== 'success') throw new Error('the transaction failed on chain although its simulation passed')
    return { receipt, events, timestamp: Number(block.timestamp), l1Block: Number(block.number) }
  }

  async function read<T>(functionName: string, args: readonly unknown[] = []): Promise<T> {
    return (await client.readContract({ address: root, abi: iLifeboatAbi as Abi, functionName, args })) as T
  }

  /** Signs with every input's owner, in the order of the inputs. */
  async function sign(transaction: Transaction, signers: readonly Actor[]): Promise<SignedTransaction> {
    const digest = bytesToHex(hashTransaction(transaction, separator))
    const witnesses = new Uint8Array(signers.length * 64)
    for (const [i, { account }] of signers.entries())
      witnesses.set(compact(await account.sign({ hash: digest })), i * 64)
    return { transaction, witnesses }
  }

  async function pay(
    signer: Actor,
    input: number,
    outputs: readonly (readonly [Actor, bigint, Address?])[],
    memo: Hash = ZERO_HASH,
  ) {
    const made = outputs.map(([owner, amount, token]) => createOutput(owner.address, token ?? ETH, amount))
    return sign({ inputs: [input], outputs: made, memo }, [signer])
  }

  function hashed(transactions: readonly SignedTransaction[]) {
    return transactions.map(({ transaction, witnesses }) => ({
      txHash: hashTransaction(transaction, separator),
      witnessesHash: hashWitnesses(witnesses),
    }))
  }

  async function commitmentOf(transactions: readonly SignedTransaction[], anchor: number) {
    const root_ = bytesToHex(blockTree(hashed(transactions)).root)
    return { root: root_, txCount: transactions.length, anchor }
  }

  return {
    client,
    root,
    evidence,
    disputes,
    massExits,
    entries,
    surety,
    parameters,
    separator,
    chainId,
    blocks,
    send,
    read,
    sign,
    pay,
    hashed,
    commitmentOf,
  }
}

/** Whether L1 took it; a refusal changes nothing. */
export async function attempt(move: () => Promise<unknown>): Promise<boolean> {
  try {
    await move()
    return true
  } catch (error) {
    if (!(error instanceof Reverted)) throw error
    return false
  }
}

export function asReverted(error: unknown): unknown {
  const data = findRevertData(error)
  if (!data) return error
  const { errorName, args } = decodeErrorResult({ abi: [...iLifeboatAbi, ...iSuretyAbi], data })
  return new Reverted(errorName, args ?? [])
}

function findRevertData(error: unknown): ViemHex | undefined {
  for (let at = error as { data?: unknown; cause?: unknown } | undefined; at; at = at.cause as typeof at) {
    if (typeof at.data === 'string' && at.data.length >= 10) return at.data as ViemHex
  }
  return undefined
}

export async function deploy(
  client: TestClient,
  abi: Abi | readonly unknown[],
  bytecode: string,
  args: readonly unknown[],
  valueWei = 0n,
): Promise<Address> {
  const hash = await client.deployContract({
    account: actors.operator.account,
    abi: abi as Abi,
    bytecode: bytecode as ViemHex,
    args: args as unknown[],
    value: valueWei,
    chain: anvilChain,
  })
  const { contractAddress, status } = await receiptOf(client, hash)
  if (!contractAddress || status !== 'success') throw new Error('deployment failed')
  return contractAddress.toLowerCase() as Address
}

/** viem waits for a further block where it just missed this one; with one block per transaction there is none. */
async function receiptOf(client: TestClient, hash: ViemHex) {
  for (let attempt = 0; attempt < 2_000; attempt++) {
    try {
      return await client.getTransactionReceipt({ hash })
    } catch (error) {
      if (!(error instanceof TransactionReceiptNotFoundError)) throw error
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  throw new Error(`got no receipt for ${hash} in 10 s`)
}

/** r, s, v to EIP-2098. */
export function compact(signature: ViemHex): Uint8Array {
  const bytes = hexToBytes(signature.toLowerCase())
  const out = bytes.slice(0, 64)
  if (bytes[64] === 28 || bytes[64] === 1) out[32] = (out[32] as number) | 0x80
  return out
}

export function proveInBlock(chain: Pick<RootChain, 'hashed'>, block: ChildBlock, index: number): InclusionProof {
  const hashes = chain.hashed(block.transactions)
  const path = proveLeaf(blockTree(hashes), index).map(bytesToHex)
  return { witnessesHash: bytesToHex((hashes[index] as { witnessesHash: Uint8Array }).witnessesHash), path }
}

export function eventOf<T extends RootEvent['type']>(
  events: readonly RootEvent[],
  type: T,
): Extract<RootEvent, { type: T }> {
  const found = events.find((event) => event.type === type)
  if (!found) throw new Error(`no event ${type}; got ${events.map((event) => event.type).join(', ')}`)
  return found as Extract<RootEvent, { type: T }>
}

export function exitOf(events: readonly RootEvent[]): Exit {
  return eventOf(events, 'ExitStarted').exit
}
