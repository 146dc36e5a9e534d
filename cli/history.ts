/** lifeboat history: what happened to an account, newest first, and how each payment stands. */
import { integer } from '../service/configTypes.ts'
import { type HistoryEntry, readHistory } from '../wallet/history.ts'
import { type CliIo, formatTable, formatTime } from './io.ts'
import { standingInWords } from './standing.ts'
import { createWalletCommand } from './walletCommand.ts'

export function createHistoryCommand(io: CliIo) {
  return createWalletCommand(io, {
    program: 'history',
    describe:
      'Show what happened to an account, newest first, and how payments stand: by L1, not by the operator’s word',
    entries: {
      limit: { kind: integer({ min: 1, max: 500 }), default: 20, describe: 'Most entries to show' },
      cursor: { kind: integer(), optional: true, describe: 'Where to go on, as the last page said' },
    },
    sign: false,
    run: async ({ wallet }, _words, { limit, cursor }) => {
      const history = await readHistory(wallet, { limit, ...(cursor === undefined ? {} : { cursor }) })
      const { timestamp } = await wallet.root.now()
      const rows = history.entries.map(({ kind, position, changes, parties, payment, from }) => [
        position === undefined ? '?' : `${position}`,
        kind,
        payment?.standing ?? '',
        changes
          .map(({ token, change }) => `${change > 0n ? '+' : ''}${wallet.tokens.describe(token, change)}`)
          .join(', '),
        [
          ...parties,
          ...(from === 'wallet' && history.source === 'operator' ? ['(the operator leaves it out)'] : []),
        ].join(' '),
      ])
      const more = history.nextCursor === undefined ? '' : `more with --cursor ${history.nextCursor}\n`
      const notes = notesOf(history.entries, timestamp)
      return { json: history, text: rows.length === 0 ? 'nothing yet\n' : `${formatTable(rows)}${notes}${more}` }
    },
  })
}

/** What is not final, and what to do about it. */
function notesOf(entries: readonly HistoryEntry[], now: number): string {
  return entries
    .flatMap(({ payment }) => {
      if (!payment || payment.standing === 'final' || payment.standing === 'refused') return []
      const time = (seconds: number) => formatTime(seconds, now)
      return [`payment ${payment.txHash}\n  ${standingInWords(payment, time)}\n`]
    })
    .join('')
}
