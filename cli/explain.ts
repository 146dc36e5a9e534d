/** lifeboat explain: why an exit, a dispute, a transaction or a block is as it is, and what an error means. */
import { Command } from 'commander'
import { type Hash, parseHash, ZERO_HASH } from '../protocol/bytes.ts'
import { configError, invalid, isLifeboatError } from '../protocol/errors.ts'
import { type Exit, voidableUntil } from '../protocol/exit.ts'
import { parsePosition } from '../protocol/position.ts'
import { describePlace } from '../protocol/validity.ts'
import { defineConfig } from '../service/config.ts'
import { exitOutlook, findExit, findExitAt, findHeaders, findThroughDisputes } from '../wallet/exits.ts'
import { standingOf } from '../wallet/standings.ts'
import { configureOutput, createCommand } from './command.ts'
import { findError, listErrors } from './errorBook.ts'
import { createExplainDisputeCommand } from './explainDispute.ts'
import { type CliIo, formatTime, toJson } from './io.ts'
import { standingInWords } from './standing.ts'
import { createWalletCommand } from './walletCommand.ts'
import { jsonEntry, walletEntries } from './walletConfig.ts'
import type { Session } from './walletSession.ts'
import { askWatchers, type WatcherAnswer } from './watcherView.ts'

export function createExplainCommand(io: CliIo): Command {
  const command = configureOutput(new Command('explain').description('Why something is as it is'), io)
  for (const create of [exitCommand, createExplainDisputeCommand, txCommand, blockCommand, errorCommand])
    command.addCommand(create(io))
  return command
}

function exitCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'exit',
    describe: 'The life of an exit: what happened on L1, what happens next, what a watcher decided about it and why',
    words: { '<exit>': 'position of the output, or its output id' },
    entries: {},
    sign: false,
    isForAll: () => true,
    run: async (session, [text = '']) => {
      const { root, tokens } = session.wallet
      const known = text.startsWith('0x')
        ? await findExit(root, parseHash(text))
        : await findExitAt(root, parsePosition(text))
      if (!known)
        throw invalid('EXIT_UNKNOWN', 'L1 knows no exit of this output', {
          got: text,
          want: 'an exit that `lifeboat exits --everyone` lists',
        })
      const { exit, record } = known
      const [now, head] = [await root.now(), await root.head()]
      const outlook = exitOutlook(known, root.parameters, now, head)
      const trail = await readTrail(session, exit)
      const watcher = await askWatchers(session, `/v1/explain/exit/${exit.outputId}`)
      const lines = [
        `exit of ${tokens.describe(exit.token, exit.amount)} by ${exit.owner}`,
        exit.disputed === ZERO_HASH || !(await findThroughDisputes(root, [known])).has(exit.outputId)
          ? `  output   ${describePlace(exit.position)}`
          : `  output   of the disputed payment, in the place of its input ${describePlace(exit.position)}`,
        ...(exit.disputed === ZERO_HASH ? [] : [`  dispute  waits for the verdict about payment ${exit.disputed}`]),
        `  id       ${exit.outputId}`,
        `  bond     ${tokens.describe('0x0000000000000000000000000000000000000000', exit.bond)}, posted by ${exit.payer}`,
        `  turn     ${exit.young ? 'with the young exits of its block' : `number ${exit.seq} in order of arrival`}, ${exit.young ? 'because it started within MEP of its block' : 'its output is old enough, or a deposit'}`,
        `  evidence is taken until ${formatTime(outlook.evidenceUntil, now.timestamp)}`,
        `  payable  after ${formatTime(outlook.payableAfter, now.timestamp)}`,
        'what happened',
        ...trail.map(({ l1Timestamp, words }) => `  ${formatTime(l1Timestamp)}  ${words}`),
        `now: ${record.state}, ${outlook.words}`,
        ...watcherLines(watcher),
      ]
      return {
        json: { exit, state: record.state, evidence: record.evidence, outlook, trail, watcher: watcher ?? null },
        text: `${lines.join('\n')}\n`,
      }
    },
  })
}

function txCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'tx',
    describe: 'Where a transaction stands, and what it spends and makes',
    words: { '<hash>': 'transaction hash' },
    entries: {},
    sign: false,
    run: async (session, [text = '']) => {
      const { wallet } = session
      const txHash = parseHash(text) as Hash
      const status = await wallet.child.transaction(txHash).catch((error: unknown) => {
        if (!isLifeboatError(error)) throw error
        session.io.err(`the operator does not answer (${error.message})\n`)
        return undefined
      })
      const own = wallet.store.payment(txHash)
      const watcher = await askWatchers(session, `/v1/explain/tx/${txHash}`)
      if (!status && !own && !watcher) {
        throw invalid('TRANSACTION_UNKNOWN', 'nobody asked knows this transaction', {
          got: txHash,
          want: 'a transaction of this chain',
        })
      }
      const transaction = status?.transaction ?? own?.signed.transaction
      const payment = await standingOf(wallet, txHash, status ? { hint: status.position } : {})
      const { timestamp } = await wallet.root.now()
      const lines = [
        `transaction ${txHash}`,
        `  ${standingInWords(payment, (seconds) => formatTime(seconds, timestamp))}`,
        status
          ? `  the operator says: ${status.stage} at ${describePlace(status.position)}`
          : '  the operator does not know it',
        ...(own ? [`  sent by this wallet: ${own.state}${own.reason ? ` (${own.reason})` : ''}`] : []),
        ...(transaction?.inputs.map((input) => `  spends ${describePlace(input)}`) ?? []),
        ...(transaction?.outputs.map(
          ({ owner, token, amount }, i) =>
            `  makes  output ${i}: ${wallet.tokens.describe(token, amount)} for ${owner}`,
        ) ?? []),
        ...watcherLines(watcher),
      ]
      return {
        json: {
          txHash,
          payment,
          status: status ?? null,
          own: own ? { state: own.state, reason: own.reason ?? null } : null,
          watcher: watcher ?? null,
        },
        text: `${lines.join('\n')}\n`,
      }
    },
  })
}

function blockCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'block',
    describe: 'What L1 keeps of a child block, and what a watcher found in it',
    words: { '<number>': 'child block number' },
    entries: {},
    sign: false,
    isForAll: () => true,
    run: async (session, [text = '']) => {
      const { root } = session.wallet
      const number = Number(text)
      if (!/^[1-9][0-9]{0,8}$/.test(text))
        throw configError('BLOCK_NUMBER', 'not a block number', { got: text, want: '1 or more' })
      const header = (await findHeaders(root, new Set([number]))).get(number)
      const [now, head] = [await root.now(), await root.head()]
      const watcher = await askWatchers(session, `/v1/explain/block/${number}`)
      if (!header) throw invalid('BLOCK_UNKNOWN', 'L1 has no such block', { got: number, want: `1 to ${head.newest}` })
      const until = voidableUntil(header.timestamp, root.parameters.minExitPeriod)
      const isVoid = head.voidFrom !== 0 && number >= head.voidFrom
      const lines = [
        `block ${number}: ${header.txCount === 0 ? 'a heartbeat without transactions' : `${header.txCount} transactions`}${isVoid ? ', void' : ''}`,
        `  root       ${header.root}`,
        `  on L1      since ${formatTime(header.timestamp, now.timestamp)}, built on L1 block ${header.anchor}`,
        `  may be voided until ${formatTime(until, now.timestamp)}`,
        ...watcherLines(watcher),
      ]
      return {
        json: { number, header, isVoid, voidableUntil: until, watcher: watcher ?? null },
        text: `${lines.join('\n')}\n`,
      }
    },
  })
}

function errorCommand(io: CliIo): Command {
  const table = defineConfig({ program: 'error', describe: 'What an error means and what to do', entries: jsonEntry })
  return createCommand(io, {
    table,
    alsoInFile: walletEntries,
    words: { '[code]': 'as it was printed; all codes when left out' },
    run: async ({ config, words: [code] }) => {
      if (code === undefined) return io.out(config.json ? toJson(listErrors()) : `${listErrors().join('\n')}\n`)
      const entry = findError(code)
      if (!entry)
        throw invalid('ERROR_UNKNOWN', 'no such error code is in the book', {
          got: code,
          want: 'a code from `lifeboat explain error`; one that lifeboat printed itself and that is not there is a fault of the program: please report it',
        })
      io.out(
        config.json
          ? toJson(entry)
          : `${entry.code} (${entry.kind})\n  means: ${entry.meaning}\n  do:    ${entry.remedy}\n`,
      )
    },
  })
}

function watcherLines(watcher: WatcherAnswer | undefined): string[] {
  return watcher ? [`watcher ${watcher.url} says`, ...watcher.answer.summary.map((line) => `  ${line}`)] : []
}

async function readTrail({ wallet }: Session, { outputId, bond }: Exit) {
  const types = [
    'ExitStarted',
    'EvidenceShown',
    'EvidenceDropped',
    'ExitPostponed',
    'ExitPaid',
    'ExitInherited',
    'ExitRemoved',
  ] as const
  const events = await wallet.root.events({ types, outputId })
  return events.map((event) => {
    const words = (() => {
      switch (event.type) {
        case 'ExitStarted':
          return `started with a bond of ${bond} wei`
        case 'EvidenceShown':
          return `challenged by ${event.challenger}: ${describePlace(event.spend)} spends the output${event.reward > 0n ? `; rewarded with ${event.reward} wei` : ''}`
        case 'EvidenceDropped':
          return `the evidence at ${event.spend} was taken back`
        case 'ExitPostponed':
          return `had its turn, not payable then; ${event.due} reserved`
        case 'ExitPaid':
          return `paid ${event.amount}`
        case 'ExitInherited':
          return `${event.amount} of it out of the place of input ${event.fromOutputId}`
        case 'ExitRemoved':
          return `removed unpaid: ${event.reason}`
        default:
          return event.type
      }
    })()
    return {
      type: event.type,
      l1Block: event.at.l1Block,
      l1Timestamp: event.at.l1Timestamp,
      txHash: event.at.txHash,
      words,
    }
  })
}
