/** Who signed (docs/spec.md section 2.2): EIP-2098 compact signatures, one encoding only. */
import { type Address, bytesToHex } from '../protocol/bytes.ts'
import { keccak256 } from '../protocol/keccak.ts'
import { secp256k1 } from './secp256k1.ts'

/** Half the group order, big-endian: s must not be greater. */
const HALF_ORDER = Uint8Array.from(
  '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0'.match(/../g) ?? [],
  (digits) => Number.parseInt(digits, 16),
)

/** The 20 bytes of the signer's address, or undefined where the signature recovers to nobody. Never throws for 64 bytes. */
export function recoverAddressBytes(digest: Uint8Array, compact: Uint8Array): Uint8Array | undefined {
  if (compact.length !== 64) return undefined
  const signature = compact.slice()
  const recovery = (signature[32] as number) >> 7
  signature[32] = (signature[32] as number) & 0x7f
  if (isHigh(signature)) return undefined
  try {
    const publicKey = secp256k1.ecdsaRecover(signature, recovery, digest, false)
    return keccak256(publicKey.subarray(1)).subarray(12)
  } catch {
    return undefined
  }
}

/** The signer of a 32-byte digest, or undefined. */
export function recoverAddress(digest: Uint8Array, compact: Uint8Array): Address | undefined {
  const bytes = recoverAddressBytes(digest, compact)
  return bytes && bytesToHex(bytes)
}

function isHigh(signature: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) {
    const difference = (signature[32 + i] as number) - (HALF_ORDER[i] as number)
    if (difference !== 0) return difference > 0
  }
  return false
}
