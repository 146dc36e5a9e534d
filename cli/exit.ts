/** lifeboat exit: takes one output, or all of them, back to L1. */
import type { Hash } from '../protocol/bytes.ts'
import { configError, isLifeboatError } from '../protocol/errors.ts'
import { parsePosition } from '../protocol/position.ts'
import { boolean, integer } from '../service/configTypes.ts'
import { listCoins } from '../wallet/balance.ts'
import { startExit } from '../wallet/exit.ts'
import { errorToJson } from './exitCodes.ts'
import { type CliIo, formatTime } from './io.ts'
import { createWalletCommand } from './walletCommand.ts'
import type { Session } from './walletSession.ts'
import { findSuspectBlock } from './watcherView.ts'

export function createExitCommand(io: CliIo) {
  return createWalletCommand(io, {
    program: 'exit',
    describe: 'Start the exit of an output to L1; its proof is checked against L1 first',
    words: { '[position]': 'position of the output, as `lifeboat balance --outputs` shows it' },
    entries: {
      all: { kind: boolean(), default: false, describe: 'Exit every output of the account, oldest first' },
      suspectBlock: {
        kind: integer(),
        optional: true,
        describe: 'First block held for withheld or invalid; asked of the watchers when left out',
      },
      unsafeMaybeSpent: {
        kind: boolean(),
        default: false,
        describe: 'Go on although the output is or may be spent: the bond may be lost',
      },
    },
    sign: true,
    examples: ['lifeboat exit 33554448', 'lifeboat exit --all'],
    run: async (session, [position], config) => {
      const { wallet, io: out } = session
      if ((position === undefined) === !config.all) throw whichOutput(position)
      const suspectBlock = config.suspectBlock ?? (await findSuspectBlock(session))
      const options = {
        unsafeMaybeSpent: config.unsafeMaybeSpent,
        ...(suspectBlock === undefined ? {} : { suspectBlock }),
      }
      const positions = position === undefined ? await allPositions(session) : [parsePosition(position)]
      const started = []
      const failed = []
      for (const one of positions) {
        try {
          const exit = await startExit(wallet, { ...options, position: one })
          for (const warning of exit.warnings) out.err(`warning: ${warning}\n`)
          started.push(exit)
        } catch (error) {
          if (position !== undefined || !isLifeboatError(error) || error.family === 'retryable') throw error
          out.err(`output ${one}: ${error.message}\n`)
          failed.push({ position: one, error: errorToJson(error) })
        }
      }
      const { timestamp } = await wallet.root.now()
      const text = started.map(({ exit, outlook, provenBy }) => {
        const amount = wallet.tokens.describe(exit.token, exit.amount)
        return [
          `exit of ${amount} started (output ${exit.position}, proven by ${provenBy})`,
          `  may be challenged until ${formatTime(outlook.evidenceUntil, timestamp)}`,
          `  payable after           ${formatTime(outlook.payableAfter, timestamp)}; then \`lifeboat process\``,
          `  bond                    ${wallet.tokens.describe(wallet.tokens.list()[0]?.address as Hash, exit.bond)}, comes back but the bounty\n`,
        ].join('\n')
      })
      return { json: { started, failed }, text: text.length === 0 ? 'nothing to exit\n' : text.join('') }
    },
  })
}

/** Without the operator: what the wallet itself has proofs of. */
async function allPositions({ wallet, io }: Session): Promise<number[]> {
  const { store, account } = wallet
  const exiting = new Set(store.exits(account.address).map(({ position }) => position))
  try {
    const coins = await listCoins(wallet)
    return coins.filter(({ held }) => held !== 'exiting').map(({ position }) => position)
  } catch (error) {
    if (!isLifeboatError(error)) throw error
    io.err(`the operator does not answer (${error.message}); using the proofs kept here\n`)
    const spent = new Set(
      store.payments(account.address, 'accepted').flatMap(({ signed }) => signed.transaction.inputs),
    )
    return store.provenPositions(account.address).filter((position) => !spent.has(position) && !exiting.has(position))
  }
}

function whichOutput(position: string | undefined) {
  return configError('OUTPUT_NOT_NAMED', 'which output?', {
    got: position === undefined ? 'neither a position nor --all' : 'a position and --all',
    want: 'one position, or --all',
  })
}
