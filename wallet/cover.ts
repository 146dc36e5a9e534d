/**
 * Cover (docs/guide-wallet.md, "Mandates"): a mandate for each watcher that the wallet knows, handed in there, so that an owner who is offline
 * leaves with the crowd when the chain turns unsafe. What a watcher answers is its word only; the money can go to nobody but the owner.
 */
import { z } from 'zod'
import { decodeAnswer, type HttpOptions, request } from '../api/http.ts'
import { addressSchema } from '../api/values.ts'
import type { SignedMandate } from '../l1/rootCalls.ts'
import { type Address, type Hash, ZERO_ADDRESS } from '../protocol/bytes.ts'
import { invalid, isLifeboatError } from '../protocol/errors.ts'
import type { WalletContext } from './context.ts'
import { giveMandate, listMandates, type MandateOptions, signedMandateSchema } from './mandate.ts'

/** A mandate that ends sooner is renewed. */
const RENEW_SECONDS = 30 * 86_400

/** A watcher that takes mandates. */
export type CoverDesk = Readonly<{
  url: string
  /** Whom mandates have to name; undefined for a watcher without a key. Throws MANDATE_REFUSED where it takes none. */
  delegate(owner: Address): Promise<Address | undefined>
  /** Throws MANDATE_REFUSED with the watcher's reason. */
  handIn(signed: SignedMandate): Promise<void>
  mandatesOf(owner: Address): Promise<readonly SignedMandate[]>
}>

export type Covered = Readonly<{
  url: string
  delegate: Address
  validUntil: number
  /** kept: it had one already. */
  how: 'given' | 'handed' | 'kept'
  signed: SignedMandate
}>

export type CoverFailure = Readonly<{ url: string; reason: string }>

const errorSchema = z.looseObject({ code: z.string(), message: z.string(), got: z.unknown(), want: z.unknown() })
const mandatesSchema = z.looseObject({
  delegate: addressSchema.optional(),
  refused: errorSchema.optional(),
  mandates: z.array(z.looseObject(signedMandateSchema.shape)),
})
const resultsSchema = z.looseObject({
  results: z.array(
    z.looseObject({
      state: z.string().optional(),
      error: errorSchema.optional(),
    }),
  ),
})

export function createCoverDesk(options: HttpOptions): CoverDesk {
  const { url } = options
  const accept = 'application/json'
  const read = async (owner: Address) =>
    decodeAnswer(mandatesSchema, await request(options, { path: `/v1/mandates/${owner}`, accept }), url)
  return {
    url,
    async delegate(owner) {
      const { delegate, refused } = await read(owner)
      if (refused) throw refusal(url, refused)
      return delegate
    },
    mandatesOf: async (owner) =>
      (await read(owner)).mandates.map(({ mandate, signature }) => ({ mandate, signature }) as SignedMandate),
    async handIn(signed) {
      const body = JSON.stringify({ mandates: [z.encode(signedMandateSchema, signed)] })
      const asked = { path: '/v1/mandates', body, type: accept, accept }
      const [result] = decodeAnswer(resultsSchema, await request(options, asked), url).results
      if (result?.error) throw refusal(url, result.error)
    },
  }
}

function refusal(url: string, { code, message, got, want }: z.output<typeof errorSchema>) {
  return invalid('MANDATE_REFUSED', `${url} does not take the mandate: ${message}`, { got, want, reason: code })
}

/** One mandate for each watcher, given, handed in or kept. A watcher that fails is told of, and keeps no other back. */
export async function cover(
  wallet: WalletContext,
  desks: readonly CoverDesk[],
  options: Omit<MandateOptions, 'delegate'> = {},
): Promise<Readonly<{ covered: readonly Covered[]; failed: readonly CoverFailure[] }>> {
  const covered: Covered[] = []
  const failed: CoverFailure[] = []
  for (const desk of desks) {
    try {
      const delegate = await desk.delegate(wallet.account.address)
      if (delegate === undefined) failed.push({ url: desk.url, reason: 'this watcher has no key to act with' })
      else covered.push(await coverBy(wallet, desk, { ...options, delegate }))
    } catch (error) {
      if (!isLifeboatError(error)) throw error
      failed.push({ url: desk.url, reason: error.message })
    }
  }
  return { covered, failed }
}

async function coverBy(wallet: WalletContext, desk: CoverDesk, options: MandateOptions): Promise<Covered> {
  const { url } = desk
  const { delegate } = options
  const standing = await findStanding(wallet, options)
  if (standing?.holders.includes(url) && (await isHeld(wallet, desk, standing))) {
    return { ...told(standing), how: 'kept' }
  }
  const signed = standing ?? (await giveMandate(wallet, options))
  await handIn(wallet, desk, signed)
  return { ...told(signed), how: standing ? 'handed' : 'given' }

  function told({ mandate, signature }: SignedMandate) {
    return { url, delegate, validUntil: mandate.validUntil, signed: { mandate, signature } }
  }
}

/** A watcher may have lost it, or made room for another. */
async function isHeld({ account }: WalletContext, desk: CoverDesk, { signature }: SignedMandate): Promise<boolean> {
  return (await desk.mandatesOf(account.address)).some((held) => held.signature === signature)
}

/** Hands it in, and remembers who has it. */
export async function handIn(
  { store }: Pick<WalletContext, 'store'>,
  desk: CoverDesk,
  signed: SignedMandate,
): Promise<void> {
  await desk.handIn(signed)
  store.saveMandateHolder(signed.signature as Hash, desk.url)
}

/** One with the same terms that lasts. */
async function findStanding(
  wallet: WalletContext,
  { delegate, position = 0, minAmount = 0n, maxFee = 0n, days }: MandateOptions,
) {
  if (days !== undefined) return undefined
  const { timestamp } = await wallet.root.now()
  return (await listMandates(wallet)).find(
    ({ mandate, state }) =>
      state === 'valid' &&
      (mandate.delegate === delegate || mandate.delegate === ZERO_ADDRESS) &&
      mandate.validUntil > timestamp + RENEW_SECONDS &&
      mandate.position === position &&
      mandate.minAmount === minAmount &&
      mandate.maxFee === maxFee,
  )
}
