/** The golden vectors, read by TypeScript; test/contracts/vectors.test.ts reads the same files with Solidity. */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hashHeader, hashWitnesses } from '../../protocol/block.ts'
import { bytesToHex, type Hex, hexToBytes } from '../../protocol/bytes.ts'
import { decodeBody, decodeTransaction, encodeTransaction, joinBody } from '../../protocol/codec.ts'
import { hashDispute, hashDisputeInputs } from '../../protocol/dispute.ts'
import { domainSeparator } from '../../protocol/eip712.ts'
import { bondFeeGwei, decaySlowFee, hashExit, nextSlowFee, splitBond, standardExitBond } from '../../protocol/exit.ts'
import { keccak256Text } from '../../protocol/keccak.ts'
import { findMandateFault, hashMandate, hashRevocation } from '../../protocol/mandate.ts'
import { createTree, isIncluded } from '../../protocol/merkle.ts'
import { findParameterProblems, type Parameters } from '../../protocol/parameters.ts'
import { decodePosition, depositIdOf, encodePosition, outputIdOf, parsePosition } from '../../protocol/position.ts'
import { hashTransaction, hashTransactionStruct, leafOf, witnessOf } from '../../protocol/transaction.ts'
import { generateVectors } from '../../scripts/vectors.ts'
import { recoverAddress } from '../../signatures/recover.ts'
import { refusal } from './faults.ts'
import {
  type CodecVectors,
  type DisputeVector,
  type ExitVector,
  type FeeVectors,
  type HeaderVector,
  type MandateVectors,
  type PositionVectors,
  parseDispute,
  parseDisputeInput,
  parseExit,
  parseMandate,
  parseTransaction,
  readVectors,
  type SignatureVector,
  type TransactionVectors,
  type TreeVectors,
} from './vectorFiles.ts'

const test = suite('golden vectors in TypeScript')

