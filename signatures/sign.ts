/** Signing with a private key in memory: wallets, operators, tests. Deterministic (RFC 6979), low s, EIP-2098. */
import { type Address, bytesToHex } from '../protocol/bytes.ts'
import { bug, invalid } from '../protocol/errors.ts'
import { keccak256 } from '../protocol/keccak.ts'
import { secp256k1 } from './secp256k1.ts'

/** 64 bytes. Throws PRIVATE_KEY_INVALID, DIGEST_INVALID. */
export function signDigest(digest: Uint8Array, privateKey: Uint8Array): Uint8Array {
  assertPrivateKey(privateKey)
  if (digest.length !== 32)
    throw invalid('DIGEST_INVALID', 'not a digest', { got: `${digest.length} bytes`, want: '32 bytes' })
  const { signature, recid } = secp256k1.ecdsaSign(digest, privateKey)
  // 2 and 3 mean an r above the group order, once in 2^127 signatures: EIP-2098 has no place for it.
  if (recid > 1) throw bug('RECOVERY_ID', 'a signature that has no compact form', { got: recid, want: '0 or 1' })
  const compact = Uint8Array.from(signature)
  if (recid === 1) compact[32] = (compact[32] as number) | 0x80
  return compact
}

/** Throws PRIVATE_KEY_INVALID. */
export function addressOfKey(privateKey: Uint8Array): Address {
  assertPrivateKey(privateKey)
  const publicKey = secp256k1.publicKeyCreate(privateKey, false)
  return bytesToHex(keccak256(publicKey.subarray(1)).subarray(12))
}

/** Says nothing about the key but its length: errors are logged. */
function assertPrivateKey(privateKey: Uint8Array): void {
  if (privateKey.length === 32 && secp256k1.privateKeyVerify(privateKey)) return
  throw invalid('PRIVATE_KEY_INVALID', 'not a secp256k1 private key', {
    got: `${privateKey.length} bytes`,
    want: '32 bytes, not zero, below the group order',
  })
}
