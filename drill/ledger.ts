/**
 * The books of a drill, to the unit: what every owner would own if the chain had been honest, against what L1 paid and what the child chain
 * still owes and can pay. Pure: from deposits, the blocks that an honest watcher holds valid and that stand, and L1's events. It knows
 * nothing of how watchers, wallets or contracts reckon.
 */
import type { RootEvent } from '../l1/rootEvents.ts'
import { type Address, bytesToHex, type Hash } from '../protocol/bytes.ts'
import { decodePosition, depositIdOf, encodePosition, outputIdOf } from '../protocol/position.ts'
import { hashTransaction, type SignedTransaction } from '../protocol/transaction.ts'
import { claimsOf } from './batches.ts'

/** `anchor`: the L1 block up to which it knows L1. */
export type HonestBlock = Readonly<{ number: number; transactions: readonly SignedTransaction[]; anchor?: number }>

export type BooksInput = Readonly<{
  /** EIP-712 domain separator, for the ids of outputs. */
  separator: Uint8Array
  /** Of the root contract and the surety, oldest first, of the L1 chain that counts. */
  events: readonly RootEvent[]
  /** Valid blocks that stand, oldest first: none from the first void one on. */
  blocks: readonly HonestBlock[]
}>

/** An output as the honest view has it. */
export type BookedOutput = Readonly<{
  outputId: Hash
  owner: Address
  token: Address
  amount: bigint
  spent: boolean
  /** Left out for what only a dispute carried out. */
  position?: number
}>

export type Books = Readonly<{
  outputs: ReadonlyMap<Hash, BookedOutput>
  /** What L1 paid or credited, by output. */
  paid: ReadonlyMap<Hash, bigint>
  /** Outputs that can never leave any more: removed as spent or not canonical. */
  gone: ReadonlySet<Hash>
  /** Outputs with more than one payment. */
  paidTwice: readonly Hash[]
  /** Payments for what the honest view does not know or holds spent, or more than the output. */
  paidWrongly: readonly Readonly<{ outputId: Hash; amount: bigint }>[]
}>

/** Folds the honest view over L1's events. A verdict that carried a payment out counts as a payment. */
export function drawBooks({ separator, events, blocks }: BooksInput): Books {
  const outputs = new Map<Hash, BookedOutput>()
  const idAt = new Map<number, Hash>()
  const carried = new Set<Hash>()

  function put(output: BookedOutput): void {
    outputs.set(output.outputId, output)
    if (output.position !== undefined) idAt.set(output.position, output.outputId)
  }

  function apply({ transaction }: SignedTransaction, place?: number): void {
    const txHash = hashTransaction(transaction, separator)
    carried.add(bytesToHex(txHash))
    for (const input of transaction.inputs) {
      const id = idAt.get(input)
      const output = id === undefined ? undefined : outputs.get(id)
      if (output) outputs.set(output.outputId, { ...output, spent: true })
    }
    for (const [i, { owner, token, amount }] of transaction.outputs.entries()) {
      const outputId = outputIdOf(txHash, i)
      put({ outputId, owner, token, amount, spent: false, ...(place === undefined ? {} : { position: place + i }) })
    }
  }

  for (const event of events) {
    if (event.type !== 'Deposited') continue
    const { position, owner, token, amount } = event
    put({ outputId: depositIdOf(position), owner, token, amount, spent: false, position })
  }
  for (const { number, transactions } of blocks)
    for (const [index, signed] of transactions.entries())
      apply(signed, encodePosition({ block: number, index, output: 0 }))

  const disputed = new Map(
    events.flatMap((event) => (event.type === 'DisputeStarted' ? [[event.dispute.txHash, event.signed] as const] : [])),
  )
  for (const event of events) {
    if (event.type !== 'DisputeDecided' || event.verdict !== 'canonical' || carried.has(event.txHash)) continue
    const signed = disputed.get(event.txHash)
    if (signed) apply(signed)
  }
  return { outputs, ...readPayments(outputs, events) }
}

