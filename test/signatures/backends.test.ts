/** The native binding and its fallback must agree on every signature, or two watchers would disagree on a block. */
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesToHex, writeUint } from '../../protocol/bytes.ts'
import { keccak256Text } from '../../protocol/keccak.ts'
import { recoverAddress, recoverAddressBytes } from '../../signatures/recover.ts'
import { assertNativeBackend, load, recoverBackend } from '../../signatures/secp256k1.ts'
import { addressOfKey, signDigest } from '../../signatures/sign.ts'

const backends = suite('signature backends')

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const HALF = (ORDER - 1n) / 2n
const digest = keccak256Text('digest')
const require = createRequire(import.meta.url)
const native = load(require).api
const fallback = load((id) => {
  if (id === 'secp256k1/bindings') throw new Error('no binding for this platform')
  return require(id)
})

function compact(r: bigint, s: bigint, parity: bigint): Uint8Array {
  const bytes = new Uint8Array(64)
  writeUint(bytes, 0, r, 32)
  writeUint(bytes, 32, s | (parity << 255n), 32)
  return bytes
}

backends('the binding is native here, and a platform without one is told apart', () => {
  assert.equal([recoverBackend, fallback.backend], ['native', 'javascript'])
  assertNativeBackend()
  assert.throws(() => assertNativeBackend(fallback.backend), /npm rebuild secp256k1/)
})

backends('both recover the same from signatures at and around every limit', () => {
  const edges = [0n, 1n, 2n, HALF - 1n, HALF, HALF + 1n, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 255n - 1n]
  const tops = [2n ** 256n - 1n]
  let recovered = 0
  for (const r of [...edges, ...tops]) {
    for (const s of edges.filter((edge) => edge < 2n ** 255n)) {
      for (const parity of [0n, 1n]) {
        const signature = compact(r, s, parity)
        const one = recoverAddressBytes(digest, signature, native)
        assert.equal(
          one && bytesToHex(one),
          bytesOrNone(recoverAddressBytes(digest, signature, fallback.api)),
          `${r} ${s}`,
        )
        if (s === 0n || s > HALF || r === 0n || r >= ORDER) assert.is(one, undefined, `${r} ${s}`)
        if (one) recovered++
      }
    }
  }
  assert.ok(recovered > 0)
})

backends('both recover the same from random bytes', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  fc.assert(
    fc.property(bytes(32), bytes(64), (hash, signature) => {
      signature[32] = (signature[32] as number) & 0xbf
      const one = recoverAddressBytes(hash, signature, native)
      assert.equal(bytesOrNone(one), bytesOrNone(recoverAddressBytes(hash, signature, fallback.api)))
    }),
    { numRuns: 60 },
  )
})

backends('recovering does not change the signature it is given, Buffer or not', () => {
  const key = keccak256Text('alice')
  for (let i = 0; i < 8; i++) {
    const hash = keccak256Text(`digest ${i}`)
    const signature = signDigest(hash, key)
    const stored = Buffer.from(signature)
    assert.is(recoverAddress(hash, stored), addressOfKey(key))
    assert.is(recoverAddress(hash, stored), addressOfKey(key))
    assert.equal(new Uint8Array(stored), signature)
  }
})

backends('the same key and digest give the same signature, always with a low s', () => {
  for (let i = 0; i < 20; i++) {
    const hash = keccak256Text(`digest ${i}`)
    const signature = signDigest(hash, keccak256Text('bob'))
    assert.equal(signature, signDigest(hash, keccak256Text('bob')))
    assert.ok((BigInt(bytesToHex(signature.slice(32))) & (2n ** 255n - 1n)) <= HALF)
  }
})

backends('a digest of another size is our own mistake, not a forgery', () => {
  assert.throws(() => recoverAddress(digest.slice(1), signDigest(digest, keccak256Text('alice'))), /32 bytes/)
})

function bytesOrNone(bytes: Uint8Array | undefined): string | undefined {
  return bytes && bytesToHex(bytes)
}

backends.run()
