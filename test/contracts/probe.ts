/** HashingProbe on a test L1: many view calls in few requests, each answered with its value or as refused. */
import { type Abi, decodeErrorResult, decodeFunctionResult, encodeFunctionData, type Hex } from 'viem'
import { iLifeboatAbi } from '../../contracts/artifacts.generated.ts'
import type { Address } from '../../protocol/bytes.ts'
import type { Dispute, DisputeInput } from '../../protocol/dispute.ts'
import type { Exit } from '../../protocol/exit.ts'
import type { Mandate } from '../../protocol/mandate.ts'
import type { Transaction } from '../../protocol/transaction.ts'
import { deploy, type TestClient } from '../support/rootChain.ts'
import { hashingProbeAbi, hashingProbeBytecode } from './artifacts.generated.ts'

export type ProbeCall = Readonly<{ name: string; args: readonly unknown[] }>
export type Answer = Readonly<{ value: unknown } | { refused: Hex | undefined }>

const CALLS_PER_REQUEST = 200
/** anvil drops larger request bodies. */
const REQUEST_DIGITS = 1_000_000

/** `eth_call`s in JSON-RPC batches. A call without `to` is a constructor. */
export async function callMany(
  url: string,
  calls: readonly Readonly<{ to?: Address; data: Hex }>[],
): Promise<RawAnswer[]> {
  const answers: RawAnswer[] = []
  const longest = Math.max(...calls.map(({ data }) => data.length), 1)
  const size = Math.max(1, Math.min(CALLS_PER_REQUEST, Math.floor(REQUEST_DIGITS / longest)))
  for (let at = 0; at < calls.length; at += size) {
    const batch = calls.slice(at, at + size)
    const body = JSON.stringify(
      batch.map((call, id) => ({ jsonrpc: '2.0', id, method: 'eth_call', params: [call, 'latest'] })),
    )
    const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    const replies = (await response.json()) as (RawAnswer & { id: number })[]
    if (replies.length !== batch.length) throw new Error(`got ${replies.length} answers, want ${batch.length}`)
    answers.push(...replies.sort((a, b) => a.id - b.id))
  }
  return answers
}

export type RawAnswer = { result?: Hex; error?: { message: string; data?: Hex } }

export async function createProbe(client: TestClient, url: string) {
  const to = await deploy(client, hashingProbeAbi, hashingProbeBytecode, [])
  const abi = hashingProbeAbi as Abi

  return async function probe(calls: readonly ProbeCall[]): Promise<Answer[]> {
    const encoded = calls.map(({ name, args }) => ({
      to,
      data: encodeFunctionData({ abi, functionName: name, args }),
    }))
    const answers = await callMany(url, encoded)
    return answers.map(({ result, error }, i) =>
      result === undefined
        ? { refused: error?.data }
        : { value: decodeFunctionResult({ abi, functionName: calls[i]!.name, data: result }) },
    )
  }
}

/** The value, in lower case where it is text; a refusal fails the test. */
export function answered(answer: Answer | undefined): unknown {
  if (!answer || !('value' in answer)) throw new Error(`got a refusal (${answer?.refused}), want a value`)
  return typeof answer.value === 'string' ? answer.value.toLowerCase() : answer.value
}

/** Whether a constructor's refusal is about the parameters; with the wrong module, good ones get as far as ModuleMismatch. */
export function isRefusedForParameters({ result, error }: RawAnswer): boolean {
  if (result !== undefined) return false
  const { errorName } = decodeErrorResult({ abi: iLifeboatAbi, data: error?.data ?? '0x' })
  if (errorName !== 'ParametersImpossible' && errorName !== 'ModuleMismatch') throw new Error(`got ${errorName}`)
  return errorName === 'ParametersImpossible'
}

export const transactionArgument = ({ inputs, outputs, memo }: Transaction) => ({
  inputs: inputs.map(BigInt),
  outputs,
  memo,
})
export const exitArgument = (exit: Exit) => ({ ...exit, position: BigInt(exit.position) })
export const disputeArgument = (dispute: Dispute) => ({ ...dispute, agePosition: BigInt(dispute.agePosition) })
export const disputeInputArgument = (input: DisputeInput) => ({ ...input, position: BigInt(input.position) })
export const mandateArgument = (mandate: Mandate) => ({
  ...mandate,
  validFrom: BigInt(mandate.validFrom),
  validUntil: BigInt(mandate.validUntil),
  position: BigInt(mandate.position),
  epoch: BigInt(mandate.epoch),
})
