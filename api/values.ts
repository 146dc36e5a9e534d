/**
 * How single values look in JSON (docs/spec.md section 2.4, "JSON for people"): amounts are decimal strings, positions and block
 * numbers are numbers, bytes are 0x hexadecimal. Each is a codec: decoding gives the protocol's own type, encoding gives JSON, and the
 * OpenAPI document is generated from the same definition.
 */
import { z } from 'zod'
import { type Address, bytesToHex, type Hash, type Hex, hexToBytes } from '../protocol/bytes.ts'
import { BLOCK_LIMIT, POSITION_LIMIT } from '../protocol/position.ts'

/** Any casing in, one lower-case text out. */
export const addressSchema = z
  .codec(z.string().regex(/^0x[0-9a-fA-F]{40}$/), z.custom<Address>(), {
    decode: (text) => text.toLowerCase() as Address,
    encode: (address) => address,
  })
  .describe('20 bytes, 0x and 40 hexadecimal digits')

/** 32 bytes; any casing in, one lower-case text out. */
export const hashSchema = z
  .codec(z.string().regex(/^0x[0-9a-fA-F]{64}$/), z.custom<Hash>(), {
    decode: (text) => text.toLowerCase() as Hash,
    encode: (hash) => hash,
  })
  .describe('32 bytes, 0x and 64 hexadecimal digits')

/** Bytes as lower-case hexadecimal. */
export const bytesSchema = z.codec(z.string().regex(/^0x([0-9a-f]{2})*$/), z.custom<Uint8Array>(), {
  decode: (text) => hexToBytes(text),
  encode: (bytes) => bytesToHex(bytes),
})

/** Bytes that stay hexadecimal text. */
export const hexSchema = z.codec(z.string().regex(/^0x([0-9a-f]{2})*$/), z.custom<Hex>(), {
  decode: (text) => text as Hex,
  encode: (hex) => hex,
})

/** An amount in the token's smallest unit. 39 digits hold 2^128 - 1; V1 has the exact limit. */
export const amountSchema = z
  .codec(z.string().regex(/^(0|[1-9][0-9]{0,38})$/), z.bigint(), {
    decode: (text) => BigInt(text),
    encode: (amount) => amount.toString(),
  })
  .describe("decimal, in the token's smallest unit")

/** A change of a balance: an amount with a sign. */
export const changeSchema = z
  .codec(z.string().regex(/^-?(0|[1-9][0-9]{0,39})$/), z.bigint(), {
    decode: (text) => BigInt(text),
    encode: (change) => change.toString(),
  })
  .describe("decimal with a sign, in the token's smallest unit")

export const positionSchema = z
  .int()
  .min(0)
  .max(POSITION_LIMIT - 1)
export const blockNumberSchema = z
  .int()
  .min(0)
  .max(BLOCK_LIMIT - 1)
export const l1BlockSchema = z.int().min(0)
export const secondsSchema = z.int().min(0)
/** Where a reader stands in an ordered list; opaque. */
export const cursorSchema = z.int().min(0)

/** The same numbers where they come as text: path and query parameters. */
export const positionTextSchema = numberText(POSITION_LIMIT - 1)
export const blockNumberTextSchema = numberText(BLOCK_LIMIT - 1)
export const cursorTextSchema = numberText(Number.MAX_SAFE_INTEGER)

/** Decimal text of an integer from `min` to `max`, both inclusive. */
export function numberText(max: number, min = 0) {
  return z.codec(z.string().regex(/^(0|[1-9][0-9]{0,15})$/), z.int().min(min).max(max), {
    decode: (text) => Number(text),
    encode: (value) => String(value),
  })
}
