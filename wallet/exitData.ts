/**
 * What an owner shows on L1 to leave (docs/spec.md sections 5.3 and 11), believed from nobody: the transaction is hashed again, its
 * Merkle path folded up to the header, and the header or the deposit compared with what the root contract itself keeps.
 */
import type { ExitData } from '../api/schemas.ts'
import { hashHeader } from '../protocol/block.ts'
import { type Address, bytesToHex, type Hash, type Hex, hexToBytes } from '../protocol/bytes.ts'
import { hashWords } from '../protocol/eip712.ts'
import { invalid } from '../protocol/errors.ts'
import { isIncluded } from '../protocol/merkle.ts'
import { decodePosition, depositIdOf, isDepositPosition, outputIdOf } from '../protocol/position.ts'
import { hashTransaction, leafOf } from '../protocol/transaction.ts'

/** An output as its proof shows it. */
export type ProvenOutput = Readonly<{
  position: number
  outputId: Hash
  owner: Address
  token: Address
  amount: bigint
  /** Seconds; of the child block that holds it. Left out for deposits. */
  madeAt?: number
}>

/** The two things that L1 is asked for. `headerHash`, `depositHash`: 25 and 27 bytes, zero where there is none. */
export type L1Records = Readonly<{
  headerHash(block: number): Promise<Hex>
  depositHash(position: number): Promise<Hex>
}>

/**
 * The output that the data proves to exist on L1, at the position asked for. Throws EXIT_DATA_WRONG with what does not fit, so that no
 * bond is ever sent with a proof that the root contract would refuse.
 */
export async function proveExitData(
  data: ExitData,
  position: number,
  { separator, records }: Readonly<{ separator: Uint8Array; records: L1Records }>,
): Promise<ProvenOutput> {
  const output = checkExitData(data, position, separator)
  if (data.kind === 'deposit') {
    const want = await records.depositHash(position)
    const got = depositHashOf(output)
    if (got !== want) throw wrong('the root contract has no such deposit at this position', got, want)
    return output
  }
  const { block } = decodePosition(position)
  const want = await records.headerHash(block)
  const got = hashHeader(data.header).slice(0, 52)
  if (got !== want) throw wrong(`the header is not what L1 keeps of block ${block}`, got, want)
  return output
}

/** Everything that can be checked without L1. Throws EXIT_DATA_WRONG. */
export function checkExitData(data: ExitData, position: number, separator: Uint8Array): ProvenOutput {
  if (data.position !== position) throw wrong('the data is about another output', data.position, position)
  if (isDepositPosition(position) !== (data.kind === 'deposit')) {
    throw wrong('the data is of the wrong kind', data.kind, isDepositPosition(position) ? 'deposit' : 'transaction')
  }
  if (data.kind === 'deposit') {
    const { owner, token, amount } = data.output
    return named(data, { position, outputId: depositIdOf(position), owner, token, amount })
  }
  const { index, output: place } = decodePosition(position)
  const txHash = hashTransaction(data.transaction, separator)
  if (data.txHash !== bytesToHex(txHash)) throw wrong('it names another transaction', data.txHash, bytesToHex(txHash))
  const output = data.transaction.outputs[place]
  if (!output) throw wrong('the transaction has no such output', data.transaction.outputs.length, `more than ${place}`)
  const leaf = leafOf(txHash, hexToBytes(data.proof.witnessesHash))
  const { header, proof } = data
  const path = proof.path.map((node) => hexToBytes(node))
  if (!isIncluded(leaf, index, { root: hexToBytes(header.root), txCount: header.txCount, path })) {
    throw wrong('the Merkle path does not lead to the root', bytesToHex(txHash), `leaf ${index} under ${header.root}`)
  }
  const { owner, token, amount } = output
  return named(data, {
    position,
    outputId: outputIdOf(txHash, place),
    owner,
    token,
    amount,
    madeAt: header.timestamp,
  })
}

/** What the data says beside what it proves must agree with it: whoever reads it later need not ask which field was checked. */
function named(data: ExitData, proven: ProvenOutput): ProvenOutput {
  const { outputId, output } = data
  const { owner, token, amount } = proven
  if (outputId !== proven.outputId) throw wrong('it names another output', outputId, proven.outputId)
  if (output.owner === owner && output.token === token && output.amount === amount) return proven
  throw wrong('it tells another output than it proves', output, { owner, token, amount })
}

/** What the root contract keeps of a deposit: 27 bytes of keccak256(owner, token, amount). */
export function depositHashOf(deposit: Readonly<{ owner: Address; token: Address; amount: bigint }>): Hex {
  return bytesToHex(hashWords([deposit.owner, deposit.token, deposit.amount])).slice(0, 56) as Hex
}

function wrong(what: string, got: unknown, want: unknown) {
  return invalid('EXIT_DATA_WRONG', `exit data refused: ${what}`, { got, want })
}
