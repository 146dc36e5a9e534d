/**
 * Mandates (docs/spec.md section 7): signed leave for a watcher to take outputs out for an owner who is offline. The money can only go to
 * the owner. A mandate belongs to a numbered series; revoking the series on L1 ends all of them, for ever.
 */
import { z } from 'zod'
import { addressSchema, amountSchema, positionSchema, secondsSchema } from '../api/values.ts'
import { encodeRevokeMandates, type SignedMandate } from '../l1/rootCalls.ts'
import { type Address, bytesToHex, type Hash, hexToBytes, ZERO_ADDRESS } from '../protocol/bytes.ts'
import { type Domain, domainSeparator } from '../protocol/eip712.ts'
import { invalid } from '../protocol/errors.ts'
import { hashMandate, type Mandate } from '../protocol/mandate.ts'
import { recoverAddress } from '../signatures/recover.ts'
import type { WalletContext } from './context.ts'

export const DEFAULT_MANDATE_DAYS = 365
const DAY = 86_400

export type MandateOptions = Readonly<{
  /** The watcher's L1 address; the zero address lets anyone act. */
  delegate: Address
  days?: number
  /** One output only; every output when left out. */
  position?: number
  minAmount?: bigint
  maxFee?: bigint
  /** Shown the mandate before it is signed; what it throws keeps it unsigned. */
  show?: (mandate: Mandate) => void | Promise<void>
}>

export type MandateState = 'valid' | 'not yet valid' | 'expired' | 'revoked'

/** A mandate and its signature in JSON: in files, and as watchers take it. */
export const signedMandateSchema = z.strictObject({
  mandate: z.strictObject({
    owner: addressSchema,
    delegate: addressSchema,
    validFrom: secondsSchema,
    validUntil: secondsSchema,
    position: positionSchema,
    minAmount: amountSchema,
    maxFee: amountSchema,
    epoch: z.int().min(0),
  }),
  signature: z.string().regex(/^0x[0-9a-f]{128}$/),
})

const fileFields = { lifeboatMandate: z.literal(1), chainId: z.int().positive(), rootContract: addressSchema }
const mandateFileSchema = signedMandateSchema.extend(fileFields)

/** Among others in a file: bare, or as `formatMandateFile` writes it. */
export const listedMandateSchema = mandateFileSchema.partial({
  lifeboatMandate: true,
  chainId: true,
  rootContract: true,
})

/** Signs a mandate in the first series that is not revoked, and remembers it. Valid from L1's now. */
export async function giveMandate(wallet: WalletContext, options: MandateOptions): Promise<SignedMandate> {
  const { delegate, days = DEFAULT_MANDATE_DAYS, position = 0, minAmount = 0n, maxFee = 0n } = options
  const { account, root, separator, store } = wallet
  const { timestamp } = await root.now()
  const mandate: Mandate = {
    owner: account.address,
    delegate,
    validFrom: timestamp,
    validUntil: timestamp + days * DAY,
    position,
    minAmount,
    maxFee,
    epoch: await firstOpenSeries(wallet),
  }
  await options.show?.(mandate)
  const signature = bytesToHex(account.sign(hashMandate(mandate, separator)))
  store.saveMandate({ mandate, signature })
  return { mandate, signature }
}

/** Every field that is signed, in its place, with what it means. `time` prints L1 seconds. */
export function mandateInWords(mandate: Mandate, domain: Domain, time: (seconds: number) => string): string[] {
  const { owner, delegate, validFrom, validUntil, position, minAmount, maxFee, epoch } = mandate
  const anyone = delegate === ZERO_ADDRESS
  return [
    `Mandate on chain ${domain.chainId}, root contract ${domain.rootContract} (EIP-712 domain)`,
    `  owner      ${owner}: the only one whom the money can go to`,
    `  delegate   ${delegate}: ${anyone ? 'anyone may act' : 'who may act'}: start exits and mass exits of your outputs, nothing else`,
    `  validFrom  ${validFrom}: ${time(validFrom)}`,
    `  validUntil ${validUntil}: ${time(validUntil)}`,
    `  position   ${position}: ${position === 0 ? 'every output' : 'this output only'}`,
    `  minAmount  ${minAmount}: ${minAmount === 0n ? 'outputs of any amount' : 'no output below this, in its smallest unit'}`,
    `  maxFee     ${maxFee}: ${maxFee === 0n ? 'nothing may be kept of an output' : "at most this may be kept of each output, in its token's smallest unit"}`,
    `  epoch      ${epoch}: the series; \`lifeboat mandate revoke\` ends it on L1, at once and for ever (for mass exits that start later than MEP/8 after that)`,
  ]
}

