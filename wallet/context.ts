/** Everything an act of the wallet works with: one owner on one deployment. Made by `connect.ts`. */
import { type Domain, domainSeparator } from '../protocol/eip712.ts'
import type { Account } from './account.ts'
import type { ChildChain, ExitDataSource, L1Sender, RootReads, Waiting } from './ports.ts'
import type { WalletStore } from './store.ts'
import type { TokenBook } from './tokens.ts'

export type WalletContext = Readonly<{
  account: Account
  domain: Domain
  /** Of the domain; 32 bytes. */
  separator: Uint8Array
  child: ChildChain
  /** Who to ask for exit data, in order: the operator first, then watchers. */
  sources: readonly ExitDataSource[]
  root: RootReads
  send: L1Sender
  store: WalletStore
  tokens: TokenBook
  waiting: Waiting
  /** Told what is going on, in words, for people who wait. */
  report(progress: string): void
}>

export function createContext(parts: Omit<WalletContext, 'separator'>): WalletContext {
  return { ...parts, separator: domainSeparator(parts.domain) }
}
