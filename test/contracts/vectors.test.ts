/** The golden vectors, read by Solidity; test/protocol/vectors.test.ts reads the same files with TypeScript. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Abi, encodeDeployData, type Hex, numberToHex } from 'viem'
import {
  disputeModuleAbi,
  disputeModuleBytecode,
  lifeboatAbi,
  lifeboatBytecode,
} from '../../contracts/artifacts.generated.ts'
import { ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { type Parameters, PRESETS } from '../../protocol/parameters.ts'
import {
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
} from '../protocol/vectorFiles.ts'
import { startAnvil } from '../support/anvil.ts'
import { submit } from '../support/moves.ts'
import { actors, createClient, deploy, deployRootChain, type TestClient } from '../support/rootChain.ts'
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

const test = suite('golden vectors in Solidity')
let stop = () => {}
let url = ''
let client: TestClient
let probe: Awaited<ReturnType<typeof createProbe>>

test.before(async () => {
  const anvil = await startAnvil()
  stop = anvil.stop
  url = anvil.url
  client = createClient(url)
  probe = await createProbe(client, url)
})
test.after(() => stop())

async function expectAll(cases: readonly (readonly [call: ProbeCall, want: unknown])[]): Promise<void> {
  assert.ok(cases.length > 0)
  const answers = await probe(cases.map(([call]) => call))
  cases.forEach(([call, want], i) => {
    assert.is(answered(answers[i]), want, `${call.name}, vector ${i}`)
  })
}

test('output ids of transactions and deposits', async () => {
  const { positions, outputIds } = readVectors<PositionVectors>('positions')
  await expectAll([
    ...positions.flatMap(({ position, depositId }) =>
      depositId ? [[{ name: 'depositId', args: [BigInt(position)] }, depositId] as const] : [],
    ),
    ...outputIds.map(
      ({ txHash, output, outputId }) => [{ name: 'outputId', args: [txHash, BigInt(output)] }, outputId] as const,
    ),
  ])
})

test('digests and leaves of transactions, and who signed them', async () => {
  const { separator, cases } = readVectors<TransactionVectors>('transactions')
  await expectAll(
    cases.flatMap(({ transaction, txHash, witnessesHash, leaf, witnesses, signers }) => [
      [
        { name: 'transactionHash', args: [transactionArgument(parseTransaction(transaction)), separator] },
        txHash,
      ] as const,
      [{ name: 'leaf', args: [txHash, witnessesHash] }, leaf] as const,
      ...signers.map((signer, i) => {
        const witness = `0x${witnesses.slice(2 + i * 128, 2 + (i + 1) * 128)}`
        return [{ name: 'recover', args: [txHash, witness] }, signer] as const
      }),
    ]),
  )
})

test('signatures, good and bad', async () => {
  await expectAll(
    readVectors<SignatureVector[]>('signatures').map(({ digest, signature, signer }) => [
      { name: 'recover', args: [digest, signature] },
      signer ?? ZERO_ADDRESS,
    ]),
  )
})

test('proofs, good and bad', async () => {
  await expectAll(
    readVectors<TreeVectors>('trees').proofs.map(({ leaf, index, txCount, root, path, included }) => [
      { name: 'isIncluded', args: [leaf, BigInt(index), BigInt(txCount), root, path] },
      included,
    ]),
  )
})

test('headers, exits, disputes, mandates, revocations', async () => {
  const { separator, mandates, revocations } = readVectors<MandateVectors>('mandates')
  await expectAll([
    ...readVectors<HeaderVector[]>('headers').map(
      ({ header, hash }) => [{ name: 'header', args: [header] }, hash] as const,
    ),
    ...readVectors<ExitVector[]>('exits').map(
      ({ exit, hash }) => [{ name: 'exit', args: [exitArgument(parseExit(exit))] }, hash] as const,
    ),
    ...readVectors<DisputeVector[]>('disputes').flatMap(({ dispute, inputs, inputsHash, hash }) => [
      [{ name: 'dispute', args: [disputeArgument(parseDispute(dispute))] }, hash] as const,
      [
        { name: 'disputeInputs', args: [inputs.map((input) => disputeInputArgument(parseDisputeInput(input)))] },
        inputsHash,
      ] as const,
    ]),
    ...mandates.map(
      ({ mandate, digest }) =>
        [{ name: 'mandate', args: [mandateArgument(parseMandate(mandate)), separator] }, digest] as const,
    ),
    ...revocations.map(
      ({ owner, epoch, digest }) => [{ name: 'revocation', args: [owner, BigInt(epoch), separator] }, digest] as const,
    ),
  ])
})

/** The head's first slot, and where slow fee and time stand in it (spec section 9.1). */
const SLOW_FEE_SHIFT = 117n
const NEWEST_TIME_SHIFT = 30n

test('the bond at any slow fee, age and base fee, and the slow fee after a submission', async () => {
  const chain = await deployRootChain(client)
  const now = 10n ** 10n
  for (const [i, vector] of readVectors<FeeVectors>('fees').fees.entries()) {
    const baseFee = BigInt(vector.baseFeeWei)
    if (baseFee >= 2n ** 60n) continue
    const snapshot = await client.snapshot()
    const time = now + BigInt(i)
    const head = BigInt((await client.getStorageAt({ address: chain.root, slot: '0x0' })) as Hex)
    const cleared = head & ~(((1n << 34n) - 1n) << NEWEST_TIME_SHIFT) & ~(((1n << 32n) - 1n) << SLOW_FEE_SHIFT)
    const value =
      cleared |
      ((time - BigInt(vector.elapsedSeconds)) << NEWEST_TIME_SHIFT) |
      (BigInt(vector.slowFeeGwei) << SLOW_FEE_SHIFT)
    await client.setStorageAt({ address: chain.root, index: 0, value: numberToHex(value, { size: 32 }) })
    await client.setNextBlockBaseFeePerGas({ baseFeePerGas: baseFee })
    await client.setNextBlockTimestamp({ timestamp: time })
    await client.mine({ blocks: 1 })
    assert.is(String(await chain.read<bigint>('exitBond')), vector.bondWei, `bond of fee vector ${i}`)
    await client.revert({ id: snapshot })
  }
})

test('a submission leaves the base fee as slow fee where it is the greater', async () => {
  const chain = await deployRootChain(client)
  await client.setNextBlockBaseFeePerGas({ baseFeePerGas: 41n * 10n ** 9n + 1n })
  await submit(chain, [])
  assert.is((await chain.read<readonly number[]>('head'))[5], 42)
})

test('the constructor accepts and refuses the same parameters', async () => {
  const abi = lifeboatAbi as Abi
  const module = await deploy(client, disputeModuleAbi, disputeModuleBytecode, [PRESETS.devnet])
  const vectors = readVectors<{ parameters: Parameters; rules: string[] }[]>('parameters')
  const calls = vectors.map(({ parameters }) => ({
    data: encodeDeployData({
      abi,
      bytecode: lifeboatBytecode,
      args: [parameters, actors.operator.address, module, module, module, module],
    }),
  }))
  const answers = await callMany(url, calls)
  vectors.forEach(({ parameters, rules }, i) => {
    assert.is(isRefusedForParameters(answers[i]!), rules.length > 0, JSON.stringify(parameters))
  })
})

test.run()
