/** lifeboat withdraw: fetches what L1 holds for an account. */
import { randomUUID } from 'node:crypto'
import { text } from '../service/configTypes.ts'
import { withdraw } from '../wallet/withdraw.ts'
import type { CliIo } from './io.ts'
import { parseParty } from './keystore.ts'
import { createWalletCommand } from './walletCommand.ts'

export function createWithdrawCommand(io: CliIo) {
  return createWalletCommand(io, {
    program: 'withdraw',
    describe: 'Fetch what L1 holds for an account: paid exits of tokens, bonds, bounties',
    words: { '[token]': 'symbol or address; ETH when left out' },
    entries: { of: { kind: text(), optional: true, describe: 'Whose credit to send on; yourself when left out' } },
    sign: true,
    run: async ({ wallet, keys }, [tokenText = 'ETH'], config) => {
      const token = await wallet.tokens.resolve(tokenText)
      const account = config.of === undefined ? wallet.account.address : parseParty(config.of, keys)
      const done = await withdraw(wallet, { token: token.address, account, key: randomUUID() })
      return { json: done, text: `${wallet.tokens.describe(done.token, done.amount)} sent to ${account} on L1\n` }
    },
  })
}
