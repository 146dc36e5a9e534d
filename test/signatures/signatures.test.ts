/** Signatures: against viem on random keys, and every encoding that must not pass. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  compactSignatureToSignature,
  parseCompactSignature,
  serializeSignature,
  recoverAddress as viemRecover,
} from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { bytesToHex, ZERO_ADDRESS, ZERO_HASH } from '../../protocol/bytes.ts'
import { encodeTransaction } from '../../protocol/codec.ts'
import { domainSeparator } from '../../protocol/eip712.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { keccak256Text } from '../../protocol/keccak.ts'
import { createOutput, hashTransaction } from '../../protocol/transaction.ts'
import { isPrepared } from '../../signatures/packing.ts'
import { createSignaturePool } from '../../signatures/pool.ts'
import { recoverAddress } from '../../signatures/recover.ts'
import { addressOfKey, signDigest } from '../../signatures/sign.ts'

const test = suite('signatures')
const key = keccak256Text('alice')
const digest = keccak256Text('digest')
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

test('recovers the address that viem recovers, for random keys and digests', async () => {
  const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
  await fc.assert(
    fc.asyncProperty(bytes32, bytes32, async (secret, hash) => {
      fc.pre(BigInt(bytesToHex(secret)) > 0n && BigInt(bytesToHex(secret)) < ORDER)
      const compact = signDigest(hash, secret)
      const full = serializeSignature(compactSignatureToSignature(parseCompactSignature(bytesToHex(compact))))
      const expected = (await viemRecover({ hash: bytesToHex(hash), signature: full })).toLowerCase()
      assert.is(recoverAddress(hash, compact), expected)
      assert.is(addressOfKey(secret), privateKeyToAddress(bytesToHex(secret)).toLowerCase())
    }),
    { numRuns: 25 },
  )
})

test('an s above half the order recovers to nobody, the s at half of it may', () => {
  const half = ORDER / 2n
  const withS = (value: bigint) => {
    const bytes = signDigest(digest, key)
    for (let i = 0; i < 32; i++) bytes[63 - i] = Number((value >> BigInt(8 * i)) & 0xffn)
    return bytes
  }
  assert.is(recoverAddress(digest, withS(half + 1n)), undefined)
  assert.type(recoverAddress(digest, withS(half)), 'string')
})

test('r = 0, r = n, s = 0 and a wrong length recover to nobody', () => {
  const compact = signDigest(digest, key)
  const withR = (value: bigint) => {
    const bytes = compact.slice()
    for (let i = 0; i < 32; i++) bytes[31 - i] = Number((value >> BigInt(8 * i)) & 0xffn)
    return bytes
  }
  assert.is(recoverAddress(digest, withR(0n)), undefined)
  assert.is(recoverAddress(digest, withR(ORDER)), undefined)
  assert.is(recoverAddress(digest, compact.slice().fill(0, 32)), undefined)
  assert.is(recoverAddress(digest, compact.slice(0, 63)), undefined)
})

test('the other parity is another signer', () => {
  const compact = signDigest(digest, key)
  compact[32] = (compact[32] as number) ^ 0x80
  assert.is.not(recoverAddress(digest, compact), addressOfKey(key))
})

test('refuses a private key of zero without saying what it was', () => {
  assert.throws(
    () => signDigest(digest, new Uint8Array(32)),
    (error: unknown) => isLifeboatError(error) && error.code === 'PRIVATE_KEY_INVALID',
  )
})

test('workers prepare transactions in order, malformed ones in their place', async () => {
  const separator = domainSeparator({ chainId: 1, rootContract: ZERO_ADDRESS })
  const owner = addressOfKey(key)
  const encoded = Array.from({ length: 100 }, (_, i) => {
    const transaction = { inputs: [i + 1], outputs: [createOutput(owner, ZERO_ADDRESS, 5n)], memo: ZERO_HASH }
    return encodeTransaction({ transaction, witnesses: signDigest(hashTransaction(transaction, separator), key) })
  })
  encoded[57] = Uint8Array.from([0, 9])
  const pool = createSignaturePool({ threads: 2, smallestPart: 16 })
  const results = await pool.prepare(encoded, separator)
  await pool.close()
  assert.is(results.length, 100)
  for (const [i, result] of results.entries()) {
    if (i === 57) assert.is(isPrepared(result), false)
    else assert.equal(isPrepared(result) && result.signers, [owner])
  }
})

test('a closed pool refuses work instead of hanging', async () => {
  const pool = createSignaturePool({ threads: 1 })
  await pool.close()
  try {
    await pool.recover({ digests: digest, signatures: signDigest(digest, key) })
    assert.unreachable()
  } catch (error) {
    assert.ok(isLifeboatError(error) && error.code === 'SIGNATURE_POOL_CLOSED')
  }
})

test.run()
