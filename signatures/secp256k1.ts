/**
 * libsecp256k1 through its native binding: about fifty times the speed of any JavaScript. The package's main entry would fall back to
 * JavaScript without a word, so the binding is loaded by name and its absence is an error: an operator at a fiftieth of its speed is
 * not an operator.
 */
import { createRequire } from 'node:module'
import { configError } from '../protocol/errors.ts'

export type Secp256k1 = Readonly<{
  /** 65 bytes uncompressed. Throws when nothing can be recovered. */
  ecdsaRecover(signature: Uint8Array, recovery: number, digest: Uint8Array, compressed: boolean): Uint8Array
  ecdsaSign(digest: Uint8Array, privateKey: Uint8Array): Readonly<{ signature: Uint8Array; recid: number }>
  publicKeyCreate(privateKey: Uint8Array, compressed: boolean): Uint8Array
  privateKeyVerify(privateKey: Uint8Array): boolean
}>

export const secp256k1: Secp256k1 = loadBinding()

function loadBinding(): Secp256k1 {
  try {
    return createRequire(import.meta.url)('secp256k1/bindings') as Secp256k1
  } catch (cause) {
    throw configError(
      'NATIVE_SECP256K1_MISSING',
      'the native binding of libsecp256k1 does not load; install a C++ toolchain and run npm rebuild secp256k1',
      { got: `${process.platform}-${process.arch}`, want: 'a prebuilt or built binding for this platform' },
      cause,
    )
  }
}
