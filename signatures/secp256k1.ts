/**
 * libsecp256k1 through its native binding: about fifty times the speed of any JavaScript. The package's main entry would fall back to
 * JavaScript without a word; here the binding is loaded by name, and where this platform has none the fallback is said once on standard
 * error and can be asked for: a wallet can live with it, an operator should refuse (`assertNativeBackend`).
 */
import { createRequire } from 'node:module'
import { isMainThread } from 'node:worker_threads'
import { configError } from '../protocol/errors.ts'

export type Secp256k1 = Readonly<{
  /** 65 bytes uncompressed. Throws when nothing can be recovered. */
  ecdsaRecover(signature: Uint8Array, recovery: number, digest: Uint8Array, compressed: boolean): Uint8Array
  ecdsaSign(digest: Uint8Array, privateKey: Uint8Array): Readonly<{ signature: Uint8Array; recid: number }>
  publicKeyCreate(privateKey: Uint8Array, compressed: boolean): Uint8Array
  privateKeyVerify(privateKey: Uint8Array): boolean
}>

export type RecoverBackend = 'native' | 'javascript'

const loaded = load(createRequire(import.meta.url))

export const secp256k1: Secp256k1 = loaded.api

/** What does the work in this process. */
export const recoverBackend: RecoverBackend = loaded.backend

/** Throws NATIVE_SECP256K1_MISSING (config): for programs that check signatures all day. */
export function assertNativeBackend(backend: RecoverBackend = recoverBackend): void {
  if (backend === 'native') return
  throw configError('NATIVE_SECP256K1_MISSING', 'the native binding of libsecp256k1 does not load', {
    got: `${process.platform}-${process.arch}`,
    want: 'a prebuilt binding, or a C++ toolchain and `npm rebuild secp256k1`',
  })
}

/** `require` as an argument, so that a platform without a binding can be tested on one that has it. */
export function load(require: (id: string) => unknown): { api: Secp256k1; backend: RecoverBackend } {
  try {
    return { api: require('secp256k1/bindings') as Secp256k1, backend: 'native' }
  } catch {
    if (isMainThread) {
      process.emitWarning('signatures are checked in JavaScript, about fifty times slower: npm rebuild secp256k1', {
        code: 'NATIVE_SECP256K1_MISSING',
      })
    }
    return { api: require('secp256k1/elliptic') as Secp256k1, backend: 'javascript' }
  }
}
