/** Builders for the outbox tests: anvil mined by hand, a contract that counts effects, an RPC that fails on command, a database on disk. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Abi,
  createTestClient,
  encodeFunctionData,
  http,
  publicActions,
  type Hex as ViemHex,
  walletActions,
} from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { anvil as anvilChain } from 'viem/chains'
import { connectEndpoint } from '../../l1/endpoint.ts'
import { type Outbox, type OutboxOptions, openOutbox } from '../../l1/outbox.ts'
import type { Intent, OutboxChange, OutboxRow } from '../../l1/outboxIntent.ts'
import { createOutboxRpc, type OutboxRpc } from '../../l1/outboxRpc.ts'
import { migrateOutbox } from '../../l1/outboxStore.ts'
import type { Address } from '../../protocol/bytes.ts'
import type { LifeboatError } from '../../protocol/errors.ts'
import { type Database, openDatabase } from '../../service/database.ts'
import { startAnvil } from '../support/anvil.ts'

export const CHAIN_ID = 31337
export const GWEI = 10n ** 9n
export const ETHER = 10n ** 18n
const MNEMONIC = 'test test test test test test test test test test test junk'

const SOURCE = `
pragma solidity ^0.8.24;
contract Target {
  error AlreadyDone(uint256 id);
  error NotYet(uint256 got, uint256 want);
  mapping(uint256 => uint256) public count;
  uint256 public gate;
  function add(uint256 id) external payable { count[id]++; }
  function claim(uint256 id) external { if (count[id] != 0) revert AlreadyDone(id); count[id] = 1; }
  function open(uint256 value) external { gate = value; }
  function gated(uint256 id) external { if (gate == 0) revert NotYet(gate, 1); count[id]++; }
  function late(uint256 id) external { if (gasleft() > 5_000_000) count[id]++; else revert("not enough gas"); }
}`

type Compiled = Readonly<{ abi: Abi; bytecode: ViemHex }>
let compiled: Compiled | undefined

export function target(): Compiled {
  if (compiled) return compiled
  const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string }
  const input = {
    language: 'Solidity',
    sources: { 'Target.sol': { content: SOURCE } },
    settings: { evmVersion: 'prague', outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } },
  }
  const contract = JSON.parse(solc.compile(JSON.stringify(input))).contracts['Target.sol'].Target
  compiled = { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` }
  return compiled
}

export type Net = Awaited<ReturnType<typeof startNet>>

/** anvil that mines only when told to, with the contract deployed by its last account. */
export async function startNet() {
  const anvil = await startAnvil(['--no-mining', '--order', 'fees'])
  const client = createTestClient({
    chain: anvilChain,
    mode: 'anvil',
    transport: http(anvil.url),
    pollingInterval: 5,
    cacheTime: 0,
  })
    .extend(publicActions)
    .extend(walletActions)
  const endpoint = await connectEndpoint({ url: anvil.url, expectedChainId: CHAIN_ID, retries: 0 })
  const deployer = accountAt(29)
  const { abi, bytecode } = target()
  const hash = await client.deployContract({ account: deployer, abi, bytecode, chain: anvilChain })
  await client.mine({ blocks: 1 })
  const { contractAddress } = await client.getTransactionReceipt({ hash })
  const contract = (contractAddress as string).toLowerCase() as Address

  return {
    client,
    contract,
    rpc: createOutboxRpc(endpoint),
    stop: anvil.stop,
    mine: (blocks = 1) => client.mine({ blocks }),
    /** Mines a block whose base fee keeps cheaper transactions out. */
    async mineAt(baseFeeWei: bigint) {
      await client.setNextBlockBaseFeePerGas({ baseFeePerGas: baseFeeWei })
      await client.mine({ blocks: 1 })
    },
    async head() {
      const { number, timestamp } = await client.getBlock()
      return { number: Number(number), timestamp: Number(timestamp) }
    },
    async count(id: number) {
      return Number(await client.readContract({ address: contract, abi, functionName: 'count', args: [BigInt(id)] }))
    },
    /** A transaction around the outbox. */
    async sendRaw(account: ReturnType<typeof accountAt>, data: ViemHex, more: Readonly<Record<string, unknown>> = {}) {
      return client.sendTransaction({ account, to: contract, data, chain: anvilChain, gas: 200_000n, ...more } as never)
    },
    async pool() {
      const { pending, queued } = await client.getTxpoolContent()
      const of = (side: Record<string, Record<string, unknown>>) =>
        Object.values(side).reduce((sum, byNonce) => sum + Object.keys(byNonce).length, 0)
      return of(pending as never) + of(queued as never)
    },
  }
}