test('the files are what the script writes', () => {
  for (const [path, content] of Object.entries(generateVectors())) {
    assert.ok(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8') === content, `${path} is stale`)
  }
})

test('positions and output ids', () => {
  const { positions, outputIds, notPositions } = readVectors<PositionVectors>('positions')
  for (const { block, index, output, position, depositId } of positions) {
    assert.is(encodePosition({ block, index, output }), position)
    assert.equal(decodePosition(position), { block, index, output })
    if (depositId) assert.is(depositIdOf(position), depositId)
  }
  for (const { txHash, output, outputId } of outputIds) assert.is(outputIdOf(hexToBytes(txHash), output), outputId)
  for (const text of notPositions) assert.is(refusal(() => parsePosition(text)).code, 'POSITION_INVALID', text)
})

test('transactions: digests, leaves, encodings, signers', () => {
  const { domain, separator, cases } = readVectors<TransactionVectors>('transactions')
  assert.is(bytesToHex(domainSeparator(domain)), separator)
  for (const vector of cases) {
    const transaction = parseTransaction(vector.transaction)
    const witnesses = hexToBytes(vector.witnesses)
    const txHash = hashTransaction(transaction, hexToBytes(separator))
    assert.is(bytesToHex(hashTransactionStruct(transaction)), vector.structHash)
    assert.is(bytesToHex(txHash), vector.txHash, vector.name)
    assert.is(bytesToHex(hashWitnesses(witnesses)), vector.witnessesHash)
    assert.is(bytesToHex(leafOf(txHash, hashWitnesses(witnesses))), vector.leaf)
    assert.is(bytesToHex(encodeTransaction({ transaction, witnesses })), vector.encoded)
    assert.equal(
      transaction.inputs.map((_, i) => recoverAddress(txHash, witnessOf(witnesses, i))),
      vector.signers,
    )
  }
})

test('signatures, good and bad', () => {
  for (const { digest, signature, signer, name } of readVectors<SignatureVector[]>('signatures')) {
    assert.is(recoverAddress(hexToBytes(digest), hexToBytes(signature)) ?? null, signer, name)
  }
})

test('encodings that decode, and encodings that are refused with their fault', () => {
  const vectors = readVectors<CodecVectors>('codec')
  for (const { encoded, transaction, witnesses } of vectors.transactions) {
    const want = { transaction: parseTransaction(transaction), witnesses: hexToBytes(witnesses) }
    assert.equal(decodeTransaction(hexToBytes(encoded)), want)
  }
  for (const { block, anchor, transactions, encoded } of vectors.bodies) {
    assert.is(bytesToHex(joinBody({ block, anchor, transactions: transactions.map(hexToBytes) })), encoded)
    const decoded = decodeBody(hexToBytes(encoded))
    assert.equal([decoded.block, decoded.anchor], [block, anchor])
    assert.equal(decoded.transactions.map(encodeTransaction).map(bytesToHex), transactions)
  }
  const decoders = { refusedTransactions: decodeTransaction, refusedBodies: decodeBody } as const
  for (const [list, decode] of Object.entries(decoders)) {
    for (const { name, encoded, code, fault } of vectors[list as keyof typeof decoders]) {
      const error = refusal(() => decode(hexToBytes(encoded)))
      assert.equal([error.code, error.details['fault']], [code, fault], name)
    }
  }
})

test('trees and proofs, good and bad', () => {
  const { trees, proofs } = readVectors<TreeVectors>('trees')
  for (const { txCount, root } of trees) {
    const leaves = Array.from({ length: txCount }, (_, i) => keccak256Text(`leaf ${i}`))
    assert.is(bytesToHex(createTree(leaves).root), root)
  }
  for (const { name, leaf, index, txCount, root, path, included } of proofs) {
    const proof = { root: hexToBytes(root), txCount, path: path.map(hexToBytes) }
    assert.is(isIncluded(hexToBytes(leaf), index, proof), included, name)
  }
})

test('disputes and their inputs', () => {
  for (const { dispute, inputs, inputsHash, hash } of readVectors<DisputeVector[]>('disputes')) {
    assert.is(hashDispute(parseDispute(dispute)), hash)
    assert.is(hashDisputeInputs(inputs.map(parseDisputeInput)), inputsHash)
  }
})

test('headers and exits', () => {
  for (const { header, hash } of readVectors<HeaderVector[]>('headers')) assert.is(hashHeader(header), hash)
  for (const { exit, hash } of readVectors<ExitVector[]>('exits')) assert.is(hashExit(parseExit(exit)), hash)
})

test('mandates and revocations', () => {
  const { separator, mandates, revocations, coverage } = readVectors<MandateVectors>('mandates')
  for (const { mandate, digest, signature } of mandates) {
    const got = hashMandate(parseMandate(mandate), hexToBytes(separator))
    assert.is(bytesToHex(got), digest)
    assert.is(recoverAddress(got, hexToBytes(signature)), mandate.owner)
  }
  for (const { owner, epoch, digest, signature } of revocations) {
    const got = hashRevocation(owner, epoch, hexToBytes(separator))
    assert.is(bytesToHex(got), digest)
    assert.is(recoverAddress(got, hexToBytes(signature)), owner)
  }
  for (const { mandate, exit, fault } of coverage) {
    const shown = { ...exit, amount: BigInt(exit.amount) }
    assert.is(findMandateFault(parseMandate(mandate), shown)?.code ?? null, fault)
  }
})

test('fees and bonds', () => {
  const { fees, splits } = readVectors<FeeVectors>('fees')
  for (const vector of fees) {
    const [slow, elapsed, base] = [vector.slowFeeGwei, vector.elapsedSeconds, vector.baseFeeWei].map(BigInt) as [
      bigint,
      bigint,
      bigint,
    ]
    assert.is(String(decaySlowFee(slow, elapsed)), vector.decayedGwei)
    assert.is(String(nextSlowFee(slow, elapsed, base)), vector.nextSlowFeeGwei)
    assert.is(String(bondFeeGwei(slow, elapsed, base)), vector.bondFeeGwei)
    assert.is(String(standardExitBond(slow, elapsed, base)), vector.bondWei)
  }
  for (const { bond, challenger, bounty, burnt } of splits) {
    const shares = splitBond(BigInt(bond))
    assert.equal([shares.challenger, shares.bounty, shares.burnt].map(String), [challenger, bounty, burnt])
  }
})

test('parameters and the rules that they break', () => {
  for (const { parameters, rules } of readVectors<{ parameters: Parameters; rules: string[] }[]>('parameters')) {
    assert.equal(
      findParameterProblems(parameters).map(({ rule }) => rule),
      rules,
    )
  }
})

test('a vector with upper-case hexadecimal would be refused', () => {
  const upper = `0x${'AB'.repeat(32)}` as Hex
  assert.is(refusal(() => hexToBytes(upper)).code, 'HEX_INVALID')
})

test.run()
