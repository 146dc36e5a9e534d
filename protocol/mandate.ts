/**
 * Mandates (docs/spec.md section 7): an owner's EIP-712 word that a delegate may take outputs out for them. The money can only go
 * to the owner, so a watcher can act for an offline user without holding a key.
 */
import type { Address } from './bytes.ts'
import { hashWords, typedDigest } from './eip712.ts'
import { keccak256Text } from './keccak.ts'

export type Mandate = Readonly<{
  owner: Address
  /** Who may act; the zero address lets anyone. */
  delegate: Address
  /** L1 seconds, inclusive. */
  validFrom: number
  /** L1 seconds, inclusive. */
  validUntil: number
  /** The one output it is about; 0 for every output of the owner. */
  position: number
  /** Outputs below this amount are not covered. */
  minAmount: bigint
  /** Most that a coordinator may keep of an output when it is claimed, in the output's token. */
  maxFee: bigint
  /** Series that the owner revokes as a whole. */
  epoch: number
}>

export const MANDATE_TYPES = {
  Mandate: [
    { name: 'owner', type: 'address' },
    { name: 'delegate', type: 'address' },
    { name: 'validFrom', type: 'uint64' },
    { name: 'validUntil', type: 'uint64' },
    { name: 'position', type: 'uint64' },
    { name: 'minAmount', type: 'uint128' },
    { name: 'maxFee', type: 'uint128' },
    { name: 'epoch', type: 'uint64' },
  ],
} as const

export const REVOCATION_TYPES = {
  Revocation: [
    { name: 'owner', type: 'address' },
    { name: 'epoch', type: 'uint64' },
  ],
} as const

const MANDATE_TYPE = keccak256Text(
  'Mandate(address owner,address delegate,uint64 validFrom,uint64 validUntil,uint64 position,uint128 minAmount,uint128 maxFee,uint64 epoch)',
)
const REVOCATION_TYPE = keccak256Text('Revocation(address owner,uint64 epoch)')

/** The digest that the owner signs. 32 bytes. */
export function hashMandate(mandate: Mandate, separator: Uint8Array): Uint8Array {
  return typedDigest(
    separator,
    hashWords([
      MANDATE_TYPE,
      mandate.owner,
      mandate.delegate,
      mandate.validFrom,
      mandate.validUntil,
      mandate.position,
      mandate.minAmount,
      mandate.maxFee,
      mandate.epoch,
    ]),
  )
}

/** The digest of a relayed revocation. 32 bytes. */
export function hashRevocation(owner: Address, epoch: number, separator: Uint8Array): Uint8Array {
  return typedDigest(separator, hashWords([REVOCATION_TYPE, owner, epoch]))
}

/** Why a mandate does not cover this exit at this time, or undefined when it does. Revocation is L1's to say. */
export function findMandateFault(
  mandate: Mandate,
  exit: Readonly<{ owner: Address; delegate: Address; position: number; amount: bigint; now: number }>,
): Readonly<{ code: string; got: unknown; want: unknown }> | undefined {
  const anyone = /^0x0{40}$/.test(mandate.delegate)
  if (mandate.owner !== exit.owner) return { code: 'OTHER_OWNER', got: exit.owner, want: mandate.owner }
  if (!anyone && mandate.delegate !== exit.delegate)
    return { code: 'OTHER_DELEGATE', got: exit.delegate, want: mandate.delegate }
  if (exit.now < mandate.validFrom || exit.now > mandate.validUntil) {
    return { code: 'OUT_OF_PERIOD', got: exit.now, want: { from: mandate.validFrom, until: mandate.validUntil } }
  }
  if (mandate.position !== 0 && mandate.position !== exit.position)
    return { code: 'OTHER_OUTPUT', got: exit.position, want: mandate.position }
  if (exit.amount < mandate.minAmount) return { code: 'BELOW_MINIMUM', got: exit.amount, want: mandate.minAmount }
  return undefined
}
