/** Who takes part in a drill. */
import type { Address } from '../protocol/bytes.ts'
import type { Account } from '../wallet/account.ts'
import type { Role } from './record.ts'

export type Actor = Readonly<{
  name: string
  role: Role
  honest: boolean
  /** Offline owners sign nothing once the fault has begun; what is done for them others do. */
  online: boolean
  address: Address
}>

export type Person = Actor & Readonly<{ account: Account }>

/** Who may take an owner out who is offline; `nobody` is online, `unmandated` is offline and has left no word. */
export type Care = 'nobody' | 'watcher' | 'anyone' | 'unmandated'

export type Owner = Person & Readonly<{ care: Care }>

const NAMES = ['alice', 'bob', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy', 'kim', 'leo', 'mia'] as const

/** By place: online, offline with a watcher, offline with leave for anyone, and again. */
export const CARES: readonly Care[] = ['nobody', 'watcher', 'anyone']

export function planOwners(count: number, keyOf: (name: string) => Account, cares: readonly Care[] = CARES): Owner[] {
  return Array.from({ length: count }, (_, i) => {
    const name = NAMES[i] ?? `owner${i + 1}`
    const care = cares[i % cares.length] ?? 'nobody'
    const account = keyOf(name)
    return { name, role: 'owner', honest: true, online: care === 'nobody', care, account, address: account.address }
  })
}
