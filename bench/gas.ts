/**
 * `npm run gas`: gas per operation, measured on anvil with Prague rules and full 65,536-transaction blocks. `--json` prints one object;
 * a key is the gas of one transaction (or of one part of it) from its receipt, refunds included.
 */
import { encodeFunctionData, parseEther } from 'viem'
import {
  encodeChallenge,
  encodeDepositErc20,
  encodeDepositEth,
  encodeProcessExits,
  encodeStartDepositExit,
  encodeStartStandardExit,
  encodeSubmitBlocks,
} from '../l1/rootCalls.ts'
import type { Commitment } from '../protocol/block.ts'
import { type Address, bytesToHex, type Hash, ZERO_HASH } from '../protocol/bytes.ts'
import type { Exit } from '../protocol/exit.ts'
import { keccak256Text } from '../protocol/keccak.ts'
import { encodePosition } from '../protocol/position.ts'
import { createOutput, type SignedTransaction } from '../protocol/transaction.ts'
import { testTokenAbi, testTokenBytecode } from '../test/contracts/artifacts.generated.ts'
import { startAnvil } from '../test/support/anvil.ts'
import { deposit, passTo, signMandate, turnsOf } from '../test/support/moves.ts'
import {
  type Actor,
  actors,
  createClient,
  deploy,
  deployRootChain,
  ETH,
  eventOf,
  exitOf,
  type RootChain,
} from '../test/support/rootChain.ts'
import { measureBatches } from './gasBatches.ts'
import { type FullBlock, type Gas, LEAVES, proofAt, submitFull } from './gasBlocks.ts'
import { measureDisputes } from './gasDisputes.ts'
import { measureProofs } from './gasProofs.ts'
import { measureSurety } from './gasSurety.ts'

const { alice, bob, mallory, watcher, carol, operator } = actors

/** Limits of the specification (docs/spec.md section 11); a key without one is only reported. */
export const GAS_LIMITS: Readonly<Record<string, number>> = {
  depositEth: 60_000,
  depositErc20: 85_000,
  submitBlock: 55_000,
  submitBlockEach: 25_000,
  startStandardExit_1in2out_65536: 100_000,
  challengeStandardExit_1in2out_65536: 70_000,
  processExits_eth_50of1000_each: 35_000,
  inFlightLife_2in2out: 450_000,
  proveInvalid_V1: 100_000,
  proveInvalid_V2: 200_000,
  proveInvalid_V3: 200_000,
  proveInvalid_V4: 100_000,
  proveInvalid_V5: 200_000,
  proveInvalid_V6: 100_000,
  proveInvalid_V1_16in16out: 1_000_000,
  proveInvalid_V3_16in16out: 1_000_000,
  proveInvalid_V5_16in16out: 1_000_000,
  inFlightLifeDisputed_2in2out: 600_000,
  revealData: 80_000,
  revealDataEach: 25_000,
  massExit_live_each_10000: 1_000,
  massExit_halted_each_10000: 1_000,
  strike: 110_000,
  strikeMany_each: 65_000,
  claim_eth: 110_000,
  claimMany_each: 65_000,
}

async function measureDeposits(chain: RootChain, gas: Gas): Promise<void> {
  await deposit(chain, bob)
  const eth = await chain.send(alice.account, encodeDepositEth(alice.address, parseEther('1')))
  gas['depositEth'] = Number(eth.receipt.gasUsed)
  const token = await deploy(chain.client, testTokenAbi, testTokenBytecode, ['Test', 'TST', 18])
  for (const data of [
    encodeFunctionData({ abi: testTokenAbi, functionName: 'mint', args: [alice.address, 10n ** 21n] }),
    encodeFunctionData({ abi: testTokenAbi, functionName: 'approve', args: [chain.root, 2n ** 256n - 1n] }),
  ]) {
    await chain.send(alice.account, { data, valueWei: 0n }, token)
  }
  const first = await chain.send(alice.account, encodeDepositErc20(token, 10n ** 18n, alice.address))
  gas['depositErc20_firstOfToken'] = Number(first.receipt.gasUsed)
  const next = await chain.send(alice.account, encodeDepositErc20(token, 10n ** 18n, alice.address))
  gas['depositErc20'] = Number(next.receipt.gasUsed)
}

