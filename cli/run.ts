/** Chooses the command, runs it, and turns how it ended into an exit code and words. */
import { Command, CommanderError } from 'commander'
import { isLifeboatError } from '../protocol/errors.ts'
import { configureOutput } from './command.ts'
import { EXIT_BUG, EXIT_CODES, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, errorToJson, exitCodeOf } from './exitCodes.ts'
import { type CliIo, toJson } from './io.ts'
import { endedInOrder } from './running.ts'

type CommandEntry = Readonly<{ describe: string; load(): Promise<(io: CliIo) => Command> }>

/** In the order of --help. */
const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  devnet: {
    describe: 'a whole funded network on this machine',
    load: async () => (await import('./devnet.ts')).createDevnetCommand,
  },
  story: {
    describe: 'a visible run of everything on a fresh network',
    load: async () => (await import('./story.ts')).createStoryCommand,
  },
  drill: {
    describe: 'list, run: rehearse the worst day',
    load: async () => (await import('./drill.ts')).createDrillCommand,
  },
  deploy: {
    describe: 'put the root contract on L1',
    load: async () => (await import('./deploy.ts')).createDeployCommand,
  },
  operator: { describe: 'run the operator', load: async () => (await import('./operator.ts')).createOperatorCommand },
  watcher: { describe: 'run a watcher', load: async () => (await import('./watcher.ts')).createWatcherCommand },
  check: {
    describe: 'check everything before running',
    load: async () => (await import('./check.ts')).createCheckCommand,
  },
  keys: {
    describe: 'new, import, list: encrypted key files',
    load: async () => (await import('./keys.ts')).createKeysCommand,
  },
  deposit: {
    describe: 'from L1 to the child chain',
    load: async () => (await import('./deposit.ts')).createDepositCommand,
  },
  send: { describe: 'pay on the child chain', load: async () => (await import('./send.ts')).createSendCommand },
  balance: { describe: 'what an account owns', load: async () => (await import('./balance.ts')).createBalanceCommand },
  history: { describe: 'what happened to it', load: async () => (await import('./history.ts')).createHistoryCommand },
  swap: {
    describe: 'offer, accept, complete, show, list, cancel',
    load: async () => (await import('./swap.ts')).createSwapCommand,
  },
  payment: {
    describe: 'save, keep: a payment as a file for its payee',
    load: async () => (await import('./payment.ts')).createPaymentCommand,
  },
  exit: {
    describe: 'leave with an output or a payment',
    load: async () => (await import('./exit.ts')).createExitCommand,
  },
  exits: {
    describe: 'list exits and when they pay',
    load: async () => (await import('./exits.ts')).createExitsCommand,
  },
  disputes: {
    describe: 'list disputes about payments',
    load: async () => (await import('./disputes.ts')).createDisputesCommand,
  },
  bond: {
    describe: 'show, post, take: what the operator has at stake on L1',
    load: async () => (await import('./bond.ts')).createBondCommand,
  },
  'operator-key': {
    describe: "show, nominate, accept: the operator's key handed on",
    load: async () => (await import('./operatorKey.ts')).createOperatorKeyCommand,
  },
  close: {
    describe: "end the chain in order, with the operator's key",
    load: async () => (await import('./operatorKey.ts')).createCloseCommand,
  },
  process: { describe: 'pay out what is due', load: async () => (await import('./process.ts')).createProcessCommand },
  withdraw: {
    describe: 'fetch what L1 holds for an account',
    load: async () => (await import('./withdraw.ts')).createWithdrawCommand,
  },
  mandate: {
    describe: 'give, revoke, show: leave for a watcher to act',
    load: async () => (await import('./mandate.ts')).createMandateCommand,
  },
  'mass-exit': {
    describe: 'plan, start, status, defend: take a whole crowd out together',
    load: async () => (await import('./massExit.ts')).createMassExitCommand,
  },
  claim: {
    describe: 'have mass exits pay what they hold for you',
    load: async () => (await import('./claim.ts')).createClaimCommand,
  },
  tokens: {
    describe: 'list, add: tokens by name',
    load: async () => (await import('./tokens.ts')).createTokensCommand,
  },
  status: {
    describe: 'how chain, operator and watchers are',
    load: async () => (await import('./status.ts')).createStatusCommand,
  },
  explain: {
    describe: 'exit, dispute, tx, block, error: why something is as it is',
    load: async () => (await import('./explain.ts')).createExplainCommand,
  },
}

/** Never throws; the exit code says how it ended (exitCodes.ts). Errors go to `err`, with --json as one JSON document. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    await createProgram(io).parseAsync([...argv], { from: 'user' })
    return io.signal.aborted && !endedInOrder(io) ? EXIT_INTERRUPTED : EXIT_OK
  } catch (error) {
    return printError(error, io, argv.includes('--json'))
  }
}

function createProgram(io: CliIo): Command {
  const program = configureOutput(new Command('lifeboat'), io)
    .description('A Plasma sidechain that everyone can leave')
    .version('0.1.0')
    .helpCommand(false)
    .enablePositionalOptions()
    // The words behind a name are the command's own business: its --help names them.
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText('after', `\nExit codes:\n${EXIT_CODES.map(({ code, meaning }) => `  ${code}  ${meaning}`).join('\n')}`)
  for (const [name, { describe, load }] of Object.entries(COMMANDS)) {
    // A stub: everything after the name goes to the command itself, which is loaded only now.
    program
      .command(name)
      .description(describe)
      .helpOption(false)
      .allowUnknownOption()
      .passThroughOptions()
      .argument('[words...]')
      .action(async (words: string[]) => {
        const command = (await load())(io).name(`lifeboat ${name}`)
        await command.parseAsync(words, { from: 'user' })
      })
  }
  return program
}

function printError(error: unknown, io: CliIo, json: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE
  if (io.signal.aborted) {
    io.err('interrupted\n')
    return EXIT_INTERRUPTED
  }
  if (!isLifeboatError(error)) {
    io.err(
      `this is a fault of lifeboat, please report it:\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    )
    return EXIT_BUG
  }
  if (json) io.err(toJson({ error: errorToJson(error) }))
  else {
    const next =
      error.family === 'bug'
        ? 'this is a fault of lifeboat, please report it'
        : `\`lifeboat explain error ${error.code}\` says more`
    io.err(`${error.code}: ${error.message}\n${next}\n`)
  }
  return exitCodeOf(error)
}
