/**
 * The books at the end of the story, from three sides that know nothing of each other: the events of the root contract, what the root
 * contract holds on L1, and the unspent outputs that the operator and each watcher report. They must agree to the wei.
 */
import type { Client } from '../api/client.ts'
import { readHeader } from '../l1/blocks.ts'
import type { Endpoint } from '../l1/endpoint.ts'
import { getBalance } from '../l1/reads.ts'
import type { RootEvent } from '../l1/rootEvents.ts'
import { type Address, ZERO_ADDRESS } from '../protocol/bytes.ts'
import { retryable } from '../protocol/errors.ts'
import { splitBond } from '../protocol/exit.ts'
import type { RootReads } from '../wallet/ports.ts'

export type TokenLedger = Readonly<{
  symbol: string
  deposited: bigint
  /** Left by exits that were paid. */
  paidOut: bigint
  /** Unspent on the child chain, exits under way left out, by each who keeps the chain. */
  onChild: readonly Readonly<{ who: string; amount: bigint }>[]
  /** What L1 holds of the token at the root contract. */
  held: bigint
  /** What the root contract owes or has burnt beside the child chain: credits, bonds of open exits, burnt parts. */
  aside: bigint
}>

export type LedgerSources = Readonly<{
  root: RootReads
  endpoint: Endpoint
  keepers: readonly Client[]
  owners: readonly Address[]
  tokens: readonly Readonly<{ symbol: string; address: Address }>[]
}>

/** True when deposits less payouts equal the child chain of every keeper, and what is held covers exactly that and what is aside. */
export function isBalanced({ deposited, paidOut, onChild, held, aside }: TokenLedger): boolean {
  return onChild.every(({ amount }) => amount === deposited - paidOut) && held === deposited - paidOut + aside
}

export async function drawLedger(sources: LedgerSources): Promise<TokenLedger[]> {
  const events = await sources.root.events({ types: EVENT_TYPES })
  return Promise.all(sources.tokens.map((token) => drawToken(sources, token, events)))
}

const EVENT_TYPES = [
  'Deposited',
  'ExitStarted',
  'ExitPaid',
  'ExitRemoved',
  'EvidenceShown',
  'Credited',
  'Withdrawn',
] as const

async function drawToken(
  { root, endpoint, keepers, owners }: LedgerSources,
  { symbol, address: token }: Readonly<{ symbol: string; address: Address }>,
  events: readonly RootEvent[],
): Promise<TokenLedger> {
  const exitTokens = new Map(
    events.flatMap((event) => (event.type === 'ExitStarted' ? [[event.exit.outputId, event.exit.token] as const] : [])),
  )
  let [deposited, paidOut, credits] = [0n, 0n, 0n]
  for (const event of events) {
    if (event.type === 'Deposited' && event.token === token) deposited += event.amount
    if (event.type === 'ExitPaid' && exitTokens.get(event.outputId) === token) paidOut += event.amount
    if (event.type === 'Credited' && event.token === token) credits += event.amount
    if (event.type === 'Withdrawn' && event.token === token) credits -= event.amount
  }
  const isEther = token === ZERO_ADDRESS
  const head = await readHeader(endpoint, 'latest')
  if (!head) throw retryable('HEAD_MISSING', 'the L1 endpoint has no latest block', { got: null, want: 'a block' })
  return {
    symbol,
    deposited,
    paidOut,
    onChild: await Promise.all(
      keepers.map(async (keeper, i) => ({
        who: i === 0 ? 'operator' : `watcher ${i}`,
        amount: await sumOutputs(keeper, owners, token),
      })),
    ),
    held: isEther ? await getBalance(endpoint, root.address, head) : await root.token.balanceOf(token, root.address),
    aside: credits + (isEther ? bondsAside(events) : 0n),
  }
}

/** Bonds of exits that are still open, and what was burnt of bonds of challenged ones. */
function bondsAside(events: readonly RootEvent[]): bigint {
  const started = events.flatMap((event) => (event.type === 'ExitStarted' ? [event.exit] : []))
  const ended = new Set(
    events.flatMap((event) => (event.type === 'ExitPaid' || event.type === 'ExitRemoved' ? [event.outputId] : [])),
  )
  const rewards = new Map<string, bigint>()
  for (const event of events) {
    if (event.type === 'EvidenceShown') rewards.set(event.outputId, (rewards.get(event.outputId) ?? 0n) + event.reward)
  }
  return started.reduce((sum, { outputId, bond }) => {
    const reward = rewards.get(outputId)
    if (!ended.has(outputId)) return sum + bond - (reward ?? 0n)
    return reward === undefined ? sum : sum + bond - splitBond(bond).bounty - reward
  }, 0n)
}

async function sumOutputs(keeper: Client, owners: readonly Address[], token: Address): Promise<bigint> {
  let sum = 0n
  for (const owner of owners) {
    let cursor: number | undefined
    do {
      const page = await keeper.outputs(owner, { token, limit: 500, ...(cursor === undefined ? {} : { cursor }) })
      for (const output of page.outputs) if (output.state !== 'exiting') sum += output.amount
      cursor = page.nextCursor
    } while (cursor !== undefined)
  }
  return sum
}