async function measureSubmissions(chain: RootChain, gas: Gas): Promise<void> {
  await submitFull(chain, [], 1)
  gas['submitBlock'] = (await submitFull(chain, [], 1)).gas
  for (const count of [10, 30]) {
    const { number: anchor, hash } = await chain.client.getBlock()
    const [, newest] = await chain.read<readonly number[]>('head')
    const commitments: Commitment[] = Array.from({ length: count }, (_, i) => ({
      root: bytesToHex(keccak256Text(`root ${i}`)),
      txCount: LEAVES,
      anchor: Number(anchor),
    }))
    const sent = await chain.send(operator.account, encodeSubmitBlocks(Number(newest) + 1, commitments, hash as Hash))
    gas[`submitBlocks_${count}_each`] = Math.round(Number(sent.receipt.gasUsed) / count)
    gas['submitBlockEach'] = Math.round((Number(sent.receipt.gasUsed) - gas['submitBlock']) / (count - 1))
  }
}

async function measureExits(chain: RootChain, gas: Gas): Promise<void> {
  const input = await deposit(chain, alice)
  const pay = await chain.pay(alice, input, [
    [bob, parseEther('0.4')],
    [alice, parseEther('0.6')],
  ])
  const wide = await widePayment(chain)
  const block = await submitFull(chain, [pay, wide.signed], 12_345)
  const next = await chain.pay(bob, encodePosition({ block: block.number, index: 0, output: 0 }), [
    [mallory, parseEther('0.1')],
    [bob, parseEther('0.3')],
  ])
  const spends = await submitFull(chain, [next], 1)
  const shown = { transaction: pay.transaction, header: block.header, proof: proofAt(block, 0, pay) }
  const bondWei = (await chain.read<bigint>('exitBond')) * 2n
  const startAt = async (owner: Actor, output: number) =>
    chain.send(
      owner.account,
      encodeStartStandardExit({ position: encodePosition({ block: block.number, index: 0, output }), shown, bondWei }),
    )
  gas['startStandardExit_1in2out_65536_firstYoungOfAll'] = Number((await startAt(alice, 1)).receipt.gasUsed)
  const started = await startAt(bob, 0)
  gas['startStandardExit_1in2out_65536'] = Number(started.receipt.gasUsed)
  const challenged = await chain.send(
    watcher.account,
    encodeChallenge({
      exit: exitOf(started.events),
      spend: encodePosition({ block: spends.number, index: 0, output: 0 }),
      signed: next,
      header: spends.header,
      proof: proofAt(spends, 0, next),
      input: 0,
    }),
  )
  gas['challengeStandardExit_1in2out_65536'] = Number(challenged.receipt.gasUsed)
  await measureWideChallenge(chain, gas, { block, wide, bondWei })
  const mandate = await signMandate(chain, alice, {})
  const position = await deposit(chain, alice)
  const call = encodeStartDepositExit({ position, token: ETH, amount: parseEther('1'), bondWei, mandate })
  gas['startDepositExitFor'] = Number((await chain.send(watcher.account, call)).receipt.gasUsed)
}

/** 16 inputs, 16 outputs: the worst shape that a challenge can have. */
async function widePayment(chain: RootChain) {
  const inputs: number[] = []
  for (let i = 0; i < 16; i++) inputs.push(await deposit(chain, mallory))
  const outputs = Array.from({ length: 16 }, () => createOutput(bob.address, ETH, parseEther('1')))
  const signed = await chain.sign(
    { inputs, outputs, memo: bytesToHex(keccak256Text('memo')) },
    inputs.map(() => mallory),
  )
  return { inputs, signed }
}

async function measureWideChallenge(
  chain: RootChain,
  gas: Gas,
  { block, wide, bondWei }: { block: FullBlock; wide: Awaited<ReturnType<typeof widePayment>>; bondWei: bigint },
): Promise<void> {
  const position = wide.inputs[15] as number
  const started = await chain.send(
    mallory.account,
    encodeStartDepositExit({ position, token: ETH, amount: parseEther('1'), bondWei }),
  )
  gas['startDepositExit'] = Number(started.receipt.gasUsed)
  const index = 12_345
  const challenged = await chain.send(
    watcher.account,
    encodeChallenge({
      exit: exitOf(started.events),
      spend: encodePosition({ block: block.number, index, output: 0 }),
      signed: wide.signed,
      header: block.header,
      proof: proofAt(block, index, wide.signed),
      input: 15,
    }),
  )
  gas['challengeStandardExit_16in16out_65536'] = Number(challenged.receipt.gasUsed)
  gas['challengeStandardExit_16in16out_rewardPerGasGwei'] =
    Number(eventOf(challenged.events, 'EvidenceShown').reward / challenged.receipt.gasUsed / 10n ** 7n) / 100
}

