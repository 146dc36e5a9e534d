/** lifeboat deploy: puts the root contract on L1 and writes the deployment file. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deployRoot } from '../l1/deploy.ts'
import { printDeployment } from '../l1/deployment.ts'
import { connectEndpoint } from '../l1/endpoint.ts'
import { type Parameters, PRESETS } from '../protocol/parameters.ts'
import { defineConfig } from '../service/config.ts'
import { address, choice, integer, path, seconds, url, wei } from '../service/configTypes.ts'
import { formatAmount } from '../wallet/amounts.ts'
import { listKeys, unlockKey } from '../wallet/keys.ts'
import { createCommand } from './command.ts'
import { type CliIo, toJson } from './io.ts'
import { findKey, keystoreOf } from './keystore.ts'
import { assertWritable } from './outFile.ts'
import { readPassword } from './password.ts'
import { jsonEntry, keyEntries, walletEntries } from './walletConfig.ts'

const table = defineConfig({
  program: 'lifeboat deploy',
  describe: 'Put the root contract on L1. Its periods are fixed for ever; nobody has power over it afterwards.',
  entries: {
    preset: { kind: choice(['mainnet', 'testnet', 'devnet']), describe: 'The periods (docs/spec.md section 10)' },
    operator: { kind: address(), optional: true, describe: 'First operator; the account that deploys when left out' },
    maxBlockTxs: {
      kind: integer({ min: 1, max: 65_536 }),
      optional: true,
      describe: "Most transactions in a block; the preset's when left out",
    },
    l1ChainId: { kind: integer({ min: 1 }), describe: 'What the L1 endpoint must say' },
    out: { kind: path(), default: 'deployment.json', describe: 'Where to write the deployment file' },
    l1Url: { kind: url(), default: walletEntries.l1Url.default, describe: 'L1 JSON-RPC endpoint' },
    budget: { kind: wei(), default: 10n ** 18n, describe: 'Most that one contract may cost in fees' },
    timeout: { kind: seconds({ min: 1 }), default: 1800, describe: 'How long to wait for L1' },
    confirmations: { kind: integer({ min: 1, max: 100 }), default: 2, describe: 'L1 blocks to wait for' },
    account: walletEntries.account,
    ...keyEntries,
    ...jsonEntry,
  },
})

export function createDeployCommand(io: CliIo) {
  return createCommand(io, {
    table,
    alsoInFile: walletEntries,
    examples: ['lifeboat deploy --preset testnet --l1-chain-id 11155111 --l1-url https://... --account deployer'],
    run: async ({ config }) => {
      assertWritable('--out', config.out)
      const key = findKey(await listKeys(keystoreOf(config)), config.account, keystoreOf(config))
      const endpoint = await connectEndpoint({ url: config.l1Url, expectedChainId: config.l1ChainId })
      const account = await unlockKey(key.path, () =>
        readPassword(io, config.passwordFile, `Password of ${key.name}: `),
      )
      const { maxBlockTxs, confirmations } = config
      const preset = PRESETS[config.preset as keyof typeof PRESETS]
      io.err(`the operator's bond of ${bondOf(preset)} ETH goes along with the root contract\n`)
      const deployment = await deployRoot({
        endpoint,
        deployerKey: account.privateKey,
        operator: config.operator ?? account.address,
        parameters: { ...preset, ...(maxBlockTxs === undefined ? {} : { maxBlockTxs }) },
        file: join(config.dataDir, `deploy-${config.l1ChainId}-${account.address}.sqlite`),
        budgetWei: config.budget,
        timeoutSeconds: config.timeout,
        confirmations,
        pollMs: 1000,
        report: (progress) => io.err(`${progress}\n`),
        signal: io.signal,
      })
      writeFileSync(config.out, printDeployment(deployment))
      const root = deployment.contracts['root']?.address
      io.out(
        config.json
          ? toJson(deployment)
          : `root contract ${root} on chain ${deployment.chainId}\nwritten to ${config.out}\n`,
      )
    },
  })
}

function bondOf({ operatorBondGwei }: Parameters): string {
  return formatAmount(BigInt(operatorBondGwei) * 10n ** 9n, 18)
}
