/**
 * lifeboat story (`npm start`): the main job, seen happening. A fresh network on this machine, deposits, thousands of payments, exits,
 * a thief who is caught by a watcher, payouts in order, and books that balance to the wei. Real parts over real sockets; only L1
 * time is moved, where a person would have to wait for a period to pass.
 */
import { createClient } from '../api/client.ts'
import { invalid } from '../protocol/errors.ts'
import { PRESETS } from '../protocol/parameters.ts'
import { defineConfig } from '../service/config.ts'
import { boolean, choice, integer } from '../service/configTypes.ts'
import { createLog, LOG_LEVELS } from '../service/log.ts'
import { createCommand } from './command.ts'
import { type CliIo, formatTable, toJson } from './io.ts'
import { type Network, startNetwork, writeWalletFiles } from './network.ts'
import { untilInterrupted } from './running.ts'
import { drawLedger, isBalanced, type TokenLedger } from './storyLedger.ts'
import { playStory } from './storyPlot.ts'

const table = defineConfig({
  program: 'lifeboat story',
  describe:
    'A visible run of everything on a fresh network: deposits, payments, exits, a thief caught, books that balance.',
  entries: {
    once: {
      kind: boolean(),
      default: false,
      describe: 'End after the story; exit code 0 only if everything reconciled',
    },
    accounts: { kind: integer({ min: 4, max: 200 }), default: 20, describe: 'Accounts that take part' },
    payments: { kind: integer({ min: 50, max: 1_000_000 }), default: 3_000, describe: 'Payments between them' },
    exits: { kind: integer({ min: 2, max: 40 }), default: 6, describe: 'Honest exits' },
    seed: { kind: integer({ min: 0, max: 2 ** 32 - 1 }), default: 1, describe: 'Who pays whom' },
    logLevel: { kind: choice(LOG_LEVELS), default: 'error', describe: 'How much operator and watchers log' },
    json: { kind: boolean(), default: false, describe: 'Print the result as one JSON document' },
  },
})

export function createStoryCommand(io: CliIo) {
  return createCommand(io, {
    table,
    examples: ['lifeboat story', 'lifeboat story --once --payments 10000'],
    run: async ({ config }) => {
      const say = (line: string) => io.err(`${line}\n`)
      const network = await startNetwork({
        accounts: config.accounts,
        log: createLog({ name: 'story', level: config.logLevel, destination: { write: io.err } }),
        operator: { blockIntervalSeconds: 2 },
        pollMs: 200,
        report: (progress) => say(`  ${progress}`),
      })
      let balanced = false
      try {
        const { tokens, outcome } = await playStory(network, config, say)
        const ledger = await settleBooks(network, tokens)
        balanced = ledger.every(isBalanced) && outcome.thiefStopped && outcome.inOrder
        io.out(config.json ? toJson({ balanced, outcome, ledger }) : describeBooks(ledger, balanced))
        if (!config.once) await stayUp(io, network)
      } finally {
        await network.stop()
      }
      if (!balanced)
        throw invalid('STORY_UNRECONCILED', 'the story did not reconcile', {
          got: 'see the books above',
          want: 'equal books, a thief unpaid, payouts in order',
        })
    },
  })
}

/** Every keeper of the chain is asked until all agree or half a minute is over; then the books are what they are. */
async function settleBooks(
  network: Network,
  tokens: readonly Readonly<{ symbol: string; address: `0x${string}` }>[],
): Promise<TokenLedger[]> {
  const first = network.accounts[0]
  if (!first) return []
  const { wallet, close } = await network.connect(first.account)
  try {
    const keepers = [network.operator.url, ...network.watchers.map(({ url }) => url)].map((url) =>
      createClient({ url }),
    )
    const owners = network.accounts.map(({ account }) => account.address)
    for (let attempt = 0; ; attempt++) {
      const ledger = await drawLedger({ root: wallet.root, endpoint: network.endpoint, keepers, owners, tokens })
      if (ledger.every(isBalanced) || attempt === 60) return ledger
      await wallet.waiting.sleep(500)
    }
  } finally {
    await close()
  }
}

function describeBooks(ledger: readonly TokenLedger[], balanced: boolean): string {
  const rows = ledger.flatMap((token) => [
    [token.symbol, 'deposited', token.deposited.toString()],
    ['', 'paid out by exits', token.paidOut.toString()],
    ...token.onChild.map(({ who, amount }) => ['', `on the child chain, says ${who}`, amount.toString()]),
    ['', 'credits and bonds aside', token.aside.toString()],
    ['', 'held by the root contract', token.held.toString()],
  ])
  return `\nThe books, in the smallest units\n${formatTable(rows)}${balanced ? 'Everything reconciles, to the wei.' : 'THE BOOKS DO NOT BALANCE.'}\n`
}

async function stayUp(io: CliIo, network: Network): Promise<void> {
  const file = await writeWalletFiles(network)
  const { l1, operator, watchers } = network
  io.out(
    [
      '',
      `Still running. L1 ${l1.url} (chain ${l1.chainId}), operator ${operator.url}, watchers ${watchers.map(({ url }) => url).join(' ')}`,
      `Exits take ${PRESETS.devnet.minExitPeriod} to ${2 * PRESETS.devnet.minExitPeriod} s here. In another terminal:`,
      `  export LIFEBOAT_CONFIG=${file}`,
      '  npm run -s lifeboat -- balance --account alice --outputs',
      '  npm run -s lifeboat -- send bob 0.5 --account alice',
      '  npm run -s lifeboat -- exit <position> --account bob',
      '  npm run -s lifeboat -- status',
      'Ctrl-C stops it.',
      '',
    ].join('\n'),
  )
  await untilInterrupted(io, () => network.stop())
}