/** 1,000 exits of 1,000 existing accounts, 50 of them processed in one call. */
async function measureQueue(chain: RootChain, gas: Gas, { young }: { young: boolean }): Promise<void> {
  const owners = Array.from(
    { length: 1_000 },
    (_, i) => bytesToHex(keccak256Text(`owner ${young} ${i}`)).slice(0, 42) as Address,
  )
  const inputs: number[] = []
  const transactions: SignedTransaction[] = []
  for (const owner of owners) {
    const input = await deposit(chain, alice, 2n)
    const outputs = [createOutput(owner, ETH, 1n), createOutput(alice.address, ETH, 1n)]
    transactions.push(await chain.sign({ inputs: [input], outputs, memo: ZERO_HASH }, [alice]))
    inputs.push(input)
  }
  const block = await submitFull(chain, transactions, 64)
  if (!young) await passTo(chain, block.header.timestamp + chain.parameters.minExitPeriod + 1)
  const bondWei = (await chain.read<bigint>('exitBond')) * 4n
  const exits: Exit[] = []
  for (const [i, owner] of owners.entries()) {
    const signed = transactions[i] as SignedTransaction
    await chain.client.setBalance({ address: owner, value: parseEther('10') })
    await chain.client.impersonateAccount({ address: owner })
    const shown = { transaction: signed.transaction, header: block.header, proof: proofAt(block, i * 64, signed) }
    const position = encodePosition({ block: block.number, index: i * 64, output: 0 })
    exits.push(exitOf((await chain.send(owner as never, encodeStartStandardExit({ position, shown, bondWei }))).events))
  }
  const last = exits[exits.length - 1] as Exit
  await passTo(chain, last.exitableAt + 1)
  const name = young ? 'young' : 'old'
  for (const count of [10, 50, 100]) {
    const turns = { ...turnsOf(exits.splice(0, count)), youngBlocks: young ? [block.header] : [] }
    const { receipt } = await chain.send(carol.account, encodeProcessExits(count, turns))
    gas[`processExits_eth_${count}of1000_each_${name}`] = Math.round(Number(receipt.gasUsed) / count)
  }
}

/** Progress goes to standard error, so that --json stays one object. */
function say(what: string): void {
  console.error(what)
}

async function main(): Promise<void> {
  const anvil = await startAnvil(['--gas-limit', '60000000'])
  const gas: Gas = {}
  try {
    const chain = await deployRootChain(createClient(anvil.url))
    say('deposits')
    await measureDeposits(chain, gas)
    say('submissions')
    await measureSubmissions(chain, gas)
    say('exits and challenges')
    await measureExits(chain, gas)
    say('disputes')
    await measureDisputes(await deployRootChain(createClient(anvil.url)), gas)
    say('fraud proofs')
    await measureProofs(await deployRootChain(createClient(anvil.url)), gas)
    say('data challenges and receipts')
    await measureSurety(await deployRootChain(createClient(anvil.url)), gas)
    say('mass exits')
    await measureBatches(await deployRootChain(createClient(anvil.url)), gas)
    // Each queue on a fresh chain: what is queued before would have its turn first.
    say('queue of 1,000 young exits')
    await measureQueue(await deployRootChain(createClient(anvil.url)), gas, { young: true })
    say('queue of 1,000 old exits')
    await measureQueue(await deployRootChain(createClient(anvil.url)), gas, { young: false })
    gas['processExits_eth_50of1000_each'] = Math.max(
      gas['processExits_eth_50of1000_each_young'] as number,
      gas['processExits_eth_50of1000_each_old'] as number,
    )
  } finally {
    anvil.stop()
  }
  print(gas)
}

function print(gas: Gas): void {
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify(gas))
  } else {
    for (const [key, value] of Object.entries(gas)) {
      const limit = GAS_LIMITS[key]
      console.log(`${key.padEnd(52)} ${String(value).padStart(9)}${limit === undefined ? '' : `  limit ${limit}`}`)
    }
  }
  const over = Object.entries(GAS_LIMITS).filter(([key, limit]) => !((gas[key] ?? Number.POSITIVE_INFINITY) <= limit))
  for (const [key, limit] of over) console.error(`${key}: got ${gas[key]}, want at most ${limit}`)
  if (over.length > 0) process.exitCode = 1
}

await main()
