/** One owner's key in memory: its address, and signatures over digests of this project. Keys come from keys.ts. */
import type { Address } from '../protocol/bytes.ts'
import { bug, invalid } from '../protocol/errors.ts'
import { addressOfKey, signDigest } from '../signatures/sign.ts'

export type Account = Readonly<{
  address: Address
  /** 32 bytes; what the outbox signs L1 transactions with. Never logged. */
  privateKey: Uint8Array
  /** The 64-byte compact signature (EIP-2098, low s) of a 32-byte digest. */
  sign(digest: Uint8Array): Uint8Array
}>

/** Throws KEY_INVALID unless the key is 32 bytes and a number from 1 to the curve's order - 1. */
export function createAccount(privateKey: Uint8Array): Account {
  if (privateKey.length !== 32) throw keyInvalid(`${privateKey.length} bytes`)
  const key = Uint8Array.from(privateKey)
  let address: Address
  try {
    address = addressOfKey(key)
  } catch (cause) {
    throw keyInvalid('a number out of range', cause)
  }
  return {
    address,
    sign: (digest) => signDigest(digest, key),
    // A getter: a logged or printed account must not print its key.
    get privateKey() {
      return key
    },
    toJSON: () => ({ address }),
  } as Account
}

/** An owner whose key is not here: good for looking, throws KEY_LOCKED (bug) when something asks it to sign. */
export function createViewAccount(address: Address): Account {
  const locked = (): never => {
    throw bug('KEY_LOCKED', 'a read-only account was asked to sign', { got: address, want: 'an unlocked key' })
  }
  return {
    address,
    sign: locked,
    get privateKey() {
      return locked()
    },
    toJSON: () => ({ address }),
  } as Account
}

function keyInvalid(got: string, cause?: unknown) {
  return invalid('KEY_INVALID', 'not a private key', { got, want: '32 bytes, below the order of secp256k1' }, cause)
}
