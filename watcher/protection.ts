/**
 * Protected accounts (docs/spec.md section 7): owners who let this watcher take them out. What is kept is their signed mandate, never
 * a key. A mandate is checked when it comes in, because when it is needed it is too late to ask for another.
 */
import type { Address, Hex } from '../protocol/bytes.ts'
import { bytesToHex, hexToBytes, ZERO_ADDRESS } from '../protocol/bytes.ts'
import { invalid, isLifeboatError } from '../protocol/errors.ts'
import { hashMandate, type Mandate } from '../protocol/mandate.ts'
import type { Database } from '../service/database.ts'
import { recoverAddress } from '../signatures/recover.ts'
import type { ProtectedAccount } from './facts.ts'
import { fromJson, toJson } from './json.ts'

export type ProtectionOptions = Readonly<{
  db: Database
  /** Of the domain: chain and root contract. */
  separator: Uint8Array
  /** Who sends our exits; undefined for a watcher without a key, which can use no mandate but one for anyone. */
  sender: Address | undefined
  /** L1 seconds of a revocation. */
  revokedAt(owner: Address, epoch: number): number | undefined
  /** L1 seconds. */
  l1Seconds(): number
}>

export type NewProtection = Readonly<{ owner: Address; mandate: Mandate; signature: Hex }>

export type Protection = ReturnType<typeof createProtection>

type Row = Readonly<{ owner: Address; mandate: string; signature: Hex; added_at: number }>

export function createProtection({ db, separator, sender, revokedAt, l1Seconds }: ProtectionOptions) {
  const insert = db.prepare(
    'INSERT OR IGNORE INTO protected_accounts (digest, owner, mandate, signature, added_at) VALUES (?, ?, ?, ?, ?)',
  )
  const selectAll = db.prepare<[], Row>(
    'SELECT owner, mandate, signature, added_at FROM protected_accounts ORDER BY owner, digest',
  )
  const selectOf = db.prepare<[string], Row>(
    'SELECT owner, mandate, signature, added_at FROM protected_accounts WHERE owner = ? ORDER BY digest',
  )
  const selectAny = db.prepare<[string], { found: number }>(
    'SELECT 1 AS found FROM protected_accounts WHERE owner = ? LIMIT 1',
  )
  const removeOwner = db.prepare('DELETE FROM protected_accounts WHERE owner = ?')

  return {
    /** Twice is once. Throws MANDATE_REFUSED with the fault, what was got and what is wanted. `addedAt`: local clock, ms. */
    add(protection: NewProtection, addedAt: number): ProtectedAccount {
      const { owner, mandate, signature } = protection
      const digest = hashMandate(mandate, separator)
      assertUsable(protection, digest, { sender, revokedAt, l1Seconds })
      insert.run(bytesToHex(digest), owner, toJson(mandate), signature, addedAt)
      return { ...protection, addedAt }
    },

    /** Forgets all mandates of an owner. The owner's mandates stay valid on L1 until revoked there. */
    remove(owner: Address): boolean {
      return removeOwner.run(owner).changes > 0
    },

    has(owner: Address): boolean {
      return selectAny.get(owner) !== undefined
    },

    /** All mandates of an owner. */
    of(owner: Address): ProtectedAccount[] {
      return selectOf.all(owner).map(fromRow)
    },

    all(): ProtectedAccount[] {
      return selectAll.all().map(fromRow)
    },
  }
}

function fromRow({ owner, mandate, signature, added_at }: Row): ProtectedAccount {
  return { owner, mandate: fromJson<Mandate>(mandate), signature, addedAt: added_at }
}

/**
 * The mandate is its owner's word, names this watcher or nobody, and may still act: its period is not over, its series not revoked.
 * Throws MANDATE_REFUSED.
 */
export function assertUsable(
  { owner, mandate, signature }: NewProtection,
  digest: Uint8Array,
  { sender, revokedAt, l1Seconds }: Pick<ProtectionOptions, 'sender' | 'revokedAt' | 'l1Seconds'>,
): void {
  if (mandate.owner !== owner) throw refused('OTHER_OWNER', mandate.owner, owner)
  const signer = /^0x[0-9a-f]{128}$/.test(signature) ? recoverAddress(digest, hexToBytes(signature)) : undefined
  if (signer !== owner) throw refused('WITNESS_FORGED', signer ?? 'no signer', owner)
  if (mandate.delegate !== ZERO_ADDRESS && mandate.delegate !== sender) {
    throw refused('OTHER_DELEGATE', mandate.delegate, sender ? `${sender} or the zero address` : 'the zero address')
  }
  if (mandate.validUntil <= l1Seconds()) throw refused('EXPIRED', mandate.validUntil, `later than ${l1Seconds()}`)
  if (mandate.validFrom >= mandate.validUntil) throw refused('PERIOD_EMPTY', mandate.validFrom, mandate.validUntil)
  const revoked = revokedAt(owner, mandate.epoch)
  if (revoked !== undefined) throw refused('REVOKED', revoked, 'a series that stands')
}

/**
 * The mandate was good once: it has ended since, or was revoked. Neither its owner nor time may keep a watcher from starting again, and the
 * others from being protected.
 */
export function isOver(error: unknown): boolean {
  if (!isLifeboatError(error) || error.code !== 'MANDATE_REFUSED') return false
  return error.details['fault'] === 'EXPIRED' || error.details['fault'] === 'REVOKED'
}

/** MANDATE_REFUSED with the fault. */
export function refused(fault: string, got: unknown, want: unknown) {
  return invalid('MANDATE_REFUSED', `this mandate can't be used (${fault})`, { fault, got, want })
}
