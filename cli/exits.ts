/** lifeboat exits: the exits of an account, or all that are open, as L1 has them. */
import { boolean } from '../service/configTypes.ts'
import { exitOutlook, findExits } from '../wallet/exits.ts'
import { type CliIo, formatTable, formatTime } from './io.ts'
import { createWalletCommand } from './walletCommand.ts'

export function createExitsCommand(io: CliIo) {
  return createWalletCommand(io, {
    program: 'exits',
    describe: 'List exits and when they pay',
    entries: {
      everyone: { kind: boolean(), default: false, describe: "Everybody's exits, not only the account's" },
      open: { kind: boolean(), default: false, describe: 'Only those that are not paid or removed' },
    },
    sign: false,
    run: async ({ wallet }, _words, { everyone, open }) => {
      const { root, account, tokens } = wallet
      const exits = await findExits(root, everyone ? {} : { owner: account.address })
      const [now, head] = [await root.now(), await root.head()]
      const isOpen = (state: string) => state === 'queued' || state === 'ticket'
      const shown = exits
        .filter(({ record }) => !open || isOpen(record.state))
        .map((known) => ({ ...known, outlook: exitOutlook(known, root.parameters, now, head) }))
      const rows = shown.map(({ exit, record, outlook }) => [
        `${exit.position}`,
        tokens.describe(exit.token, exit.amount),
        record.state,
        isOpen(record.state) ? formatTime(outlook.payableAfter, now.timestamp) : '',
        outlook.words,
        ...(everyone ? [exit.owner] : []),
      ])
      return {
        json: shown.map(({ exit, record, outlook }) => ({
          ...exit,
          state: record.state,
          evidence: record.evidence,
          outlook,
        })),
        text:
          rows.length === 0
            ? 'no exits\n'
            : formatTable([['position', 'amount', 'state', 'payable after', 'what happens next'], ...rows]),
      }
    },
  })
}
