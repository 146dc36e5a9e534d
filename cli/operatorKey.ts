/** lifeboat operator-key: hands the operator's key on, in two steps. lifeboat close: ends the chain in order. */
import { randomUUID } from 'node:crypto'
import { Command } from 'commander'
import { configError } from '../protocol/errors.ts'
import { boolean } from '../service/configTypes.ts'
import {
  acceptOperator,
  type ClosePlan,
  closeChain,
  nominateOperator,
  planClose,
  readOperatorKeys,
} from '../wallet/operatorKey.ts'
import { configureOutput } from './command.ts'
import { type CliIo, formatTime } from './io.ts'
import { parseParty } from './keystore.ts'
import { createWalletCommand } from './walletCommand.ts'

const runningEntry = {
  unsafeRunning: {
    kind: boolean(),
    default: false,
    describe: 'Go on although something answers as the operator: two programs must never send with one key',
  },
} as const

export function createOperatorKeyCommand(io: CliIo): Command {
  const command = configureOutput(
    new Command('operator-key').description(
      'The operator’s key: show, nominate, accept. Nominate with the old key, stop the operator, accept with the new key, start it with that',
    ),
    io,
  )
  return command.addCommand(showCommand(io)).addCommand(nominateCommand(io)).addCommand(acceptCommand(io))
}

function showCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'show',
    describe: 'Who may submit blocks, and who is nominated to',
    entries: {},
    sign: false,
    isForAll: () => true,
    run: async ({ wallet }) => {
      const keys = await readOperatorKeys(wallet.root)
      return { json: keys, text: `operator ${keys.operator}\nnominee  ${keys.nominee ?? 'none'}\n` }
    },
  })
}

function nominateCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'nominate',
    describe: 'With the operator’s key: name the key that may take over. Nothing changes until that key accepts',
    words: { '<nominee>': 'address, or the name of a key in the keystore; the zero address takes a nomination back' },
    entries: runningEntry,
    sign: true,
    examples: ['lifeboat operator-key nominate 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --account operator'],
    run: async ({ wallet, keys }, [word = ''], { unsafeRunning }) => {
      const nominee = parseParty(word, keys)
      const { txHash } = await nominateOperator(wallet, nominee, { key: randomUUID(), unsafeRunning })
      return {
        json: { nominee, txHash: txHash ?? null },
        text: `nominated ${nominee}\nnext: stop the operator, then \`lifeboat operator-key accept\` with that key\n`,
      }
    },
  })
}

function acceptCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'accept',
    describe: 'With the nominated key: become the operator. The old key can submit nothing from then on',
    entries: runningEntry,
    sign: true,
    examples: ['lifeboat operator-key accept --account successor'],
    run: async ({ wallet }, _words, { unsafeRunning }) => {
      const { txHash } = await acceptOperator(wallet, { key: randomUUID(), unsafeRunning })
      const operator = await wallet.root.operator()
      return {
        json: { operator, txHash: txHash ?? null },
        text: `the operator is ${operator}\nnext: start \`lifeboat operator\` with this key and the same data directory\n`,
      }
    },
  })
}

export function createCloseCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'close',
    describe: 'With the operator’s key: end the chain in order, for ever. Without --yes it only says what that means',
    entries: {
      yes: { kind: boolean(), default: false, describe: 'Do it' },
      ...runningEntry,
    },
    sign: true,
    examples: ['lifeboat close --account operator', 'lifeboat close --account operator --yes'],
    run: async ({ wallet }, _words, { yes, unsafeRunning }) => {
      const { timestamp } = await wallet.root.now()
      if (!yes) {
        io.err(explainClose(await planClose(wallet), timestamp))
        throw configError('CLOSE_NOT_CONFIRMED', 'nothing was done', {
          got: 'no --yes',
          want: '--yes to close the chain',
        })
      }
      const closed = await closeChain(wallet, { key: randomUUID(), unsafeRunning })
      return {
        json: { ...closed, txHash: closed.txHash ?? null },
        text: `the chain is closed after block ${closed.newest}\n${explainClose(closed, timestamp)}`,
      }
    },
  })
}

function explainClose({ newest, voidableUntil, bondAfter }: ClosePlan, now: number): string {
  const lines = [
    'closing ends the chain for ever: no more blocks, no more deposits, and nobody can undo it.',
    newest === 0
      ? 'there is no block; all deposits leave by their exits.'
      : `nothing is void by it: blocks up to ${newest} and all deposits stand, and their owners leave by exits whenever they like.`,
    'payments that were promised and are in no block on L1 are lost to their payees, unless they dispute them.',
    `a block that turns out invalid can still be voided until ${formatTime(voidableUntil, now)}.`,
    `the operator's bond comes back after ${formatTime(bondAfter, now)}, if no slash is due.`,
    'watchers and the API should go on for as long as owners leave.',
  ]
  return `${lines.join('\n')}\n`
}
