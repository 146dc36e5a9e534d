/** What L1 would do on the calls of a dispute, as far as the wallet reads it again: records and events in the fake world. */
import { decodeFunctionData } from 'viem'
import { iLifeboatAbi } from '../../contracts/artifacts.generated.ts'
import { type Address, bytesToHex, type Hash, type Hex, hexToBytes, ZERO_HASH } from '../../protocol/bytes.ts'
import { type Dispute, type DisputeInput, disputeAge, hashDispute, hashDisputeInputs } from '../../protocol/dispute.ts'
import { type Exit, hashExit } from '../../protocol/exit.ts'
import { isDepositPosition, outputIdAt, outputIdOf } from '../../protocol/position.ts'
import { hashTransaction, type SignedTransaction } from '../../protocol/transaction.ts'
import type { WalletContext } from '../../wallet/context.ts'
import type { L1Act, L1Done, VerdictState } from '../../wallet/ports.ts'
import { type FakeWorld, NO_EXIT } from './fakeWorld.ts'

const AT = { l1Block: 9, l1BlockHash: ZERO_HASH, l1Timestamp: 1, logIndex: 0, txHash: ZERO_HASH }

export function callOf({ call }: L1Act) {
  return decodeFunctionData({ abi: iLifeboatAbi, data: call.data })
}

/** Makes every wallet's calls happen on the fake L1, sent by `sender`. */
export function mineDisputes(world: FakeWorld, sender: WalletContext): void {
  world.onSend = (act) => mine(world, sender, act)
}

function mine(world: FakeWorld, sender: WalletContext, act: L1Act): L1Done {
  const before = world.events.length
  const { functionName, args } = callOf(act)
  const from = sender.account.address
  if (functionName === 'startDispute') {
    const [transaction, witnesses, , , outputs, , bondEach] = args
    const signed = signedOf(transaction, witnesses)
    const dispute = recordDispute(world, signed, { starter: from, separator: sender.separator })
    for (const output of outputs) recordExit(world, dispute, signed, { output: Number(output), bond: bondEach })
  } else if (functionName === 'startDisputedExits') {
    const [{ txHash }, transaction, outputs] = args
    const dispute = disputeOf(world, txHash)
    const bond = act.call.valueWei / BigInt(outputs.length)
    for (const output of outputs) {
      recordExit(world, dispute, signedOf(transaction, '0x'), { output: Number(output), bond })
    }
  } else if (functionName === 'answerDispute') {
    const [{ txHash }, { position }] = args
    world.events.push({ type: 'DisputeAnswered', txHash, position: Number(position), at: AT })
  } else if (functionName === 'decide') {
    setVerdict(world, args[0].txHash, 'canonical')
  } else if (functionName === 'startStandardExit' || functionName === 'startDepositExit') {
    recordStandardExit(world, act, from)
  } else {
    throw new Error(`the fake L1 does not know ${functionName}`)
  }
  return { txHash: ZERO_HASH, l1Block: 9, events: world.events.slice(before) }
}

type Shown = Readonly<{ starter: Address; separator: Uint8Array; exitableAt?: number }>

/** The dispute as it would stand on L1. */
export function recordDispute(
  world: FakeWorld,
  signed: SignedTransaction,
  { starter, separator, exitableAt }: Shown,
): Dispute {
  const txHash = bytesToHex(hashTransaction(signed.transaction, separator))
  const inputs = signed.transaction.inputs.map((position): DisputeInput => {
    const { owner, token, amount } = world.outputs.get(position)!
    const maker = [...world.accepted.entries()].find(([, one]) => one.position === position - (position % 16))
    const madeBy = isDepositPosition(position) ? ZERO_HASH : maker![0]
    return { outputId: outputIdAt(position, madeBy), madeBy, position, owner, token, amount, lockedAt: 10 }
  })
  const startedAt = Math.floor(world.nowSeconds)
  const age = disputeAge(inputs.map(({ position }) => ({ position, blockTime: 1 })))
  const dispute: Dispute = {
    txHash,
    ...age,
    startedAt,
    exitableAt: exitableAt ?? startedAt + 240,
    lockedAt: 10,
    suspends: 0,
    starter,
    bond: 1n,
    inputsHash: hashDisputeInputs(inputs),
  }
  world.events.push({ type: 'DisputeStarted', dispute, inputs, signed, at: AT })
  world.disputes.set(txHash, {
    disputeHash: hashDispute(dispute).slice(0, 52) as Hex,
    verdict: 'running',
    answer: 0,
    hasCompetitor: false,
    bondFell: false,
    unweighed: 0,
  })
  return dispute
}

export function setVerdict(world: FakeWorld, txHash: Hash, verdict: VerdictState): void {
  world.disputes.set(txHash, { ...world.disputes.get(txHash)!, verdict })
}

export function disputeOf(world: FakeWorld, txHash: Hash): Dispute {
  const found = world.events.find((event) => event.type === 'DisputeStarted' && event.dispute.txHash === txHash)
  if (found?.type !== 'DisputeStarted') throw new Error(`no dispute of ${txHash}`)
  return found.dispute
}

function recordExit(
  world: FakeWorld,
  { txHash, agePosition, exitableAt }: Dispute,
  { transaction }: SignedTransaction,
  { output, bond }: Readonly<{ output: number; bond: bigint }>,
): void {
  const { owner, token, amount } = transaction.outputs[output]!
  const outputId = outputIdOf(hexToBytes(txHash), output)
  pushExit(world, { outputId, position: agePosition, owner, token, amount, exitableAt, bond, disputed: txHash })
}

function recordStandardExit(world: FakeWorld, { key, call }: L1Act, owner: Address): void {
  const outputId = key.split(':')[1] as Hash
  const exit = { outputId, position: 0, owner, token: owner, amount: 1n, exitableAt: 2_000_000, disputed: ZERO_HASH }
  pushExit(world, { ...exit, bond: call.valueWei })
}

export function pushExit(
  world: FakeWorld,
  fields: Omit<Exit, 'young' | 'seq' | 'startedAt' | 'lockedAt' | 'payer'>,
): Exit {
  const exit: Exit = { ...fields, young: false, seq: 0, startedAt: 1, lockedAt: 1, payer: fields.owner }
  const exitHash = hashExit(exit).slice(0, 52) as Hex
  world.records.set(exit.outputId, { ...NO_EXIT, exitHash, state: 'queued' })
  world.events.push({ type: 'ExitStarted', exit, at: AT })
  return exit
}

type TransactionArgument = Readonly<{
  inputs: readonly bigint[]
  outputs: readonly Readonly<{ owner: string; token: string; amount: bigint; condition: Hex }>[]
  memo: Hex
}>

function signedOf({ inputs, outputs, memo }: TransactionArgument, witnesses: Hex): SignedTransaction {
  const lower = (address: string) => address.toLowerCase() as Address
  const made = outputs.map((output) => ({ ...output, owner: lower(output.owner), token: lower(output.token) }))
  return { transaction: { inputs: inputs.map(Number), outputs: made, memo }, witnesses: hexToBytes(witnesses) }
}