function readPayments(outputs: ReadonlyMap<Hash, BookedOutput>, events: readonly RootEvent[]): Omit<Books, 'outputs'> {
  const paid = new Map<Hash, bigint>()
  const gone = new Set<Hash>()
  const paidTwice: Hash[] = []
  const claimed = new Set<Hash>()
  /** An exit that is short at its turn is paid in parts, of which each says how much; whatever comes beside a claim is a second door. */
  const pay = (outputId: Hash, amount: bigint) => {
    const before = paid.get(outputId)
    const sum = (before ?? 0n) + amount
    const isWhole = claimed.has(outputId) || sum > (outputs.get(outputId)?.amount ?? 0n)
    if (before !== undefined && isWhole) paidTwice.push(outputId)
    paid.set(outputId, sum)
  }
  // A fee is the owner's to give.
  for (const { outputId, amount } of claimsOf(events)) {
    pay(outputId, amount)
    claimed.add(outputId)
  }
  for (const event of events) {
    if (event.type === 'ExitPaid') pay(event.outputId, event.amount)
    if (event.type === 'ExitRemoved' && (event.reason === 'spent' || event.reason === 'not-canonical'))
      gone.add(event.outputId)
  }
  const paidWrongly = [...paid].flatMap(([outputId, amount]) => {
    const output = outputs.get(outputId)
    return output && !output.spent && amount <= output.amount ? [] : [{ outputId, amount }]
  })
  return { paid, gone, paidTwice, paidWrongly }
}

export type Account = Readonly<{ owner: Address; token: Address; owed: bigint; after: bigint }>

/** What L1 holds of a token for outputs: credits and bonds aside. */
export type Available = (token: Address) => bigint

/**
 * Owed and had by owner and token. What is still on the child chain counts as had only as far as the vault goes, the oldest first, and not
 * at all where it can never leave.
 */
export function settleAccounts(
  books: Books,
  {
    owners,
    tokens,
    available,
  }: Readonly<{ owners: readonly Address[]; tokens: readonly Address[]; available: Available }>,
): Account[] {
  return tokens.flatMap((token) => {
    let left = available(token)
    const owed = new Map<Address, bigint>()
    const after = new Map<Address, bigint>()
    const add = (to: Map<Address, bigint>, owner: Address, amount: bigint) =>
      to.set(owner, (to.get(owner) ?? 0n) + amount)
    for (const output of [...books.outputs.values()].filter((one) => one.token === token).sort(byAge)) {
      if (output.spent) continue
      add(owed, output.owner, output.amount)
      const paid = books.paid.get(output.outputId)
      if (paid !== undefined) add(after, output.owner, paid)
      else if (!books.gone.has(output.outputId)) {
        const can = output.amount < left ? output.amount : left
        left -= can
        add(after, output.owner, can)
      }
    }
    return owners.map((owner) => ({ owner, token, owed: owed.get(owner) ?? 0n, after: after.get(owner) ?? 0n }))
  })
}

/** Unspent outputs that are neither paid nor gone: what the vault still has to cover. */
export function stillOwed(books: Books, token: Address): bigint {
  let sum = 0n
  for (const { outputId, spent, amount, token: own } of books.outputs.values())
    if (own === token && !spent && !books.paid.has(outputId) && !books.gone.has(outputId)) sum += amount
  return sum
}

/** Owned on the child chain at a moment: deposits up to an L1 block, child blocks up to a number. */
export function ownedAt(
  { separator, events, blocks }: BooksInput,
  { l1Block, childBlock }: Readonly<{ l1Block: number; childBlock: number }>,
): (owner: Address, token: Address) => bigint {
  const { outputs } = drawBooks({
    separator,
    events: events.filter(({ type, at }) => type === 'Deposited' && at.l1Block <= l1Block),
    blocks: blocks.filter(({ number }) => number <= childBlock),
  })
  return (owner, token) => {
    let sum = 0n
    for (const output of outputs.values())
      if (output.owner === owner && output.token === token && !output.spent) sum += output.amount
    return sum
  }
}

/** In-flight outputs have no place: last. */
function byAge(a: BookedOutput, b: BookedOutput): number {
  return blockOf(a) - blockOf(b) || (a.position ?? 0) - (b.position ?? 0)
}

function blockOf({ position }: BookedOutput): number {
  return position === undefined ? Number.MAX_SAFE_INTEGER : decodePosition(position).block
}
