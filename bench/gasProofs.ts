/** Gas of fraud proofs (docs/spec.md section 8.5): a usual offence of 1 in 2 out, and the worst of 16 inputs, all from full blocks. */
import { encodeFraudProof } from '../l1/rootCalls.ts'
import { ZERO_HASH } from '../protocol/bytes.ts'
import type { FraudProof, InputShown, PlacedTransaction } from '../protocol/fraud.ts'
import { encodePosition } from '../protocol/position.ts'
import { createOutput, type SignedTransaction } from '../protocol/transaction.ts'
import { deposit, ETHER, startDepositExit } from '../test/support/moves.ts'
import { actors, ETH, type RootChain } from '../test/support/rootChain.ts'
import { type FullBlock, type Gas, proofAt, submitFull } from './gasBlocks.ts'
import { measureReport } from './gasSurety.ts'

const { alice, bob, mallory, watcher } = actors
const STRIDE = 3_001

function placed(block: FullBlock, i: number): PlacedTransaction {
  const signed = block.transactions[i] as SignedTransaction
  const position = encodePosition({ block: block.number, index: i * STRIDE, output: 0 })
  return { position, signed, header: block.header, proof: proofAt(block, i * STRIDE, signed) }
}

const shownBy = (block: FullBlock, i: number): InputShown => ({ kind: 'transaction', at: placed(block, i) })

/** Each on the same state: the first proof against a block of a live chain, which also halts it. */
async function measure(chain: RootChain, gas: Gas, proofs: readonly (readonly [string, FraudProof])[]): Promise<void> {
  const [, forged] = proofs.find(([key]) => key === 'proveInvalid_V4') ?? []
  if (forged) {
    const id = await chain.client.snapshot()
    gas['reportFraud_V4'] = await measureReport(chain, encodeFraudProof(forged))
    await chain.client.revert({ id })
  }
  for (const [key, proof] of proofs) {
    const id = await chain.client.snapshot()
    gas[key] = Number((await chain.send(watcher.account, encodeFraudProof(proof))).receipt.gasUsed)
    await chain.client.revert({ id })
  }
}

export async function measureProofs(chain: RootChain, gas: Gas): Promise<void> {
  const payments: SignedTransaction[] = []
  for (let i = 0; i < 20; i++) {
    payments.push(
      await chain.pay(alice, await deposit(chain, alice), [
        [alice, ETHER],
        [bob, ETHER],
      ]),
    )
  }
  const made = await submitFull(chain, payments, STRIDE)
  const locked = await deposit(chain, mallory)
  const exit = await startDepositExit(chain, mallory, locked)
  const outputOf = (i: number) => placed(made, i).position
  const pay = (input: number, signer = alice) =>
    chain.pay(signer, input, [
      [bob, ETHER / 4n],
      [alice, (ETHER * 3n) / 4n],
    ])
  const wideInputs = Array.from({ length: 16 }, (_, i) => outputOf(i))
  const wideOutputs = Array.from({ length: 16 }, () => createOutput(bob.address, ETH, ETHER))
  const wide = (changed: object = {}) =>
    chain.sign(
      { inputs: wideInputs, outputs: wideOutputs, memo: ZERO_HASH, ...changed },
      wideInputs.map(() => alice),
    )
  const offences = [
    await chain.pay(alice, outputOf(0), [
      [bob, 0n],
      [alice, ETHER],
    ]),
    await pay(encodePosition({ block: made.number, index: STRIDE, output: 7 })),
    await pay(outputOf(2)),
    await pay(outputOf(2)),
    await pay(outputOf(3), mallory),
    await chain.pay(alice, outputOf(4), [
      [bob, ETHER],
      [alice, ETHER],
    ]),
    await pay(locked, mallory),
    await wide(),
    await wide({ outputs: wideOutputs.map((output, i) => (i === 0 ? { ...output, amount: 1n } : output)) }),
    await wide({ outputs: wideOutputs.map((output, i) => (i === 15 ? { ...output, amount: 0n } : output)) }),
  ]
  const block = await submitFull(chain, offences, STRIDE)
  const [malformed, missing, first, second, forged, unbalanced, late] = offences.map((_, i) =>
    placed(block, i),
  ) as PlacedTransaction[]
  const at = (i: number) => placed(block, i)
  const all = wideInputs.map((_, i) => shownBy(made, i))
  await measure(chain, gas, [
    ['proveInvalid_V1', { rule: 'V1', offence: malformed as PlacedTransaction }],
    ['proveInvalid_V2', { rule: 'V2', offence: missing as PlacedTransaction, input: 0, shown: shownBy(made, 1) }],
    [
      'proveInvalid_V3',
      {
        rule: 'V3',
        offence: second as PlacedTransaction,
        input: 0,
        shown: shownBy(made, 2),
        earlier: first as PlacedTransaction,
        earlierInput: 0,
      },
    ],
    ['proveInvalid_V4', { rule: 'V4', offence: forged as PlacedTransaction, input: 0, shown: shownBy(made, 3) }],
    ['proveInvalid_V5', { rule: 'V5', offence: unbalanced as PlacedTransaction, shown: [shownBy(made, 4)] }],
    [
      'proveInvalid_V6',
      {
        rule: 'V6',
        offence: late as PlacedTransaction,
        input: 0,
        shown: { kind: 'deposit', deposit: { owner: mallory.address, token: ETH, amount: ETHER } },
        exit,
      },
    ],
    ['proveInvalid_V1_16in16out', { rule: 'V1', offence: at(9) }],
    [
      'proveInvalid_V3_16in16out',
      { rule: 'V3', offence: at(8), input: 15, shown: all[15] as InputShown, earlier: at(7), earlierInput: 15 },
    ],
    ['proveInvalid_V5_16in16out', { rule: 'V5', offence: at(8), shown: all }],
  ])
}
