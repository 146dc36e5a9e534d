/** The watcher's configuration table (docs/architecture.md, "Configuration"): parser, --help and docs come from it. */
import { type ConfigOf, type ConfigProblem, defineConfig } from '../service/config.ts'
import {
  boolean,
  choice,
  integer,
  list,
  path,
  port,
  seconds,
  secretFile,
  text,
  url,
  wei,
} from '../service/configTypes.ts'
import { LOG_LEVELS } from '../service/log.ts'
import type { CourtPolicy } from './court/policy.ts'

export const WATCHER_CONFIG = defineConfig({
  program: 'lifeboat watcher',
  describe: 'Re-checks every block, plays the exit games, and gets protected accounts out when the chain turns unsafe.',
  entries: {
    deployment: { kind: path(), describe: 'The deployment file that `lifeboat deploy` wrote.' },
    l1Url: { kind: url(), describe: 'The L1 endpoint.' },
    l1SecondUrl: {
      kind: url(),
      describe: 'A second L1 endpoint, of another provider: compared with the first, used when it fails.',
      optional: true,
    },
    l1ChainId: {
      kind: integer({ min: 1 }),
      describe: 'What the L1 endpoint must say; the deployment file decides when left out.',
      optional: true,
    },
    finalityBlocks: {
      kind: integer({ min: 1, max: 10_000 }),
      describe: 'Depth at which an L1 block counts as final; the deployment decides when left out.',
      optional: true,
    },
    peers: { kind: list(url()), describe: 'Base URLs of block peers: the operator and other watchers.' },
    peerTimeout: {
      kind: seconds({ min: 1, max: 300 }),
      describe: 'How long a peer may take to begin an answer.',
      default: 10,
    },
    data: { kind: path(), describe: 'The database file.', default: 'watcher.sqlite' },
    host: {
      kind: text(),
      describe:
        'Address to listen on. The API can register mandates and acknowledge alerts: keep it private or set a token.',
      default: '127.0.0.1',
    },
    port: { kind: port(), describe: 'Port to listen on; 0 takes a free one.', default: 8646 },
    apiTokenFile: {
      kind: secretFile(),
      describe: 'File with the token that calls which change something must bear.',
      optional: true,
    },
    poll: { kind: seconds({ min: 1, max: 600 }), describe: 'Pause between two looks at L1 and the peers.', default: 2 },
    threads: { kind: integer({ min: 1, max: 256 }), describe: 'Signature threads.', default: 2 },
    grace: {
      kind: seconds({ min: 1 }),
      describe: 'Attended silence after which a block counts as withheld; a quarter of MEP when left out.',
      optional: true,
    },
    maxHeadAge: { kind: seconds({ min: 1 }), describe: 'An L1 head older than this is not fresh.', default: 180 },
    unsafeIgnoreHeadAge: {
      kind: boolean(),
      describe: 'Never doubt the age of the L1 head: for chains whose time is moved by hand.',
      default: false,
    },
    dataChallengeBudget: {
      kind: wei(),
      describe:
        'Most in bonds of data challenges that are open or were answered in the last MEP; twice the cover of the largest block at 5 gwei when left out.',
      optional: true,
    },
    demandBudget: {
      kind: wei(),
      describe:
        "Most in bonds of demands against strangers' mass exits that are open, or were answered for batches that still stand; eight demands at 50 gwei when left out.",
      optional: true,
    },
    massExitBudget: {
      kind: wei(),
      describe:
        "Most in bonds of this watcher's own mass exits that stand; what the key holds when left out. 0: it starts none, takes no mandates for them, and protected outputs leave one by one.",
      optional: true,
    },
    webhookUrl: { kind: url(), describe: 'Where alerts are posted.', optional: true },
    webhookSecretFile: {
      kind: secretFile(),
      describe: 'File with the secret that signs webhook posts.',
      optional: true,
    },
    webhookTimeout: { kind: seconds({ min: 1, max: 120 }), describe: 'How long the webhook may take.', default: 10 },
    protectedFile: {
      kind: path(),
      describe:
        'JSON file with protected accounts to register at start: a list of mandates as `lifeboat mandate give --out` writes them.',
      optional: true,
    },
    logLevel: { kind: choice(LOG_LEVELS), describe: 'Least level that is logged.', default: 'info' },
  },
  rules: [webhookNeedsSecret, openNeedsToken],
})

export type WatcherConfig = ConfigOf<(typeof WATCHER_CONFIG)['entries']>

/** What the configuration says of the court's policy; what it leaves out stays at its default. */
export function policyOf({
  dataChallengeBudget,
  demandBudget,
  massExitBudget,
}: Pick<WatcherConfig, 'dataChallengeBudget' | 'demandBudget' | 'massExitBudget'>): Partial<CourtPolicy> {
  return {
    ...(dataChallengeBudget === undefined ? {} : { dataChallengeBudgetWei: dataChallengeBudget }),
    ...(demandBudget === undefined ? {} : { demandBudgetWei: demandBudget }),
    ...(massExitBudget === undefined ? {} : { batchBondBudgetWei: massExitBudget }),
  }
}

function webhookNeedsSecret(
  config: Readonly<{ webhookUrl?: unknown; webhookSecretFile?: unknown }>,
): ConfigProblem | undefined {
  if (config.webhookUrl === undefined || config.webhookSecretFile !== undefined) return undefined
  return { key: 'webhookSecretFile', got: 'nothing', want: 'a file with a secret, since webhookUrl is set' }
}

function openNeedsToken(config: Readonly<{ host?: unknown; apiTokenFile?: unknown }>): ConfigProblem | undefined {
  const isLocal = ['127.0.0.1', '::1', 'localhost'].includes(String(config.host))
  if (isLocal || config.apiTokenFile !== undefined) return undefined
  return { key: 'apiTokenFile', got: 'nothing', want: 'a file with a token, since others can reach this address' }
}
