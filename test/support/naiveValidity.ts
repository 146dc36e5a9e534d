/**
 * Validity said once more, as plainly as possible, from the text of docs/spec.md section 4.1 alone: a second opinion for the tests that
 * compare `protocol/validity.ts` with the contract's fraud proofs. It looks everything up in the whole history, again and again.
 */

export type NaiveOutput = { owner: string; token: string; amount: bigint; condition: string }
export type NaiveTransaction = {
  inputs: number[]
  outputs: NaiveOutput[]
  /** Who signed input i; undefined for nobody. */
  signers: (string | undefined)[]
  witnessBytes: number
}
export type NaiveBlock = { anchor: number; transactions: NaiveTransaction[] }
export type NaiveHistory = {
  /** Block n is blocks[n - 1]. */
  blocks: NaiveBlock[]
  /** By position. */
  deposits: Map<number, { owner: string; token: string; amount: bigint; l1Block: number }>
  /** By position: the L1 block of the lock. */
  locks: Map<number, number>
}

const split = (position: number) => ({
  block: Math.floor(position / 2 ** 25),
  index: Math.floor(position / 16) % 2 ** 21,
  output: position % 16,
})

/** The number of the first rule that the transaction breaks, 0 for none. */
export function naiveFault(history: NaiveHistory, block: number, index: number): number {
  const transaction = history.blocks[block - 1]!.transactions[index]!
  const anchor = history.blocks[block - 1]!.anchor
  if (!isWellFormed(transaction)) return 1
  const spent = transaction.inputs.map((input) => lookUp(history, input, { block, index, anchor }))
  if (spent.some((one) => one === undefined)) return 2
  const owners = spent.map((one) => one!.owner)
  for (const [i, input] of transaction.inputs.entries()) {
    if (isSpentBefore(history, input, owners[i]!, { block, index })) return 3
  }
  if (transaction.signers.some((signer, i) => signer !== owners[i])) return 4
  const tokens = new Set([...spent.map((one) => one!.token), ...transaction.outputs.map((one) => one.token)])
  for (const token of tokens) {
    const sum = (list: { token: string; amount: bigint }[]) =>
      list.filter((one) => one.token === token).reduce((total, one) => total + one.amount, 0n)
    if (sum(spent.map((one) => one!)) !== sum(transaction.outputs)) return 5
  }
  if (transaction.inputs.some((input) => (history.locks.get(input) ?? Number.POSITIVE_INFINITY) <= anchor)) return 6
  return 0
}

function isWellFormed({ inputs, outputs, witnessBytes }: NaiveTransaction): boolean {
  if (inputs.length < 1 || inputs.length > 16 || outputs.length < 1 || outputs.length > 16) return false
  if (inputs.some((input) => input >= 2 ** 53)) return false
  if (inputs.some((input, i) => i > 0 && input <= inputs[i - 1]!)) return false
  if (witnessBytes !== 64 * inputs.length) return false
  return outputs.every(
    ({ owner, amount, condition }) =>
      BigInt(owner) !== 0n && amount > 0n && amount < 2n ** 128n && BigInt(condition) === 0n,
  )
}

function lookUp(history: NaiveHistory, position: number, place: { block: number; index: number; anchor: number }) {
  const { block, index, output } = split(position)
  if (index >= 2 ** 20) {
    const deposit = history.deposits.get(position)
    return deposit && deposit.l1Block <= place.anchor ? deposit : undefined
  }
  const isEarlier = block < place.block || (block === place.block && index < place.index)
  return isEarlier ? history.blocks[block - 1]?.transactions[index]?.outputs[output] : undefined
}

function isSpentBefore(
  history: NaiveHistory,
  position: number,
  owner: string,
  place: { block: number; index: number },
) {
  return history.blocks.some((one, b) =>
    one.transactions.some((transaction, t) => {
      const isEarlier = b + 1 < place.block || (b + 1 === place.block && t < place.index)
      return isEarlier && transaction.inputs.some((input, i) => input === position && transaction.signers[i] === owner)
    }),
  )
}
