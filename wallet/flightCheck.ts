/**
 * The preflight of a dispute (docs/spec.md section 6.3.1): whatever L1 would refuse, and what could only end in a verdict that is not
 * canonical, is said before a bond is sent, with what to do instead.
 */
import { bytesToHex, type Hash } from '../protocol/bytes.ts'
import { suspensionDeadline } from '../protocol/dispute.ts'
import { invalid, retryable } from '../protocol/errors.ts'
import type { Exit } from '../protocol/exit.ts'
import { decodePosition, isDepositPosition, transactionPosition } from '../protocol/position.ts'
import { hashTransaction, type SignedTransaction } from '../protocol/transaction.ts'
import type { WalletContext } from './context.ts'
import { isVoidAt } from './disputes.ts'
import type { ProvenOutput } from './exitData.ts'
import { findExit } from './exits.ts'
import {
  checkBalance,
  checkForm,
  checkWitnesses,
  collectInputs,
  type Flight,
  isSpentBy,
  mendWitnesses,
  type ProvenFlight,
} from './flight.ts'
import { findElsewhere } from './keep.ts'
import type { ProvenExitData } from './proofs.ts'

/** `exits`: those that inputs have, in order, as the call wants them. `doomed`: why the verdict can only be not canonical. */
export type CheckedFlight = ProvenFlight & Readonly<{ exits: readonly Exit[]; doomed: readonly string[] }>

export type CheckOptions = Readonly<{ unsafeDoomed?: boolean; suspectBlock?: number }>

/**
 * Throws FLIGHT_NOT_YOURS, FLIGHT_WRONG, FLIGHT_UNSIGNED, FLIGHT_UNBALANCED, INPUT_UNPROVEN (retryable where somebody could not be
 * reached), INPUT_VOID, INPUT_INVALID, INPUT_REFUTED, INPUT_SPENT, FLIGHT_DOOMED, EXIT_HIDDEN (retryable).
 */
export async function proveFlight(
  wallet: WalletContext,
  flight: Flight,
  options: CheckOptions,
): Promise<CheckedFlight> {
  const { txHash } = flight
  const hash = checkForm(flight.signed, wallet.separator)
  if (hash !== txHash)
    throw invalid('FLIGHT_WRONG', 'the transaction is not the one named', { got: hash, want: txHash })
  const { proven, unproven } = await collectInputs(wallet, flight.signed)
  const outputs = proven.map(({ output }) => output)
  const signed = await signedByOwners(wallet, flight, outputs)
  if (unproven.length > 0) throw await inputsUnproven(wallet, unproven)
  const me = wallet.account.address
  const owners = [...outputs, ...signed.transaction.outputs].map(({ owner }) => owner)
  if (!owners.includes(me)) {
    throw invalid('FLIGHT_NOT_YOURS', 'you are neither a payer nor a payee of this transaction', {
      got: me,
      want: [...new Set(owners)],
    })
  }
  checkBalance(signed, outputs)
  for (const input of proven) await refuseFallen(wallet, input)
  const { exits, doomed } = await inputExits(wallet, proven)
  const reasons = [...doomed, ...rivalSpends(wallet, flight, outputs)]
  refuseDoomed(reasons, { ownsInput: outputs.some(({ owner }) => owner === me), ...options, txHash })
  return { ...flight, signed, inputs: proven, exits, doomed: reasons }
}

/**
 * A file with false signatures must not take the place of true ones that came otherwise: those kept here are tried, then whoever answers.
 * Throws FLIGHT_UNSIGNED.
 */
async function signedByOwners(
  wallet: WalletContext,
  { txHash, signed }: Flight,
  outputs: readonly ProvenOutput[],
): Promise<SignedTransaction> {
  const about = { outputs, separator: wallet.separator }
  const ownVariants = wallet.store.flightVariants(txHash).filter((one) => hashOf(wallet, one) === txHash)
  const mended = mendWitnesses(signed, ownVariants, about)
  try {
    checkWitnesses(mended, txHash, about)
    return mended
  } catch (error) {
    const others = await findElsewhere(wallet, txHash)
    const whole = mendWitnesses(mended, others, about)
    if (others.length === 0) throw error
    checkWitnesses(whole, txHash, about)
    return whole
  }
}

const hashOf = ({ separator }: WalletContext, { transaction }: SignedTransaction) =>
  bytesToHex(hashTransaction(transaction, separator))

/** In words, for the person who goes on. */
export function warningsOf({ doomed, inputs, exits }: CheckedFlight, { suspectBlock }: CheckOptions): string[] {
  const age = inputs.filter(({ data }) => data.kind === 'transaction').at(-1)?.output.position
  const isYoung = suspectBlock !== undefined && age !== undefined && decodePosition(age).block >= suspectBlock
  return [
    ...doomed.map((reason) => `the verdict will not be for the payment: ${reason}`),
    ...exits.map(
      ({ position }) => `the exit of input ${position} waits for the verdict, and is cancelled if the payment stands`,
    ),
    ...(isYoung
      ? [
          `block ${suspectBlock} is withheld or invalid and an input (block ${decodePosition(age).block}) is not older: what leaves by this ` +
            'dispute has its turn after all older outputs, and is void if the chain is halted at that block',
        ]
      : []),
  ]
}

