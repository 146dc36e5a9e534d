/** lifeboat process: verdicts of the account's disputes, and their turn for all exits that are due. Anyone may; the bounties go to whoever does. */
import { randomUUID } from 'node:crypto'
import { processAll } from '../wallet/process.ts'
import type { CliIo } from './io.ts'
import { createWalletCommand } from './walletCommand.ts'

export function createProcessCommand(io: CliIo) {
  return createWalletCommand(io, {
    program: 'process',
    describe:
      'Pay out all exits that are due, oldest first; show and decide what is due in your disputes, and do what follows',
    entries: {},
    sign: true,
    run: async ({ wallet }) => {
      const done = await processAll(wallet, randomUUID())
      const lines = [
        ...done.answered.map((txHash) => `showed L1 where payment ${txHash} is included`),
        ...done.decided.map(({ txHash, verdict }) => `verdict about payment ${txHash}: ${verdict}`),
        ...done.exits.map(
          ({ exit }) => `exit of ${wallet.tokens.describe(exit.token, exit.amount)} started: a verdict gave it back`,
        ),
        ...(done.processed + done.settled > 0
          ? [`${done.processed} processed, ${done.settled} settled later than their turn`]
          : []),
        ...(done.inherited > 0 ? [`${done.inherited} paid out of an older place that a verdict passed on`] : []),
        ...(done.released > 0 ? [`${done.released} released, their bonds are credited`] : []),
      ]
      return { json: done, text: lines.length === 0 ? 'nothing is due\n' : `${lines.join('\n')}\n` }
    },
  })
}
