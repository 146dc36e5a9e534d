/** TypeScript and Solidity on random inputs: equal, or both reject. FUZZ_SEED repeats a run. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Abi, encodeDeployData } from 'viem'
import {
  disputeModuleAbi,
  disputeModuleBytecode,
  lifeboatAbi,
  lifeboatBytecode,
} from '../../contracts/artifacts.generated.ts'
import { hashHeader } from '../../protocol/block.ts'
import { bytesToHex, concatBytes, hexToBytes, ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { hashDispute, hashDisputeInputs } from '../../protocol/dispute.ts'
import { hashExit } from '../../protocol/exit.ts'
import { keccak256 } from '../../protocol/keccak.ts'
import { hashMandate, hashRevocation } from '../../protocol/mandate.ts'
import { createTree, isIncluded, proveLeaf } from '../../protocol/merkle.ts'
import { findParameterProblems, type Parameters, PRESETS } from '../../protocol/parameters.ts'
import { depositIdOf, outputIdOf } from '../../protocol/position.ts'
import { hashTransaction, leafOf } from '../../protocol/transaction.ts'
import { recoverAddress } from '../../signatures/recover.ts'
import { signDigest } from '../../signatures/sign.ts'
import {
  bytes,
  dispute,
  disputeInputs,
  exit,
  hash,
  mandate,
  position,
  printSeed,
  seed,
  transaction,
} from '../protocol/random.ts'
import { startAnvil } from '../support/anvil.ts'
import { actors, createClient, deploy, type TestClient } from '../support/rootChain.ts'
import {
  answered,
  callMany,
  createProbe,
  disputeArgument,
  disputeInputArgument,
  exitArgument,
  isRefusedForParameters,
  mandateArgument,
  type ProbeCall,
  transactionArgument,
} from './probe.ts'

const test = suite('conformance')
let stop = () => {}
let url = ''
let client: TestClient
let probe: Awaited<ReturnType<typeof createProbe>>

test.before(async () => {
  printSeed('conformance')
  const anvil = await startAnvil()
  stop = anvil.stop
  url = anvil.url
  client = createClient(url)
  probe = await createProbe(client, url)
})
test.after(() => stop())

type Case = readonly [call: ProbeCall, want: unknown]

function sample<T>(values: fc.Arbitrary<T>, count: number): T[] {
  return fc.sample(values, { seed, numRuns: count })
}

async function expectAll(cases: readonly Case[]): Promise<void> {
  const answers = await probe(cases.map(([call]) => call))
  cases.forEach(([call, want], i) => {
    const text = () => JSON.stringify(call, (_, value) => (typeof value === 'bigint' ? String(value) : value))
    assert.is(answered(answers[i]), want, text())
  })
}

test('hashes of transactions, leaves, ids, headers, exits, mandates and revocations', async () => {
  const transactions: Case[] = sample(fc.tuple(transaction, hash), 150).map(([value, separator]) => [
    { name: 'transactionHash', args: [transactionArgument(value), separator] },
    bytesToHex(hashTransaction(value, hexToBytes(separator))),
  ])
  const ids: Case[] = sample(fc.tuple(hash, hash, position), 60).flatMap(([a, b, at]) => [
    [{ name: 'leaf', args: [a, b] }, bytesToHex(leafOf(hexToBytes(a), hexToBytes(b)))],
    [{ name: 'outputId', args: [a, BigInt(at % 16)] }, outputIdOf(hexToBytes(a), at % 16)],
    [{ name: 'depositId', args: [BigInt(at)] }, depositIdOf(at)],
  ])
  const headers: Case[] = sample(fc.tuple(hash, fc.nat(), fc.nat(), fc.nat()), 60).map((parts) => {
    const [root, timestamp, txCount, anchor] = parts
    const header = { root, timestamp, txCount, anchor }
    return [{ name: 'header', args: [header] }, hashHeader(header)]
  })
  const exits: Case[] = sample(exit, 60).map((value) => [
    { name: 'exit', args: [exitArgument(value)] },
    hashExit(value),
  ])
  const disputes: Case[] = sample(fc.tuple(dispute, disputeInputs), 40).flatMap(([value, inputs]) => {
    const [args, inputArgs] = [[disputeArgument(value)], [inputs.map(disputeInputArgument)]]
    return [
      [{ name: 'dispute', args }, hashDispute(value)],
      [{ name: 'disputeFromMemory', args }, hashDispute(value)],
      [{ name: 'disputeInputs', args: inputArgs }, hashDisputeInputs(inputs)],
      [{ name: 'disputeInputsFromMemory', args: inputArgs }, hashDisputeInputs(inputs)],
    ] as Case[]
  })
  const mandates: Case[] = sample(fc.tuple(mandate, hash), 60).flatMap(([value, separator]) => [
    [
      { name: 'mandate', args: [mandateArgument(value), separator] },
      bytesToHex(hashMandate(value, hexToBytes(separator))),
    ],
    [
      { name: 'revocation', args: [value.owner, BigInt(value.epoch), separator] },
      bytesToHex(hashRevocation(value.owner, value.epoch, hexToBytes(separator))),
    ],
  ])
  await expectAll([...transactions, ...ids, ...headers, ...exits, ...disputes, ...mandates])
})

type Proof = { leaf: Uint8Array; index: number; txCount: number; root: Uint8Array; path: Uint8Array[] }

/** A true proof from a random tree, then at most two mutations; now and then the tree stands over garbage padding. */
const proof: fc.Arbitrary<Proof> = fc
  .record({
    txCount: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(63, 64, 65, 127, 128, 129, 255, 256, 257)),
    garbage: fc.integer({ min: 0, max: 6 }).map((n) => Math.max(0, n - 3)),
    at: fc.nat(),
    junk: bytes(32),
    mutations: fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.nat()), { maxLength: 2 }),
  })
  .map(({ txCount, garbage, at, junk, mutations }) => {
    const leaves = Array.from({ length: txCount + garbage }, (_, i) =>
      keccak256(concatBytes(junk, Uint8Array.of(i >> 8, i))),
    )
    const tree = createTree(leaves)
    const index = at % txCount
    const shown: Proof = { leaf: leaves[index]!, index, txCount, root: tree.root, path: proveLeaf(tree, index) }
    for (const [kind, where] of mutations) mutate(shown, [kind, where], junk)
    return shown
  })

