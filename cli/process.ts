/** lifeboat process: gives all exits that are due their turn. Anyone may; the bounties go to whoever does. */
import { randomUUID } from 'node:crypto'
import { processDue } from '../wallet/process.ts'
import type { CliIo } from './io.ts'
import { createWalletCommand } from './walletCommand.ts'

export function createProcessCommand(io: CliIo) {
  return createWalletCommand(io, {
    program: 'process',
    describe: 'Pay out all exits that are due, oldest first; the bounties are yours',
    entries: {},
    sign: true,
    run: async ({ wallet }) => {
      const done = await processDue(wallet, randomUUID())
      const nothing = done.processed === 0 && done.settled === 0
      return {
        json: done,
        text: nothing
          ? 'nothing is due\n'
          : `${done.processed} processed, ${done.settled} settled later than their turn\n`,
      }
    },
  })
}
