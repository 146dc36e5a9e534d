/** Random values of the protocol for fast-check, and a runner that prints the seed which reproduces a run. */
import fc from 'fast-check'
import { type Address, bytesToHex, type Hash, ZERO_HASH } from '../../protocol/bytes.ts'
import type { Dispute, DisputeInput } from '../../protocol/dispute.ts'
import type { Exit } from '../../protocol/exit.ts'
import type { Mandate } from '../../protocol/mandate.ts'
import { POSITION_LIMIT } from '../../protocol/position.ts'
import { AMOUNT_LIMIT, createOutput, type SignedTransaction, type Transaction } from '../../protocol/transaction.ts'

/** FUZZ_SEED=<n> repeats a run. */
export const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)

export function checkProperty<T>(values: fc.Arbitrary<T>, property: (value: T) => void, numRuns = 200): void {
  fc.assert(fc.property(values, property), { seed, numRuns })
}

export function printSeed(name: string): void {
  console.log(`${name}: FUZZ_SEED=${seed}`)
}

export const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })
export const hash: fc.Arbitrary<Hash> = bytes(32).map(bytesToHex)
export const address: fc.Arbitrary<Address> = bytes(20)
  .map(bytesToHex)
  .filter((text) => !/^0x0*$/.test(text))
/** Often at an edge of the range. */
export const position = fc.oneof(
  fc.maxSafeNat(),
  fc.constantFrom(0, 1, 15, 16, 2 ** 25 - 1, 2 ** 25, 2 ** 32 - 1, 2 ** 32, POSITION_LIMIT - 1),
)
export const amount = fc.oneof(fc.bigInt(1n, AMOUNT_LIMIT - 1n), fc.constantFrom(1n, AMOUNT_LIMIT - 1n))
export const memo = fc.oneof(fc.constant(ZERO_HASH), hash)
export const output = fc.tuple(address, fc.oneof(fc.constant(bytesToHex(new Uint8Array(20))), address), amount)

export const transaction: fc.Arbitrary<Transaction> = fc.record(
  {
    inputs: fc.uniqueArray(position, { minLength: 1, maxLength: 16 }).map((list) => list.sort((a, b) => a - b)),
    outputs: fc.array(
      output.map((parts) => createOutput(...parts)),
      { minLength: 1, maxLength: 16 },
    ),
    memo,
  },
  { noNullPrototype: true },
)

export const signedTransaction: fc.Arbitrary<SignedTransaction> = transaction.chain((value) =>
  bytes(value.inputs.length * 64).map((witnesses) => ({ transaction: value, witnesses })),
)

const uint40 = fc.nat({ max: 2 ** 40 - 1 })
const uint128 = fc.bigInt(0n, AMOUNT_LIMIT - 1n)

export const exit: fc.Arbitrary<Exit> = fc.record(
  {
    outputId: hash,
    position,
    owner: address,
    token: address,
    amount: uint128,
    young: fc.boolean(),
    seq: uint40,
    startedAt: uint40,
    exitableAt: uint40,
    lockedAt: uint40,
    payer: address,
    bond: uint128,
    disputed: fc.oneof(fc.constant(ZERO_HASH), hash),
  },
  { noNullPrototype: true },
)

export const disputeInputs: fc.Arbitrary<DisputeInput[]> = fc.array(
  fc.record(
    { outputId: hash, madeBy: hash, position, owner: address, token: address, amount: uint128, lockedAt: uint40 },
    { noNullPrototype: true },
  ),
  { minLength: 1, maxLength: 16 },
)

export const dispute: fc.Arbitrary<Dispute> = fc.record(
  {
    txHash: hash,
    agePosition: position,
    ageTime: uint40,
    startedAt: uint40,
    exitableAt: uint40,
    lockedAt: uint40,
    suspends: fc.nat({ max: 2 ** 16 - 1 }),
    starter: address,
    bond: uint128,
    inputsHash: hash,
  },
  { noNullPrototype: true },
)

export const mandate: fc.Arbitrary<Mandate> = fc.record(
  {
    owner: address,
    delegate: address,
    validFrom: fc.maxSafeNat(),
    validUntil: fc.maxSafeNat(),
    position,
    minAmount: uint128,
    maxFee: uint128,
    epoch: fc.maxSafeNat(),
  },
  { noNullPrototype: true },
)
