/** lifeboat devnet: a whole funded network on this machine, until it is interrupted. */
import { relative } from 'node:path'
import { PRESETS } from '../protocol/parameters.ts'
import { defineConfig } from '../service/config.ts'
import { boolean, choice, integer, path, port, seconds } from '../service/configTypes.ts'
import { createLog, LOG_LEVELS } from '../service/log.ts'
import { createCommand } from './command.ts'
import { type CliIo, toJson } from './io.ts'
import { type Network, startNetwork, writeWalletFiles } from './network.ts'
import { untilInterrupted } from './running.ts'
import { walletEntries } from './walletConfig.ts'

const table = defineConfig({
  program: 'lifeboat devnet',
  describe:
    'An embedded L1, the contracts, an operator, watchers, and funded accounts with key files. For development only.',
  entries: {
    data: {
      kind: path(),
      default: '.lifeboat-devnet',
      describe: 'Where it is kept; started again, it goes on from there',
    },
    l1Port: { kind: port(), default: 8545, describe: 'Port of the L1; 0 for any free one' },
    operatorPort: { kind: port(), default: 4400, describe: 'Port of the operator' },
    watchers: { kind: integer({ min: 0, max: 20 }), default: 2, describe: 'How many watchers' },
    watcherPort: {
      kind: port(),
      default: 8646,
      describe: 'Port of the first watcher, the others follow; 0 for any free ones',
    },
    accounts: { kind: integer({ min: 1, max: 1000 }), default: 10, describe: 'Funded accounts' },
    blockTime: { kind: seconds({ min: 1, max: 60 }), default: 1, describe: 'Seconds between two L1 blocks' },
    minExitPeriod: {
      kind: seconds({ min: 240, max: 604_800 }),
      default: PRESETS.devnet.minExitPeriod,
      describe: 'The minimum exit period (MEP) of a new network',
    },
    logLevel: {
      kind: choice(LOG_LEVELS),
      default: 'warn',
      describe: 'How much operator and watchers log, to standard output',
    },
    json: { kind: boolean(), default: false, describe: 'Print where everything is as one JSON document' },
  },
})

export function createDevnetCommand(io: CliIo) {
  return createCommand(io, {
    table,
    alsoInFile: walletEntries,
    examples: ['lifeboat devnet', 'lifeboat devnet --l1-port 0 --operator-port 0 --watcher-port 0 --data /tmp/net'],
    run: async ({ config }) => {
      const { minExitPeriod, watcherPort } = config
      const watcherPorts = Array.from({ length: config.watchers }, (_, i) => (watcherPort === 0 ? 0 : watcherPort + i))
      const network = await startNetwork({
        directory: config.data,
        ports: { l1: config.l1Port, operator: config.operatorPort, watchers: watcherPorts },
        watchers: config.watchers,
        accounts: config.accounts,
        parameters: {
          ...PRESETS.devnet,
          minExitPeriod,
          abandonPeriod: Math.max(PRESETS.devnet.abandonPeriod, 2 * minExitPeriod),
        },
        mining: { intervalSeconds: config.blockTime },
        // Standard output is for the answer, which a program may read.
        log: createLog({ name: 'devnet', level: config.logLevel, destination: { write: io.err } }),
        report: (progress) => io.err(`${progress}\n`),
      })
      try {
        const file = await writeWalletFiles(network)
        io.out(config.json ? toJson(placesOf(network, file)) : describeNetwork(network, pathFromHere(file)))
      } catch (error) {
        await network.stop()
        throw error
      }
      await untilInterrupted(io, () => network.stop())
    },
  })
}

function placesOf({ l1, operator, watchers, accounts, deployment, directory }: Network, config: string) {
  return {
    l1Url: l1.url,
    l1WsUrl: l1.wsUrl,
    chainId: l1.chainId,
    rootContract: deployment.contracts['root']?.address,
    operatorUrl: operator.url,
    watcherUrls: watchers.map(({ url }) => url),
    accounts: accounts.map(({ name, account }) => ({ name, address: account.address })),
    directory,
    config,
  }
}

function describeNetwork(network: Network, config: string): string {
  const { l1, operator, watchers, accounts, parameters } = network
  return [
    '',
    `L1        ${l1.url} (chain ${l1.chainId}, ${l1.wsUrl})`,
    `operator  ${operator.url}`,
    ...watchers.map(({ url }, i) => `watcher ${i + 1} ${url}`),
    `accounts  ${accounts.map(({ name }) => name).join(' ')}, each with ETH on L1`,
    `periods   exits take ${parameters.minExitPeriod} to ${2 * parameters.minExitPeriod} s`,
    '',
    'in another terminal:',
    `  export LIFEBOAT_CONFIG=${config}`,
    '  npm run -s lifeboat -- deposit 2 --account alice',
    '  npm run -s lifeboat -- send bob 0.5 --account alice',
    '  npm run -s lifeboat -- balance --account bob --outputs',
    '  npm run -s lifeboat -- exit <position> --account bob',
    '',
    'Ctrl-C stops it; started again, it goes on from there.',
    '',
  ].join('\n')
}

/** As short as it can be typed here; whole where it lies elsewhere. */
function pathFromHere(file: string): string {
  const path = relative('.', file)
  return path.startsWith('..') ? file : path
}
