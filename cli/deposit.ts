/** lifeboat deposit: from L1 to the child chain. */
import { randomUUID } from 'node:crypto'
import { boolean, text } from '../service/configTypes.ts'
import { deposit, waitForCredit } from '../wallet/deposit.ts'
import { parseTokenAmount } from '../wallet/tokens.ts'
import type { CliIo } from './io.ts'
import { parseParty } from './keystore.ts'
import { coverByDefault } from './mandate.ts'
import { createWalletCommand } from './walletCommand.ts'

export function createDepositCommand(io: CliIo) {
  return createWalletCommand(io, {
    program: 'deposit',
    describe: 'Move ETH or tokens from L1 to the child chain',
    words: { '<amount>': 'decimal amount, such as 1.5', '[token]': 'symbol or address; ETH when left out' },
    entries: {
      to: { kind: text(), optional: true, describe: 'Who will own it; yourself when left out' },
      cover: {
        kind: boolean(),
        default: true,
        describe:
          'Give each configured watcher a mandate, so that it takes you out with the crowd while you are offline',
      },
      wait: { kind: boolean(), default: true, describe: 'Wait until the operator has credited it' },
    },
    sign: true,
    examples: ['lifeboat deposit 2', 'lifeboat deposit 100 0x5fbdb2315678afecb367f032d93f642f64180aa3'],
    run: async (session, words, config) => {
      const { wallet, keys, config: shared } = session
      const [amount, tokenText = 'ETH'] = words as readonly [string, string?]
      const token = await wallet.tokens.resolve(tokenText)
      const owner = config.to === undefined ? wallet.account.address : parseParty(config.to, keys)
      const made = await deposit(wallet, {
        token: token.address,
        amount: parseTokenAmount(amount, token),
        owner,
        key: randomUUID(),
      })
      const isOwn = owner === wallet.account.address
      if (config.wait && isOwn) await waitForCredit(wallet, made.position, shared.timeout * 1000)
      const covered = config.cover && isOwn ? await coverByDefault(session) : []
      const arrived = wallet.tokens.describe(made.token, made.amount)
      return {
        json: {
          ...made,
          credited: config.wait && isOwn,
          cover: covered.map(({ url, delegate, validUntil }) => ({ url, delegate, validUntil })),
        },
        text: `deposited ${arrived} for ${owner}${config.wait && isOwn ? ', credited' : ''}\nposition       ${made.position}\nL1 transaction ${made.txHash}\n`,
      }
    },
  })
}
