/**
 * A payment as a file (docs/guide-wallet.md, "Leaving in flight"): the signed transaction and what shows its inputs, so that a payer can
 * give its payee all that an in-flight exit needs, without the operator. Nothing in it is believed: hashes, signatures and proofs are
 * checked against L1 before it is saved.
 */
import { z } from 'zod'
import { exitDataSchema, signedTransactionSchema } from '../api/schemas.ts'
import { addressSchema, positionSchema } from '../api/values.ts'
import type { Hash } from '../protocol/bytes.ts'
import type { Domain } from '../protocol/eip712.ts'
import { invalid, isLifeboatError } from '../protocol/errors.ts'
import { isDepositPosition, transactionPosition } from '../protocol/position.ts'
import type { WalletContext } from './context.ts'
import { proveExitData } from './exitData.ts'
import { checkForm, type Flight } from './flight.ts'
import { findFlight, keepFlight } from './keep.ts'
import { obtainExitData } from './proofs.ts'

const paymentSchema = z.strictObject({
  lifeboatPayment: z.literal(1),
  chainId: z.int().positive(),
  rootContract: addressSchema,
  /** Of output 0, as the operator promised it. */
  position: positionSchema.optional(),
  transaction: signedTransactionSchema,
  /** Of those inputs that the writer could show. */
  inputs: z.array(exitDataSchema).max(16),
})

export type PaymentFile = Readonly<z.output<typeof paymentSchema>>

/** The payment with whatever shows its inputs. Throws FLIGHT_UNKNOWN. */
export async function makePaymentFile(wallet: WalletContext, txHash: Hash): Promise<PaymentFile> {
  const { signed, position } = await findFlight(wallet, txHash)
  const inputs = []
  for (const input of signed.transaction.inputs) {
    const found = await obtainExitData(wallet, input, 'any').catch((error: unknown) => {
      if (isLifeboatError(error)) return undefined
      throw error
    })
    if (found) inputs.push(found.data)
    else wallet.report(`nobody shows input ${input} yet; the file is written without it`)
  }
  const { transaction, witnesses } = signed
  return {
    lifeboatPayment: 1,
    ...wallet.domain,
    ...(position === undefined ? {} : { position }),
    transaction: { ...transaction, witnesses },
    inputs,
  }
}

export function formatPaymentFile(file: PaymentFile): string {
  return `${JSON.stringify(z.encode(paymentSchema, file), null, 2)}\n`
}

/** Strict. Throws PAYMENT_FILE_INVALID, PAYMENT_OTHER_CHAIN. */
export function parsePaymentFile(text: string, domain: Domain): PaymentFile {
  const parsed = paymentSchema.safeParse(parseJson(text))
  if (!parsed.success) {
    const got = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'file'}: ${message}`).join('; ')
    throw invalid('PAYMENT_FILE_INVALID', 'not a payment file', {
      got,
      want: 'a file written by `lifeboat payment save`',
    })
  }
  const { chainId, rootContract } = parsed.data
  if (chainId === domain.chainId && rootContract === domain.rootContract) return parsed.data
  throw invalid('PAYMENT_OTHER_CHAIN', 'this payment is of another chain', {
    got: { chainId, rootContract },
    want: domain,
  })
}

/**
 * Saves what the file holds, each piece checked first. Throws EXIT_DATA_WRONG for a proof that L1 does not confirm, FLIGHT_WRONG,
 * FLIGHT_UNSIGNED; `unproven`: inputs that neither the file nor anybody else shows.
 */
export async function keepPaymentFile(
  wallet: WalletContext,
  { transaction: { witnesses, ...transaction }, position, inputs }: PaymentFile,
): Promise<Flight & Readonly<{ unproven: number }>> {
  const signed = { transaction, witnesses }
  const txHash = checkForm(signed, wallet.separator)
  for (const data of inputs) {
    if (!transaction.inputs.includes(data.position)) {
      throw invalid('PAYMENT_FILE_INVALID', 'the file proves an output that the payment does not spend', {
        got: data.position,
        want: transaction.inputs,
      })
    }
    const output = await proveExitData(data, data.position, { separator: wallet.separator, records: wallet.root })
    wallet.store.saveProof({ output, data })
  }
  if (position !== undefined && (isDepositPosition(position) || transactionPosition(position) !== position)) {
    throw invalid('PAYMENT_FILE_INVALID', 'the file names a place that no transaction can have', {
      got: position,
      want: 'the position of an output 0',
    })
  }
  // A place is the writer's word: it does not displace what is known to stand there, nor where this payment is known to stand.
  const isFree =
    position !== undefined &&
    (wallet.store.flightAt(position)?.txHash ?? txHash) === txHash &&
    (wallet.store.flight(txHash)?.position ?? position) === position
  const unproven = await keepFlight(wallet, signed, isFree ? position : undefined)
  const place = wallet.store.flight(txHash)?.position
  return { txHash, signed, ...(place === undefined ? {} : { position: place }), from: 'file', unproven }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
