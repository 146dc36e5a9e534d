/** lifeboat payment: a payment as a file, so that a payee holds what an in-flight exit needs without asking the operator. */
import { readFileSync, writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { parseHash } from '../protocol/bytes.ts'
import { configError } from '../protocol/errors.ts'
import { path } from '../service/configTypes.ts'
import { formatPaymentFile, keepPaymentFile, makePaymentFile, parsePaymentFile } from '../wallet/paymentFile.ts'
import { configureOutput } from './command.ts'
import type { CliIo } from './io.ts'
import { assertWritable } from './outFile.ts'
import { createWalletCommand } from './walletCommand.ts'

export function createPaymentCommand(io: CliIo): Command {
  const command = configureOutput(
    new Command('payment').description('A payment as a file: all that its payee needs to leave in flight'),
    io,
  )
  return command.addCommand(saveCommand(io)).addCommand(keepCommand(io))
}

function saveCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'save',
    describe: 'Write a payment with its signatures and what shows its inputs to a file, for its payee',
    words: { '<hash>': 'transaction hash, as `lifeboat send` printed it' },
    entries: { file: { kind: path(), default: 'payment.json', describe: 'Where to write it' } },
    sign: false,
    run: async ({ wallet }, [hash = ''], config) => {
      const txHash = parseHash(hash)
      assertWritable('--file', config.file)
      const file = await makePaymentFile(wallet, txHash)
      writeFileSync(config.file, formatPaymentFile(file), { mode: 0o600 })
      const missing = file.transaction.inputs.length - file.inputs.length
      return {
        json: { txHash, file: config.file, unproven: missing },
        text: `written to ${config.file}; send it to the payee${missing === 0 ? '' : ` (nobody shows ${missing} of its inputs yet)`}\n`,
      }
    },
  })
}

function keepCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'keep',
    describe: 'Check a payment file against L1 and keep what is in it',
    words: { '<file>': 'as the payer wrote it' },
    entries: {},
    sign: false,
    run: async ({ wallet }, [file = '']) => {
      const kept = await keepPaymentFile(wallet, parsePaymentFile(readText(file), wallet.domain))
      const { txHash, unproven, signed, position } = kept
      const own = signed.transaction.outputs.filter(({ owner }) => owner === wallet.account.address)
      const paid = own.map(({ token, amount }) => wallet.tokens.describe(token, amount)).join(' and ')
      const lines = [
        `payment ${txHash} is kept${paid === '' ? '; nothing in it is yours' : `; it pays you ${paid}`}`,
        ...(unproven === 0
          ? []
          : [`  nobody shows ${unproven} of its inputs yet: keep it again once their blocks are on L1`]),
      ]
      return { json: { txHash, position: position ?? null, unproven, own }, text: `${lines.join('\n')}\n` }
    },
  })
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw configError(
      'PAYMENT_FILE_MISSING',
      'cannot read the payment file',
      { got: file, want: 'a readable file' },
      cause,
    )
  }
}
