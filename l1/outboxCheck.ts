/**
 * Is an act still worth sending (docs/spec.md, "The outbox"): asked before the first send, before every bump, and at every new block
 * while it waits. Only mined state can make an act done: a rival's pending transaction may never be mined.
 */
import { type Abi, decodeErrorResult } from 'viem'
import type { Hex } from '../protocol/bytes.ts'
import { isLifeboatError, retryable } from '../protocol/errors.ts'
import type { OutboxContext } from './outboxContext.ts'
import type { OutboxRow } from './outboxIntent.ts'
import type { OutboxCall, Simulation, StateTag } from './outboxRpc.ts'

export type Verdict =
  | Readonly<{ kind: 'go'; tag: StateTag }>
  | Readonly<{ kind: 'done'; words: string }>
  | Readonly<{ kind: 'reverts'; words: string }>

/** Gas of one transaction since Osaka (EIP-7825): an estimate is not padded beyond it. */
const TRANSACTION_GAS_CAP = 16_777_216n

/** `hasEarlier`: transactions of ours with lower nonces wait, and this one may build on them. Throws (retryable) HOOK_FAILED. */
export async function judge(context: OutboxContext, row: OutboxRow, hasEarlier: boolean): Promise<Verdict> {
  if (await askIsDone(context, row)) return { kind: 'done', words: 'its aim is reached already' }
  const call = callOf(context, row)
  const now = await context.rpc.simulate(call, 'latest')
  if (!now.reverted) return { kind: 'go', tag: 'latest' }
  const revert = readRevert(context.errorsAbi, now)
  if (revert.name !== undefined && row.intent.doneErrors.includes(revert.name))
    return { kind: 'done', words: revert.words }
  if (hasEarlier && !(await context.rpc.simulate(call, 'pending')).reverted) return { kind: 'go', tag: 'pending' }
  return { kind: 'reverts', words: revert.words }
}

/** Gas limit for sending it now, or the revert in words. */
export async function gasFor(
  context: OutboxContext,
  row: OutboxRow,
  tag: StateTag,
): Promise<Readonly<{ gas: bigint }> | Readonly<{ gas?: never; words: string }>> {
  if (row.intent.gasLimit !== undefined) return { gas: row.intent.gasLimit }
  const estimate = await context.rpc.estimateGas(callOf(context, row), tag)
  if (estimate.reverted) return { words: readRevert(context.errorsAbi, estimate).words }
  const gas = estimate.gas ?? 21_000n
  // A quarter more, and another quarter for each time it was not enough: state moves between the estimate and the block.
  const padded = (gas * BigInt(5 + row.reverts)) / 4n
  const cap = gas > TRANSACTION_GAS_CAP ? gas : TRANSACTION_GAS_CAP
  return { gas: padded < cap ? padded : cap }
}

/** The contract's own error with its fields, or whatever is known. */
export function readRevert(
  abi: Abi,
  { data, message }: Extract<Simulation, { reverted: true }>,
): Readonly<{ name?: string; words: string }> {
  if (data === undefined) return { words: message }
  try {
    const { errorName, args } = decodeErrorResult({ abi, data: data as Hex })
    const values = (args ?? []) as readonly unknown[]
    if (errorName === 'Error') return { name: errorName, words: `reverted: ${String(values[0])}` }
    const entry = abi.find((item) => item.type === 'error' && item.name === errorName)
    const names = entry && 'inputs' in entry ? (entry.inputs ?? []).map(({ name }) => name) : []
    const shown = values.map((value, i) => `${names[i] || i} ${String(value)}`).join(', ')
    return { name: errorName, words: shown === '' ? errorName : `${errorName}: ${shown}` }
  } catch {
    return { words: `${message} (${data.length > 74 ? `${data.slice(0, 74)}...` : data})` }
  }
}

async function askIsDone({ isDone }: OutboxContext, { intent }: OutboxRow): Promise<boolean> {
  if (!isDone) return false
  try {
    return await isDone(intent)
  } catch (cause) {
    if (isLifeboatError(cause) && cause.family === 'bug') throw cause
    const got = cause instanceof Error ? cause.message : String(cause)
    throw retryable('HOOK_FAILED', `can't tell whether ${intent.key} is done`, { got, want: 'an answer' }, cause)
  }
}

function callOf({ sender }: OutboxContext, { intent }: OutboxRow): OutboxCall {
  const { to, data, valueWei, gasLimit } = intent
  return { from: sender, to, data, valueWei, ...(gasLimit !== undefined && { gas: gasLimit }) }
}
