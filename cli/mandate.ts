/** lifeboat mandate: leave for a watcher to take your outputs out while you are offline. */
import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { ZERO_ADDRESS } from '../protocol/bytes.ts'
import { parsePosition } from '../protocol/position.ts'
import { integer, path, text } from '../service/configTypes.ts'
import {
  DEFAULT_MANDATE_DAYS,
  formatMandateFile,
  giveMandate,
  listMandates,
  revokeMandates,
} from '../wallet/mandate.ts'
import { parseTokenAmount } from '../wallet/tokens.ts'
import { configureOutput } from './command.ts'
import { type CliIo, formatTable, formatTime } from './io.ts'
import { parseParty } from './keystore.ts'
import { createWalletCommand } from './walletCommand.ts'

export function createMandateCommand(io: CliIo): Command {
  const command = new Command('mandate').description(
    'Leave for a watcher to act while you are offline; the money only goes to you',
  )
  return configureOutput(command, io)
    .addCommand(giveCommand(io))
    .addCommand(revokeCommand(io))
    .addCommand(showCommand(io))
}

function giveCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'give',
    describe: 'Sign a mandate and write it to a file for the watcher',
    words: { '<delegate>': "the watcher's L1 address, or `anyone`" },
    entries: {
      days: { kind: integer({ min: 1, max: 3650 }), default: DEFAULT_MANDATE_DAYS, describe: 'For how long' },
      position: { kind: text(), optional: true, describe: 'One output only; every output when left out' },
      minAmount: {
        kind: text(),
        optional: true,
        describe: 'Leave outputs below this amount of ETH (or smallest units of a token) alone',
      },
      maxFee: { kind: text(), default: '0', describe: 'Most that a coordinator may keep of an output, in ETH' },
      file: { kind: path(), default: 'mandate.json', describe: 'Where to write it' },
    },
    sign: true,
    run: async ({ wallet, keys }, [delegate = ''], config) => {
      const ether = await wallet.tokens.resolve('ETH')
      const signed = await giveMandate(wallet, {
        delegate: delegate === 'anyone' ? ZERO_ADDRESS : parseParty(delegate, keys),
        days: config.days,
        ...(config.position === undefined ? {} : { position: parsePosition(config.position) }),
        ...(config.minAmount === undefined ? {} : { minAmount: parseTokenAmount(config.minAmount, ether) }),
        maxFee: config.maxFee === '0' ? 0n : parseTokenAmount(config.maxFee, ether),
      })
      await writeFile(config.file, formatMandateFile(signed, wallet.domain))
      const { validUntil, epoch } = signed.mandate
      return {
        json: { ...signed, file: config.file },
        text: `${config.file}: ${delegate} may take your outputs out until ${formatTime(validUntil)}\nseries ${epoch}; \`lifeboat mandate revoke\` ends it. Give the file to the watcher.\n`,
      }
    },
  })
}

function revokeCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'revoke',
    describe: 'End all mandates of a series on L1, at once and for ever',
    entries: { series: { kind: integer(), optional: true, describe: 'Which series; the current one when left out' } },
    sign: true,
    run: async ({ wallet }, _words, { series }) => {
      const done = await revokeMandates(wallet, series)
      return { json: done, text: `mandate series ${done.epoch} is revoked\n` }
    },
  })
}

function showCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'show',
    describe: 'List the mandates given, and whether they stand',
    entries: {},
    sign: false,
    run: async ({ wallet }) => {
      const mandates = await listMandates(wallet)
      const rows = mandates.map(({ mandate, state }) => [
        mandate.delegate === ZERO_ADDRESS ? 'anyone' : mandate.delegate,
        `series ${mandate.epoch}`,
        mandate.position === 0 ? 'every output' : `output ${mandate.position}`,
        `until ${formatTime(mandate.validUntil)}`,
        state,
      ])
      return { json: mandates, text: rows.length === 0 ? 'no mandates\n' : formatTable(rows) }
    },
  })
}
