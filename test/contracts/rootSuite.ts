/** A suite on one root contract on anvil: every test starts from the same fresh contract and leaves nothing behind. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Abi, encodeFunctionData, type Hex, TransactionReceiptNotFoundError } from 'viem'
import { lifeboatAbi } from '../../contracts/artifacts.generated.ts'
import type { RootCall } from '../../l1/rootCalls.ts'
import type { Address } from '../../protocol/bytes.ts'
import type { Exit } from '../../protocol/exit.ts'
import type { Parameters } from '../../protocol/parameters.ts'
import { startAnvil } from '../support/anvil.ts'
import { balance, ETHER } from '../support/moves.ts'
import {
  type Actor,
  actors,
  createClient,
  deploy,
  deployRootChain,
  Reverted,
  type RootChain,
} from '../support/rootChain.ts'
import {
  hostileReceiverAbi,
  hostileReceiverBytecode,
  lifeboatHarnessAbi,
  testTokenAbi,
  testTokenBytecode,
} from './artifacts.generated.ts'

export type World = { chain: RootChain; url: string }

export function rootSuite(name: string, overrides: Partial<Parameters> = {}) {
  const test = suite(name)
  const world = {} as World
  let stop = () => {}
  let snapshot: Hex
  test.before(async () => {
    const anvil = await startAnvil()
    stop = anvil.stop
    world.url = anvil.url
    const client = createClient(anvil.url)
    // L1 time stands still but for the jumps a test makes: how fast the machine is decides nothing.
    await client.setBlockTimestampInterval({ interval: 0 })
    world.chain = await deployRootChain(client, overrides)
  })
  test.after(() => stop())
  test.before.each(async () => {
    snapshot = await world.chain.client.snapshot()
  })
  test.after.each(async () => {
    await world.chain.client.revert({ id: snapshot })
  })
  const mep = () => world.chain.parameters.minExitPeriod
  const balanceOf = (actor: Actor) => world.chain.client.getBalance({ address: actor.address })
  /** Where the exit's place on its line begins, and what is due there still. */
  const ticketOf = (exit: Exit) => world.chain.read<readonly [bigint, bigint]>('ticket', [exit.outputId])
  return { test, world, mep, balanceOf, ticketOf }
}

export async function refuses(errorName: string, move: () => Promise<unknown>): Promise<Reverted> {
  try {
    await move()
  } catch (error) {
    if (!(error instanceof Reverted)) throw error
    assert.is(error.errorName, errorName)
    return error
  }
  throw new Error(`got success, want the contract to refuse with ${errorName}`)
}

/** A move that pays `owner` this much ETH, to the wei; sent by somebody else, who bears the gas. */
export async function isPaid(
  chain: RootChain,
  owner: Actor,
  move: () => Promise<unknown>,
  amount = ETHER,
): Promise<void> {
  const before = await balance(chain, owner)
  await move()
  assert.is(await balance(chain, owner), before + amount)
}

/** For refusals that are a token's words or no words at all. */
export async function fails(move: () => Promise<unknown>): Promise<void> {
  let failed = false
  try {
    await move()
  } catch {
    failed = true
  }
  assert.ok(failed, 'got success, want a revert')
}

/** A call of any contract by name. */
export function callOf(
  abi: readonly unknown[],
  functionName: string,
  args: readonly unknown[],
  valueWei = 0n,
): RootCall {
  return { data: encodeFunctionData({ abi: abi as Abi, functionName, args }), valueWei }
}

export const rootCall = (functionName: string, args: readonly unknown[]) => callOf(lifeboatAbi, functionName, args)

/** Facts that later modules will establish, set by hand: setHalt, setInvalid, setFunded. */
export async function setByHand(chain: RootChain, functionName: string, args: readonly unknown[]): Promise<void> {
  await chain.send(actors.carol.account, callOf(lifeboatHarnessAbi, functionName, args))
}

export async function creditOf(chain: RootChain, token: Address, account: Address): Promise<bigint> {
  return chain.read<bigint>('credit', [token, account])
}

export async function readContract<T>(
  chain: RootChain,
  [address, abi]: readonly [Address, readonly unknown[]],
  functionName: string,
  args: readonly unknown[] = [],
): Promise<T> {
  return (await chain.client.readContract({ address, abi: abi as Abi, functionName, args })) as T
}

/** The receipt of a transaction sent by hand. viem's own wait never ends on an L1 whose next block never comes. */
export async function minedReceipt({ client }: RootChain, hash: Hex) {
  for (let attempt = 0; attempt < 500; attempt++) {
    try {
      return await client.getTransactionReceipt({ hash })
    } catch (error) {
      if (!(error instanceof TransactionReceiptNotFoundError)) throw error
      await client.getBlockNumber()
    }
  }
  throw new Error(`got no receipt for ${hash}, want one after each automatic block`)
}

/** A token, `holder` owning `amount` of it and letting the root contract take it. */
export async function createToken(
  chain: RootChain,
  holder: Actor,
  amount: bigint,
  [abi, bytecode, args]: readonly [readonly unknown[], string, readonly unknown[]] = [
    testTokenAbi,
    testTokenBytecode,
    ['Gold', 'GLD', 18],
  ],
): Promise<Address> {
  const token = await deploy(chain.client, abi, bytecode, args)
  await chain.send(holder.account, callOf(abi, 'mint', [holder.address, amount]), token)
  await chain.send(holder.account, callOf(testTokenAbi, 'approve', [chain.root, 2n ** 256n - 1n]), token)
  return token
}

export const MOODS = { accept: 0, revert: 1, burnGas: 2, returnBomb: 3, reenter: 4 } as const
export type Mood = keyof typeof MOODS

/** An account with code. `run` sends a root call as that account, `setMood` says what it does with ETH. */
export async function createReceiver(chain: RootChain) {
  const address = await deploy(chain.client, hostileReceiverAbi, hostileReceiverBytecode, [])
  const from = actors.mallory.account
  return {
    address,
    run: ({ data, valueWei }: RootCall, to: Address = chain.root) =>
      chain.send(from, callOf(hostileReceiverAbi, 'execute', [to, valueWei, data], valueWei), address),
    setMood: (mood: Mood, target: Address = chain.root, data: Hex = '0x') =>
      chain.send(from, callOf(hostileReceiverAbi, 'setMood', [MOODS[mood], target, data]), address),
  }
}
