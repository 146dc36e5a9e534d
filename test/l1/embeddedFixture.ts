/** Builders for the embedded L1's tests: a small contract, viem clients on a network's door, a hand-driven timer, a WebSocket. */
import { createRequire } from 'node:module'
import { type Abi, createPublicClient, createWalletClient, defineChain, type Hex, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { WebSocket } from 'ws'
import { createEmbeddedL1, type EmbeddedL1, type EmbeddedL1Options } from '../../l1/embedded/embeddedL1.ts'

export const SOURCE = `
pragma solidity ^0.8.24;
contract Probe {
  event Stored(address indexed who, uint256 indexed key, uint256 value);
  error TooBig(uint256 got, uint256 want);
  mapping(uint256 => uint256) public values;
  function store(uint256 key, uint256 value) external payable {
    if (value > 1000) revert TooBig(value, 1000);
    values[key] = value;
    emit Stored(msg.sender, key, value);
  }
  function storeMany(uint256 count) external { for (uint256 i = 0; i < count; i++) emit Stored(msg.sender, i, i); }
  function clear(uint256 key) external { delete values[key]; }
  function refuse() external pure { revert("not today"); }
  function panic(uint256 a) external pure returns (uint256) { return 1 / a; }
  function recover(bytes32 h, uint8 v, bytes32 r, bytes32 s) external pure returns (address) { return ecrecover(h, v, r, s); }
  function hashAt(uint256 n) external view returns (bytes32) { return blockhash(n); }
  function clock() external view returns (uint256, uint256, uint256) { return (block.number, block.timestamp, block.basefee); }
  function after_(uint256 time) external { require(block.timestamp >= time, "early"); values[0] = time; }
  function nested(uint256 depth) external { if (depth == 0) { values[7] = gasleft(); return; } this.nested(depth - 1); }
  function onlyTransient(uint256 v) external { assembly { tstore(1, v) } }
  function readTransient() external view returns (uint256 v) { assembly { v := tload(1) } }
}`

interface Compiled {
  readonly abi: Abi
  readonly bytecode: Hex
}

let compiled: Compiled | undefined

/** The Probe contract, compiled once per process. */
export function probe(): Compiled {
  compiled ??= compile()
  return compiled
}

function compile(): Compiled {
  const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string }
  const input = {
    language: 'Solidity',
    sources: { 'Probe.sol': { content: SOURCE } },
    settings: { evmVersion: 'prague', outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } },
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input)))
  const contract = output.contracts?.['Probe.sol']?.Probe
  if (contract === undefined) throw new Error(JSON.stringify(output.errors))
  return { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` }
}

export const GENESIS_SECONDS = 1_700_000_000

const open: EmbeddedL1[] = []

/** Closes every network a test opened, also when it failed half-way. */
export async function closeNetworks(): Promise<void> {
  for (const l1 of open.splice(0)) await l1.close()
}

/** A network with three funded development accounts and a clock that stands still unless moved. */
export async function network(options: EmbeddedL1Options = {}) {
  const warnings: string[] = []
  let nowMs = GENESIS_SECONDS * 1000
  const l1 = await createEmbeddedL1({
    devAccounts: { seed: 'embedded tests', count: 3 },
    clock: () => nowMs,
    warn: (event, fields) => warnings.push(`${event} ${JSON.stringify(fields)}`),
    ...options,
  })
  open.push(l1)
  return {
    l1,
    warnings,
    moveClock(seconds: number) {
      nowMs += seconds * 1000
    },
    ...clients(l1),
  }
}

export function clients(l1: EmbeddedL1) {
  const chain = defineChain({
    id: l1.chainId,
    name: 'embedded',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [l1.url] } },
  })
  const [alice, bob, carol] = l1.devAccounts.map((account) => privateKeyToAccount(toHex(account.privateKey)))
  const transport = http(l1.url, { retryCount: 0 })
  return {
    chain,
    alice: alice!,
    bob: bob!,
    carol: carol!,
    read: createPublicClient({ chain, transport, pollingInterval: 10, cacheTime: 0 }),
    wallet: createWalletClient({ chain, transport, account: alice! }),
  }
}

type Network = Awaited<ReturnType<typeof network>>

export async function deployProbe({ read, wallet }: Network): Promise<Hex> {
  const { abi, bytecode } = probe()
  const hash = await wallet.deployContract({ abi, bytecode })
  const { contractAddress } = await read.waitForTransactionReceipt({ hash })
  return contractAddress!
}

/** A signed plain transfer from alice. */
export function transfer(
  { alice, bob, chain }: Network,
  nonce: number,
  fields: { value?: bigint; maxFeePerGas?: bigint; maxPriorityFeePerGas?: bigint; gas?: bigint; chainId?: number } = {},
): Promise<Hex> {
  return alice.signTransaction({
    type: 'eip1559',
    chainId: chain.id,
    nonce,
    to: bob.address,
    value: 1n,
    gas: 21_000n,
    maxFeePerGas: 20_000_000_000n,
    maxPriorityFeePerGas: 1_000_000_000n,
    ...fields,
  })
}

/** The error a rejected promise carries; fails when it does not reject. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: unknown; data?: unknown }> {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  throw new Error('expected a rejection, got a result')
}

/** A timer that fires when told. */
export function handTimer() {
  let armed: { callback: () => void; delayMs: number } | undefined
  let onArm: (() => void) | undefined
  return {
    schedule(callback: () => void, delayMs: number) {
      const mine = { callback, delayMs }
      armed = mine
      onArm?.()
      return () => {
        if (armed === mine) armed = undefined
      }
    },
    armedMs: () => armed?.delayMs,
    /** Fires, and resolves when the timer is armed again. */
    async fire(): Promise<void> {
      const { callback } = armed!
      armed = undefined
      const again = new Promise<void>((resolve) => {
        onArm = resolve
      })
      callback()
      await again
    },
  }
}

/** A WebSocket client whose messages are awaited one by one. */
export async function openSocket(url: string) {
  const socket = new WebSocket(url)
  const received: unknown[] = []
  const waiting: ((message: never) => void)[] = []
  socket.on('message', (data) => {
    const message = JSON.parse(data.toString()) as never
    const waiter = waiting.shift()
    if (waiter === undefined) received.push(message)
    else waiter(message)
  })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  let id = 0
  return {
    socket,
    send(text: string) {
      socket.send(text)
    },
    request(method: string, params: unknown[] = []) {
      id++
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
      return this.next()
    },
    // biome-ignore lint/suspicious/noExplicitAny: test messages are inspected field by field.
    next(): Promise<any> {
      const message = received.shift()
      if (message !== undefined) return Promise.resolve(message)
      return new Promise((resolve) => waiting.push(resolve as never))
    },
    close() {
      socket.terminate()
    },
  }
}

function toHex(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes).toString('hex')}`
}
