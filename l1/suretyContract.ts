/**
 * The surety (contracts/ISurety.sol) in our own words: its events as data, its calls as bytes. Nothing here does I/O.
 */
import { decodeEventLog, encodeFunctionData, toEventSelector } from 'viem'
import { iSuretyAbi } from '../contracts/artifacts.generated.ts'
import type { Header, InclusionProof } from '../protocol/block.ts'
import { type Address, bytesToHex, concatBytes, type Hash, type Hex, hexToBytes, ZERO_HASH } from '../protocol/bytes.ts'
import type { DataChallenge, LeafRange } from '../protocol/dataChallenge.ts'
import { bug } from '../protocol/errors.ts'
import type { SignedReceipt } from '../protocol/receipt.ts'
import { type SignedTransaction, WITNESS_SIZE } from '../protocol/transaction.ts'
import { call, lower, NO_HEADER, transactionArgument } from './rootArguments.ts'
import type { RootCall } from './rootCalls.ts'
import type { RootLog } from './rootEvents.ts'

export type SuretyEventBody =
  | Readonly<{ type: 'BondPosted'; from: Address; amount: bigint; bond: bigint }>
  | Readonly<{ type: 'BondTaken'; operator: Address; amount: bigint }>
  /** `bond`: what is left. */
  | Readonly<{ type: 'BondSlashed'; reporter: Address; taken: bigint; bond: bigint }>
  | Readonly<{ type: 'DataChallenged'; challenge: DataChallenge }>
  /** `paid` in wei, to the answerer. */
  | (Readonly<{ type: 'DataRevealed'; answerer: Address; paid: bigint }> & LeafRange)
  /** What one answer revealed. `path`: as `proveRange` gives it. */
  | (Readonly<{ type: 'LeavesRevealed'; transactions: readonly SignedTransaction[]; path: readonly Hash[] }> &
      LeafRange)
  | (Readonly<{ type: 'DataChallengeEnded'; isHalt: boolean }> & LeafRange)
  | Readonly<{ type: 'ReceiptBroken'; blockNumber: number; index: number; txHash: Hash; reporter: Address }>
  | Readonly<{ type: 'SuretyCredited'; account: Address; amount: bigint }>

const EVENTS = iSuretyAbi.filter((item) => item.type === 'event')
const TOPICS = new Set<string>(EVENTS.map((event) => toEventSelector(event)))

/** True for a log of an event that only the surety has. */
export function isSuretyLog(log: RootLog): boolean {
  return TOPICS.has(log.topics[0] ?? '')
}

/** Throws SURETY_EVENT_UNKNOWN. */
export function decodeSuretyLog(log: RootLog): SuretyEventBody {
  const event = readLog(log)
  switch (event.eventName) {
    case 'BondPosted': {
      const { from, amount, bond } = event.args
      return { type: 'BondPosted', from: lower(from), amount, bond }
    }
    case 'BondTaken':
      return { type: 'BondTaken', operator: lower(event.args.operator), amount: event.args.amount }
    case 'BondSlashed': {
      const { reporter, taken, bond } = event.args
      return { type: 'BondSlashed', reporter: lower(reporter), taken, bond }
    }
    case 'DataChallenged': {
      const { challenge } = event.args
      return { type: 'DataChallenged', challenge: { ...challenge, challenger: lower(challenge.challenger) } }
    }
    case 'DataRevealed': {
      const { blockNumber, first, levels, answerer, paid } = event.args
      return { type: 'DataRevealed', blockNumber: Number(blockNumber), first, levels, answerer: lower(answerer), paid }
    }
    case 'LeavesRevealed': {
      const { blockNumber, first, levels, transactions, witnesses, path } = event.args
      const all = hexToBytes(witnesses)
      let offset = 0
      const signed = transactions.map((transaction): SignedTransaction => {
        const size = WITNESS_SIZE * transaction.inputs.length
        const own = all.slice(offset, offset + size)
        offset += size
        return { transaction: readTransaction(transaction), witnesses: own }
      })
      return { type: 'LeavesRevealed', blockNumber: Number(blockNumber), first, levels, transactions: signed, path }
    }
    case 'DataChallengeEnded': {
      const { blockNumber, first, levels, isHalt } = event.args
      return { type: 'DataChallengeEnded', blockNumber: Number(blockNumber), first, levels, isHalt }
    }
    case 'ReceiptBroken':
      return { type: 'ReceiptBroken', ...event.args, reporter: lower(event.args.reporter) }
    case 'SuretyCredited':
      return { type: 'SuretyCredited', account: lower(event.args.account), amount: event.args.amount }
  }
}

