/**
 * How a story ended, in words that do not depend on when anything happened: what L1 keeps, what everybody owns but for gas, what the
 * programs know, and what is left undone. Two runs of one story with the same end have the same outcome.
 */
import { type Abi, decodeFunctionData } from 'viem'
import { iLifeboatAbi, iSuretyAbi } from '../../contracts/artifacts.generated.ts'
import { decodeRootEvents, type RootEvent } from '../../l1/rootEvents.ts'
import { type Address, bytesToHex, type Hash, ZERO_HASH } from '../../protocol/bytes.ts'
import { encodePosition } from '../../protocol/position.ts'
import { hashTransaction } from '../../protocol/transaction.ts'
import { stateOf } from '../support/moves.ts'
import { type ActorName, actors } from '../support/rootChain.ts'
import type { Run } from './world.ts'

const ABI = [...iLifeboatAbi, ...iSuretyAbi] as Abi
const nameOf = (address: string) =>
  Object.entries(actors).find(([, actor]) => actor.address === address.toLowerCase())?.[0] ?? address

export type Outcome = Awaited<ReturnType<typeof outcomeOf>>

export async function outcomeOf(run: Run) {
  const events = await eventsOf(run)
  const calls = await callsOf(run)
  return {
    contracts: await contractsOf(run, events),
    money: await moneyOf(run, calls),
    calls: tally(calls.map(({ from, name, isDone }) => `${nameOf(from)} ${name}${isDone ? '' : ' refused'}`)),
    brokenReceipts: brokenWordsOf(run),
    programs: await programsOf(run),
    pending: run.pendingWork(),
    errors: run.memory.lines.filter(({ level }) => level === 'error').map((line) => JSON.stringify(line).slice(0, 600)),
  }
}

async function eventsOf({ chain, client }: Run): Promise<RootEvent[]> {
  const logs = await client.getLogs({ address: [chain.root, chain.surety], fromBlock: 0n })
  const events: RootEvent[] = []
  for (const { blockNumber, blockHash, logIndex, transactionHash, topics, data } of logs)
    events.push(
      ...decodeRootEvents({ number: Number(blockNumber), hash: blockHash, timestamp: 0 }, [
        { topics: topics as Hash[], data, logIndex, transactionHash },
      ]),
    )
  return events
}

async function contractsOf({ chain, facts }: Run, events: readonly RootEvent[]) {
  const [voidFrom] = await chain.read<readonly (number | bigint)[]>('head')
  const exits: string[] = []
  for (const event of events) {
    if (event.type !== 'ExitStarted') continue
    const { exit } = event
    const known = facts().exitFacts(exit.outputId)
    const onL1 = await stateOf(chain, exit)
    const kind = `${nameOf(exit.owner)} ${exit.amount} by ${nameOf(exit.payer)}${exit.disputed === ZERO_HASH ? '' : ' disputed'}`
    exits.push(`${kind}: ${onL1}, to the watcher ${known?.state}, evidence ${known?.evidence.length}`)
  }
  // Blocks may be cut otherwise after a crash; everything else happens as often as it would have.
  const told = events.flatMap(({ type }) => (type === 'BlocksSubmitted' ? [] : [type]))
  return { isHalted: Number(voidFrom) > 0, exits: exits.sort(), events: tally(told) }
}

type Call = Readonly<{ from: Address; name: string; isDone: boolean; gasWei: bigint }>

async function callsOf({ client }: Run): Promise<Call[]> {
  const calls: Call[] = []
  const newest = await client.getBlockNumber()
  for (let number = 1n; number <= newest; number++) {
    const { transactions } = await client.getBlock({ blockNumber: number, includeTransactions: true })
    for (const { hash, from, input, to } of transactions) {
      const { gasUsed, effectiveGasPrice, status } = await client.getTransactionReceipt({ hash })
      const name = to === null ? 'deployment' : nameOfCall(input)
      const gasWei = gasUsed * effectiveGasPrice
      calls.push({ from: from.toLowerCase() as Address, name, isDone: status === 'success', gasWei })
    }
  }
  return calls
}

function nameOfCall(data: `0x${string}`): string {
  try {
    return decodeFunctionData({ abi: ABI, data }).functionName
  } catch {
    return data.slice(0, 10)
  }
}

/** Wei of everybody, as if gas were free. */
async function moneyOf({ client, chain }: Run, calls: readonly Call[]) {
  const money: Record<string, bigint> = {}
  for (const name of Object.keys(actors) as ActorName[]) {
    const { address } = actors[name]
    const gasWei = calls.reduce((sum, call) => sum + (call.from === address ? call.gasWei : 0n), 0n)
    money[name] = (await client.getBalance({ address })) + gasWei
  }
  for (const [name, address] of Object.entries({ root: chain.root, surety: chain.surety }))
    money[name] = await client.getBalance({ address })
  return money
}

/** Receipts that the chain does not keep; none, if all is well. */
function brokenWordsOf({ receipts, chain, watcher }: Run): string[] {
  const { blocks } = watcher.now().watcher.core
  return receipts.flatMap(({ receipt }) => {
    const { blockNumber, index, txHash } = receipt
    const signed = blocks.signedAt(encodePosition({ block: blockNumber, index, output: 0 }))
    const got = signed && bytesToHex(hashTransaction(signed.transaction, chain.separator))
    return got === txHash ? [] : [`${blockNumber}/${index} holds ${got}, promised was ${txHash}`]
  })
}

async function programsOf({ facts, operator, watcher, alerts, heard }: Run) {
  const { core } = watcher.now().watcher
  // Whoever was told once too often lost nothing.
  const told = alerts().map(
    ({ id, code, clearedAt }) =>
      `${code}${clearedAt === undefined ? '' : ', over'}${heard.has(id) ? '' : ', told nobody'}`,
  )
  const owners = Object.values(actors).map(({ address }) => address)
  const coins = owners.flatMap((owner) =>
    core.ledger.unspentOf(owner, -1, 1_000).map(({ amount }) => `${nameOf(owner)} ${amount}`),
  )
  return {
    safety: facts().safety().status,
    isVerified: facts().verifiedBlock() === facts().newestBlock(),
    coins: coins.sort(),
    alerts: tally(told),
    operator: operator.isRetired() ? [] : operator.now().status().problems,
  }
}

function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const word of [...words].sort()) counts[word] = (counts[word] ?? 0) + 1
  return counts
}
