/** lifeboat exits: the exits of an account, or all that are open, as L1 has them. */
import { boolean } from '../service/configTypes.ts'
import { exitOutlook, findExits, findThroughDisputes } from '../wallet/exits.ts'
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
    isForAll: ({ everyone }) => everyone,
    run: async ({ wallet }, _words, { everyone, open }) => {
      const { root, account, tokens } = wallet
      const exits = await findExits(root, everyone ? {} : { owner: account.address })
      const [now, head] = [await root.now(), await root.head()]
      const throughs = await findThroughDisputes(root, exits)
      const isOpen = (state: string) => ['queued', 'ticket', 'cancelled', 'cancelled-ticket'].includes(state)
      const shown = exits
        .filter(({ record }) => !open || isOpen(record.state))
        .map((known) => ({ ...known, outlook: exitOutlook(known, root.parameters, now, head) }))
      const rows = shown.map(({ exit, record, outlook }) => [
        throughs.has(exit.outputId) ? `of ${exit.disputed.slice(0, 10)}` : `${exit.position}`,
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
          waitsFor: record.running,
          isThroughDispute: throughs.has(exit.outputId),
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
