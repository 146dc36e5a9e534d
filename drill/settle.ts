/** Before the fault: everybody has ETH and tokens on the child chain, has paid and was paid, and those who go offline left what they must. */
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeFunctionData } from 'viem'
import { demoTokenAbi } from '../contracts/artifacts.generated.ts'
import type { SignedMandate } from '../l1/rootCalls.ts'
import { type Address, ZERO_ADDRESS } from '../protocol/bytes.ts'
import { deposit, waitForCredit } from '../wallet/deposit.ts'
import { giveMandate } from '../wallet/mandate.ts'
import { keepOwnOutputs, type Paid, pay, waitForStage } from '../wallet/pay.ts'
import type { Owner, Person } from './actors.ts'
import { send } from './acts.ts'
import type { World } from './world.ts'

/** Units of the token that each owner gets. */
const TOKENS = 1_000n * 10n ** 18n

export type Settled = Readonly<{
  token: Address
  /** Left behind by owners who are offline, for whoever helps. */
  mandates: ReadonlyMap<Owner, SignedMandate>
}>

/** Deposits of ETH and tokens, payments around, mandates; resolves when both watchers have verified it all. */
export async function settle(world: World): Promise<Settled> {
  const { owners, unit, random, recorder, token } = world
  world.note('everybody', 'deposits, payments and mandates, before anything is wrong')
  await mintTokens(world)
  await Promise.all(
    owners.map(async (owner) => {
      const amount = unit * BigInt(4 + random.below(3))
      const made = [await depositFor(world, owner, amount), await depositFor(world, owner, TOKENS, token)]
      for (const position of made) await creditOf(world, owner, position)
    }),
  )
  await Promise.all(
    owners.map(async (owner, i) => {
      const to = owners[(i + 1) % owners.length] ?? owner
      const wallet = await world.wallet(owner)
      const ether = await pay(wallet, { to: to.address, token: ZERO_ADDRESS, amount: unit })
      await keepPaid(world, owner, await pay(wallet, { to: to.address, token, amount: TOKENS / 10n }))
      await keepPaid(world, owner, ether)
    }),
  )
  const mandates = new Map<Owner, SignedMandate>()
  for (const owner of owners.filter(({ care }) => care === 'watcher' || care === 'anyone'))
    mandates.set(owner, await leaveMandate(world, owner))
  for (const watcher of world.watchers) await watcher.untilVerified()
  await recorder.pull()
  return { token, mandates }
}

async function mintTokens(world: World): Promise<void> {
  for (const { address } of world.owners) {
    const data = encodeFunctionData({ abi: demoTokenAbi, functionName: 'mint', args: [address, TOKENS] })
    await send(world, world.helper, { data, valueWei: 0n }, world.token)
  }
}

let deposits = 0

/** Deposits, and waits until it can be spent. Returns its position. */
export async function fund(world: World, person: Person, amount: bigint, token = ZERO_ADDRESS): Promise<number> {
  return creditOf(world, person, await depositFor(world, person, amount, token))
}

/** Mined; its position. */
export async function depositFor(world: World, person: Person, amount: bigint, token = ZERO_ADDRESS): Promise<number> {
  const wallet = await world.wallet(person)
  return (await deposit(wallet, { token, amount, key: `${person.name} ${++deposits}` })).position
}

async function creditOf(world: World, person: Person, position: number): Promise<number> {
  await world.mine(world.parameters.finalityBlocks)
  await waitForCredit(await world.wallet(person), position, world.timeoutMs)
  return position
}

/** Pays, and waits until the block is on L1; the payer keeps the proofs of the change. */
export async function payTo(
  world: World,
  from: Person,
  to: Person,
  amount: bigint,
  token: Address = ZERO_ADDRESS,
): Promise<Paid> {
  const wallet = await world.wallet(from)
  return keepPaid(world, from, await pay(wallet, { to: to.address, token, amount }))
}

async function keepPaid(world: World, from: Person, paid: Paid): Promise<Paid> {
  const wallet = await world.wallet(from)
  await waitForStage(wallet, paid.txHash, 'committed', world.timeoutMs)
  await keepOwnOutputs(wallet, paid)
  return paid
}

async function leaveMandate(world: World, owner: Owner): Promise<SignedMandate> {
  const [watcher] = world.watchers
  const delegate = owner.care === 'watcher' ? watcher.address : ZERO_ADDRESS
  const signed = await giveMandate(await world.wallet(owner), { delegate })
  world.addMandate(signed.mandate)
  if (owner.care !== 'watcher') return signed
  const account = { owner: owner.address, ...signed }
  // What it is given over HTTP it takes as here; a mandate needs an L1 block of its own time first.
  while (watcher.watcher().core.facts.l1Now().timestamp < signed.mandate.validFrom) await sleep(50)
  watcher.watcher().core.protection.add(account, Date.now())
  return signed
}
