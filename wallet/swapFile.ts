/**
 * Atomic swaps as files (docs/guide-wallet.md, "Swaps"): one transaction with inputs of two owners. The maker's offer names what it
 * gives, wants and brings; the taker adds its inputs and signatures. Neither file holds the transaction: each side builds it again from
 * the terms, so that nothing in a file can mean something else than what is shown, and whoever changes a term breaks the signatures.
 *
 *     offer (unsigned)  --taker accepts-->  accepted (signed by the taker)  --maker completes-->  submitted
 */
import { z } from 'zod'
import { addressSchema, amountSchema, bytesSchema, hashSchema, positionSchema } from '../api/values.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { bytesToHex, ZERO_HASH } from '../protocol/bytes.ts'
import type { Domain } from '../protocol/eip712.ts'
import { invalid } from '../protocol/errors.ts'
import { keccak256 } from '../protocol/keccak.ts'
import {
  createOutput,
  MAX_INPUTS,
  MAX_OUTPUTS,
  type Output,
  type Transaction,
  WITNESS_SIZE,
} from '../protocol/transaction.ts'

const moneySchema = z.strictObject({ token: addressSchema, amount: amountSchema })
const inputSchema = z.strictObject({ position: positionSchema, token: addressSchema, amount: amountSchema })

const offerFields = {
  lifeboatSwap: z.literal(1),
  chainId: z.int().positive(),
  rootContract: addressSchema,
  maker: addressSchema,
  /** Who alone may accept; left out for anyone. */
  onlyFor: addressSchema.optional(),
  give: moneySchema,
  want: moneySchema,
  /** The operator's fee, which the maker pays; left out where there is none. */
  fee: z.strictObject({ to: addressSchema, token: addressSchema, amount: amountSchema }).optional(),
  makerInputs: z
    .array(inputSchema)
    .min(1)
    .max(MAX_INPUTS - 1),
  /** Unique per offer. */
  nonce: hashSchema,
}
const offerSchema = z.strictObject({ stage: z.literal('offer'), ...offerFields })
const acceptedSchema = z.strictObject({
  stage: z.literal('accepted'),
  ...offerFields,
  taker: addressSchema,
  takerInputs: z
    .array(inputSchema)
    .min(1)
    .max(MAX_INPUTS - 1),
  /** One 64-byte signature per taker's input, in the order of takerInputs. */
  takerWitnesses: z.array(bytesSchema),
})
const swapSchema = z.discriminatedUnion('stage', [offerSchema, acceptedSchema])

export type Money = Readonly<{ token: Address; amount: bigint }>
export type SwapInput = Readonly<{ position: number; token: Address; amount: bigint }>
export type SwapOffer = Readonly<z.output<typeof offerSchema>>
export type AcceptedSwap = Readonly<z.output<typeof acceptedSchema>>
export type SwapFile = SwapOffer | AcceptedSwap

/** Strict: unknown fields, other versions and other chains are refused. Throws SWAP_FILE_INVALID or SWAP_OTHER_CHAIN. */
export function parseSwapFile(text: string, domain: Domain): SwapFile {
  const parsed = swapSchema.safeParse(parseJson(text))
  if (!parsed.success) {
    const got = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'file'}: ${message}`).join('; ')
    throw invalid('SWAP_FILE_INVALID', 'not a swap file', { got, want: 'a file written by `lifeboat swap`' })
  }
  const swap = parsed.data
  if (swap.chainId !== domain.chainId || swap.rootContract !== domain.rootContract) {
    throw invalid('SWAP_OTHER_CHAIN', 'this swap is for another chain', {
      got: { chainId: swap.chainId, rootContract: swap.rootContract },
      want: domain,
    })
  }
  checkTerms(swap)
  return swap
}

export function formatSwapFile(swap: SwapFile): string {
  return `${JSON.stringify(z.encode(swapSchema, swap), null, 2)}\n`
}

/** What names an offer: the same for the offer and its acceptance, different when any term differs. */
export function swapId(swap: SwapFile): Hash {
  const { lifeboatSwap, chainId, rootContract, maker, onlyFor, give, want, fee, makerInputs, nonce } = swap
  const terms = [lifeboatSwap, chainId, rootContract, maker, onlyFor ?? '', give, want, fee ?? '', makerInputs, nonce]
  const text = JSON.stringify(terms, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}` : sorted(value)))
  return bytesToHex(keccak256(new TextEncoder().encode(text)))
}

