/**
 * keccak-256 as Ethereum uses it. WebAssembly (hash-wasm): about nine times the speed of plain JavaScript on 64-byte inputs.
 * The hasher is compiled once, at import; a call is synchronous, and deterministic like any pure function.
 */
import { createKeccak } from 'hash-wasm'
import { bytesToHex, type Hash } from './bytes.ts'

const hasher = await createKeccak(256)

export function keccak256(bytes: Uint8Array): Uint8Array {
  return hasher.init().update(bytes).digest('binary')
}

export function keccak256Hex(bytes: Uint8Array): Hash {
  return bytesToHex(keccak256(bytes))
}

/** keccak-256 of a text's ASCII bytes: type strings and tags. */
export function keccak256Text(text: string): Uint8Array {
  return keccak256(Uint8Array.from(text, (character) => character.charCodeAt(0)))
}
