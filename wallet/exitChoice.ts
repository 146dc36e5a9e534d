/**
 * Which way an output leaves (docs/guide-wallet.md, "Which exit"; the wallet's rule of docs/spec.md section 6.3): by the standard exit,
 * in its own place, or by the dispute of the transaction that made it, in the place of that transaction's inputs. Pure.
 */
import type { Hash } from '../protocol/bytes.ts'
import { decodePosition, isDepositPosition } from '../protocol/position.ts'
import type { VerdictState } from './ports.ts'

/** The signed transaction that made the output, or that spends it, as far as it is known here. */
export type KnownTransaction = Readonly<{
  txHash: Hash
  /** Child block of its youngest input that is no deposit; left out where all are deposits. */
  youngestInput?: number
  verdict: VerdictState
}>

export type OutputSituation = Readonly<{
  position: number
  /** Newest child block on L1. */
  newest: number
  /** First void block, 0 while live. */
  voidFrom: number
  /** First block held for withheld or invalid. */
  suspectBlock?: number
  /** Somebody, or the wallet itself, shows how the output stands on L1. */
  isProven: boolean
  /** Another transaction is shown at the place that the operator promised to the one that made it. */
  isDisplaced?: boolean
  /** Undefined where nobody has it with its signatures. */
  made?: KnownTransaction
  /** An own payment of this output that no block on L1 holds. */
  spending?: KnownTransaction
}>

export type ExitChoice =
  | Readonly<{ way: 'standard'; why: string }>
  | Readonly<{ way: 'in-flight'; why: string; txHash: Hash }>
  | Readonly<{ way: 'none'; why: string; instead: string }>

/** Total and deterministic. */
export function chooseExit(at: OutputSituation): ExitChoice {
  const { position, newest, voidFrom, suspectBlock, isProven, made, spending } = at
  const { block } = decodePosition(position)
  if (spending && spending.verdict !== 'not-canonical' && !isDead(spending, voidFrom)) {
    return inFlight(spending, `your payment ${spending.txHash} spends this output and is in no block on L1`)
  }
  if (isDepositPosition(position)) return { way: 'standard', why: 'a deposit needs no block' }
  if (made?.verdict === 'not-canonical') {
    return {
      way: 'none',
      why: `the payment ${made.txHash} that made this output was judged not canonical`,
      instead: 'the owners of its inputs can take those out',
    }
  }
  if (made && made.verdict !== 'canonical' && isDead(made, voidFrom)) {
    return {
      way: 'none',
      why: `its block ${block} is void or not on L1, and the payment that made it spends what a void block made: it can never count`,
      instead: 'leave with what that was made from: `lifeboat exit --all` finds it',
    }
  }
  if (made?.verdict === 'running') {
    return inFlight(
      made,
      `a dispute about the payment ${made.txHash} that made this output runs: through it the output has the older place`,
    )
  }
  const trouble = troubleOf()
  if (trouble === undefined) return { way: 'standard', why: `its block ${block} is on L1 and open` }
  if (made && hasOlderPlace(made)) return inFlight(made, trouble)
  if (made && (made.youngestInput ?? 0) > newest) {
    return {
      way: 'none',
      why: `${trouble}, and so is an input of the payment that made it`,
      instead: 'leave with that payment',
    }
  }
  if (isProven && block <= newest && !isVoid(block))
    return { way: 'standard', why: `${trouble}, and no older place is to be had` }
  return made
    ? {
        way: 'none',
        why: `${trouble}, and an input of the payment that made it is of the same block`,
        instead: 'exit what you owned before',
      }
    : {
        way: 'none',
        why: `${trouble}, and the payment that made it is not kept here with its signatures`,
        instead: 'ask the payer for the file of `lifeboat payment save`, and read it with `lifeboat payment keep`',
      }

  function troubleOf(): string | undefined {
    if (block > newest) return `its block ${block} is not on L1`
    if (isVoid(block)) return `its block ${block} is void`
    if (at.isDisplaced) return `another transaction stands where the operator promised it, in block ${block}`
    if (isSuspect(block))
      return `block ${suspectBlock} is withheld or invalid and this output (block ${block}) is not older`
    return isProven ? undefined : `nobody shows its block ${block}`
  }

  /** Older than the output's own place, though perhaps not older than what is suspected: who suspects too much must not cost a place. */
  function hasOlderPlace({ youngestInput }: KnownTransaction): boolean {
    return youngestInput === undefined || !(youngestInput > newest || isVoid(youngestInput) || youngestInput >= block)
  }

  function isVoid(of: number): boolean {
    return voidFrom !== 0 && of >= voidFrom
  }

  function isSuspect(of: number): boolean {
    return suspectBlock !== undefined && of >= suspectBlock
  }
}

/** After a halt: it spends what a void block made, so that no block and no dispute will ever carry it out. */
export function isDead({ youngestInput }: Pick<KnownTransaction, 'youngestInput'>, voidFrom: number): boolean {
  return voidFrom !== 0 && youngestInput !== undefined && youngestInput >= voidFrom
}

function inFlight({ txHash }: KnownTransaction, why: string): ExitChoice {
  return { way: 'in-flight', why, txHash }
}