async function inputsUnproven(wallet: WalletContext, unproven: Awaited<ReturnType<typeof collectInputs>>['unproven']) {
  const { newest } = await wallet.root.head()
  const young = unproven.filter(
    ({ position }) => !isDepositPosition(position) && decodePosition(position).block > newest,
  )
  const parents = young.flatMap(({ position }) => wallet.store.flightAt(transactionPosition(position))?.txHash ?? [])
  const make = unproven.some(({ error }) => error.family === 'retryable') ? retryable : invalid
  return make(
    'INPUT_UNPROVEN',
    'nobody shows how an input stands on L1, and L1 takes a dispute only with all of them shown',
    {
      got: Object.fromEntries(unproven.map(({ position, error }) => [position, error.details.got ?? error.message])),
      want:
        parents.length > 0
          ? `inputs in blocks on L1; leave with the payment that made it instead: \`lifeboat exit --in-flight ${parents[0]}\``
          : 'a proof from the operator or a watcher (--watcher-urls), or the payer’s file (`lifeboat payment keep`)',
      inputs: unproven.map(({ position }) => position),
    },
  )
}

async function refuseFallen({ root, report }: WalletContext, { data, output }: ProvenExitData): Promise<void> {
  if (data.kind === 'deposit') return
  const { position } = output
  const { voidFrom } = await root.head()
  const about = { input: position }
  if (isVoidAt(position, voidFrom)) {
    throw invalid('INPUT_VOID', 'an input is void: the chain was halted at or below its block', {
      got: `block ${decodePosition(position).block}`,
      want: `inputs of blocks below ${voidFrom}; exit what you owned before`,
      ...about,
    })
  }
  if (await root.isInvalid(transactionPosition(position))) {
    throw invalid('INPUT_INVALID', 'the transaction that made an input was proven invalid on L1', {
      got: transactionPosition(position),
      want: 'inputs made by valid transactions',
      ...about,
    })
  }
  const { verdict } = await root.disputeRecord(data.txHash)
  if (verdict === 'running') report(`the verdict will wait for that about ${data.txHash}, which made input ${position}`)
  if (verdict === 'not-canonical') {
    throw invalid(
      'INPUT_REFUTED',
      'the payment that made an input was judged not canonical: it counts as never included',
      {
        got: data.txHash,
        want: 'inputs that exist; the payer’s own inputs of that payment are the payer’s again',
        ...about,
      },
    )
  }
}

/** The exits that inputs have, and why the verdict can only go against the payment. Throws INPUT_SPENT, EXIT_HIDDEN. */
async function inputExits(wallet: WalletContext, inputs: readonly ProvenExitData[]) {
  const { root } = wallet
  const [{ timestamp }, { lastMove }] = [await root.now(), await root.head()]
  const exits: Exit[] = []
  const doomed: string[] = []
  for (const { output } of inputs) {
    const { position, outputId } = output
    const { state } = await root.exitRecord(outputId)
    if (state === 'removed') {
      throw invalid(
        'INPUT_SPENT',
        'evidence of a spend removed an input’s exit for good: L1 takes no dispute about it',
        {
          got: state,
          want: 'the payment in a block on L1 (`lifeboat exit <position>`), if the spend is this payment',
          input: position,
        },
      )
    }
    if (state === 'none' || state === 'locked') continue
    if (state !== 'queued' && state !== 'ticket') {
      doomed.push(`input ${position} was paid out on L1, or passed on by another verdict`)
      continue
    }
    const known = await findExit(root, outputId)
    if (!known) {
      throw retryable('EXIT_HIDDEN', 'an input has an exit on L1, and the endpoint does not show how it began', {
        got: state,
        want: 'its ExitStarted event; try again, or another L1 endpoint',
        input: position,
      })
    }
    exits.push(known.exit)
    const until = suspensionDeadline(known.exit.exitableAt, root.parameters.minExitPeriod, lastMove)
    if (timestamp > until) {
      doomed.push(
        `input ${position} leaves by an exit that a dispute could stop only until ${until}, and it is ${timestamp} now`,
      )
    }
  }
  return { exits, doomed }
}

/** Other transactions that are kept here, spend an input of this one by its owner's word, and have an older place. */
function rivalSpends(
  { store, account, separator }: WalletContext,
  { txHash, position }: Flight,
  inputs: readonly ProvenOutput[],
): string[] {
  return store.flights(account.address).flatMap((rival) => {
    if (rival.txHash === txHash || rival.position === undefined) return []
    if (position !== undefined && position < rival.position) return []
    const shared = inputs.find((input) => isSpentBy(rival.signed, input.position, { owner: input.owner, separator }))
    return shared === undefined
      ? []
      : [`payment ${rival.txHash} at ${rival.position} spends input ${shared.position} as well`]
  })
}

function refuseDoomed(
  reasons: readonly string[],
  { ownsInput, unsafeDoomed = false, txHash }: CheckOptions & Readonly<{ ownsInput: boolean; txHash: Hash }>,
): void {
  if (reasons.length === 0 || unsafeDoomed) return
  throw invalid('FLIGHT_DOOMED', 'the verdict can only go against this payment, so that its outputs would not leave', {
    got: reasons,
    want: ownsInput
      ? 'with --unsafe-doomed it is disputed all the same: that verdict frees your own inputs of it'
      : 'a payment of which no input is paid out or spent otherwise; ask the payer',
    txHash,
  })
}
