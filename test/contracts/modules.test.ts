/** The root contract and its module answer every call of the interface, and nothing else (docs/spec.md section 9.4). */
import * as assert from 'uvu/assert'
import { type Abi, type AbiFunction, encodeAbiParameters, toFunctionSelector, zeroAddress, zeroHash } from 'viem'
import {
  disputeModuleAbi,
  disputeModuleBytecode,
  entryModuleAbi,
  entryModuleBytecode,
  evidenceModuleAbi,
  evidenceModuleBytecode,
  iLifeboatAbi,
  lifeboatAbi,
  lifeboatBytecode,
  massExitModuleAbi,
  massExitModuleBytecode,
} from '../../contracts/artifacts.generated.ts'
import type { Address, Hex } from '../../protocol/bytes.ts'
import { PRESETS } from '../../protocol/parameters.ts'
import { actors, asReverted, deploy, Reverted } from '../support/rootChain.ts'
import { fails, refuses, rootSuite } from './rootSuite.ts'

const { test, world } = rootSuite('modules')
const { alice, operator } = actors

const functionsOf = (abi: readonly unknown[]) => (abi as Abi).filter((entry) => entry.type === 'function')
const selectorsOf = (abi: readonly unknown[]) => functionsOf(abi).map((entry) => toFunctionSelector(entry))

/** A call with every value zero and every list empty. */
function zeroCall(entry: AbiFunction): Hex {
  const zeroOf = ({ type, components }: { type: string; components?: readonly unknown[] }): unknown => {
    if (type.endsWith('[]')) return []
    if (type === 'tuple')
      return Object.fromEntries(
        (components as never[]).map((each: { name: string; type: string }) => [each.name, zeroOf(each)]),
      )
    if (type === 'address') return zeroAddress
    if (type === 'bool') return false
    if (type === 'bytes') return '0x'
    if (type.startsWith('bytes')) return zeroHash
    return 0n
  }
  const values = entry.inputs.map((input) => zeroOf(input as never))
  const parameters = encodeAbiParameters(entry.inputs, values as never)
  return `${toFunctionSelector(entry)}${parameters.slice(2)}`
}

async function reply(to: Address, data: Hex): Promise<Hex | Reverted> {
  try {
    return (await world.chain.client.call({ account: alice.account, to, data })).data ?? '0x'
  } catch (error) {
    try {
      const reverted = asReverted(error)
      if (reverted instanceof Reverted) return reverted
    } catch {
      // A refusal that is not an error of ours, such as a decoder's.
    }
    return '0x'
  }
}

test('every function of the interface is in the root contract or in a module, and in one only', () => {
  const units = [lifeboatAbi, evidenceModuleAbi, disputeModuleAbi, massExitModuleAbi, entryModuleAbi].map(selectorsOf)
  for (const entry of functionsOf(iLifeboatAbi)) {
    const selector = toFunctionSelector(entry)
    assert.is(units.filter((selectors) => selectors.includes(selector)).length, 1, entry.name)
  }
})

test('the root contract answers every function of the interface: none is unknown', async () => {
  for (const entry of functionsOf(iLifeboatAbi)) {
    const answer = await reply(world.chain.root, zeroCall(entry))
    if (answer instanceof Reverted) assert.is.not(answer.errorName, 'UnknownCall', entry.name)
    if (entry.stateMutability === 'view') assert.type(answer, 'string', `${entry.name} answers`)
  }
})

test('an unknown call is refused by name, whatever its length', async () => {
  const { chain } = world
  for (const data of ['0x12345678', '0x00000000', `0x12345678${'00'.repeat(64)}`] as Hex[]) {
    const { args } = await refuses('UnknownCall', () => chain.send(alice.account, { data, valueWei: 0n }))
    assert.is(args[0], data.slice(0, 10))
  }
  await refuses('UnknownCall', () => chain.send(alice.account, { data: '0x', valueWei: 0n }))
})

