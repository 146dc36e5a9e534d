/** Who signed (docs/spec.md section 2.2): EIP-2098 compact signatures, one encoding only. */
import { type Address, bytesToHex } from '../protocol/bytes.ts'
import { bug } from '../protocol/errors.ts'
import { keccak256 } from '../protocol/keccak.ts'
import { type Secp256k1, secp256k1 } from './secp256k1.ts'

/** The group order n, big-endian: r is below it. */
const ORDER = wordOf('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')
/** (n - 1) / 2: s is not above it, or every signature would have a twin. */
const HALF_ORDER = wordOf('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0')

/**
 * The 20 bytes of the signer's address, or undefined where the signature recovers to nobody: a wrong length, r or s out of range, a
 * high s, r on no point. Throws DIGEST_SIZE (bug) unless the digest has 32 bytes: that is our mistake, never a signer's.
 */
export function recoverAddressBytes(
  digest: Uint8Array,
  compact: Uint8Array,
  backend: Secp256k1 = secp256k1,
): Uint8Array | undefined {
  if (digest.length !== 32)
    throw bug('DIGEST_SIZE', 'not a digest', { got: `${digest.length} bytes`, want: '32 bytes' })
  if (compact.length !== 64) return undefined
  // A copy in any case: `slice` of a Buffer would share memory, and clearing the parity bit would change the caller's signature.
  const signature = new Uint8Array(compact)
  const parity = (signature[32] as number) >> 7
  signature[32] = (signature[32] as number) & 0x7f
  if (!isInRange(signature)) return undefined
  try {
    const publicKey = backend.ecdsaRecover(signature, parity, digest, false)
    return keccak256(publicKey.subarray(1)).subarray(12)
  } catch {
    return undefined
  }
}

/** The signer of a 32-byte digest, or undefined. Throws DIGEST_SIZE (bug). */
export function recoverAddress(digest: Uint8Array, compact: Uint8Array): Address | undefined {
  const bytes = recoverAddressBytes(digest, compact)
  return bytes && bytesToHex(bytes)
}

/** 0 < r < n and 0 < s <= (n - 1) / 2, checked here so that no backend's own idea of it counts. */
function isInRange(signature: Uint8Array): boolean {
  const r = signature.subarray(0, 32)
  const s = signature.subarray(32)
  return compare(r, ORDER) < 0 && compare(s, HALF_ORDER) <= 0 && isNonZero(r) && isNonZero(s)
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < 32; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return 0
}

function isNonZero(word: Uint8Array): boolean {
  return word.some((byte) => byte !== 0)
}

function wordOf(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
