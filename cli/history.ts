/** lifeboat history: what happened to an account, newest first. */
import { integer } from '../service/configTypes.ts'
import { readHistory } from '../wallet/history.ts'
import { type CliIo, formatTable } from './io.ts'
import { createWalletCommand } from './walletCommand.ts'

export function createHistoryCommand(io: CliIo) {
  return createWalletCommand(io, {
    program: 'history',
    describe: 'Show what happened to an account, newest first',
    entries: {
      limit: { kind: integer({ min: 1, max: 500 }), default: 20, describe: 'Most entries to show' },
      cursor: { kind: integer(), optional: true, describe: 'Where to go on, as the last page said' },
    },
    sign: false,
    run: async ({ wallet }, _words, { limit, cursor }) => {
      const history = await readHistory(wallet, { limit, ...(cursor === undefined ? {} : { cursor }) })
      const rows = history.entries.map(({ kind, position, changes, parties }) => [
        `${position}`,
        kind,
        changes
          .map(({ token, change }) => `${change > 0n ? '+' : ''}${wallet.tokens.describe(token, change)}`)
          .join(', '),
        parties.join(' '),
      ])
      const more = history.nextCursor === undefined ? '' : `more with --cursor ${history.nextCursor}\n`
      return { json: history, text: rows.length === 0 ? 'nothing yet\n' : `${formatTable(rows)}${more}` }
    },
  })
}