type RevealedTransaction = Extract<
  ReturnType<typeof readLog>,
  { eventName: 'LeavesRevealed' }
>['args']['transactions'][number]

function readTransaction({ inputs, outputs, memo }: RevealedTransaction) {
  return {
    inputs: inputs.map(Number),
    outputs: outputs.map((output) => ({ ...output, owner: lower(output.owner), token: lower(output.token) })),
    memo,
  }
}

function readLog(log: RootLog) {
  try {
    return decodeEventLog({ abi: EVENTS, topics: [...log.topics] as [Hex, ...Hex[]], data: log.data })
  } catch (cause) {
    const details = { got: log.topics[0], want: 'an event of ISurety' }
    throw bug('SURETY_EVENT_UNKNOWN', 'the surety logged something we cannot read', details, cause)
  }
}

export function encodePostBond(amountWei: bigint): RootCall {
  return call(encodeFunctionData({ abi: iSuretyAbi, functionName: 'postBond' }), amountWei)
}

export function encodeTakeBond(): RootCall {
  return call(encodeFunctionData({ abi: iSuretyAbi, functionName: 'takeBond' }))
}

export function encodeChallengeData(
  { blockNumber, first, levels }: LeafRange,
  header: Header,
  bondWei: bigint,
): RootCall {
  const args = [blockNumber, header, first, levels] as const
  return call(encodeFunctionData({ abi: iSuretyAbi, functionName: 'challengeData', args }), bondWei)
}

/** `range`: what is revealed; `challenges` inside it. `path`: as `proveRange` gives it. */
export function encodeRevealData(
  { first, levels }: Pick<LeafRange, 'first' | 'levels'>,
  challenges: readonly DataChallenge[],
  revealed: readonly SignedTransaction[],
  path: readonly Hash[],
): RootCall {
  const transactions = revealed.map(({ transaction }) => transactionArgument(transaction))
  const witnesses = bytesToHex(concatBytes(...revealed.map((signed) => signed.witnesses)))
  const args = [first, levels, challenges, transactions, witnesses, path] as const
  return call(encodeFunctionData({ abi: iSuretyAbi, functionName: 'revealData', args }))
}

export function encodeEndChallenge(challenge: DataChallenge): RootCall {
  return call(encodeFunctionData({ abi: iSuretyAbi, functionName: 'endChallenge', args: [challenge] }))
}

/** `proof`: what `encodeFraudProof` gives. */
export function encodeReportFraud(proof: RootCall): RootCall {
  return call(encodeFunctionData({ abi: iSuretyAbi, functionName: 'reportFraud', args: [proof.data] }))
}

export function encodeSlashForHalt(): RootCall {
  return call(encodeFunctionData({ abi: iSuretyAbi, functionName: 'slashForHalt' }))
}

export function encodeSlashForInvalid(transactionPosition: number): RootCall {
  const args = [BigInt(transactionPosition)] as const
  return call(encodeFunctionData({ abi: iSuretyAbi, functionName: 'slashForInvalid', args }))
}

/** What stands at a receipt's place. */
export type StandingAt = Readonly<{ txHash: Hash; proof: InclusionProof }>

/** `header`: of the receipt's block where the chain has it; `standing` where the header alone does not contradict. */
export function encodeBreakReceipt(signed: SignedReceipt, header?: Header, standing?: StandingAt): RootCall {
  const shown = {
    txHash: standing?.txHash ?? ZERO_HASH,
    witnessesHash: standing?.proof.witnessesHash ?? ZERO_HASH,
    proof: { header: header ?? NO_HEADER, path: standing?.proof.path ?? [] },
  }
  const args = [signed, header ?? NO_HEADER, shown] as const
  return call(encodeFunctionData({ abi: iSuretyAbi, functionName: 'breakReceipt', args }))
}

export function encodeBreakReceipts(a: SignedReceipt, b: SignedReceipt): RootCall {
  return call(encodeFunctionData({ abi: iSuretyAbi, functionName: 'breakReceipts', args: [a, b] }))
}

export function encodeWithdrawSuretyCredit(account: Address): RootCall {
  return call(encodeFunctionData({ abi: iSuretyAbi, functionName: 'withdrawCredit', args: [account] }))
}
