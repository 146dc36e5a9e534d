/** lifeboat tokens: the symbols that this wallet knows, and what they stand for. */
import { Command } from 'commander'
import { parseAddress } from '../protocol/bytes.ts'
import { text } from '../service/configTypes.ts'
import { configureOutput } from './command.ts'
import { type CliIo, formatTable } from './io.ts'
import { createWalletCommand } from './walletCommand.ts'

export function createTokensCommand(io: CliIo): Command {
  const list = createWalletCommand(io, {
    program: 'list',
    describe: 'List the tokens that have a name here',
    entries: {},
    sign: false,
    isForAll: () => true,
    run: async ({ wallet }) => {
      const tokens = wallet.tokens.list()
      const rows = tokens.map(({ symbol, address, decimals }) => [symbol, address, `${decimals} decimals`])
      return { json: tokens, text: formatTable(rows) }
    },
  })
  const add = createWalletCommand(io, {
    program: 'add',
    describe: 'Give a token a name here, read from L1 or your own',
    words: { '<address>': "the token's contract" },
    entries: { as: { kind: text(), optional: true, describe: 'A name of your own' } },
    sign: false,
    isForAll: () => true,
    run: async ({ wallet }, [address = ''], config) => {
      const token = await wallet.tokens.pin(parseAddress(address), config.as)
      return { json: token, text: `${token.symbol} is ${token.address}\n` }
    },
  })
  return configureOutput(new Command('tokens').description('Tokens by name'), io).addCommand(list).addCommand(add)
}
