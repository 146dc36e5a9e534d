/** A command that works with one owner's wallet: the shared flags, the wallet opened, results as text or JSON. */
import type { Command } from 'commander'
import { type ConfigOf, defineConfig, type Entries } from '../service/config.ts'
import { createCommand } from './command.ts'
import { type CliIo, toJson } from './io.ts'
import { walletEntries } from './walletConfig.ts'
import type { Session, WalletConfig } from './walletSession.ts'

export type WalletCommandSpec<E extends Entries> = Readonly<{
  /** As a person types it: `lifeboat send`. */
  program: string
  describe: string
  words?: Readonly<Record<string, string>>
  entries: E
  /** Whether the key is needed. */
  sign: boolean
  /** Whether what is shown is the same for everybody: then no account has to be named. Left out: somebody's. */
  isForAll?(config: ConfigOf<E>): boolean
  examples?: readonly string[]
  /** Returns what --json prints, and the same as text. */
  run(session: Session, words: readonly (string | undefined)[], config: ConfigOf<E>): Promise<Result>
}>

export type Result = Readonly<{ json: unknown; text: string }>

export function createWalletCommand<const E extends Entries>(io: CliIo, spec: WalletCommandSpec<E>): Command {
  const { program, describe, words = {}, entries, sign, isForAll = () => false, examples = [], run } = spec
  const table = defineConfig({ program, describe, entries: { ...entries, ...walletEntries } })
  return createCommand(io, {
    table,
    words,
    examples,
    run: async (call) => {
      // The table is the union of both sets of entries, so its configuration is both.
      const config = call.config as unknown as WalletConfig & ConfigOf<E>
      const { withWallet } = await import('./walletSession.ts')
      const result = await withWallet(io, config, { sign, isForAll: isForAll(config) }, (session) =>
        run(session, call.words, config),
      )
      io.out(config.json ? toJson(result.json) : result.text)
    },
  })
}
