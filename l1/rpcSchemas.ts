/**
 * The words of Ethereum's JSON-RPC as strict schemas (docs/spec.md, "Reading L1"). What comes out is in the project's types:
 * lower-case hexadecimal, bigint amounts, safe integers. Leading zeros and upper case are accepted, nodes differ there.
 */
import { z } from 'zod'
import type { Address, Hash, Hex } from '../protocol/bytes.ts'

/** An unsigned integer of up to 256 bits. */
export const quantity = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/, 'want a quantity: 0x and 1 to 64 hexadecimal digits')
  .transform((text) => BigInt(text))

/** An unsigned integer below 2^53: heights, seconds, places. */
export const smallQuantity = quantity
  .refine((value) => value <= BigInt(Number.MAX_SAFE_INTEGER), 'want a quantity below 2^53')
  .transform((value) => Number(value))

export const address = fixedData(20).transform((hex): Address => hex)

export const hash = fixedData(32).transform((hex): Hash => hex)

/** Bytes of any length. */
export const data = z
  .string()
  .regex(/^0x([0-9a-fA-F]{2})*$/, 'want bytes: 0x and an even number of hexadecimal digits')
  .transform((text) => text.toLowerCase() as Hex)

/** Exactly `size` bytes. */
export function fixedData(size: number) {
  return z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${size * 2}}$`), `want ${size} bytes: 0x and ${size * 2} hexadecimal digits`)
    .transform((text) => text.toLowerCase() as Hex)
}

/** A field that nodes leave out or set to null when it does not apply. */
export function absent<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined)
}
