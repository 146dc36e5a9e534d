/** EIP-712 hashing over fixed words: the one signature scheme of the project (spec section 2). */
import { type Address, hexToBytes, writeHex, writeUint } from './bytes.ts'
import { keccak256, keccak256Text } from './keccak.ts'

/** Where signatures are valid: one root contract on one L1 chain. */
export type Domain = Readonly<{ chainId: number; rootContract: Address }>

export const DOMAIN_NAME = 'Lifeboat'
export const DOMAIN_VERSION = '1'

const DOMAIN_TYPE = keccak256Text('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')

/** One ABI word: a 32-byte value, an address, or an unsigned integer. */
export type Word = Uint8Array | Address | bigint | number

/** Throws HEX_INVALID when the root contract is not a lower-case address. */
export function domainSeparator(domain: Domain): Uint8Array {
  return hashWords([
    DOMAIN_TYPE,
    keccak256Text(DOMAIN_NAME),
    keccak256Text(DOMAIN_VERSION),
    domain.chainId,
    domain.rootContract,
  ])
}

/** keccak256(0x1901 || separator || structHash): what is signed. 32 bytes. */
export function typedDigest(separator: Uint8Array, structHash: Uint8Array): Uint8Array {
  const preimage = new Uint8Array(66)
  preimage[0] = 0x19
  preimage[1] = 0x01
  preimage.set(separator, 2)
  preimage.set(structHash, 34)
  return keccak256(preimage)
}

/** keccak256 of the words, each padded to 32 bytes as abi.encode does. */
export function hashWords(words: readonly Word[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 32)
  words.forEach((word, i) => {
    writeWord(bytes, i * 32, word)
  })
  return keccak256(bytes)
}

export function writeWord(target: Uint8Array, offset: number, word: Word): void {
  if (word instanceof Uint8Array) target.set(word, offset)
  else if (typeof word === 'string') writeHex(target, offset + 12, word, 20)
  else writeUint(target, offset, BigInt(word), 32)
}

/** A bytes32 given as hexadecimal text, as a word. Throws HEX_INVALID. */
export function hashToWord(hash: string): Uint8Array {
  return hexToBytes(hash)
}