test('a module refuses to be called directly wherever a call changes something', async () => {
  for (const [abi, address] of [
    [evidenceModuleAbi, world.chain.evidence],
    [disputeModuleAbi, world.chain.disputes],
    [massExitModuleAbi, world.chain.massExits],
    [entryModuleAbi, world.chain.entries],
  ] as const) {
    const changing = functionsOf(abi).filter(({ stateMutability }) => stateMutability !== 'view')
    assert.ok(changing.length >= 7)
    for (const entry of changing) {
      const answer = await reply(address, zeroCall(entry))
      assert.ok(answer instanceof Reverted, entry.name)
      assert.is(answer.errorName, 'DirectCall', entry.name)
    }
  }
  await refuses('UnknownCall', () =>
    world.chain.send(alice.account, { data: '0x12345678', valueWei: 0n }, world.chain.evidence),
  )
})

test('a call through the root contract runs in its storage, not in that of the module', async () => {
  const { chain } = world
  const nominate = functionsOf(iLifeboatAbi).find(({ name }) => name === 'nominateOperator') as AbiFunction
  await chain.send(operator.account, { data: zeroCall(nominate), valueWei: 0n })
  for (let slot = 0; slot < 5; slot++) {
    const stored = await chain.client.getStorageAt({ address: chain.evidence, slot: `0x${slot}` })
    assert.is(BigInt(stored as Hex), 0n)
  }
})

test('the domain is that of the root contract, also when the module computes it', async () => {
  const { chain } = world
  const own = await chain.read<Hex>('domainSeparator')
  assert.equal(Buffer.from(own.slice(2), 'hex').equals(Buffer.from(chain.separator)), true)
})

test('a module with other periods is refused, and so is an account that is no module', async () => {
  const { client, root } = world.chain
  const other = await deploy(client, evidenceModuleAbi, evidenceModuleBytecode, [
    { ...PRESETS.devnet, minExitPeriod: PRESETS.devnet.minExitPeriod + 1 },
  ])
  const deployWith = async (...modules: readonly Address[]) => {
    try {
      return await deploy(client, lifeboatAbi, lifeboatBytecode, [PRESETS.devnet, operator.address, ...modules])
    } catch (error) {
      throw asReverted(error)
    }
  }
  const good: readonly Address[] = [
    await deploy(client, evidenceModuleAbi, evidenceModuleBytecode, [PRESETS.devnet]),
    await deploy(client, disputeModuleAbi, disputeModuleBytecode, [PRESETS.devnet]),
    await deploy(client, massExitModuleAbi, massExitModuleBytecode, [PRESETS.devnet]),
    await deploy(client, entryModuleAbi, entryModuleBytecode, [PRESETS.devnet]),
  ]
  for (const wrong of [other, alice.address, root]) {
    const refuse = wrong === other ? (move: () => Promise<unknown>) => refuses('ModuleMismatch', move) : fails
    for (const i of good.keys()) await refuse(() => deployWith(...good.with(i, wrong)))
  }
  await deployWith(...good)
})

test('impossible periods are refused by the rule that they break', async () => {
  const { client, evidence, disputes, massExits, entries } = world.chain
  const broken = { ...PRESETS.devnet, reaction: 31 }
  const { args } = await refuses('ParametersImpossible', async () => {
    try {
      const modules = [evidence, disputes, massExits, entries]
      await deploy(client, lifeboatAbi, lifeboatBytecode, [broken, operator.address, ...modules])
    } catch (error) {
      throw asReverted(error)
    }
  })
  const rule = Buffer.from(String(args[0]).slice(2), 'hex').toString().replaceAll('\0', '')
  assert.is(rule, 'REACTION <= DC, DR')
})

test('the parameters can be read back as they were given', async () => {
  assert.equal({ ...(await world.chain.read<object>('parameters')) }, world.chain.parameters)
})

test.run()