function mutate(shown: Proof, [kind, where]: readonly [number, number], junk: Uint8Array): void {
  const at = shown.path.length === 0 ? 0 : where % shown.path.length
  if (kind === 0) shown.index = where % (2 * shown.txCount + 2)
  if (kind === 1) shown.txCount = where % (2 * shown.txCount + 2)
  if (kind === 2) shown.path.pop()
  if (kind === 3) shown.path.shift()
  if (kind === 4) shown.path.push(new Uint8Array(32))
  if (kind === 5) shown.path.unshift(new Uint8Array(32))
  if (kind === 6) shown.path.splice(at, 1)
  if (kind === 7 && shown.path.length > 0) shown.path[at] = junk
  if (kind === 8) shown.root = shown.leaf
  if (kind === 9) shown.leaf = shown.path[at] ?? junk
}

test('inclusion: true, mutated and padded proofs get the same verdict', async () => {
  const proofs = sample(proof, 600)
  const wants = proofs.map(({ leaf, index, ...rest }) => isIncluded(leaf, index, rest))
  assert.ok(wants.filter(Boolean).length > 50, 'enough proofs hold')
  assert.ok(wants.filter((want) => !want).length > 50, 'enough proofs fail')
  await expectAll(
    proofs.map(({ leaf, index, txCount, root, path }, i) => [
      {
        name: 'isIncluded',
        args: [bytesToHex(leaf), BigInt(index), BigInt(txCount), bytesToHex(root), path.map(bytesToHex)],
      },
      wants[i],
    ]),
  )
})

const signature = fc
  .record({
    key: bytes(32).filter((key) => key.some((byte) => byte !== 0) && key[0] !== 0xff),
    digest: bytes(32),
    edit: fc.integer({ min: 0, max: 8 }),
    at: fc.nat({ max: 63 }),
    byte: fc.integer({ min: 1, max: 255 }),
  })
  .map(({ key, digest, edit, at, byte }) => {
    let value = signDigest(digest, key)
    if (edit === 1 || edit === 2) value[at] = value[at]! ^ byte
    if (edit === 3) value[32] = value[32]! ^ 0x80
    if (edit === 4) value = value.slice(0, at)
    if (edit === 5) value = concatBytes(value, Uint8Array.of(byte))
    if (edit === 6) value.fill(0xff, 0, 16)
    if (edit === 7) value.fill(0x7f, 32, 34)
    if (edit === 8) value.fill(0xff, 33, 64)
    return { digest, value }
  })

test('recovery: good and mutated signatures name the same signer, or nobody', async () => {
  const signatures = sample(signature, 400)
  const wants = signatures.map(({ digest, value }) => recoverAddress(digest, value))
  assert.ok(wants.filter((want) => want === undefined).length > 40, 'enough are refused')
  await expectAll(
    signatures.map(({ digest, value }, i) => [
      { name: 'recover', args: [bytesToHex(digest), bytesToHex(value)] },
      wants[i] ?? ZERO_ADDRESS,
    ]),
  )
})

/** A preset with up to three numbers nudged to an edge, zeroed, or drawn anew. */
const parameters: fc.Arbitrary<Parameters> = fc
  .tuple(
    fc.constantFrom(...Object.values(PRESETS)),
    fc.array(fc.tuple(fc.constantFrom(...Object.keys(PRESETS.devnet)), fc.integer({ min: 0, max: 9 }), fc.nat()), {
      maxLength: 3,
    }),
  )
  .map(([preset, edits]) => {
    const numbers: Record<string, number> = { ...preset }
    for (const [key, kind, drawn] of edits) {
      const was = numbers[key]!
      numbers[key] = [0, was - 1, was + 1, was * 2, was >> 1, drawn, 2 ** 32 - 1, was * 4, 1, was][kind]!
    }
    for (const key of Object.keys(numbers)) numbers[key] = Math.min(Math.max(numbers[key]!, 0), 2 ** 32 - 1)
    return numbers as Parameters
  })

test('the constructor accepts exactly the parameters that TypeScript finds no problem with', async () => {
  const module = await deploy(client, disputeModuleAbi, disputeModuleBytecode, [
    { ...PRESETS.devnet, minExitPeriod: 2 ** 40 - 1 },
  ])
  const abi = lifeboatAbi as Abi
  const drawn = sample(parameters, 200)
  const wants = drawn.map((value) => findParameterProblems(value).length > 0)
  assert.ok(wants.filter(Boolean).length > 20 && wants.filter((want) => !want).length > 20, 'both verdicts occur')
  const answers = await callMany(
    url,
    drawn.map((value) => ({
      data: encodeDeployData({
        abi,
        bytecode: lifeboatBytecode,
        args: [value, actors.operator.address, module, module, module, module],
      }),
    })),
  )
  drawn.forEach((value, i) => {
    assert.is(isRefusedForParameters(answers[i]!), wants[i], JSON.stringify(value))
  })
})

test.run()
