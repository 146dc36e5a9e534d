/** Vectors of the wire encoding: what decodes, and what is refused with which fault (docs/spec.md section 2.4). */
import { bytesToHex, concatBytes } from '../../protocol/bytes.ts'
import { decodeBody, decodeTransaction, encodeBody, encodeTransaction } from '../../protocol/codec.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { namedTransactions } from './transactions.ts'

type Edit = (bytes: Uint8Array) => Uint8Array

const INPUT_AT = 2
const OUTPUT_AT = 9
const cut: (size: number) => Edit = (size) => (bytes) => bytes.slice(0, size)
const fill: (value: number, from: number, to: number) => Edit = (value, from, to) => (bytes) =>
  bytes.slice().fill(value, from, to)
const set: (at: number, value: number) => Edit = (at, value) => fill(value, at, at + 1)
const append: Edit = (bytes) => concatBytes(bytes, Uint8Array.of(0))

export function codecVectors() {
  const named = namedTransactions()
  const plain = encodeTransaction(byName('one input, one output of 1 wei'))
  const memo = encodeTransaction(byName('a memo'))
  const two = encodeTransaction(byName('two tokens'))
  const memoAt = OUTPUT_AT + 2 * 56

  function byName(name: string) {
    const found = named.find((each) => each.name === name)
    if (!found) throw new Error(`no transaction vector: ${name}`)
    return found.signed
  }

  const negative: readonly (readonly [name: string, fault: string, bytes: Uint8Array, edit: Edit])[] = [
    ['nothing', 'TRUNCATED', plain, cut(0)],
    ['one byte', 'TRUNCATED', plain, cut(1)],
    ['cut inside the outputs', 'TRUNCATED', plain, cut(40)],
    ['last byte missing', 'TRUNCATED', plain, cut(plain.length - 1)],
    ['one byte too many', 'TRAILING_BYTES', plain, append],
    ['unknown flag', 'FLAGS', plain, set(1, 2)],
    ['all flags', 'FLAGS', plain, set(1, 255)],
    ['memo flag without memo', 'TRUNCATED', plain, set(1, 1)],
    ['memo flag over an empty memo', 'MEMO_EMPTY', memo, fill(0, memoAt, memoAt + 32)],
    ['memo without its flag', 'TRAILING_BYTES', memo, set(1, 0)],
    ['one more input announced', 'TRUNCATED', plain, set(0, 0x10)],
    ['one more output announced', 'TRUNCATED', plain, set(0, 0x01)],
    ['an input of 2^53', 'INPUT_ORDER', plain, set(INPUT_AT, 0x20)],
    ['an input of 2^56 - 1', 'INPUT_ORDER', plain, fill(0xff, INPUT_AT, INPUT_AT + 7)],
    ['the same input twice', 'INPUT_ORDER', two, (bytes) => bytes.slice().copyWithin(9, 2, 9)],
    ['inputs in falling order', 'INPUT_ORDER', two, set(2, 1)],
    ['an owner of zero', 'OWNER_ZERO', plain, fill(0, OUTPUT_AT, OUTPUT_AT + 20)],
    ['an amount of zero', 'AMOUNT_RANGE', plain, fill(0, OUTPUT_AT + 40, OUTPUT_AT + 56)],
  ]
  return {
    transactions: named.map(({ name, signed }) => ({
      name,
      encoded: bytesToHex(encodeTransaction(signed)),
      transaction: signed.transaction,
      witnesses: bytesToHex(signed.witnesses),
    })),
    refusedTransactions: negative.map(([name, fault, bytes, edit]) =>
      refused(name, ['TRANSACTION_MALFORMED', fault], edit(bytes), decodeTransaction),
    ),
    ...bodyVectors(),
  }
}

function bodyVectors() {
  const transactions = namedTransactions().map(({ signed }) => signed)
  const bodies = [
    { block: 1, anchor: 0, transactions: [] },
    { block: 7, anchor: 19_000_000, transactions: transactions.slice(0, 2) },
    { block: 2 ** 28 - 1, anchor: 2 ** 32 - 1, transactions },
  ]
  const bytes = encodeBody({ block: 7, anchor: 9, transactions: transactions.slice(0, 2) })
  const negative: readonly (readonly [name: string, fault: string, edit: Edit])[] = [
    ['half a header', 'TRUNCATED', cut(15)],
    ['another magic', 'MAGIC', set(3, 0x32)],
    ['a block of 2^28', 'NUMBERS', set(4, 0x10)],
    ['one transaction missing', 'TX_COUNT', set(15, 3)],
    ['one transaction too many', 'TRAILING_BYTES', set(15, 1)],
    ['one byte too many', 'TRAILING_BYTES', append],
  ]
  return {
    bodies: bodies.map((body) => ({
      block: body.block,
      anchor: body.anchor,
      transactions: body.transactions.map((signed) => bytesToHex(encodeTransaction(signed))),
      encoded: bytesToHex(encodeBody(body)),
    })),
    refusedBodies: negative.map(([name, fault, edit]) =>
      refused(name, ['BODY_MALFORMED', fault], edit(bytes), decodeBody),
    ),
  }
}

/** The vector, once it is seen that the decoder refuses it for the stated reason. */
function refused(
  name: string,
  [code, fault]: readonly [string, string],
  encoded: Uint8Array,
  decode: (bytes: Uint8Array) => unknown,
) {
  const got = faultOf(() => decode(encoded))
  if (got !== `${code} ${fault}`) throw new Error(`codec vector "${name}": got ${got}, want ${code} ${fault}`)
  return { name, encoded: bytesToHex(encoded), code, fault }
}

function faultOf(decode: () => unknown): string {
  try {
    decode()
  } catch (error) {
    if (isLifeboatError(error)) return `${error.code} ${String(error.details['fault'])}`
    throw error
  }
  return 'success'
}
