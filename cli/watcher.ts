/** lifeboat watcher: re-checks every block and plays the exit games until it is interrupted. */
import { connectEndpoint, type Endpoint } from '../l1/endpoint.ts'
import { DEFAULT_POLICY } from '../l1/outboxContext.ts'
import { defineConfig, invalidConfig } from '../service/config.ts'
import { boolean, path, secretFile } from '../service/configTypes.ts'
import { createLog } from '../service/log.ts'
import { unlockKey } from '../wallet/keys.ts'
import { checkWatcher, readParameters, readProtectedFile } from '../watcher/check.ts'
import { policyOf, WATCHER_CONFIG } from '../watcher/config.ts'
import { delaysOf } from '../watcher/court/margins.ts'
import { createHttpPeer } from '../watcher/peers.ts'
import { startWatcherProgram } from '../watcher/program.ts'
import { defaultLimits } from '../watcher/safety.ts'
import { createLogSink, createWebhookSink } from '../watcher/sinks.ts'
import { rootOf } from '../watcher/watcher.ts'
import { createCommand } from './command.ts'
import { readDeploymentFile } from './deploymentFile.ts'
import type { CliIo } from './io.ts'
import { readPassword } from './password.ts'
import { untilInterrupted } from './running.ts'

const table = defineConfig({
  ...WATCHER_CONFIG,
  entries: {
    ...WATCHER_CONFIG.entries,
    keystore: {
      kind: path(),
      optional: true,
      describe: 'Encrypted key file whose ETH pays for challenges; without one it only watches',
    },
    passwordFile: { kind: secretFile(), optional: true, describe: 'File with the password of the keystore' },
    publicService: {
      kind: boolean(),
      default: false,
      describe: "Give strangers' exits their turn when the bounty pays for it",
    },
    check: { kind: boolean(), default: false, describe: 'Check everything and end, without running' },
  },
})

export function createWatcherCommand(io: CliIo) {
  return createCommand(io, {
    table,
    run: async ({ config }) => {
      const deployment = readDeploymentFile(config.deployment)
      const chainId = config.l1ChainId ?? deployment.chainId
      const urls = [config.l1Url, ...(config.l1SecondUrl === undefined ? [] : [config.l1SecondUrl])]
      const connected = await Promise.all(urls.map((url) => connectEndpoint({ url, expectedChainId: chainId })))
      const endpoints = connected as [Endpoint, ...Endpoint[]]
      const rootContract = rootOf(deployment)
      const parameters = await readParameters(endpoints[0], rootContract)
      const { keystore } = config
      const account =
        keystore === undefined
          ? undefined
          : await unlockKey(keystore, () => readPassword(io, config.passwordFile, `Password of ${keystore}: `))
      const defaults = defaultLimits(parameters)
      const limits = config.grace === undefined ? defaults : { ...defaults, graceSeconds: config.grace }
      const protectedAccounts = config.protectedFile === undefined ? [] : readProtectedFile(config.protectedFile)
      const peers = config.peers.map((url) =>
        createHttpPeer({ url, timeoutMs: config.peerTimeout * 1000, signal: io.signal }),
      )

      const report = await checkWatcher({
        deployment,
        rootContract,
        endpoints,
        peers,
        limits,
        parameters,
        data: config.data,
        sender: account?.address,
        delays: delaysOf(parameters, { confirmations: DEFAULT_POLICY.confirmations, pollMs: config.poll * 1000 }),
      })
      for (const { key, got, want, from } of report.warnings)
        io.err(`warning: ${key}: got ${String(got)}${from ? ` from ${from}` : ''}, want ${want}\n`)
      if (report.problems.length > 0) throw invalidConfig(table.program, report.problems)
      if (config.check) return io.out('watcher: everything is ready\n')

      const log = createLog({ name: 'watcher', level: config.logLevel })
      const { webhookUrl, webhookSecretFile } = config
      const webhook =
        webhookUrl === undefined || !webhookSecretFile
          ? []
          : [
              createWebhookSink({
                name: 'webhook',
                now: Date.now,
                url: webhookUrl,
                secret: webhookSecretFile.read(),
                timeoutMs: config.webhookTimeout * 1000,
              }),
            ]
      const program = await startWatcherProgram({
        deployment,
        parameters,
        endpoints,
        peers,
        limits,
        log,
        file: config.data,
        host: config.host,
        port: config.port,
        version: '0.1.0',
        threads: config.threads,
        pollMs: config.poll * 1000,
        maxHeadAgeSeconds: config.unsafeIgnoreHeadAge ? undefined : config.maxHeadAge,
        sinks: [createLogSink(log), ...webhook],
        ...(account ? { account, policy: { ...policyOf(config), publicService: config.publicService } } : {}),
        ...(config.finalityBlocks === undefined ? {} : { finalityBlocks: config.finalityBlocks }),
        ...(config.apiTokenFile ? { apiToken: config.apiTokenFile.read() } : {}),
        protectedAccounts,
      })
      io.err(`watcher at ${program.watcher.url}${account ? `, acting as ${account.address}` : ', watching only'}\n`)
      await untilInterrupted(io, () => program.stop())
    },
  })
}
