/** The operator's configuration (docs/architecture.md, "Configuration"): one table, and what single values cannot say. */
import { z } from 'zod'
import type { Deployment } from '../l1/deployment.ts'
import { type Address, parseAddress } from '../protocol/bytes.ts'
import { configError } from '../protocol/errors.ts'
import { type Parameters, PRESETS } from '../protocol/parameters.ts'
import { AMOUNT_LIMIT } from '../protocol/transaction.ts'
import { type ConfigOf, type ConfigProblem, defineConfig } from '../service/config.ts'
import {
  address,
  boolean,
  choice,
  integer,
  type Kind,
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
import type { Fee } from './policy.ts'

/** `<token>:<minimum>`, the minimum in the token's smallest unit; the zero address is ETH. */
function fee(): Kind<Fee> {
  return {
    placeholder: '<token>:<minimum>',
    want: 'a token address, a colon, and the least fee in its smallest unit (0x00...00 is ETH)',
    parse: (raw) => {
      const [, token, minimum] = /^(0x[0-9a-fA-F]{40}):(\d{1,39})$/.exec(String(raw)) ?? []
      if (token === undefined || minimum === undefined || BigInt(minimum) >= AMOUNT_LIMIT) return undefined
      return { token: parseAddress(token), minimum: BigInt(minimum) }
    },
    print: ({ token, minimum }) => `${token}:${minimum}`,
  }
}

export const operatorConfig = defineConfig({
  program: 'lifeboat operator',
  describe: 'Runs the child chain: takes payments, cuts blocks, commits them to L1, serves them.',
  entries: {
    dataDir: { kind: path(), describe: 'Directory of the database.' },
    l1Url: { kind: url(), describe: 'JSON-RPC endpoint of L1.' },
    l1SecondUrl: { kind: url(), describe: 'Second endpoint, compared with the first.', optional: true },
    deployment: { kind: path(), describe: 'Deployment file, as deploy wrote it.' },
    keystore: { kind: path(), describe: "Encrypted key file of the chain's operator." },
    passwordFile: { kind: secretFile(), describe: 'File with the password of the keystore.', optional: true },
    host: { kind: text(), describe: 'Address to listen on.', default: '127.0.0.1' },
    port: { kind: port(), describe: 'Port to listen on; 0 for any free one.', default: 4400 },
    trustProxy: { kind: boolean(), describe: 'Believe the last address of X-Forwarded-For.', default: false },
    blockInterval: {
      kind: seconds({ min: 1 }),
      describe: "Longest wait for a block to be cut; the deployment's by default.",
      optional: true,
    },
    maxSilence: {
      kind: seconds({ min: 1 }),
      describe:
        'Longest time without a block on L1, then an empty one is cut; a quarter of the abandon period by default.',
      optional: true,
    },
    maxBlockTxs: {
      kind: integer({ min: 1, max: 65_536 }),
      describe: "Transactions in a full block; the deployment's most by default.",
      optional: true,
    },
    finalityDepth: {
      kind: integer({ min: 1, max: 6_000 }),
      describe: "L1 blocks on top of a block before it counts; the deployment's by default.",
      optional: true,
    },
    reorgDepth: {
      kind: integer({ min: 1, max: 6_000 }),
      describe: 'L1 blocks that may be reorganised before we stop and say so.',
      default: 128,
    },
    feeAddress: {
      kind: address(),
      describe: "Who is paid the fees; the operator's own address by default.",
      optional: true,
    },
    fees: {
      kind: list(fee()),
      describe: 'Tokens in which a fee may be paid, any one of them; none: payments are free.',
      default: [],
    },
    maxInputs: { kind: integer({ min: 1, max: 16 }), describe: 'Most inputs of a payment.', default: 16 },
    maxOutputs: {
      kind: integer({ min: 1, max: 16 }),
      describe: 'Most outputs of a payment, the fee included.',
      default: 16,
    },
    accountRate: { kind: integer(), describe: 'Payments a second of one account; 0: no limit.', default: 0 },
    accountBurst: { kind: integer({ min: 1 }), describe: 'Payments of one account at once.', default: 1_000 },
    clientRate: { kind: integer(), describe: 'Requests a second of one client; 0: no limit.', default: 200 },
    clientBurst: { kind: integer({ min: 1 }), describe: 'Requests of one client at once.', default: 1_000 },
    queueLimit: {
      kind: integer({ min: 1 }),
      describe: 'Transactions waiting before new ones are refused.',
      default: 20_000,
    },
    threads: { kind: integer({ min: 1, max: 256 }), describe: 'Threads that check signatures.', default: 2 },
    submissionBudget: {
      kind: wei({ min: 1n }),
      describe: 'Most to spend on L1 fees for one submission.',
      default: 10n ** 17n,
    },
    pollInterval: {
      kind: integer({ min: 10, max: 60_000 }),
      describe: 'Milliseconds between two looks at L1.',
      default: 1_000,
    },
    maxL1Lag: {
      kind: seconds({ min: 1 }),
      describe: "Without L1 for so long, nothing is accepted; the deployment's submission margin by default.",
      optional: true,
    },
    logLevel: { kind: choice(LOG_LEVELS), describe: 'How much is logged.', default: 'info' },
  },
})

export type OperatorConfig = ConfigOf<(typeof operatorConfig)['entries']>

/** The operator's settings with every default filled in. */
export type OperatorSettings = Readonly<{
  host: string
  port: number
  trustProxy: boolean
  blockIntervalSeconds: number
  maxSilenceSeconds: number
  maxBlockTxs: number
  finalityDepth: number
  reorgDepth: number
  feeAddress: Address
  fees: readonly Fee[]
  maxInputs: number
  maxOutputs: number
  /** Payments of one account. */
  accountLimit: Readonly<{ perSecond: number; burst: number }>
  /** Requests of one client. */
  clientLimit: Readonly<{ perSecond: number; burst: number }>
  queueLimit: number
  threads: number
  submissionBudgetWei: bigint
  pollIntervalMs: number
  maxL1LagSeconds: number
}>

/** What a deployment and an operator address make of a configuration that says nothing. */
export function defaultSettings(parameters: Parameters, ourAddress: Address): OperatorSettings {
  const { entries } = operatorConfig
  return {
    host: entries.host.default,
    port: entries.port.default,
    trustProxy: false,
    blockIntervalSeconds: parameters.blockInterval,
    maxSilenceSeconds: Math.max(1, Math.floor(parameters.abandonPeriod / 4)),
    maxBlockTxs: parameters.maxBlockTxs,
    finalityDepth: parameters.finalityBlocks,
    reorgDepth: Math.max(entries.reorgDepth.default, 2 * parameters.finalityBlocks),
    feeAddress: ourAddress,
    fees: [],
    maxInputs: 16,
    maxOutputs: 16,
    accountLimit: { perSecond: 0, burst: 1 },
    clientLimit: { perSecond: entries.clientRate.default, burst: entries.clientBurst.default },
    queueLimit: entries.queueLimit.default,
    threads: entries.threads.default,
    submissionBudgetWei: entries.submissionBudget.default,
    pollIntervalMs: entries.pollInterval.default,
    maxL1LagSeconds: parameters.submissionMargin,
  }
}

/** The settings that a read configuration asks for. */
export function configToSettings(
  config: OperatorConfig,
  parameters: Parameters,
  ourAddress: Address,
): OperatorSettings {
  const defaults = defaultSettings(parameters, ourAddress)
  return {
    host: config.host,
    port: config.port,
    trustProxy: config.trustProxy,
    blockIntervalSeconds: config.blockInterval ?? defaults.blockIntervalSeconds,
    maxSilenceSeconds: config.maxSilence ?? defaults.maxSilenceSeconds,
    maxBlockTxs: config.maxBlockTxs ?? defaults.maxBlockTxs,
    finalityDepth: config.finalityDepth ?? defaults.finalityDepth,
    reorgDepth: config.reorgDepth,
    feeAddress: config.feeAddress ?? defaults.feeAddress,
    fees: config.fees,
    maxInputs: config.maxInputs,
    maxOutputs: config.maxOutputs,
    accountLimit: { perSecond: config.accountRate, burst: config.accountBurst },
    clientLimit: { perSecond: config.clientRate, burst: config.clientBurst },
    queueLimit: config.queueLimit,
    threads: config.threads,
    submissionBudgetWei: config.submissionBudget,
    pollIntervalMs: config.pollInterval,
    maxL1LagSeconds: config.maxL1Lag ?? defaults.maxL1LagSeconds,
  }
}

/** Every setting that does not fit the deployment's fixed periods. */
export function findSettingsProblems(settings: OperatorSettings, parameters: Parameters): ConfigProblem[] {
  const { slot, anchorAgeBlocks, submissionMargin, abandonPeriod, maxBlockTxs } = parameters
  const needed = settings.finalityDepth * slot + settings.blockIntervalSeconds + submissionMargin
  const rules: readonly (readonly [holds: boolean, key: string, got: unknown, want: string])[] = [
    [
      needed <= anchorAgeBlocks * slot,
      'blockInterval',
      `${settings.blockIntervalSeconds} s + finality ${settings.finalityDepth * slot} s + submission margin ${submissionMargin} s = ${needed} s`,
      `at most the anchor age of ${anchorAgeBlocks * slot} s together`,
    ],
    [
      settings.maxSilenceSeconds * 2 <= abandonPeriod,
      'maxSilence',
      `${settings.maxSilenceSeconds} s`,
      `at most ${Math.floor(abandonPeriod / 2)} s, half the abandon period`,
    ],
    [settings.maxBlockTxs <= maxBlockTxs, 'maxBlockTxs', settings.maxBlockTxs, `at most ${maxBlockTxs}, as deployed`],
    [
      settings.reorgDepth >= settings.finalityDepth,
      'reorgDepth',
      settings.reorgDepth,
      `at least finalityDepth, ${settings.finalityDepth}`,
    ],
    [
      new Set(settings.fees.map(({ token }) => token)).size === settings.fees.length,
      'fees',
      settings.fees.map(({ token }) => token),
      'each token once',
    ],
    [
      settings.fees.length === 0 || settings.maxOutputs >= 2,
      'maxOutputs',
      settings.maxOutputs,
      'at least 2, so that a payment can also pay its fee',
    ],
    [
      settings.maxL1LagSeconds <= anchorAgeBlocks * slot,
      'maxL1Lag',
      `${settings.maxL1LagSeconds} s`,
      `at most the anchor age of ${anchorAgeBlocks * slot} s`,
    ],
  ]
  return rules.flatMap(([holds, key, got, want]) => (holds ? [] : [{ key, got, want }]))
}

/** The periods that a deployment file names. Throws DEPLOYMENT_PARAMETERS (config) with all that are missing. */
export function deploymentParameters(deployment: Deployment): Parameters {
  const names = Object.keys(PRESETS.devnet) as (keyof Parameters)[]
  const schema = z.record(z.enum(names as [keyof Parameters, ...(keyof Parameters)[]]), z.coerce.number().int().min(1))
  const given = Object.fromEntries(names.map((name) => [name, deployment.parameters[name]]))
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data as Parameters
  throw configError('DEPLOYMENT_PARAMETERS', 'the deployment file lacks periods of the root contract', {
    got: parsed.error.issues.map(({ path: at, message }) => `${at.join('.')}: ${message}`),
    want: names.join(', '),
  })
}

/** The root contract's address. */
export function deploymentRoot(deployment: Deployment): Address {
  const root = deployment.contracts['root']
  if (root) return root.address
  throw configError('DEPLOYMENT_MALFORMED', 'the deployment file names no root contract', {
    got: Object.keys(deployment.contracts),
    want: 'root',
  })
}