/**
 * The one transaction that these terms mean. Outputs: maker's want, taker's give, the maker's change, the taker's change (by token),
 * the fee. Throws SWAP_IMPOSSIBLE when the inputs do not cover the terms or do not fit a transaction.
 */
export function buildSwap(swap: SwapFile, taker: Address, takerInputs: readonly SwapInput[]): Transaction {
  const { maker, give, want, fee, makerInputs } = swap
  const positions = [...makerInputs, ...takerInputs].map(({ position }) => position).sort((a, b) => a - b)
  if (new Set(positions).size !== positions.length || positions.length > MAX_INPUTS) {
    throw impossible('inputs', positions, `at most ${MAX_INPUTS} different inputs`)
  }
  const outputs: Output[] = [
    createOutput(maker, want.token, want.amount),
    createOutput(taker, give.token, give.amount),
    ...changeOf('maker', maker, makerInputs, fee ? [give, fee] : [give]),
    ...changeOf('taker', taker, takerInputs, [want]),
    ...(fee ? [createOutput(fee.to, fee.token, fee.amount)] : []),
  ]
  if (outputs.length > MAX_OUTPUTS) throw impossible('outputs', outputs.length, `at most ${MAX_OUTPUTS} outputs`)
  return { inputs: positions, outputs, memo: ZERO_HASH }
}

function checkTerms(swap: SwapFile): void {
  const positive = [swap.give, swap.want, ...(swap.fee ? [swap.fee] : []), ...swap.makerInputs]
  if (positive.some(({ amount }) => amount === 0n)) throw invalidFile('an amount of zero', 'amounts above zero')
  if (swap.give.token === swap.want.token) throw invalidFile('one token on both sides', 'two tokens')
  if (swap.stage === 'offer') return
  if (swap.taker === swap.maker) throw invalidFile('maker and taker are one', 'two owners')
  if (swap.onlyFor !== undefined && swap.onlyFor !== swap.taker) {
    throw invalidFile(`accepted by ${swap.taker}`, `accepted by ${swap.onlyFor}, whom the offer names`)
  }
  const sizes = swap.takerWitnesses.map((witness) => witness.length)
  if (sizes.length !== swap.takerInputs.length || sizes.some((size) => size !== WITNESS_SIZE)) {
    throw invalidFile(`signatures of ${sizes.join(', ')} bytes`, `${swap.takerInputs.length} signatures of 64 bytes`)
  }
}

function changeOf(who: string, owner: Address, inputs: readonly SwapInput[], spends: readonly Money[]): Output[] {
  const left = new Map<Address, bigint>()
  for (const { token, amount } of inputs) left.set(token, (left.get(token) ?? 0n) + amount)
  for (const { token, amount } of spends) left.set(token, (left.get(token) ?? 0n) - amount)
  const tokens = [...left.keys()].sort()
  return tokens.flatMap((token) => {
    const rest = left.get(token) ?? 0n
    if (rest < 0n)
      throw impossible(`the ${who}'s inputs of ${token}`, `${-rest} too little`, 'inputs that cover the terms')
    return rest === 0n ? [] : [createOutput(owner, token, rest)]
  })
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function impossible(what: string, got: unknown, want: unknown) {
  return invalid('SWAP_IMPOSSIBLE', `this swap cannot be built: ${what}`, { got, want })
}

function invalidFile(got: string, want: string) {
  return invalid('SWAP_FILE_INVALID', 'the swap file contradicts itself', { got, want })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