/** Revokes a series on L1, the current one when left out. Every mandate of it ends at once. */
export async function revokeMandates(
  wallet: WalletContext,
  epoch?: number,
): Promise<Readonly<{ epoch: number; txHash?: Hash }>> {
  const series = epoch ?? (await firstOpenSeries(wallet))
  wallet.report(`revoking mandate series ${series} on L1`)
  const done = await wallet.send({
    key: `revoke:${wallet.account.address}:${series}`,
    purpose: `revoke mandate series ${series}`,
    call: encodeRevokeMandates(series),
  })
  return { epoch: series, ...(done.txHash ? { txHash: done.txHash } : {}) }
}

/** The mandates that this wallet has given: who was handed them, and what L1 says of them now. */
export async function listMandates(wallet: WalletContext) {
  const { timestamp } = await wallet.root.now()
  const listed: (SignedMandate & Readonly<{ state: MandateState; holders: readonly string[] }>)[] = []
  for (const signed of wallet.store.mandates(wallet.account.address)) {
    const { owner, epoch } = signed.mandate
    const revoked = (await wallet.root.revokedAt(owner, epoch)) !== 0
    const holders = wallet.store.mandateHolders(signed.signature)
    listed.push({ ...signed, state: stateOf(signed.mandate, timestamp, revoked), holders })
  }
  return listed
}

/** A mandate as a file for its delegate. */
export function formatMandateFile(signed: SignedMandate, domain: Domain): string {
  const file = { lifeboatMandate: 1 as const, ...domain, mandate: signed.mandate, signature: signed.signature }
  return `${JSON.stringify(z.encode(mandateFileSchema, file), null, 2)}\n`
}

/** Strict; the signature is checked. Throws MANDATE_FILE_INVALID, MANDATE_OTHER_CHAIN, MANDATE_FORGED. */
export function parseMandateFile(text: string, domain: Domain): SignedMandate {
  const parsed = mandateFileSchema.safeParse(parseJson(text))
  if (!parsed.success) {
    const got = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'file'}: ${message}`).join('; ')
    throw invalid('MANDATE_FILE_INVALID', 'not a mandate file', {
      got,
      want: 'a file written by `lifeboat mandate give`',
    })
  }
  const { chainId, rootContract, mandate, signature } = parsed.data
  if (chainId !== domain.chainId || rootContract !== domain.rootContract) {
    throw invalid('MANDATE_OTHER_CHAIN', 'this mandate is for another chain', {
      got: { chainId, rootContract },
      want: domain,
    })
  }
  const signer = recoverAddress(hashMandate(mandate, domainSeparator(domain)), hexToBytes(signature))
  if (signer !== mandate.owner) {
    throw invalid('MANDATE_FORGED', 'the mandate is not signed by its owner', {
      got: signer ?? 'no signer',
      want: mandate.owner,
    })
  }
  return { mandate, signature: signature as Hash }
}

async function firstOpenSeries({ root, account }: WalletContext): Promise<number> {
  for (let epoch = 0; ; epoch++) if ((await root.revokedAt(account.address, epoch)) === 0) return epoch
}

function stateOf({ validFrom, validUntil }: Mandate, now: number, revoked: boolean): MandateState {
  if (revoked) return 'revoked'
  if (now < validFrom) return 'not yet valid'
  return now > validUntil ? 'expired' : 'valid'
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
