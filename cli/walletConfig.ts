/** The configuration that all wallet commands share (docs/guide-wallet.md, "Configuration"). */
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Entries } from '../service/config.ts'
import { boolean, integer, list, path, seconds, secretFile, text, url, wei } from '../service/configTypes.ts'

export const jsonEntry = {
  json: { kind: boolean(), default: false, describe: 'Print one JSON document instead of text' },
} as const satisfies Entries

export const keyEntries = {
  dataDir: { kind: path(), default: join(homedir(), '.lifeboat'), describe: 'Where the wallet keeps its files' },
  keystore: {
    kind: path(),
    optional: true,
    describe: 'Directory of the encrypted keys; keys/ of the data directory when left out',
  },
  passwordFile: {
    kind: secretFile(),
    optional: true,
    describe: 'File that holds the password of the key; asked for when left out',
  },
} as const satisfies Entries

export const chainEntries = {
  deployment: {
    kind: path(),
    optional: true,
    describe: 'Deployment file; deployment.json of the data directory when left out',
  },
  l1Url: { kind: url(), default: 'http://127.0.0.1:8545/', describe: 'L1 JSON-RPC endpoint' },
  operatorUrl: { kind: url(), default: 'http://127.0.0.1:4400/', describe: "The operator's API" },
  watcherUrls: { kind: list(url()), default: [], describe: 'Watchers to ask for exit data and alerts' },
} as const satisfies Entries

export const walletEntries = {
  ...keyEntries,
  ...chainEntries,
  account: {
    kind: text({ want: 'an address, or the name of a key' }),
    optional: true,
    describe: 'Whose wallet it is; the only key when left out',
  },
  timeout: { kind: seconds({ min: 1 }), default: 300, describe: 'How long to wait for blocks and for L1' },
  budget: {
    kind: wei(),
    default: 50_000_000_000_000_000n,
    describe: 'Most that one L1 transaction may cost in fees',
  },
  confirmations: {
    kind: integer({ min: 1, max: 100 }),
    default: 1,
    describe: 'L1 blocks to wait for, the one of the transaction included',
  },
  ...jsonEntry,
} as const satisfies Entries