export function accountAt(index: number) {
  return mnemonicToAccount(MNEMONIC, { addressIndex: index })
}

export function calldata(functionName: string, ...args: bigint[]): ViemHex {
  return encodeFunctionData({ abi: target().abi, functionName, args })
}

export type Told = OutboxChange & Readonly<{ key: string; row: OutboxRow }>

export type Desk = Awaited<ReturnType<typeof openDesk>>

export type DeskOptions = Partial<Omit<OutboxOptions, 'signer' | 'onStatus'>> &
  Readonly<{ account: number; rpc: OutboxRpc; db?: Database }>

/** An outbox with a clock moved by hand and everything it told. */
export async function openDesk(options: DeskOptions) {
  const told: Told[] = []
  const troubles: LifeboatError[] = []
  const db = options.db ?? openMemoryDatabase()
  const outbox = await openOutbox({
    chainId: CHAIN_ID,
    errorsAbi: target().abi,
    onTrouble: (error) => troubles.push(error),
    ...options,
    db,
    policy: { confirmations: 1, ...options.policy },
    signer: accountAt(options.account),
    onStatus: (row, change) => told.push({ ...change, key: row.intent.key, row }),
  })
  let nowMs = 1_000_000
  return {
    outbox,
    db,
    told,
    troubles,
    codes: (key: string) => told.filter((one) => one.key === key).map(({ code }) => code),
    status: (key: string) => outbox.status(key)!.status,
    /** Ticks after `seconds` of wall-clock time. */
    async tick(seconds = 1) {
      nowMs += seconds * 1000
      await outbox.tick(nowMs)
    },
  }
}

export function openMemoryDatabase(): Database {
  return openDatabase({ file: ':memory:', applicationId: 77, migrations: [migrateOutbox] })
}

export function openFileDatabase(file: string, onWrite?: () => void): Database {
  return openDatabase({ file, applicationId: 77, migrations: [migrateOutbox], ...(onWrite && { onWrite }) })
}

export function createFolder() {
  const path = mkdtempSync(join(tmpdir(), 'outbox-'))
  return { file: (name: string) => join(path, name), remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** An act on the contract with a generous budget and a day of time. */
export function intentFor(contract: Address, key: string, data: ViemHex, more: Partial<Intent> = {}): Intent {
  const deadline = { timestamp: Math.floor(Date.now() / 1000) + 86_400 }
  return {
    key,
    to: contract,
    data,
    deadline,
    budgetWei: ETHER / 10n,
    purpose: `test ${key}`,
    doneErrors: ['AlreadyDone'],
    ...more,
  }
}

/** Runs `before` ahead of every call, and `after` once the node has answered it. */
export function spyOn(
  rpc: OutboxRpc,
  spy: Readonly<{ before?(method: string): void; after?(method: string): void }>,
): OutboxRpc {
  const wrapped = Object.entries(rpc).map(([method, call]) => [
    method,
    async (...args: unknown[]) => {
      spy.before?.(method)
      const result = await (call as (...all: unknown[]) => Promise<unknown>)(...args)
      spy.after?.(method)
      return result
    },
  ])
  return Object.fromEntries(wrapped) as OutboxRpc
}

export async function failureOf(promise: Promise<unknown>): Promise<LifeboatError> {
  try {
    await promise
  } catch (error) {
    return error as LifeboatError
  }
  throw new Error('it did not fail')
}

export type { Outbox }
